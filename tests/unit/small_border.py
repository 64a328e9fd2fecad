"""A border small enough to reckon by hand: one road, post A (exit), post B (entry), another road.

Visits are given as (start, finish, leave) after the joining, so that the tests of
the indicators need no engine.
"""

from __future__ import annotations

import datetime as dt

import numpy as np

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.indicators import Collector, Options
from corridor_sim.plan.elements import Delay, Station
from corridor_sim.plan.plan import FlowPlan, Plan
from corridor_sim.plan.steps import Span, Step, Variant
from corridor_sim.records.visits import ElementVisits, Journeys, Records, chunk_of

NAN = np.nan


class Fixed:
    """A law that is one number."""

    def __init__(self, mean_h):
        self.mean_h = mean_h

    def sampler(self, rng):
        return lambda count: np.full(count, self.mean_h)


def plan(horizon_h=48.0, warm_up_h=0.0, flows=1, lanes_a=1.0, service_a=2.0, start=dt.datetime(2023, 6, 1), **rest):
    """road1 (3 h, 100 km) - A lanes - A booth (dwell) - B lanes - road2 (2 h, 100 km); flows named f0, f1, ..."""
    elements = (
        Delay(id="leg:road1>", component="travel"),
        Station(id="a.exit.lanes", lanes=StepFunction.constant(lanes_a), post="a", direction="exit", stage="lanes"),
        Delay(id="a.exit.booth", component="dwell", post="a", direction="exit", stage="booth"),
        Station(id="b.entry.lanes", lanes=StepFunction.constant(2), post="b", direction="entry", stage="lanes"),
        Delay(id="leg:road2>", component="travel"),
    )
    holds = (3.0, service_a, 0.5, 1.0, 2.0)
    steps = tuple(Step(element=k, laws=((0.0, Fixed(hold)),), draws=elements[k].id) for k, hold in enumerate(holds))
    spans = (
        Span(kind="leg", id="road1", first=0, last=0, mode="road", length_km=100, cost_usd_tkm=0.05, co2_g_tkm=80),
        Span(kind="post", id="a", first=1, last=2, direction="exit"),
        Span(kind="crossing", id="ab", first=1, last=3),
        Span(kind="post", id="b", first=3, last=3, direction="entry"),
        Span(kind="leg", id="road2", first=4, last=4, mode="road", length_km=100, cost_usd_tkm=0.05, co2_g_tkm=80),
    )
    return Plan(
        elements=elements,
        flows=tuple(
            FlowPlan(
                id=f"f{n}",
                variants=(Variant(id="only", steps=steps, spans=spans),),
                cargo_class=("loaded", "empty")[n % 2],
                origin="x",
                destination=("y", "z")[n % 2],
                load_t=20.0 if n % 2 == 0 else 0.0,
                value_usd_t=1000.0,
                vehicle_length_m=17.0,
                labels={"value_of_time_usd_h": 10.0},
            )
            for n in range(flows)
        ),
        horizon_h=horizon_h,
        warm_up_h=warm_up_h,
        start=start,
        **rest,
    )


def records(plan_, trucks):
    """Records of one replication. Each truck is (flow, release, [(join, start, finish, leave) an element])."""
    index = []
    for n, (flow, _, _) in enumerate(trucks):
        index.append(sum(other[0] == flow for other in trucks[:n]))
    elements = []
    for k in range(len(plan_.elements)):
        visits = sorted(
            (times[k][0], n, flow, index[n], times[k]) for n, (flow, _, times) in enumerate(trucks) if len(times) > k
        )
        column = [np.array([[visit[4][c] for visit in visits]], dtype=float).reshape(1, -1) for c in range(4)]
        service = [plan_.flows[v[2]].variants[0].steps[k].laws[0][1].mean_h for v in visits]
        elements.append(
            ElementVisits(
                np.array([[v[2] for v in visits]], dtype=np.int64).reshape(1, -1),
                np.array([[v[3] for v in visits]], dtype=np.int64).reshape(1, -1),
                np.full((1, len(visits)), k, dtype=np.int64),
                *column,
                np.array([service], dtype=float).reshape(1, -1),
            )
        )
    journeys = []
    for f in range(len(plan_.flows)):
        mine = [(release, times) for flow, release, times in trucks if flow == f]
        depart = [times[-1][3] if len(times) == len(plan_.elements) else NAN for _, times in mine]
        journeys.append(
            Journeys(
                np.array([[release for release, _ in mine]], dtype=float).reshape(1, -1),
                np.array([depart], dtype=float).reshape(1, -1),
                np.zeros((1, len(mine)), dtype=np.int64),
            )
        )
    return Records(plan_, np.array([0]), tuple(elements), tuple(journeys))


def straight(release, wait_a=0.0, flow=0):
    """Times of a truck that waits `wait_a` before post A and nowhere else."""
    t, times = release, []
    for hold, wait in ((3.0, 0.0), (2.0, wait_a), (0.5, 0.0), (1.0, 0.0), (2.0, 0.0)):
        start = t + wait
        times.append((t, start, start + hold, start + hold))
        t = start + hold
    return flow, release, times


def table(records_, indicators=None, **options):
    """The table of indicators of some records."""
    collector = Collector(records_.plan, records_.replications, indicators, Options(**options))
    collector.add(chunk_of(records_))
    return collector.finish()


def value(table_, indicator, **where):
    """The one value of a row in the only replication."""
    return float(table_.row(indicator, **where)[0])
