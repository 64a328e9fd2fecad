"""Where the drivers of a flow may balk, and the itineraries of those who do.

A driver who balks has driven to the post; he goes back to where the two ways
part and on by the other crossing. That is an itinerary of its own with share 0
at release: the steps up to the post as he took them, the legs back in the other
direction with the draws of the way in, then the rest of the way by the other
crossing. So his journey, its length, cost and emissions are those of what he
drove, and the way back takes the time that the same legs took him.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from corridor_sim.model.flows import Balk
from corridor_sim.model.routes import Pass, border_of
from corridor_sim.model.scenario import Scenario
from corridor_sim.plan.elements import Element, Station
from corridor_sim.plan.itineraries import Itinerary, named
from corridor_sim.plan.legs import LegPart
from corridor_sim.plan.steps import PlanBalk, Span

_BACK = {">": "<", "<": ">"}


def with_balking(
    scenario: Scenario,
    balk: Balk,
    itineraries: Sequence[Itinerary],
    elements: Mapping[str, Element],
    parts_of: Callable[[Pass], list[LegPart]],
) -> list[Itinerary]:
    """The itineraries with their balks, followed by those of the drivers who balk.

    Parameters
    ----------
    elements : mapping
        Elements of the itineraries by id.
    parts_of : callable
        Elements and steps of a leg in one direction.
    """
    border = border_of(scenario, balk.crossing)
    ways_round = [made for made in itineraries if balk.crossing in made.way.crossings]
    names = named(itineraries)
    name_of = {id(made): name for made, name in zip(itineraries, names, strict=True)}
    found = list(itineraries)
    for made, name in zip(itineraries, names, strict=True):
        crossing = next((c for c in made.way.crossings if border_of(scenario, c) == border), "")
        if not ways_round or crossing in ("", balk.crossing):
            continue
        target = max(ways_round, key=lambda other: common(made.elements, other.elements))
        stands = _first_station(made, elements, crossing)
        if stands is None:
            continue
        post = next(span for span in made.spans if span.kind == "post" and span.first <= stands <= span.last)
        # Of a stage to which some come back, the first visit.
        first = [n for n in range(stands, post.last + 1) if made.elements.index(made.elements[n], stands) == n]
        stations = [n for n in first if isinstance(elements[made.elements[n]], Station)]
        terms = PlanBalk(
            threshold_h=balk.threshold_h,
            variant=len(found),
            at_step=stands,
            stages=tuple(stations if balk.scope == "post" else stations[:1]),
            since=stands,
        )
        for n in stations:
            made.balks[n] = terms
            if not made.steps[n].may_be_skipped:
                break
        round_ = round_by(made, stands, target, parts_of)
        round_.id = f"{name_of[id(target)]} instead of {name}"
        found.append(round_)
    return found


def common(one: Sequence[str], other: Sequence[str]) -> int:
    """Number of elements with which both begin."""
    return next((k for k, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _first_station(made: Itinerary, elements: Mapping[str, Element], crossing: str) -> int | None:
    """Number of the first step with lanes at a crossing."""
    for n, id in enumerate(made.elements):
        element = elements[id]
        if isinstance(element, Station) and element.crossing == crossing:
            return n
    return None


def round_by(
    made: Itinerary, stands: int, target: Itinerary, parts_of: Callable[[Pass], list[LegPart]], *, waited: bool = False
) -> Itinerary:
    """The journey of one that leaves step `stands` of `made`, joined if he has `waited`, and goes on by `target`."""
    fork = common(made.elements, target.elements)
    elements, steps = made.elements[: stands + waited], made.steps[: stands + waited]
    spans = [span for span in made.spans if span.last < stands]
    driven = [span for span in spans if span.kind == "leg" and span.first >= fork]
    for span in reversed(driven):
        first = len(steps)
        back = Pass("leg", span.id, _BACK[span.direction])
        way_in = made.steps[span.first : span.last + 1]
        for n, part in enumerate(parts_of(back)):
            own = way_in[n].draws if part.step.laws and n < len(way_in) and way_in[n].laws else part.step.draws
            elements.append(part.element.id)
            steps.append(replace(part.step, draws=own))
        if len(steps) > first:
            spans.append(replace(span, first=first, last=len(steps) - 1, direction=back.direction))
    spans += [_moved(span, len(steps) - fork) for span in target.spans if span.first >= fork]
    elements += target.elements[fork:]
    steps += target.steps[fork:]
    return Itinerary(
        replace(target.way, share=((0.0, 0.0),)),
        elements,
        steps,
        spans,
        left_at="" if waited else made.elements[stands],
        leaves_for=stands,
    )


def _moved(span: Span, by: int) -> Span:
    return replace(span, first=span.first + by, last=span.last + by)
