"""One replication from its inputs to its records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, nan
from sys import float_info

import numpy as np
from simpy import Event

from corridor_sim.core.errors import EngineRefusal, SimulationError
from corridor_sim.engines.event.clock import ARRIVALS, EventClock, Happening
from corridor_sim.engines.event.element import Element, forward
from corridor_sim.engines.event.full_station import FullStation
from corridor_sim.engines.event.gates import gates_of
from corridor_sim.engines.event.itinerary import Consignment, FlowNow
from corridor_sim.engines.event.lane_station import LaneStation
from corridor_sim.engines.event.legs import DelayElement, LimitedLegElement, RestElement
from corridor_sim.engines.event.queueing import Staff
from corridor_sim.engines.event.refusals import refusals
from corridor_sim.engines.event.stations import PlainStation
from corridor_sim.engines.event.timetables import DeparturesElement, QuotaElement
from corridor_sim.engines.event.tracks import SingleTrackElement
from corridor_sim.engines.event.wiring import Wiring
from corridor_sim.plan.elements import Delay, Departures, LimitedLeg, Quota, Station
from corridor_sim.plan.mechanisms import Mechanism
from corridor_sim.plan.plan import Plan
from corridor_sim.records.inputs import SampledInputs
from corridor_sim.records.visits import Journeys, Records, stack

TIDY_EVERY = 1000
"""Releases of one flow after which finished visits are packed into arrays."""


def simulate(plan: Plan, inputs: SampledInputs, progress: Callable[[int], object] | None = None) -> Records:
    """Every visit of every consignment, one replication after the other.

    Parameters
    ----------
    plan : Plan
        What to run, up to and including ``plan.horizon_h``.
    inputs : SampledInputs
        The draws of at least one replication.
    progress : callable, optional
        Called with 1 after each replication (``tqdm.update`` will do).

    Returns
    -------
    Records
        Times that did not come by the horizon are NaN.

    Raises
    ------
    EngineRefusal
        If the plan needs a mechanism that `refusals` names.
    SimulationError
        If consignments block each other for good, go round without time passing,
        have a service that no opening is long enough for, or have no draws.
    """
    if found := refusals(plan):
        raise EngineRefusal("event", found)
    blocks = []
    wiring = Wiring(plan)
    for row in range(len(inputs.replications)):
        blocks.append(_replication(plan, wiring, inputs.row(row)))
        if progress is not None:
            progress(1)
    return blocks[0] if len(blocks) == 1 else stack(plan, blocks)


def _replication(plan: Plan, wiring: Wiring, inputs: SampledInputs) -> Records:
    releases = [float(flow.release_h.min()) for flow in inputs.flows if flow.release_h.size]
    clock = EventClock(min([0.0, *releases]), min(plan.horizon_h, float_info.max))
    elements = _elements(plan, wiring, inputs, clock)
    clock.elements = list(elements)
    flows = [
        FlowNow(k, flow, drawn, elements, clock.now)
        for k, (flow, drawn) in enumerate(zip(plan.flows, inputs.flows, strict=True))
    ]
    for flow in flows:
        for step in (step for itinerary in flow.itineraries for step in itinerary if step.changes_h):
            step.element.durations_change(step.changes_h)
        _release(flow, clock, elements)
    clock.run()
    _refuse_deadlock(elements, clock.now)
    return Records(
        plan,
        inputs.replications,
        tuple(element.ledger.close() for element in elements),
        tuple(_journeys(flow, plan.horizon_h) for flow in flows),
        {
            element.index: (tuple(element.extra.changes),)
            for element in elements
            if isinstance(element, FullStation) and element.extra is not None
        },
    )


def _elements(plan: Plan, wiring: Wiring, inputs: SampledInputs, clock: EventClock) -> list[Element]:
    staff = {pool.id: Staff(pool, clock.now) for pool in plan.staff_pools}
    elements: list[Element] = []
    for k, element in enumerate(plan.elements):
        match element:
            case Station():
                drawn = inputs.outages[k][0] if k in inputs.outages else ()
                if element.breakdown is not None and k not in inputs.outages:
                    raise SimulationError(f"{element.id}: no outages were drawn for its breakdowns")
                outages = (*element.outages, *drawn)
                if element.staff_pool is not None and element.staff_pool not in staff:
                    raise SimulationError(f"{element.id}: there is no staff pool {element.staff_pool!r} in the plan")
                plain = wiring.needs[k] <= PlainStation.DOES and not outages and k not in wiring.announced
                if plain:
                    elements.append(PlainStation(clock, k, element, in_cycle=wiring.in_cycle[k]))
                    continue
                by_lane = element.named is not None or any(outage.lane is not None for outage in outages)
                elements.append(
                    (LaneStation if by_lane else FullStation)(
                        clock,
                        k,
                        element,
                        flows=len(plan.flows),
                        outages=outages,
                        staff=staff[element.staff_pool] if element.staff_pool is not None else None,
                        in_cycle=wiring.in_cycle[k],
                        announced=k in wiring.announced,
                    )
                )
            case Delay():
                rests = Mechanism.DRIVERS_HOURS in wiring.needs[k]
                elements.append((RestElement if rests else DelayElement)(clock, k, element))
            case LimitedLeg():
                terms = element.single_track
                elements.append(
                    LimitedLegElement(clock, k, element)
                    if terms is None
                    else SingleTrackElement(clock, k, element, terms)
                )
            case Departures():
                if element.crossing is not None and k not in inputs.crossing_h:
                    raise SimulationError(f"{element.id}: no crossing times were drawn")
                crossing_h = inputs.crossing_h[k][0].tolist() if k in inputs.crossing_h else None
                cancelled = inputs.cancelled[k][0].tolist() if k in inputs.cancelled else None
                if element.cancel > 0 and cancelled is None and element.when_full is None:
                    raise SimulationError(f"{element.id}: no cancellations were drawn")
                elements.append(DeparturesElement(clock, k, element, crossing_h, cancelled))
            case Quota():
                elements.append(QuotaElement(clock, k, element))
    for gated in list(elements):
        if isinstance(gated, FullStation) and gated.plan.gates:
            gated.gates = gates_of(gated, gated.plan.gates, elements, clock)
    for pool in plan.staff_pools:
        clock.touch_at(pool.members.from_h.tolist(), staff[pool.id].stations)
    return elements


def _release(flow: FlowNow, clock: EventClock, elements: Sequence[Element]) -> None:
    """Chain the releases of a flow: each one schedules the next."""
    release_h = flow.release_h
    schedule = clock.env.schedule
    last = len(release_h) - 1
    index = 0

    def release(_: Event) -> None:
        nonlocal index
        now = clock.now
        consignment = Consignment(flow, index)
        if not index % TIDY_EVERY:
            for element in elements:
                element.ledger.tidy()
        if index < last and (then := release_h[index + 1]) < inf:
            index += 1
            schedule(Happening(callbacks), ARRIVALS, then - now)
        forward(consignment, now)

    callbacks: list[Callable[[Event], None]] = [release]
    if release_h:
        schedule(Happening(callbacks), ARRIVALS, release_h[0] - clock.now)


def _refuse_deadlock(elements: Sequence[Element], now: float) -> None:
    """Raise if stations are held for good by consignments that wait for room in each other."""
    stations = [element for element in elements if isinstance(element, FullStation)]
    waits_for: dict[int, set[int]] = {}
    for station in stations:
        for *_, origin, _visit in station.asking:
            waits_for.setdefault(origin.index, set()).add(station.index)
    stuck = {station.index for station in stations if station.index in waits_for and station.stuck()}
    while loose := {index for index in stuck if not waits_for[index] <= stuck}:
        stuck -= loose
    if not stuck:
        return
    waiting = [
        f"{consignment} has held {origin.id} since {since_h:g} h and waits for room at {station.id}"
        for station in stations
        if station.index in stuck
        for since_h, _, consignment, _, origin, _ in sorted(station.asking, key=lambda asking: asking[:2])
    ]
    shown = waiting if len(waiting) <= 20 else [*waiting[:20], f"and {len(waiting) - 20} more"]
    raise SimulationError(f"deadlock, seen at t = {now:g} h:\n" + "\n".join(f"  - {line}" for line in shown))


def _journeys(flow: FlowNow, horizon_h: float) -> Journeys:
    release_h = [at if at <= horizon_h else nan for at in flow.release_h]
    return Journeys(
        np.array(release_h, dtype=float)[None],
        np.array(flow.depart_h, dtype=float)[None],
        np.array(flow.variant, dtype=np.int64)[None],
    )
