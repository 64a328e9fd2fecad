"""What the batch engine does, and what it refuses by name and place, found before any work.

A mechanism that `servers.py` learns gets its line in `DOES`; only what it cannot do
together with another one needs code here.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from itertools import pairwise

from corridor_sim.plan.drivers_hours import limited_drives, places_of_rest
from corridor_sim.plan.elements import Departures, LimitedLeg, Quota, Station
from corridor_sim.plan.mechanisms import Mechanism, Need
from corridor_sim.plan.needs import needed, refused
from corridor_sim.plan.plan import Plan
from corridor_sim.plan.steps import Step

DOES = frozenset(
    {
        Mechanism.LANES,
        Mechanism.DATED_LANES,
        Mechanism.FINISH,
        Mechanism.SUSPEND,
        Mechanism.RESTART,
        Mechanism.NO_OVERRUN,
        Mechanism.CLEAR_QUEUE,
        Mechanism.NAMED_LANES,
        Mechanism.OUTAGES,
        Mechanism.LANE_OUTAGES,
        Mechanism.BREAKDOWNS,
        Mechanism.LANE_BREAKDOWNS,
        Mechanism.OUTAGES_RESUME,
        Mechanism.OUTAGES_RESTART,
        Mechanism.OUTAGES_FINISH,
        Mechanism.PRIORITY,
        Mechanism.YARD,
        Mechanism.RESERVED_LANES,
        Mechanism.RESERVED_OVERFLOW,
        Mechanism.RESERVED_FOR_A_TIME,
        Mechanism.DELAY,
        Mechanism.HEADWAY,
        Mechanism.CLOSURES,
        Mechanism.VEHICLE_LIMIT,
        Mechanism.NO_OVERTAKING,
        Mechanism.DEPARTURES,
        Mechanism.WHEN_FULL,
        Mechanism.CROSSING,
        Mechanism.CANCELLATIONS,
        Mechanism.BOARDING_BY_CLASS,
        Mechanism.BOARDING_ORDER,
        Mechanism.ACCEPTANCE,
        Mechanism.ACCEPTANCE_HOURS,
        Mechanism.DURATION,
        Mechanism.DATED_DURATION,
        Mechanism.FACTOR,
        Mechanism.SHARE,
        Mechanism.RELIEF,
        Mechanism.DRIVERS_HOURS,
        Mechanism.ROUTES,
        Mechanism.CYCLES,
    }
)
"""Every mechanism of this engine, one by one: a new one is done when its line stands here."""


IN_LINE = frozenset(
    {
        Mechanism.LANES,
        Mechanism.DATED_LANES,
        Mechanism.FINISH,
        Mechanism.YARD,
        Mechanism.DATED_YARD,
    }
)
"""What a station may have in a run of stations with yards between them (`blocking_lines`)."""

CLOSINGS = (Mechanism.SUSPEND, Mechanism.RESTART, Mechanism.NO_OVERRUN, Mechanism.CLEAR_QUEUE)
STATION_WIDE = frozenset({Mechanism.OUTAGES, Mechanism.BREAKDOWNS})
SINGLE_LANES = frozenset({Mechanism.LANE_OUTAGES, Mechanism.LANE_BREAKDOWNS})


def refusals(plan: Plan) -> list[str]:
    """What only the event engine does, each with its place; empty if there is nothing.

    What `DOES` lacks comes first, then combinations of what it has.

    Examples
    --------
    >>> from corridor_sim.plan.plan import Plan
    >>> refusals(Plan(elements=(), flows=(), horizon_h=24.0))
    []
    """
    found = refused(plan, DOES)
    lines = {number for run in blocking_lines(plan) for number in run}
    for number, element in enumerate(plan.elements):
        if isinstance(element, Station):
            found += [f"{what} at {element.id}" for what in combinations(needed(element))]
            if element.may_be_full and number not in lines and entered_from_elements(plan, number):
                found.append(f"a yard outside a linear first-come-first-served run that all visit at {element.id}")
    found += limited_drives(plan)
    if is_cyclic(plan):
        where = "in a plan whose itineraries go round in cycles"
        found += [f"drivers' hours {where} at {id}" for id in places_of_rest(plan)]
        if lines:
            found.append(f"yards {where}")
        found += [
            f"landing in boarding order {where} at {element.id}"
            for element in plan.elements
            if isinstance(element, Departures) and element.landing == "boarding"
        ]
        found += [
            f"a way back from {plan.elements[number].id}, which may take no time" for number in _instant_returns(plan)
        ]
    return list(dict.fromkeys(found))


def _instant_returns(plan: Plan) -> list[int]:
    """Elements that a consignment can leave at the very instant of its start, from where an itinerary goes back.

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
    """Whether a consignment may pass a step by."""
    return step.share is not None or any(relief.factor == 0 for relief in step.reliefs)


