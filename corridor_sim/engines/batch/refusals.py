"""What the batch engine does not do, by name and place, found before any work.

A mechanism that `servers.py` learns is taken out here.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from corridor_sim.plan.plan import Departures, LimitedLeg, Plan, Quota, Station, Step


def refusals(plan: Plan) -> list[str]:
    """Mechanisms of a plan that only the event engine does, each with its place; empty if there are none.

    Examples
    --------
    >>> from corridor_sim.plan.plan import Plan
    >>> refusals(Plan(elements=(), flows=(), horizon_h=24.0))
    []
    """
    found = []
    for flow in plan.flows:
        for variant in flow.variants:
            for step in variant.steps:
                if step.balk is not None:
                    found.append(f"balking at {plan.elements[step.element].id} (flow {flow.id})")
    lines = {number for run in blocking_lines(plan) for number in run}
    for number, element in enumerate(plan.elements):
        if isinstance(element, Station):
            found += [f"{what} at {element.id}" for what in _station(element)]
            if element.may_be_full and number not in lines and entered_from_elements(plan, number):
                found.append(
                    f"a yard outside a linear first-come-first-served run that everybody visits at {element.id}"
                )
    if is_cyclic(plan):
        if lines:
            found.append("yards in a plan whose itineraries go round in cycles")
        found += [
            f"landing in boarding order in a plan whose itineraries go round in cycles at {element.id}"
            for element in plan.elements
            if isinstance(element, Departures) and element.landing == "boarding"
        ]
        found += [
            f"a way back from {plan.elements[number].id}, which may take no time" for number in _instant_returns(plan)
        ]
    return list(dict.fromkeys(found))


def _instant_returns(plan: Plan) -> list[int]:
    """Elements that let somebody go at the very instant of a start, from where an itinerary goes back.

    What stands before them in the plan may have acted at that instant already.
    """
    found = []
    for flow in plan.flows:
        for variant in flow.variants:
            for s, step in enumerate(variant.steps):
                if not _starts_and_ends(plan, step):
                    continue
                for later in variant.steps[s + 1 :]:
                    if later.element <= step.element:
                        found.append(step.element)
                        break
                    if not skippable(later) and _takes_time(plan, later):
                        break
    return sorted(set(found))


def _starts_and_ends(plan: Plan, step: Step) -> bool:
    """Whether those who have waited at a step may leave it at the instant at which they start."""
    element = plan.elements[step.element]
    if isinstance(element, Departures):
        return element.crossing is None or getattr(element.crossing, "mean_h", 1.0) == 0
    return isinstance(element, Quota) or (isinstance(element, LimitedLeg) and not _has_length(step))


def _takes_time(plan: Plan, step: Step) -> bool:
    return not _starts_and_ends(plan, step) and (
        isinstance(plan.elements[step.element], Departures) or _has_length(step)
    )


def _has_length(step: Step) -> bool:
    return bool(step.laws) and all(getattr(law, "mean_h", 1.0) > 0 for _, law in step.laws)


def skippable(step: Step) -> bool:
    """Whether somebody may pass a step by."""
    return step.share is not None or any(relief.factor == 0 for relief in step.reliefs)


def _station(station: Station) -> Iterator[str]:
    breaks = bool(station.outages) or station.breakdown is not None
    by_lane = any(outage.lane is not None for outage in station.outages) or (
        station.breakdown is not None and station.breakdown.per_lane
    )
    ranked = station.rank is not None and len(set(station.rank)) > 1
    closes = station.closing != "finish"
    identity = station.named is not None or by_lane
    if station.staff_pool is not None:
        yield "a staff pool"
    if station.rank_changes:
        yield "priority whose order changes within the run"
    if station.yard_changes:
        yield "a yard whose places change within the run"
    if breaks and station.outage_policy == "requeue":
        yield "outages that requeue"
    if ranked and closes:
        yield f"priority with closing {station.closing!r}"
    if ranked and breaks:
        yield "priority with outages"
    if ranked and station.named is not None:
        yield "priority with named lanes"
    if any(reservation.overflow for reservation in station.reserved):
        yield "reserved lanes with overflow"
    if station.reserved and station.closing in ("restart", "no_overrun", "clear_queue"):
        yield f"reserved lanes with closing {station.closing!r}"
    if station.reserved and breaks:
        yield "reserved lanes with outages"
    if station.reserved and station.named is not None:
        yield "reserved lanes with named lanes"
    if identity and closes:
        yield f"lanes of their own identity with closing {station.closing!r}"
    if breaks and not identity:
        if station.outage_policy in ("restart", "finish"):
            yield f"station-wide outages with policy {station.outage_policy!r}"
        if station.closing in ("restart", "no_overrun", "clear_queue"):
            yield f"station-wide outages with closing {station.closing!r}"


def _before(plan: Plan) -> dict[int, set[int]]:
    """The elements that may be joined straight before each one; -1 for the outside."""
    before: dict[int, set[int]] = {}
    for flow in plan.flows:
        for variant in flow.variants:
            possible = {-1}
            for step in variant.steps:
                before.setdefault(step.element, set()).update(possible)
                possible = possible | {step.element} if skippable(step) else {step.element}
    return before


def entered_from_elements(plan: Plan, number: int) -> bool:
    """Whether anybody comes to an element from another one (else its yard never blocks)."""
    return bool(_before(plan).get(number, set()) - {-1})


def blocking_lines(plan: Plan) -> list[list[int]]:
    """Runs of stations with yards between them that can be worked out together.

    Each run begins with a station without a yard that matters; all who visit one of its
    stations visit all of them in order, and nobody else comes in between.
    """
    before = _before(plan)
    limited = [
        number
        for number, element in enumerate(plan.elements)
        if isinstance(element, Station) and element.may_be_full and before.get(number, set()) - {-1}
    ]
    runs: list[list[int]] = []
    for number in limited:
        origins = before[number]
        if len(origins) != 1 or not _plain(plan, number):
            continue
        origin = next(iter(origins))
        if not _plain(plan, origin) or not _always_follows(plan, origin, number):
            continue
        run = next((run for run in runs if run[-1] == origin), None)
        if run is not None:
            run.append(number)
        elif origin not in limited:
            runs.append([origin, number])
    return runs


def _plain(plan: Plan, number: int) -> bool:
    element = plan.elements[number]
    if not isinstance(element, Station):
        return False
    ranked = element.rank is not None and len(set(element.rank)) > 1
    special = element.named or element.outages or element.breakdown or element.reserved or element.staff_pool
    return not ranked and not special and element.closing == "finish"


def _always_follows(plan: Plan, origin: int, number: int) -> bool:
    """Whether everybody who visits `origin` goes straight on to `number`, with a service that no date changes."""
    for flow in plan.flows:
        for variant in flow.variants:
            for k, step in enumerate(variant.steps):
                if step.element != origin:
                    continue
                if k + 1 == len(variant.steps) or variant.steps[k + 1].element != number:
                    return False
                after = variant.steps[k + 1]
                if after.share is not None or len(after.laws) > 1 or any(r.factor == 0 for r in after.reliefs):
                    return False
                if after.factor is not None and not after.factor.is_constant:
                    return False
                if any(not relief.share.is_constant for relief in after.reliefs):
                    return False
    return True


def is_cyclic(plan: Plan) -> bool:
    """Whether an itinerary goes back to an element that stands before its last one in the plan."""
    for flow in plan.flows:
        for variant in flow.variants:
            visited = [step.element for step in variant.steps]
            if any(later <= sooner for sooner, later in pairwise(visited)):
                return True
    return False
