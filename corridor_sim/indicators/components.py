"""What the time of a mean passage consists of: waits, service, dwell, travel and what disturbs them."""
# ruff: noqa: D102 (the hooks are documented in base.py)

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property

import numpy as np

from corridor_sim.core import by_object
from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.base import Reducer, ratio
from corridor_sim.indicators.places import PlaceKey
from corridor_sim.indicators.shared_sums import SpanSums
from corridor_sim.indicators.visit_sums import VisitSums
from corridor_sim.plan.elements import Element
from corridor_sim.plan.steps import Variant


class Components(Reducer):
    """What the time of a mean passage is made of, from the sums of the visits.

    A mean over the visits to one element counts in a passage with the share of the
    passages that visit it; so unfinished consignments bias no component. Where every
    itinerary through a place visits the element that share is a whole number and is taken as
    such: visits and passages of the same window are not the same consignments, and who still
    waits further up has not come to the element yet.
    """

    def start(self) -> None:
        self.visits = self.shared(VisitSums)
        self._times: dict[tuple[int, tuple[int, ...] | None, PlaceKey], int | None] = {}
        self._means: dict[tuple[tuple[int, ...], tuple[int, ...] | None, PlaceKey], _MeanVisits] = {}
        self._names: dict[int, tuple[str, ...]] = {}
        self._names_of: dict[tuple[tuple[int, ...], tuple[str, ...]], tuple[str, ...]] = {}

    def names(self, elements: tuple[int, ...], also: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Components that can occur at some elements (and `also` some that cannot), in a fixed order."""
        if (elements, also) not in self._names_of:
            found = set(also)
            for element in elements:
                if element not in self._names:
                    self._names[element] = tuple(self._names_at(element))
                found.update(self._names[element])
            self._names_of[elements, also] = tuple(name for name in COMPONENTS if name in found)
        return self._names_of[elements, also]

    def _names_at(self, element: int) -> Iterator[str]:
        thing = self.scope.plan.elements[element]
        if thing.kind != "delay":
            yield thing.wait_component
        if thing.kind != "quota":
            yield hold_component(thing)
        if self.scope.may_interrupt(element):
            yield "interrupted"
        if thing.kind in ("station", "limited_leg") and self.scope.may_block:
            yield "blocked"

    @cached_property
    def journeys(self) -> MeanJourneys:
        """Components of the mean journey of each flow, once everything is counted."""
        return MeanJourneys(self, self.shared(SpanSums))

    def mean_h(
        self,
        name: str,
        elements: tuple[int, ...],
        passages: FloatArray,
        place: PlaceKey,
        flows: tuple[int, ...] | None = None,
    ) -> FloatArray:
        """Hours of one component in a mean passage of a place, shape (replication,). [h]

        `passages` are those begun there, by these flows. To be asked once everything is counted.
        """
        if (
            place[0] == "flow"
            and flows is not None
            and len(flows) == 1
            and elements == self.scope.flow_elements[flows[0]]
        ):
            return np.asarray(self.journeys.mean_h(name)[flows[0]])
        key = elements, flows, place
        if key not in self._means:
            self._means[key] = _MeanVisits(self, elements, passages, place, flows)
        return np.where(passages > 0, self._means[key].hours_of(name), np.nan)

    def travel_h(self) -> FloatArray:
        """Hours moved in all by the journeys done of each flow, shape (flow, replication). [h]

        Mean travel over each leg times how often their itineraries use it; NaN where nobody was counted on one of them.
        """
        scope, spans = self.scope, self.shared(SpanSums)
        things = scope.plan.elements
        total = np.zeros((len(scope.plan.flows), len(scope.replications)))
        travel = [
            k
            for k, cells in enumerate(scope.element_cells)
            if len(cells) and things[k].kind != "quota" and hold_component(things[k]) == "travel"
        ]
        if not travel:
            return total
        moves, used = set(travel), np.zeros_like(self.visits.joined)
        for f, flow in enumerate(scope.plan.flows):
            for variant, number in zip(flow.variants, spans.journeys_by_variant(f), strict=True):
                for k, many in Counter(step.element for step in variant.steps).items():
                    if k in moves:
                        used[scope.cell_of[k, f]] += number * many
        mean = ratio(self.visits.hold_h, self.visits.left)
        hours = np.where(used > 0, mean * used, 0.0)
        for flows, cells in (self.at_element[k] for k in travel):
            total[flows] += hours[cells]
        return total

    @cached_property
    def at_element(self) -> list[tuple[list[int] | slice, slice]]:
        """Flows that visit each element, and their cells in the same order."""
        found: list[tuple[list[int] | slice, slice]] = []
        for cells in self.scope.element_cells:
            flows = [self.scope.cells[cell][1] for cell in cells]
            together = bool(flows) and flows[-1] - flows[0] == len(flows) - 1
            which = slice(flows[0], flows[-1] + 1) if together else flows
            found.append((which, slice(cells.start, cells.stop)))
        return found

    def share(
        self,
        element: int,
        elements: tuple[int, ...],
        passages: FloatArray,
        place: PlaceKey,
        flows: tuple[int, ...] | None = None,
    ) -> FloatArray:
        """Visits to an element in a mean passage of a place, shape (replication,). [-]

        Who still waits further up has not chosen yet: where not all passages visit the element, it is the
        share of those who were served at the last of the `elements` before it that all visit.
        """
        visits, always = self.visits, self._always(element, flows, place)
        if always is not None:
            return np.full(len(passages), float(always))
        for before in reversed(elements[: elements.index(element)]):
            if self._always(before, flows, place) == 1:
                passages = visits.of(visits.began, before, flows)
                break
        return ratio(visits.of(visits.joined, element, flows), passages)

    def shares(
        self,
        visited: tuple[int, ...],
        elements: tuple[int, ...],
        passages: FloatArray,
        place: PlaceKey,
        flows: tuple[int, ...] | None,
    ) -> FloatArray:
        """Those of some elements, as `share`, shape (element, replication), or (element, 1) if none depends on it."""
        always = [self._always(k, flows, place) for k in visited]
        if None not in always:
            return np.array(always, dtype=np.float64)[:, None]
        return np.stack([self.share(k, elements, passages, place, flows) for k in visited])

    def _always(self, element: int, flows: tuple[int, ...] | None, place: PlaceKey) -> int | None:
        """How often every itinerary of these flows through a place visits an element there, None if it depends."""
        if (element, flows, place) not in self._times:
            self._times[element, flows, place] = self._times_visited(element, flows, place)
        return self._times[element, flows, place]

    @cached_property
    def visits_by_way(self) -> list[list[tuple[bool, dict[int, int | None]]]]:
        """For each itinerary of each flow whether some balk, and visits by element, None where some pass it by."""
        return [[_visits_of(variant) for variant in flow.variants] for flow in self.scope.plan.flows]

    def _times_visited(self, element: int, flows: tuple[int, ...] | None, place: PlaceKey) -> int | None:
        times: set[int] = set()
        plan, wanted = self.scope.plan, None if flows is None else set(flows)
        ways: Mapping[tuple[int, int], int]
        if place[0] == "flow":
            of = range(len(plan.flows)) if flows is None else flows
            ways = {(f, v): 1 for f in of for v in range(len(plan.flows[f].variants))}
        else:
            ways = self.scope.passed.get(place, {})
        for (f, v), many in ways.items():
            if wanted is not None and f not in wanted:
                continue
            balks, visits = self.visits_by_way[f][v]
            if place[0] != "flow" and balks:
                return None
            # Anywhere on the way: the wait for a slot is one of the post, and lies before it.
            number = visits.get(element, 0)
            if number is None or number % many:
                return None
            times.add(number // many)
        return times.pop() if len(times) == 1 else None

    def delay_h(
        self,
        elements: tuple[int, ...],
        passages: FloatArray,
        place: PlaceKey,
        flows: tuple[int, ...] | None = None,
    ) -> FloatArray:
        """Waits, blocking and interruptions in a mean passage of a place, shape (replication,). [h]"""
        total = np.zeros(len(self.scope.replications))
        for name in self.names(elements):
            if name in DELAYS:
                total = total + self.mean_h(name, elements, passages, place, flows)
        return total


@by_object.once
def _visits_of(variant: Variant) -> tuple[bool, dict[int, int | None]]:
    """Whether some balk on an itinerary, and its visits by element, None where some pass it by."""
    visits: dict[int, int | None] = {}
    for step in variant.steps:
        before = visits.get(step.element, 0)
        leaves = step.balk or step.patience
        passed_by = step.share or leaves or any(not relief.factor for relief in step.reliefs)
        visits[step.element] = None if passed_by or before is None else before + 1
    return any(step.balk or step.patience for step in variant.steps), visits


class _MeanVisits:
    """What visits add to a mean passage of a place, by element and kind of time, worked out as it is asked for."""

    def __init__(
        self,
        components: Components,
        elements: tuple[int, ...],
        passages: FloatArray,
        place: PlaceKey,
        flows: tuple[int, ...] | None,
    ) -> None:
        self._visits, self._flows, self._count = components.visits, flows, len(passages)
        self._visited = self._visits.visited(elements, flows)
        things = [components.scope.plan.elements[k] for k in self._visited]
        # Kind of time and row of the element, for each component.
        self._parts: dict[str, list[tuple[str, int]]] = {}
        for row, thing in enumerate(things):
            if thing.kind != "delay":
                self._parts.setdefault(thing.wait_component, []).append(("wait", row))
            if thing.kind != "quota":
                self._parts.setdefault(hold_component(thing), []).append(("hold", row))
            for name in ("interrupted", "blocked"):
                self._parts.setdefault(name, []).append((name, row))
        self._share = components.shares(self._visited, elements, passages, place, flows)
        self._hours: dict[str, FloatArray] = {}

    def _hours_by_element(self, kind: str) -> FloatArray:
        """Hours of one kind that the visits to each element add, shape (element, replication). [h]"""
        if kind not in self._hours:
            visits, visited, flows = self._visits, self._visited, self._flows
            hours, number = {
                "wait": (visits.wait_h, visits.started),
                "hold": (visits.hold_h, visits.left),
                "interrupted": (visits.interrupted_h, visits.left),
                "blocked": (visits.blocked_h, visits.left),
            }[kind]
            mean = ratio(visits.of_each(hours, visited, flows), visits.of_each(number, visited, flows))
            joined = visits.of_each(visits.joined, visited, flows)
            self._hours[kind] = np.where(joined > 0, mean * self._share, 0.0)
        return self._hours[kind]

    def hours_of(self, name: str) -> FloatArray:
        """Hours of one component, shape (replication,). [h]"""
        total = np.zeros(self._count)
        for kind, row in self._parts.get(name, ()):
            total = total + self._hours_by_element(kind)[row]
        return total


class MeanJourneys:
    """What a mean journey of each flow consists of: `_MeanVisits` of all that it visits, for all flows at once."""

    def __init__(self, components: Components, spans: SpanSums) -> None:
        self._scope, self._visits = components.scope, components.visits
        self._begun, self._at = spans.by_flow(spans.begun), components.at_element
        self._share = self._shares(components)
        self._hours: dict[str, FloatArray] = {}
        self._mean_h: dict[str, FloatArray] = {}

    def mean_h(self, name: str) -> FloatArray:
        """Hours of one component in the mean journey of each flow, shape (flow, replication). [h]"""
        if name not in self._mean_h:
            total = np.zeros_like(self._begun)
            # One element after the other, so that the sum of a flow does not depend on the others.
            for element, kind in self._where.get(name, ()):
                flows, cells = self._at[element]
                total[flows] += self._hours_by_cell(kind)[cells]
            self._mean_h[name] = np.where(self._begun > 0, total, np.nan)
        return self._mean_h[name]

    @cached_property
    def _where(self) -> dict[str, list[tuple[int, str]]]:
        """For each component the elements at which it may occur, in order, and which kind of time there is of it."""
        found: dict[str, list[tuple[int, str]]] = {}
        for k, cells in enumerate(self._scope.element_cells):
            for name, kind in self._kinds(k) if len(cells) else ():
                found.setdefault(name, []).append((k, kind))
        return found

    def _kinds(self, element: int) -> Iterator[tuple[str, str]]:
        thing = self._scope.plan.elements[element]
        if thing.kind != "delay":
            yield thing.wait_component, "wait"
        if thing.kind != "quota":
            yield hold_component(thing), "hold"
        yield "interrupted", "interrupted"
        yield "blocked", "blocked"

    def _hours_by_cell(self, kind: str) -> FloatArray:
        """Hours of one kind that the visits of each cell add, shape (cell, replication). [h]"""
        if kind not in self._hours:
            visits = self._visits
            number = visits.started if kind == "wait" else visits.left
            mean = ratio(getattr(visits, f"{kind}_h"), number)
            self._hours[kind] = np.where(visits.joined > 0, mean * self._share, 0.0)
        return self._hours[kind]

    def _shares(self, components: Components) -> FloatArray:
        """Visits of each cell in a mean journey, as `Components.share`, shape (cell, replication)."""
        scope, visits = self._scope, self._visits
        by_way, count = components.visits_by_way, len(visits.joined)
        always = np.ones(count)
        some: list[int] = []
        # Row of the passages among those of the cells, then the flows.
        among: list[int] = []
        for flow, elements in enumerate(scope.flow_elements):
            passages = count + flow
            ways = [by_element for _, by_element in by_way[flow]]
            for k in elements:
                cell, often = scope.cell_of[k, flow], ways[0].get(k, 0)
                if often is not None and (len(ways) == 1 or all(way.get(k, 0) == often for way in ways)):
                    always[cell] = often
                    if often == 1:
                        passages = cell
                else:
                    some.append(cell)
                    among.append(passages)
        share = np.repeat(always[:, None], visits.joined.shape[1], axis=1)
        if some:
            share[some] = ratio(visits.joined[some], np.concatenate([visits.began, self._begun])[among])
        return share

    def delay_h(self, components: Components) -> FloatArray:
        """Waits, blocking and interruptions in the mean journey of each flow, shape (flow, replication). [h]"""
        total = np.zeros_like(self._begun)
        names = [set(components.names(elements)) for elements in self._scope.flow_elements]
        for name in DELAYS:
            if flows := [flow for flow, mine in enumerate(names) if name in mine]:
                total[flows] += self.mean_h(name)[flows]
        return total


DELAYS = ("wait", "slot_wait", "acceptance_wait", "entry_wait", "sailing_wait", "blocked", "interrupted")
"""Components that are delay against an unqueued passage."""
BOOKED = ("wait", "slot_wait", "acceptance_wait")
"""Waits that an improvement of a post turns into one another."""
COMPONENTS = (*DELAYS, "service", "dwell", "travel", "rest")


def hold_component(element: Element) -> str:
    """What the time between start and finish at an element is: service, dwell, travel, or rest of drivers."""
    if element.kind == "station":
        return "service"
    if element.kind == "delay":
        return getattr(element, "component", "travel")
    return "travel"
