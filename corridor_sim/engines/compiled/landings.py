"""To which steps does a load come straight from departures that land in boarding order (rule S12)?"""

from __future__ import annotations

from collections.abc import Iterator

from corridor_sim.plan.elements import Departures
from corridor_sim.plan.plan import Plan


def lands_boarding(plan: Plan, element: int) -> bool:
    """Whether an element is departures whose load is unloaded in the order of boarding."""
    thing = plan.elements[element]
    return isinstance(thing, Departures) and thing.landing == "boarding"


def first_after_landing(plan: Plan) -> Iterator[tuple[int, int, int]]:
    """Flow, itinerary and number of the step, wherever somebody may come to a step straight from such departures.

    Examples
    --------
    >>> from corridor_sim.plan.plan import Plan
    >>> list(first_after_landing(Plan(elements=(), flows=(), horizon_h=24.0)))
    []
    """
    for f, flow in enumerate(plan.flows):
        for v, variant in enumerate(flow.variants):
            landed = False
            for k, step in enumerate(variant.steps):
                if landed:
                    yield f, v, k
                landed = lands_boarding(plan, step.element) or (landed and step.may_be_skipped)
