"""Risk channels put into a random plan: dated shares by class, stages of any that stand side by side (rule S20)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from plans import Dice

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.plan.plan import Plan
from corridor_sim.plan.steps import Relief, Step
from corridor_sim.records.inputs import SampledInputs
from corridor_sim.records.visits import Records

DRAWS = "risk"
EIGHTHS = 8
"""Shares and uniforms are eighths, so that a number lies just on a bound in every plan."""


@dataclass
class Channelled:
    """A plan with channels, its draws, and what of them is in it."""

    plan: Plan
    inputs: SampledInputs
    has: Counter


def _bounds(dice: Dice, channels: int, dates: list[float]) -> np.ndarray:
    """Bounds of the channels at each date, the strictest first: row d rises from 0 to 1."""
    inner = np.sort(dice.integers(0, EIGHTHS, (len(dates), channels - 1)), axis=1) / EIGHTHS
    return np.column_stack([np.zeros(len(dates)), inner, np.ones(len(dates))])


def with_channels(dice: Dice, plan: Plan, inputs: SampledInputs) -> Channelled:
    """The plan with channels at most of its steps: each class (flow) has bounds of its own or those of all."""
    span, channels = int(plan.horizon_h), dice.integer(2, 4)
    dates = [0.0, *sorted({float(dice.integer(1, span)) for _ in range(dice.integer(0, 3))})]
    of_all, has = _bounds(dice, channels, dates), Counter()
    first = [dice.integer(0, channels - 1) for _ in plan.elements]
    last = [dice.integer(low, channels - 1) for low in first]
    flows, given = [], []
    for flow, drawn in zip(plan.flows, inputs.flows, strict=True):
        own = dice.integer(0, 1) == 1
        bounds = _bounds(dice, channels, dates) if own else of_all
        has["channels of a class"] += own
        variants = []
        for variant in flow.variants:
            steps = [
                _in_channels(dice, step, dates, bounds[:, first[step.element]], bounds[:, last[step.element] + 1], has)
                for step in variant.steps
            ]
            variants.append(replace(variant, steps=tuple(steps)))
        flows.append(replace(flow, variants=tuple(variants)))
        numbers = dice.integers(0, EIGHTHS - 1, drawn.release_h.shape) / EIGHTHS
        given.append(replace(drawn, uniform={**drawn.uniform, DRAWS: numbers}))
    has["shares by date"] += len(dates) > 1
    return Channelled(replace(plan, flows=tuple(flows)), replace(inputs, flows=tuple(given)), has)


def _in_channels(dice: Dice, step: Step, dates: list[float], low: np.ndarray, high: np.ndarray, has: Counter) -> Step:
    """The step for those between two bounds, or for a share of them."""
    if dice.integer(0, 4) == 0:
        return step
    part = (1.0, 1.0, 0.5)[dice.integer(0, 2)]
    share = StepFunction(dates, low + part * (high - low))
    below = (Relief(share=StepFunction(dates, low), factor=0.0, draws=DRAWS),) if low.any() else ()
    has["a channel in the middle" if below else "the strictest channels"] += 1
    has["a share of a channel"] += part < 1
    return replace(step, share=share, share_draws=DRAWS, reliefs=(*below, *step.reliefs))


def visits_by_bounds(plan: Plan, inputs: SampledInputs, records: Records) -> tuple[int, int, int]:
    """Visits of steps in channels: all, those with a number outside the bounds in force, those due to a date.

    Those who took another itinerary than drawn (balked) are left out.
    """
    all_, wrong, by_date = 0, 0, 0
    for visits in records.elements:
        for row, column in np.argwhere(visits.flow >= 0).tolist():
            f, index = int(visits.flow[row, column]), int(visits.index[row, column])
            variant = int(inputs.flows[f].variant[row, index])
            if records.journeys[f].variant[row, index] != variant:
                continue
            step = plan.flows[f].variants[variant].steps[int(visits.step[row, column])]
            if step.share_draws != DRAWS:
                continue
            number, at = inputs.flows[f].uniform[DRAWS][row, index], float(visits.join_h[row, column])
            all_ += 1
            wrong += not _within(step, number, at)
            by_date += not _within(step, number, 0.0)
    return all_, wrong, by_date


def _within(step: Step, number: float, at: float) -> bool:
    low = [relief.share.at(at) for relief in step.reliefs if relief.draws == DRAWS]
    return (low[0] if low else 0.0) <= number < step.share.at(at)
