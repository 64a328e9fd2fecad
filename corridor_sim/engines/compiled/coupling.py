"""Which queues the pass has to work through together, in time order: those that look at each other at one instant.

Stations of a staff pool share its members, a gate looks at the queues further on, and who reaches a post weighs the
wait at its stations before he joins.
With all that lies between them they make a *group*. So do the queues that itineraries go round in (berths that ships
of both ways use), and a station alone for which there is no kernel (`has_kernel`). All other queues, and the groups
as wholes, come one after the other. Where the pass cannot do what a group needs, `Coupling.refused` says so by name
and place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core import by_object
from corridor_sim.engines.batch.cycles import in_cycle
from corridor_sim.engines.batch.refusals import combinations, entered_from_elements, is_cyclic
from corridor_sim.engines.compiled.landings import first_after_landing
from corridor_sim.plan.elements import Delay, Departures, LimitedLeg, Quota, Station
from corridor_sim.plan.mechanisms import Mechanism
from corridor_sim.plan.needs import needed
from corridor_sim.plan.plan import FlowPlan, Plan
from corridor_sim.plan.preemption import unsuited
from corridor_sim.plan.steps import PlanBalk, Span, Step, Variant

SIMPLE = frozenset(
    {
        Mechanism.LANES,
        Mechanism.DATED_LANES,
        Mechanism.FINISH,
        Mechanism.PRIORITY,
        Mechanism.STAFF_POOL,
    }
)
"""Stations of a group that need no more have the short way."""
DOES = SIMPLE | {
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
    Mechanism.OUTAGES_REQUEUE,
    Mechanism.DATED_PRIORITY,
    Mechanism.PREEMPTION,
    Mechanism.PREEMPTION_RESTART,
    Mechanism.RESERVED_LANES,
    Mechanism.RESERVED_OVERFLOW,
    Mechanism.RESERVED_FOR_A_TIME,
    Mechanism.EXTRA_LANES,
    Mechanism.GATE,
    Mechanism.HEADWAY,
    Mechanism.CLOSURES,
    Mechanism.VEHICLE_LIMIT,
    Mechanism.NO_OVERTAKING,
    Mechanism.SINGLE_TRACK,
    Mechanism.DEPARTURES,
    Mechanism.CROSSING,
    Mechanism.CANCELLATIONS,
    Mechanism.ACCEPTANCE,
    Mechanism.ACCEPTANCE_HOURS,
}
"""What elements of a group may need."""
IDENTITY = frozenset({Mechanism.NAMED_LANES, Mechanism.LANE_OUTAGES, Mechanism.LANE_BREAKDOWNS})
"""With these each lane is one of its own."""


@dataclass(frozen=True, slots=True)
class Coupling:
    """What is worked together.

    Attributes
    ----------
    groups
        Elements of each group, in order.
    units
        Elements that queue and groups, such that nobody comes from a later one: an element, or -1 - a group.
    in_time
        Elements of groups that need more than the short way of stations and free roads.
    round_about
        Stations to which somebody may come back, where no service may take no time (rule D14).
    refused
        What the pass does not do, with its place.
    """

    groups: tuple[tuple[int, ...], ...]
    units: tuple[int, ...]
    in_time: frozenset[int]
    round_about: frozenset[int]
    refused: tuple[str, ...]


def balks(plan: Plan) -> Iterator[tuple[FlowPlan, Variant, int, PlanBalk]]:
    """Flow, itinerary, number of the step and terms, wherever somebody may balk."""
    for flow in plan.flows:
        for variant in flow.variants:
            for k, step in enumerate(variant.steps):
                if step.balk is not None:
                    yield flow, variant, k, step.balk


@by_object.once
def coupling(plan: Plan) -> Coupling | None:
    """What of a plan is coupled; None where nothing is.

    Examples
    --------
    >>> from corridor_sim.plan.plan import Plan
    >>> coupling(Plan(elements=(), flows=(), horizon_h=24.0)) is None
    True
    """
    pools: dict[str, list[int]] = {}
    for k, element in enumerate(plan.elements):
        if isinstance(element, Station) and element.staff_pool is not None:
            pools.setdefault(element.staff_pool, []).append(k)
    announced = [
        (variant.steps[k].element, [variant.steps[n].element for n in balk.stages])
        for _, variant, k, balk in balks(plan)
    ]
    left_early = {step.element for step in _every_step(plan) if step.patience is not None}
    apart = left_early | {
        k
        for k, element in enumerate(plan.elements)
        if (isinstance(element, Station) and not has_kernel(element))
        or (isinstance(element, LimitedLeg) and element.single_track is not None)
    }
    if not (pools or announced or apart or is_cyclic(plan)):
        return None
    follows = _follows(plan)
    count = len(plan.elements)
    ways = _closed(follows)
    # Delays are on the way round too: a service of no length is refused wherever the event engine refuses it.
    stations = {k for k, element in enumerate(plan.elements) if isinstance(element, Station)}
    round_about = frozenset(k for k, there in enumerate(in_cycle(plan)) if there and k in stations)
    back = round_about | {k for k in range(count) if ways[k, k]}
    refused = []
    gated = looked_at(plan)
    if pools or announced or gated:
        what = "balking" if announced else "a staff pool" if pools else "a gate"
        refused = [f"{what} with a way back to {plan.elements[k].id}" for k in range(count) if ways[k, k]]
    both = [(one, other) for stations in pools.values() for one, other in pairwise(stations)]
    both += [(first, stage) for first, stages in announced for stage in stages]
    both += gated
    both += [(first, instant) for first, instant in _seen_too_late(plan, announced, ways)]
    both += [(one, other) for one, other in np.argwhere(follows).tolist() if other < one]
    for one, other in both:
        follows[one, other] = follows[other, one] = True
    reach = _closed(follows)
    alone = apart | back | {first for first, _ in announced} | {k for stations in pools.values() for k in stations}
    groups: list[tuple[int, ...]] = []
    seen: set[int] = set()
    unit: dict[int, int] = {}
    for k in range(count):
        if k in seen or isinstance(plan.elements[k], Delay):
            continue
        together = tuple(np.flatnonzero(reach[k] & reach[:, k]).tolist()) or (k,)
        seen.update(together)
        unit[k] = k
        if len(together) > 1 or k in alone:
            unit[k] = -1 - len(groups)
            groups.append(together)
    order = sorted(unit, key=lambda k: (int(reach[:, k].sum()), k))
    refused += _refused(plan, groups, {k for first, stages in announced for k in (first, *stages)})
    refused += _unlike_spans(plan)
    refused += _left_otherwise(plan)
    in_time = frozenset(
        k for group in groups for k in group if k in left_early or not needed(plan.elements[k]) <= SIMPLE
    )
    refused += _boarded(plan, groups, in_time & stations)
    if not groups:
        return None
    units = tuple(unit[k] for k in order)
    return Coupling(tuple(groups), units, in_time, round_about, tuple(dict.fromkeys(refused)))


def _every_step(plan: Plan) -> Iterator[Step]:
    return (step for variant in plan.different_variants() for step in variant.steps)


def looked_at(plan: Plan) -> list[tuple[int, int]]:
    """Stations with a gate, each with the element of a queue at which it looks."""
    gated = [(k, one) for k, one in enumerate(plan.elements) if isinstance(one, Station) and one.gates]
    number = {element.id: k for k, element in enumerate(plan.elements)}
    return [(k, number[id]) for k, one in gated for gate in one.gates for id in gate.queues if id in number]


def has_kernel(station: Station) -> bool:
    """Whether a station that looks at no other can be served from one end of a window to the other.

    If not it is a group of its own. An outage that requeues does as one that resumes if the whole station is down and
    its lanes stay the same: those put back stand before all others and start together when it is up again, each with
    what is left.
    """
    needs = needed(station)
    single = {Mechanism.LANE_OUTAGES, Mechanism.LANE_BREAKDOWNS, Mechanism.NAMED_LANES, Mechanism.DATED_LANES}
    goes_elsewhere = Mechanism.OUTAGES_REQUEUE in needs and not needs.isdisjoint(single)
    alone = {Mechanism.DATED_PRIORITY, Mechanism.EXTRA_LANES, Mechanism.GATE}
    alone |= {Mechanism.PREEMPTION, Mechanism.PREEMPTION_RESTART}
    return not (goes_elsewhere or not needs.isdisjoint(alone) or any(combinations(needs)))


def _follows(plan: Plan) -> NDArray[np.bool_]:
    """Whether a consignment may come to one queue straight from another, delays aside; who balks was at none."""
    follows = np.zeros((len(plan.elements),) * 2, dtype=bool)

    def go(steps: tuple[Step, ...], before: set[int]) -> None:
        possible = set(before)
        for step in steps:
            if isinstance(plan.elements[step.element], Delay):
                continue
            for k in possible:
                follows[k, step.element] = True
            possible = possible | {step.element} if step.may_be_skipped else {step.element}

    for flow in plan.flows:
        for variant in flow.variants:
            go(variant.steps, set())
    for flow, variant, k, balk in balks(plan):
        go(flow.variants[balk.variant].steps[balk.at_step :], {variant.steps[k].element})
    return follows


def _closed(follows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether one comes after another at any distance."""
    reach = follows.copy()
    for k in range(len(reach)):
        reach |= reach[:, k : k + 1] & reach[k]
    return reach


