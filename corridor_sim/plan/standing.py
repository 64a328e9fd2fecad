"""Queues that stand when a run begins: flows of their own, whose itineraries begin at the place of the queue.

Their draws have names of their own, so every other consignment of the run keeps its draws. Nobody is served
before hour 0: where a queue stands, there is no lane (and nobody is accepted) before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from corridor_sim.core.errors import Problem
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.model.arrivals import ArrivalPlan
from corridor_sim.model.initial_queues import InitialQueue, Standing
from corridor_sim.model.scenario import Scenario
from corridor_sim.model.standing import place_of, share_at_start
from corridor_sim.plan.elements import Element, Quota, Station
from corridor_sim.plan.itineraries import Itinerary
from corridor_sim.plan.steps import Span, Step

BEFORE_H = -1.0
"""Some instant before the start: what holds there holds at all earlier ones. [h]"""


@dataclass(frozen=True, slots=True)
class StandingFlow:
    """The consignments of one flow in one queue at the start."""

    id: str
    """Of the flow in the plan: ``initial_queue.<queue>.<flow>``."""
    queue: str
    flow: str
    times_h: tuple[float, ...]

    @property
    def path(self) -> str:
        """Where the queue stands in a file."""
        return f"run.initial_queue.{self.queue}"

    @property
    def arrivals(self) -> ArrivalPlan:
        """Their releases."""
        return ArrivalPlan(process=Standing(times_h=self.times_h))


def standing_flows(scenario: Scenario) -> list[StandingFlow]:
    """Those that stand somewhere when the run begins, by queue and flow."""
    return [
        StandingFlow(f"initial_queue.{id}.{flow}", id, flow, times_h)
        for id, queue in scenario.run.initial_queue.items()
        for flow, times_h in queue.times_by_flow().items()
    ]


def cut(
    one: StandingFlow, queue: InitialQueue, itineraries: Sequence[Itinerary], find: Callable[[str], Element]
) -> tuple[list[Itinerary], list[Problem]]:
    """The itineraries of a flow from the place of the queue on, and why none can stand there.

    Whoever stands there neither turns away nor books, and takes what it stands for whatever its share.
    """
    post, direction, stage = place_of(queue.at)
    where = f"{one.path}.flows.{one.flow}"
    found: list[Itinerary] = []
    for made in itineraries:
        share = share_at_start(made.way)
        span = next((s for s in made.spans if (s.kind, s.id, s.direction) == ("post", post, direction)), None)
        if span is None or share <= 0:
            continue
        ids = {f"{post}.{direction}.{stage}", f"{post}.shared.{stage}"}
        steps = [n for n in range(span.first, span.last + 1) if not stage or made.elements[n] in ids]
        first = next((n for n in steps if _taken(made.steps[n])), None)
        if first is None:
            continue
        if problem := _no_queue(one, find(made.elements[first])):
            return [], [problem]
        step = made.steps[first]
        reliefs = tuple(relief for relief in step.reliefs if relief.factor)
        taken = [replace(step, share=None, share_draws="", reliefs=reliefs), *made.steps[first + 1 :]]
        spans = [_later(s, first) for s in made.spans if s.first >= first or (s == span and s.last >= first)]
        way = replace(made.way, share=((0.0, share),))
        found.append(Itinerary(way, made.elements[first:], taken, spans, id=made.id))
    if not found:
        what = f"does not need {stage} of" if stage else "does not stop at"
        return [], [Problem(f"{what} {post} ({direction}) when the run begins", where, one.flow)]
    return found, []


def _taken(step: Step) -> bool:
    """Whether anybody takes a step when the run begins."""
    return step.share is None or step.share.at(0.0) > 0


def _no_queue(one: StandingFlow, element: Element) -> Problem | None:
    """Why nobody can wait at an element when the run begins."""
    if not isinstance(element, (Quota, Station)):
        return Problem(f"nobody waits before {element.id}, which has no limit of lanes", f"{one.path}.at")
    if isinstance(element, Station) and element.may_be_full:
        text = f"does not go with the yard of {element.id}: who finds it full waits in the lane before"
        return Problem(text, f"{one.path}.at")
    return None


def _later(span: Span, first: int) -> Span:
    return replace(span, first=max(span.first - first, 0), last=span.last - first)


def closed_before_start(element: Element) -> Element:
    """The element as it is from hour 0 on, where nobody starts or is accepted before it."""
    if isinstance(element, Quota):
        start_h = np.maximum(element.day_start_h, 0.0)
        return replace(
            element,
            day_start_h=np.concatenate([[BEFORE_H], start_h]),
            per_day=np.concatenate([np.zeros(1, dtype=np.int64), element.per_day]),
        )
    assert isinstance(element, Station)
    named = None if element.named is None else tuple(_closed(lane) for lane in element.named)
    return replace(element, lanes=_closed(element.lanes), named=named)


def _closed(lanes: StepFunction) -> StepFunction:
    at_h = np.concatenate([[0.0], lanes.from_h[lanes.from_h > 0]])
    return StepFunction(np.concatenate([[BEFORE_H], at_h]), np.concatenate([[0.0], lanes(at_h)]))