def combinations(needs: Set[Need]) -> Iterator[str]:
    """What a station needs together and has no kernel, though each alone is done."""
    closing = next((one for one in CLOSINGS if one in needs), None)
    whole, single = bool(needs & STATION_WIDE), bool(needs & SINGLE_LANES)
    identity = single or Mechanism.NAMED_LANES in needs
    for mechanism in (Mechanism.PRIORITY, Mechanism.RESERVED_LANES):
        if mechanism not in needs:
            continue
        if closing is not None and (mechanism, closing) != (Mechanism.RESERVED_LANES, Mechanism.SUSPEND):
            yield f"{mechanism.words} with {closing.words}"
        if whole or single:
            yield f"{mechanism.words} with outages"
        if Mechanism.NAMED_LANES in needs:
            yield f"{mechanism.words} with named lanes"
    for mechanism in (Mechanism.RESERVED_OVERFLOW, Mechanism.RESERVED_FOR_A_TIME):
        if mechanism in needs and closing == Mechanism.SUSPEND:
            yield f"{mechanism.words} with {closing.words}"
    if identity and closing is not None:
        yield f"lanes of their own identity with {closing.words}"
    if whole and not identity:
        for policy in (Mechanism.OUTAGES_RESTART, Mechanism.OUTAGES_FINISH):
            if policy in needs:
                yield f"station-wide {policy.words}"
        if closing not in (None, Mechanism.SUSPEND):
            yield f"station-wide outages with {closing.words}"


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
    """Whether a consignment comes to an element from another one (else its yard never blocks)."""
    return bool(_before(plan).get(number, set()) - {-1})


def blocking_lines(plan: Plan) -> list[list[int]]:
    """Runs of stations with yards between them that can be worked out together.

    Each run begins with a station without a yard that matters; all who visit one of its
    stations visit all of them in order, and no others come in between.
    """
    full = [k for k, element in enumerate(plan.elements) if isinstance(element, Station) and element.may_be_full]
    if not full:
        return []
    before = _before(plan)
    limited = [number for number in full if before.get(number, set()) - {-1}]
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
    return needed(element) <= IN_LINE


def _always_follows(plan: Plan, origin: int, number: int) -> bool:
    """Whether all who visit `origin` go straight on to `number`."""
    for flow in plan.flows:
        for variant in flow.variants:
            for k, step in enumerate(variant.steps):
                if step.element != origin:
                    continue
                if k + 1 == len(variant.steps) or variant.steps[k + 1].element != number:
                    return False
                after = variant.steps[k + 1]
                if after.share is not None or any(r.factor == 0 for r in after.reliefs):
                    return False
    return True


def is_cyclic(plan: Plan) -> bool:
    """Whether an itinerary goes back to an element that stands before its last one in the plan."""
    for variant in plan.different_variants():
        visited = [step.element for step in variant.steps]
        if any(later <= sooner for sooner, later in pairwise(visited)):
            return True
    return False