def _seen_too_late(
    plan: Plan, announced: list[tuple[int, list[int]]], ways: NDArray[np.bool_]
) -> Iterator[tuple[int, int]]:
    """Where waits are announced: elements from which a load comes at the instant of its start to a later station.

    At that instant the announcement, which is made before, does not know of it yet.
    """
    long = np.ones(len(plan.elements), dtype=bool)
    for flow in plan.flows:
        for variant in flow.variants:
            for step in variant.steps:
                if not (step.laws and all(getattr(law, "mean_h", 1.0) > 0 for _, law in step.laws)):
                    long[step.element] = False
    for k, element in enumerate(plan.elements):
        if isinstance(element, Departures):
            long[k] = element.crossing is not None and getattr(element.crossing, "mean_h", 1.0) > 0
        elif isinstance(element, Quota):
            long[k] = False
    for first, stages in announced:
        for stage in stages:
            yield from ((first, k) for k in range(first + 1, stage) if ways[k, stage] and not long[k])


def _refused(plan: Plan, groups: list[tuple[int, ...]], announced: set[int]) -> Iterator[str]:
    for group in groups:
        for k in group:
            element = plan.elements[k]
            if isinstance(element, Station):
                yield from unsuited(element)
            if IDENTITY & needed(element) and Mechanism.EXTRA_LANES in needed(element):
                yield f"lanes opened by the queue with lanes of their own identity at {element.id}"
            needs = needed(element) - (DOES - {Mechanism.DATED_PRIORITY} if k in announced else DOES)
            if Mechanism.YARD in needs and not entered_from_elements(plan, k):
                needs -= {Mechanism.YARD, Mechanism.DATED_YARD}
            names = " and ".join(sorted(need.words for need in needs))
            if names:
                yield f"{names} at {element.id}, which has to be worked together with other queues"


