"""Random plans that go beyond a chain: lines that block, and lanes that both directions use."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
from plans import Case, Dice, hours_of, steps_of

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.plan.elements import Delay, Departures, Station
from corridor_sim.plan.plan import FlowPlan, Plan
from corridor_sim.plan.steps import Step, Variant
from corridor_sim.records.inputs import FlowInputs, SampledInputs, default_numbers

LAW = ((0.0, "law"),)


def random_line(dice: Dice, most: int) -> Case:
    """Stations in a row with finite yards; all visit all of them."""
    count, flows, rows, size = dice.integer(2, 4), dice.integer(1, 3), dice.integer(1, 2), dice.integer(1, most)
    elements: list = [Delay(id="road")] if dice.integer(0, 1) else []
    for k in range(count):
        lanes = StepFunction.constant(dice.integer(1, 3)) if dice.integer(0, 1) else steps_of(dice, 0, 3, 30, 2)
        yard = None if k == 0 else (None, 0, 1, 2)[dice.integer(0, 3)]
        elements.append(Station(id=f"e{k}", lanes=lanes, yard=yard))
    steps = tuple(Step(element=k, laws=LAW, draws=element.id) for k, element in enumerate(elements))
    return _case(dice, elements, [steps] * flows, rows, size, shortest=0, cyclic=False)


def with_dated_yards(case: Case, dice: np.random.Generator) -> Case:
    """The case with yards whose places change within the run."""
    elements: list = []
    for one in case.plan.elements:
        if isinstance(one, Station) and one.yard is not None:
            later = sorted({float(at) for at in dice.integers(1, 40, 2)})
            places = [(at, (None, 0, 1, 3)[int(dice.integers(4))]) for at in later]
            one = dataclasses.replace(one, yard_changes=((0.0, one.yard), *places))
        elements.append(one)
    return dataclasses.replace(case, plan=dataclasses.replace(case.plan, elements=tuple(elements)))


def behind_a_boat(case: Case, dice: np.random.Generator) -> Case:
    """The case with a boat before everything, whose load lands in the order of boarding."""
    depart = np.sort(dice.integers(0, 40, 12)).astype(float)
    boat = Departures(id="boat", depart_h=depart, places=dice.integers(1, 6, 12), landing="boarding")
    flows = []
    for flow in case.plan.flows:
        variants = []
        for variant in flow.variants:
            steps = tuple(dataclasses.replace(step, element=step.element + 1) for step in variant.steps)
            variants.append(dataclasses.replace(variant, steps=(Step(element=0), *steps)))
        flows.append(dataclasses.replace(flow, variants=tuple(variants)))
    plan = dataclasses.replace(case.plan, elements=(boat, *case.plan.elements), flows=tuple(flows))
    return dataclasses.replace(case, plan=plan)


def random_cycle(dice: Dice, most: int) -> Case:
    """Two flows that pass the same stations in opposite order; no service takes no time."""
    count, rows, size = dice.integer(2, 3), dice.integer(1, 2), dice.integer(1, most)
    elements: list = []
    for k in range(count):
        lanes = StepFunction.constant(dice.integer(1, 3)) if dice.integer(0, 1) else hours_of(dice, 120, 2)
        elements.append(Station(id=f"e{k}", lanes=lanes, rank=(0, 1) if dice.integer(0, 2) == 0 else None))
    elements.append(Delay(id="road"))
    there = tuple(Step(element=k, laws=LAW, draws=element.id) for k, element in enumerate(elements))
    return _case(dice, elements, [there, there[::-1]], rows, size, shortest=1, cyclic=True)


def backwards(case: Case, dice: np.random.Generator) -> Case:
    """The case with some itineraries the other way round, and some that end where they begin."""
    flows = []
    for flow in case.plan.flows:
        variants = []
        for variant in flow.variants:
            way, steps = int(dice.integers(4)), variant.steps
            if way == 0:
                steps = steps[::-1]
            elif way == 1 and len(steps) > 1:
                steps = (*steps, steps[0])
            variants.append(dataclasses.replace(variant, steps=steps))
        flows.append(dataclasses.replace(flow, variants=tuple(variants)))
    return dataclasses.replace(case, plan=dataclasses.replace(case.plan, flows=tuple(flows), cyclic=True))


def _case(dice: Dice, elements: list, routes: list, rows: int, size: int, *, shortest: int, cyclic: bool) -> Case:
    flows, inputs = [], []
    for f, steps in enumerate(routes):
        shape = (rows, size)
        durations = {e.id: (dice.integers(shortest, 4, shape).astype(float),) for e in elements}
        release = np.sort(dice.integers(0, 30, shape), axis=1).astype(float)
        flows.append(FlowPlan(id=f"f{f}", variants=(Variant(id="only", steps=steps),)))
        inputs.append(FlowInputs(release, np.zeros(shape, dtype=np.int64), default_numbers(f, shape), durations, {}))
    plan = Plan(elements=tuple(elements), flows=tuple(flows), horizon_h=float(dice.integer(15, 200)), cyclic=cyclic)
    return Case(plan, SampledInputs(np.arange(rows), tuple(inputs)), Counter())
