"""What does a way consist of? Its posts, transfers and legs as steps, with the elements at which they are."""

from __future__ import annotations

from dataclasses import replace

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.model.changes import OneStop
from corridor_sim.model.dated_routes import DatedRoute
from corridor_sim.model.hosting import not_to_be_moved, stops
from corridor_sim.model.kept_parts import KeptParts
from corridor_sim.model.resolution import Resolved
from corridor_sim.model.routes import Pass, passes, stages_at
from corridor_sim.model.stage_queues import WayBack
from corridor_sim.plan.bans import names_of_bans
from corridor_sim.plan.bookings import Bookings
from corridor_sim.plan.elements import Element, Quota
from corridor_sim.plan.itineraries import Itinerary
from corridor_sim.plan.legs import LegPart, Legs
from corridor_sim.plan.posts import Posts
from corridor_sim.plan.steps import Span, Step
from corridor_sim.plan.ways_back import visits_again


class WaySteps:
    """Makes itineraries of ways; the elements that they pass are in `elements`, what is wrong is in `problems`."""

    def __init__(self, resolved: Resolved, posts: Posts, legs: Legs, parts: KeptParts) -> None:
        self.resolved, self.scenario = resolved, resolved.scenario
        self.posts, self.legs, self.parts = posts, legs, parts
        self.elements: dict[str, Element] = {}
        self.problems: list[Problem] = []

    def itinerary(self, flow: str, way: DatedRoute) -> Itinerary:
        """What a flow passes on a way, in order."""
        made = Itinerary(way, [], [], [])
        of = self.scenario.flows[flow]
        cargo_class = of.cargo_class
        began: dict[str, tuple[int, str]] = {}
        for stop in stops(self.scenario, passes(self.scenario, way.hops, of.handled_at), dict(way.one_stop)):
            at, crossing = stop.at, stop.crossing
            first = len(made.steps)
            if at.what == "leg":
                self._add_leg(made, at, cargo_class)
                continue
            if not stop.controls:
                self.problems += not_to_be_moved(self.scenario, stop, any(self._before_stages(at)))
            elif at.what == "post":
                first = self._add_before_stages(made, at)
            for control in stop.controls:
                begin = len(made.steps)
                self._add_stages(made, control, cargo_class, stop.terms)
                if control != at and len(made.steps) > begin:
                    made.spans.append(_span("post", control, begin, made))
            if len(made.steps) > first:
                made.spans.append(_span("post" if at.what == "post" else "place", at, first, made))
            if at.what == "post" and at.direction == "exit":
                began[crossing] = (first, at.id)
            elif at.what == "post" and crossing in began and len(made.steps) > began[crossing][0]:
                start, left = began.pop(crossing)
                direction = stop.direction or self._where_one_is_missing(made, start, (left, at.id))
                last = len(made.steps) - 1
                made.spans.append(Span(kind="crossing", id=crossing, first=start, last=last, direction=direction))
        return made

    def _where_one_is_missing(self, made: Itinerary, start: int, posts: tuple[str, str]) -> str:
        """Direction of a crossing of which a post has no stage on the way; "" where both tell it."""
        if {*posts} <= {span.id for span in made.spans if span.kind == "post" and span.first >= start}:
            return ""
        return ">".join(dict.fromkeys(self.scenario.checkpoints[id].country or id for id in posts))

    def _add_stages(self, made: Itinerary, at: Pass, cargo_class: str, one_stop: OneStop | None) -> None:
        """The stages of a post in one direction, or of a transfer, that a class needs."""
        stages = stages_at(self.scenario, at)
        first: dict[str, int] = {}
        for name, stage in stages.items():
            first[name] = len(made.steps)
            step = self.posts.stage_step(at, name, stage, cargo_class, one_stop)
            if step is not None:
                id = self.posts.element_id(at, name)
                if id not in self.elements:
                    self.elements[id] = self.posts.stage_element(at, name, stage)
                self._add(made, id, step)
                if stage.back is not None:
                    self._add_back(made, at, name, stage.back, cargo_class, first[stage.back.to or name])

    def _add_back(self, made: Itinerary, at: Pass, name: str, back: WayBack, cargo_class: str, first: int) -> None:
        """The visits of those who go back from a stage, whose first visit is the last step so far (rule S33)."""
        body, ids = made.steps[first:], made.elements[first:]
        path = f"{self.posts.table(at)}.{name}"
        passed = made.elements.count(ids[-1])
        draws = f"{path}.back" if passed == 1 else f"{path}.back#{passed}"
        try:
            for again in visits_again(back, cargo_class, body, draws, path):
                for id, step in zip(ids, again, strict=True):
                    made.steps.append(replace(step, draws=f"{id}#{made.elements.count(id) + 1}"))
                    made.elements.append(id)
        except ScenarioError as error:
            self.problems += error.problems

    def _before_stages(self, at: Pass) -> tuple[Bookings | None, Quota | None]:
        """Slots and acceptance of one direction of a post, made once."""
        return self.parts.part(
            ("before", at), self.posts.made_from(at), lambda: (self.posts.slots(at), self.posts.acceptance(at))
        )

    def _add_before_stages(self, made: Itinerary, at: Pass) -> int:
        """Slots and acceptance of a post; the number of the first step that lies at the post itself."""
        slots, quota = self._before_stages(at)
        for element, step in () if slots is None else slots.parts:
            self.elements.setdefault(element.id, element)
            self._add(made, element.id, step)
        first = len(made.steps)
        if quota is not None:
            self.elements.setdefault(quota.id, quota)
            self._add(made, quota.id, Step(element=-1, draws=quota.id))
        return first

    def _add_leg(self, made: Itinerary, at: Pass, cargo_class: str) -> None:
        leg = self.scenario.legs[at.id]
        first = len(made.steps)
        for part in self.leg_parts(at, cargo_class):
            self.elements.setdefault(part.element.id, part.element)
            self._add(made, part.element.id, part.step)
        if len(made.steps) == first:
            return
        made.spans.append(
            Span(
                kind="leg",
                id=at.id,
                first=first,
                last=len(made.steps) - 1,
                direction=at.direction,
                mode=leg.mode,
                length_km=leg.length_km,
                cost_usd_tkm=leg.cost_usd_tkm,
                co2_g_tkm=leg.co2_g_tkm,
            )
        )

    def leg_parts(self, at: Pass, cargo_class: str) -> list[LegPart]:
        """Elements and steps of a leg in one direction for a class, made once."""
        key = "leg", at, cargo_class if names_of_bans(self.resolved, at.id) else ""
        try:
            return self.parts.part(key, [("legs", at.id)], lambda: self.legs.parts(at, cargo_class))
        except ScenarioError as error:
            self.problems += [problem for problem in error.problems if problem not in self.problems]
            return []

    @staticmethod
    def _add(made: Itinerary, id: str, step: Step) -> None:
        # A consignment that passes an element twice draws twice.
        times = made.elements.count(id)
        if times:
            again = f"{step.draws}#{times + 1}"
            lower = step.passed_by
            shared = f"{step.share_draws}#{times + 1}" if step.share_draws else ""
            reliefs = tuple(replace(one, draws=shared) if one is lower else one for one in step.reliefs)
            step = replace(step, draws=again, share_draws=shared, reliefs=reliefs)
        made.elements.append(id)
        made.steps.append(step)


def _span(kind: str, at: Pass, first: int, made: Itinerary) -> Span:
    """The steps from `first` on as a span of a post or place."""
    return Span(kind=kind, id=at.id, first=first, last=len(made.steps) - 1, direction=at.direction)