def _unlike_spans(plan: Plan) -> Iterator[str]:
    """Balking after which the way so far has other names: the pass has counted it when somebody balks."""
    for flow, variant, k, balk in balks(plan):
        target, at = flow.variants[balk.variant], balk.at_step
        # Who came to one of the steps in between was asked there, and is not asked again.
        passed = [step.balk is not None and step.may_be_skipped for step in variant.steps[at:k]]
        passed.append(at >= k or (balk.since is not None and balk.since <= at))
        same = _over_by(variant, at) == _over_by(target, at)
        across = any(span.first < at <= span.last for span in target.spans)
        across |= any(span.first < at <= span.last < k for span in variant.spans)
        if at > k or not all(passed) or not same or across:
            place = plan.elements[variant.steps[k].element].id
            yield f"balking at {place} (flow {flow.id}) to an itinerary that begins otherwise"
        elif any(step.balk is not None for step in target.steps[at:]):
            place = plan.elements[variant.steps[k].element].id
            yield f"balking at {place} (flow {flow.id}) to an itinerary on which one may balk again"


def _boarded(plan: Plan, groups: list[tuple[int, ...]], full: frozenset[int]) -> Iterator[str]:
    """Landing in boarding order at what does not sort by it: in groups stations with everything do."""
    together = {k for group in groups for k in group}
    for f, v, k in first_after_landing(plan):
        flow, step = plan.flows[f], plan.flows[f].variants[v].steps[k]
        if step.element in together and (step.element not in full or step.balk is not None):
            yield f"landing in boarding order at {plan.elements[step.element].id} (flow {flow.id}), a queue of a group"


def _left_otherwise(plan: Plan) -> Iterator[str]:
    """Patience after which the way so far has other names, or one is still under way in it."""
    for flow in plan.flows:
        for variant in flow.variants:
            for n, step in enumerate(variant.steps):
                if step.patience is None:
                    continue
                target = flow.variants[step.patience.variant]
                inside = any(span.first <= n <= span.last for span in target.spans)
                if step.patience.at_step != n + 1 or inside or _over_by(variant, n) != _over_by(target, n):
                    place = plan.elements[step.element].id
                    yield f"patience at {place} (flow {flow.id}) that ends in an itinerary that begins otherwise"


def _over_by(variant: Variant, at: int) -> set[tuple[Span, tuple[tuple[int, str], ...]]]:
    """Spans that are over before a step; crossings with the posts that begin in them, which give their direction."""
    posts = sorted((span.first, span.id) for span in variant.spans if span.kind == "post")
    return {
        (span, tuple(post for post in posts if span.kind == "crossing" and span.first <= post[0] <= span.last))
        for span in variant.spans
        if span.last < at
    }
