"""Services that change by date are read as they start (rule D13): all engines, under every mechanism."""

import dataclasses

import numpy as np
import pytest
from test_compiled_pass import case_of, difference

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.engines import batch, compiled
from corridor_sim.plan.elements import Station

FACTORS = (0.25, 0.5, 1.0, 1.5, 2.0)
DAYS = StepFunction(np.arange(40) * 12.0, np.tile([1.0, 0.0], 20))
"""Twelve hours open, twelve hours closed."""
CROWD = {"elements": (2, 4), "consignments": (50, 70), "rows": (1, 2), "flows": (1, 3), "span": 40}


def dated(dice, horizon_h):
    at_h = np.sort(dice.choice(np.arange(1, 120), size=int(dice.integers(1, 5)), replace=False)) * horizon_h / 120
    return StepFunction([0.0, *at_h], dice.choice(FACTORS, size=len(at_h) + 1))


def with_dated_services(seed, plan):
    """The plan with other times of service and travel, several times in the run, at every step that has a law."""
    dice = np.random.default_rng([seed, 1])

    def changed(step):
        return dataclasses.replace(step, factor=dated(dice, plan.horizon_h)) if step.laws else step

    def of(variant):
        return dataclasses.replace(variant, steps=tuple(changed(step) for step in variant.steps))

    flows = tuple(dataclasses.replace(flow, variants=tuple(map(of, flow.variants))) for flow in plan.flows)
    return dataclasses.replace(plan, flows=flows)


def short_openings(plan):
    """The plan with stations of one lane that start nothing which would not end in time."""

    def of(element):
        if not isinstance(element, Station):
            return element
        return Station(id=element.id, lanes=DAYS, closing="no_overrun", post=element.post)

    return dataclasses.replace(plan, elements=tuple(map(of, plan.elements)))


@pytest.mark.parametrize("part", range(4))
def test_all_engines_read_services_as_they_start(part):
    ran = in_batch = 0
    for seed in range(part * 25, part * 25 + 25):
        plan, inputs = case_of(seed, **CROWD)
        plan = with_dated_services(seed, plan)
        if compiled.refusals(plan) or any(getattr(one, "closing", "") == "no_overrun" for one in plan.elements):
            continue
        assert difference(plan, inputs) == "", seed
        ran += 1
        in_batch += not batch.refusals(plan)
    assert ran >= 10
    assert in_batch >= 3


def test_all_engines_wait_without_overrun_for_a_time_that_fits():
    ran = 0
    for seed in range(1, 90, 3):
        plan, inputs = case_of(seed, **CROWD)
        plan, inputs = with_dated_services(seed, short_openings(plan)), dataclasses.replace(inputs, outages={})
        if compiled.refusals(plan) or batch.refusals(plan):
            continue
        assert difference(plan, inputs) == "", seed
        ran += 1
    assert ran >= 15
