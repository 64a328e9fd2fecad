"""Stage visits per second of the event engine on a tandem of plain first-come-first-served stations.

The count of visits and every departure are checked against the recursion of the
earliest free lane. ``python tests/benchmarks/bench_event.py`` prints; with pytest
the goal is asserted.
"""

from __future__ import annotations

import time
from heapq import heapreplace

import numpy as np

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import to_grid
from corridor_sim.engines.event import simulate
from corridor_sim.plan.elements import Station
from corridor_sim.plan.plan import FlowPlan, Plan
from corridor_sim.plan.steps import Step, Variant
from corridor_sim.records.inputs import FlowInputs, SampledInputs

GOAL_PER_S = 50_000
LANES = 4


def tandem(consignments=20_000, stages=4, rank=None):
    """Four stations of four lanes each, Poisson arrivals of 20 an hour, exponential services, 85 % busy."""
    rng = np.random.default_rng(20_240_115)
    release = to_grid(rng.exponential(1 / 20, consignments).cumsum())[None]
    names = [f"stage{k}" for k in range(stages)]
    service = {name: (to_grid(rng.exponential(0.17, consignments))[None],) for name in names}
    steps = tuple(Step(element=k, laws=((0.0, None),), draws=name) for k, name in enumerate(names))
    plan = Plan(
        elements=tuple(Station(id=name, lanes=StepFunction.constant(LANES), rank=rank) for name in names),
        flows=(FlowPlan(id="trucks", variants=(Variant(id="all", steps=steps),)),),
        horizon_h=1e6,
    )
    zeros = np.zeros((1, consignments), dtype=np.int64)
    return plan, SampledInputs(np.array([0]), (FlowInputs(release, zeros, np.arange(consignments)[None], service),))


def departures(inputs):
    """The same tandem by the earliest free lane, stage after stage."""
    flow = inputs.flows[0]
    join = flow.release_h[0].tolist()
    for (service,) in flow.duration_h.values():
        free = [0.0] * LANES
        leave = [0.0] * len(join)
        for k in sorted(range(len(join)), key=lambda k: (join[k], k)):
            leave[k] = max(join[k], free[0]) + service[0, k]
            heapreplace(free, leave[k])
        join = leave
    return np.array(join)


def visits_per_second(rank=None, rounds=3):
    """The best of some rounds, answers checked."""
    plan, inputs = tandem(rank=rank)
    best = 0.0
    for _ in range(rounds):
        begun = time.process_time()
        records = simulate(plan, inputs)
        seconds = time.process_time() - begun
        count = sum(int(visits.count.sum()) for visits in records.elements)
        assert count == 80_000
        assert np.array_equal(records.journeys[0].depart_h[0], departures(inputs))
        best = max(best, count / seconds)
    return best


def test_the_event_engine_reaches_its_goal_on_plain_stations():
    assert visits_per_second() >= GOAL_PER_S


if __name__ == "__main__":
    print(f"plain stations  {visits_per_second():10,.0f} visits/s")
    print(f"full stations   {visits_per_second(rank=(0,)):10,.0f} visits/s")
