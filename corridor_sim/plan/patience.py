"""Where those who wait may leave the queue, and the itineraries of those who do (rule S34).

Who leaves has joined the queue: his visit stays in his itinerary, and what comes after it is another one. Lost
consignments end there; for another crossing of the same border the driver goes back to where the two ways part, as
one who balks does (`balking.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from corridor_sim.model.paths import all_stages
from corridor_sim.model.routes import Pass, border_of
from corridor_sim.model.scenario import Scenario
from corridor_sim.model.stage_queues import Patience
from corridor_sim.model.stages import Stage
from corridor_sim.plan.balking import common, round_by
from corridor_sim.plan.elements import Element, Station
from corridor_sim.plan.itineraries import Itinerary, named
from corridor_sim.plan.legs import LegPart
from corridor_sim.plan.steps import PatiencePlan


def with_patience(
    scenario: Scenario,
    cargo_class: str,
    itineraries: list[Itinerary],
    elements: Mapping[str, Element],
    parts_of: Callable[[Pass], list[LegPart]],
) -> list[Itinerary]:
    """The itineraries with the patience of the class at each step, followed by those of the drivers who leave.

    Parameters
    ----------
    elements : mapping
        Elements of the itineraries by id.
    parts_of : callable
        Elements and steps of a leg in one direction.
    """
    terms = {path: stage for path, stage in all_stages(scenario) if _law(stage.patience, cargo_class) is not None}
    if not terms:
        return itineraries
    names = named(itineraries)
    found = list(itineraries)
    for made, name in zip(itineraries, names, strict=True):
        for n, (id, step) in enumerate(zip(made.elements, made.steps, strict=True)):
            stage = _stage_at(elements[id], terms, made, n)
            if stage is None or stage.patience is None:
                continue
            law = _law(stage.patience, cargo_class)
            made.patience[n] = PatiencePlan(law=law, draws=f"{step.draws}.patience", variant=len(found), at_step=n + 1)
            found.append(_after(scenario, made, n, stage.patience.to, itineraries, name, parts_of))
    return found


def _law(terms: Patience | None, cargo_class: str) -> object | None:
    """The law of a class, None if it waits as long as it takes."""
    if terms is None:
        return None
    return terms.by_class.get(cargo_class, terms.law)


def _stage_at(element: Element, terms: Mapping[str, Stage], made: Itinerary, n: int) -> Stage | None:
    """The stage of a step, with patience."""
    if not isinstance(element, Station):
        return None
    ways = [element.direction]
    if element.direction == "both":
        ways = [span.direction for span in made.spans if span.kind == "post" and span.first <= n <= span.last]
    paths = [f"checkpoints.{element.post}.{way}.{element.stage}" for way in ways]
    return next(
        (terms[path] for path in (*paths, f"places.{element.post}.transfer.{element.stage}") if path in terms), None
    )


def _after(
    scenario: Scenario,
    made: Itinerary,
    n: int,
    to: str | None,
    itineraries: Sequence[Itinerary],
    name: str,
    parts_of: Callable[[Pass], list[LegPart]],
) -> Itinerary:
    """The journey of one who leaves the queue of step `n`."""
    if to is not None:
        border = border_of(scenario, to)
        here = next((c for c in made.way.crossings if border_of(scenario, c) == border), "")
        ways = [other for other in itineraries if to in other.way.crossings and not other.left_at]
        if here not in ("", to) and ways:
            target = max(ways, key=lambda other: common(made.elements, other.elements))
            way = round_by(made, n, target, parts_of, waited=True)
            way.id = f"{to} after {made.elements[n]} of {name}"
            return way
    return Itinerary(
        replace(made.way, share=((0.0, 0.0),)),
        made.elements[: n + 1],
        made.steps[: n + 1],
        [span for span in made.spans if span.last < n],
        id=f"left {made.elements[n]} of {name}",
        lost=True,
    )
