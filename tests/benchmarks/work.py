"""The plans that are timed: a tandem, a border of four stages, a corridor made up in the manner of the packaged one."""

from __future__ import annotations

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.model.arrivals import ArrivalPlan, Poisson
from corridor_sim.model.service_times import Deterministic, Exponential, Lognormal
from corridor_sim.plan.elements import Delay, Departures, Quota, Station
from corridor_sim.plan.plan import FlowPlan, Plan
from corridor_sim.plan.steps import Span, Step, Variant


def arrivals(per_h: float) -> ArrivalPlan:
    """Poisson arrivals of a constant rate."""
    return ArrivalPlan(process=Poisson(), rate=StepFunction.constant(per_h))


def step(plan_elements: list, element: int, law, **more) -> Step:
    """A step with one law."""
    return Step(element=element, laws=((0.0, law),), draws=plan_elements[element].id, **more)


def tandem(consignments: int, stations: tuple[int, ...] = (2, 3), busy: float = 0.8) -> Plan:
    """M/M/2 -> M/M/3 (or other lanes), mean service 1 h at the first."""
    per_h = busy * stations[0]
    elements = [Station(id=f"s{k}", lanes=StepFunction.constant(c)) for k, c in enumerate(stations)]
    steps = tuple(step(elements, k, Exponential(mean_h=busy * c / per_h)) for k, c in enumerate(stations))
    flow = FlowPlan(id="trucks", variants=(Variant(id="all", steps=steps),), arrivals=arrivals(per_h))
    return Plan(elements=tuple(elements), flows=(flow,), horizon_h=consignments / per_h)


def border(days: float, per_day: float = 400.0) -> Plan:
    """Documents, X-ray for a third, physical inspection for a tenth, release; two classes of trucks."""
    elements = [
        Station(id="documents", lanes=StepFunction.constant(4)),
        Station(id="xray", lanes=StepFunction.constant(2)),
        Station(id="inspection", lanes=StepFunction.constant(3)),
        Station(id="release", lanes=StepFunction.constant(2)),
    ]
    flows = []
    for name, share in (("loaded", 0.75), ("transit", 0.25)):
        steps = (
            step(elements, 0, Lognormal(mean_h=0.168, cv=0.6)),
            step(elements, 1, Lognormal(mean_h=0.25, cv=0.4), share=StepFunction.constant(0.33), share_draws="xray"),
            step(
                elements, 2, Lognormal(mean_h=1.2, cv=0.5), share=StepFunction.constant(0.10), share_draws="inspection"
            ),
            step(elements, 3, Exponential(mean_h=0.08)),
        )
        spans = (Span(kind="post", id="post", first=0, last=3),)
        variants = (Variant(id="all", steps=steps, spans=spans),)
        flows.append(FlowPlan(id=name, variants=variants, arrivals=arrivals(per_day * share / 24)))
    return Plan(elements=tuple(elements), flows=tuple(flows), horizon_h=24 * days)


def corridor(days: float, flows: int = 8, per_day: float = 40.0) -> Plan:
    """Roads, two posts with hours, priority and channels, a daily quota and a ferry; all mechanisms of the base."""
    horizon = 24 * days
    elements: list = []

    def add(element) -> int:
        elements.append(element)
        return len(elements) - 1

    total = flows * per_day
    lanes = max(1, round(total * 0.24 / 24 / 0.8))
    roads = [add(Delay(id=f"road{f}")) for f in range(flows)]
    rank = tuple(0 if f % 4 == 0 else 1 for f in range(flows))
    exits = add(Station(id="exit", lanes=StepFunction.constant(lanes), rank=rank))
    scans = add(Station(id="xray", lanes=StepFunction.periodic([0.0, 8.0, 20.0], [1, lanes, 1], 24.0, horizon)))
    stay = add(Delay(id="stay", component="dwell"))
    day_start = [24.0 * k for k in range(int(days) + 2)]
    accepted = add(
        Quota(id="acceptance", day_start_h=_array(day_start), per_day=_whole([int(total * 1.15)] * len(day_start)))
    )
    bridge = add(Delay(id="bridge"))
    entry = add(Station(id="entry", lanes=StepFunction.constant(lanes + 1)))
    sailings = [12.0 * (k + 1) for k in range(int(days * 2) + 8)]
    ferry = add(
        Departures(
            id="ferry",
            depart_h=_array(sailings),
            places=_whole([int(flows // 4 * per_day * 0.6) + 1] * len(sailings)),
            crossing=Deterministic(value_h=18.0),
        )
    )
    last = [add(Delay(id=f"way{f}")) for f in range(flows)]
    plans = []
    for f in range(flows):
        steps = [
            step(elements, roads[f], Lognormal(mean_h=8.0 + f, cv=0.15)),
            step(elements, exits, Deterministic(value_h=0.24)),
            step(elements, scans, Lognormal(mean_h=0.5, cv=0.4), share=StepFunction.constant(0.15), share_draws="red"),
            step(elements, stay, Lognormal(mean_h=0.63, cv=0.8)),
            Step(element=accepted),
            step(elements, bridge, Deterministic(value_h=0.25)),
            step(elements, entry, Exponential(mean_h=0.24)),
        ]
        spans = [Span(kind="leg", id="road", first=0, last=0), Span(kind="post", id="exit", first=1, last=4)]
        if f % 4 == 3:
            steps.append(Step(element=ferry))
        steps.append(step(elements, last[f], Lognormal(mean_h=20.0, cv=0.1)))
        spans.append(Span(kind="leg", id="way", first=len(steps) - 1, last=len(steps) - 1))
        variant = Variant(id="all", steps=tuple(steps), spans=tuple(spans))
        plans.append(FlowPlan(id=f"f{f:02d}", variants=(variant,), arrivals=arrivals(per_day / 24)))
    return Plan(elements=tuple(elements), flows=tuple(plans), horizon_h=horizon, name="made up")


def _array(values):
    import numpy as np

    return np.array(values, dtype=float)


def _whole(values):
    import numpy as np

    return np.array(values, dtype=np.int64)
