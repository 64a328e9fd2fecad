"""The part of a plan that decides what happens at some of its elements.

Where only one border is asked about, the rest of the corridor need not be simulated: what
happens at an element hangs on the consignments that visit it and on what they
passed before. Itineraries end after the last element that matters, flows that meet none
are left out. Streams are found by name and read by index, so what is left is the same to the bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from corridor_sim.plan.elements import Delay, Departures, Element, Station
from corridor_sim.plan.plan import FlowPlan, Plan
from corridor_sim.plan.steps import Step, Variant

OUTSIDE = "outside"
"""Id of the element where an itinerary stands that meets none of the part."""


def part_of(plan: Plan, elements: Iterable[int]) -> Plan:
    """The plan without what cannot change what happens at these elements.

    Parameters
    ----------
    plan : Plan
    elements : iterable of int
        Numbers of elements of `plan`.

    Returns
    -------
    Plan
        Of these elements and all that they hang on: what their visitors pass before, and who else comes
        there; the next element where it can block; all stations of a shared staff pool; the queues at
        which a gate looks; whole itineraries
        where drivers turn away. Numbers of elements and flows are new, ids are the same.
        Journeys end early, so rows of flows, of legs after the part and of the whole corridor are not those of `plan`.

    Raises
    ------
    ValueError
        If no flow visits any of the elements.
    """
    needed = _closure(plan, set(elements))
    ways = [
        (f, [_steps_needed(variant, needed) for variant in flow.variants])
        for f, flow in enumerate(plan.flows)
        if any(_steps_needed(variant, needed) for variant in flow.variants)
    ]
    if not ways:
        raise ValueError("no flow visits any of these elements")
    kept = sorted(needed)
    at = {element: number for number, element in enumerate(kept)}
    flow_at = {f: number for number, (f, _) in enumerate(ways)}
    flows = tuple(_cut(plan.flows[f], lengths, at, len(kept)) for f, lengths in ways)
    outside = any(0 in lengths for _, lengths in ways)
    left = tuple(_for_flows(plan.elements[element], flow_at) for element in kept)
    pools = {element.staff_pool for element in left if isinstance(element, Station)}
    return replace(
        plan,
        elements=(*left, Delay(id=OUTSIDE)) if outside else left,
        flows=flows,
        staff_pools=tuple(pool for pool in plan.staff_pools if pool.id in pools),
    )


def _closure(plan: Plan, needed: set[int]) -> set[int]:
    """Elements that are needed, and what they hang on."""
    pools: dict[str, set[int]] = {}
    for k, element in enumerate(plan.elements):
        if isinstance(element, Station) and element.staff_pool is not None:
            pools.setdefault(element.staff_pool, set()).add(k)
    number = {element.id: k for k, element in enumerate(plan.elements)}
    looked_at = {
        k: {number[id] for gate in element.gates for id in gate.queues if id in number}
        for k, element in enumerate(plan.elements)
        if isinstance(element, Station) and element.gates
    }
    found, before = set(needed), -1
    while len(found) != before:
        before = len(found)
        for flow in plan.flows:
            lengths = [_steps_needed(variant, found) for variant in flow.variants]
            every = [step for variant in flow.variants for step in variant.steps]
            turns_away = any(step.balk is not None or step.patience is not None for step in every)
            for variant, length in zip(flow.variants, lengths, strict=True):
                if turns_away and any(lengths):
                    length = len(variant.steps)
                while 0 < length < len(variant.steps) and _can_block(plan.elements[variant.steps[length].element]):
                    length += 1
                found.update(step.element for step in variant.steps[:length])
        for k, queues in looked_at.items():
            if k in found:
                found |= queues
        for stations in pools.values():
            if stations & found:
                found |= stations
    return found


def _can_block(element: Element) -> bool:
    return isinstance(element, Station) and element.may_be_full


def _steps_needed(variant: Variant, needed: set[int]) -> int:
    """How many steps of an itinerary lie before the end of the part."""
    return max((n for n, step in enumerate(variant.steps, start=1) if step.element in needed), default=0)


def _cut(flow: FlowPlan, lengths: list[int], at: Mapping[int, int], outside: int) -> FlowPlan:
    variants = []
    for variant, length in zip(flow.variants, lengths, strict=True):
        steps = tuple(replace(step, element=at[step.element]) for step in variant.steps[:length])
        spans = tuple(span for span in variant.spans if span.last < length)
        variants.append(replace(variant, steps=steps or (Step(element=outside),), spans=spans))
    return replace(flow, variants=tuple(variants))


def _for_flows(element: Element, flow_at: Mapping[int, int]) -> Element:
    """The element with what it says of flows by number said of those that are left."""

    def of_those_left(ranks: tuple[int, ...] | None) -> tuple[int, ...] | None:
        return None if ranks is None else tuple(ranks[f] for f in flow_at)

    if isinstance(element, Departures):
        return replace(element, priority=of_those_left(element.priority))
    if not isinstance(element, Station):
        return element
    return replace(
        element,
        rank=of_those_left(element.rank),
        rank_changes=tuple((from_h, of_those_left(ranks)) for from_h, ranks in element.rank_changes),
        reserved=tuple(
            replace(one, flows=frozenset(flow_at[f] for f in one.flows if f in flow_at)) for one in element.reserved
        ),
    )
