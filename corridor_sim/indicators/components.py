"""What the time of a mean passage consists of: waits, service, dwell, travel and what disturbs them."""
# ruff: noqa: D102 (the hooks are documented in base.py)

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property

import numpy as np

from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.base import Reducer, ratio
from corridor_sim.indicators.places import PlaceKey
from corridor_sim.indicators.shared_sums import SpanSums
from corridor_sim.indicators.visit_sums import VisitSums
from corridor_sim.plan.plan import Element


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

    def names(self, elements: tuple[int, ...], also: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Components that can occur at some elements (and `also` some that cannot), in a fixed order."""
        found: dict[str, None] = dict.fromkeys(also)
        for element in elements:
            if element not in self._names:
                self._names[element] = tuple(self._names_at(element))
            found.update(dict.fromkeys(self._names[element]))
        return tuple(name for name in COMPONENTS if name in found)

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

    def travel_h(self, elements: tuple[int, ...], flow: int, done: list[FloatArray]) -> FloatArray:
        """Hours moved in all by the journeys of a flow that are `done`, by itinerary, shape (replication,). [h]

        Mean travel over each leg times how often their itineraries use it; NaN where nobody was counted on a leg.
        """
        total = np.zeros(len(self.scope.replications))
        things, cell_of = self.scope.plan.elements, self.scope.cell_of
        travel = [k for k in elements if things[k].kind != "quota" and hold_component(things[k]) == "travel"]
        moved = [k for k in travel if (k, flow) in cell_of]
        if not moved:
            return total
        variants = self.scope.plan.flows[flow].variants
        times = [Counter(step.element for step in variant.steps) for variant in variants]
        used = np.zeros((len(moved), len(total)))
        for number, many in zip(done, times, strict=True):
            used += number * np.array([[float(many[k])] for k in moved])
        mean = self._mean_hold_h[[cell_of[k, flow] for k in moved]]
        for hours in np.where(used > 0, mean * used, 0.0):
            total = total + hours
        return total

    @cached_property
    def _mean_hold_h(self) -> FloatArray:
        """Mean hold of each cell, shape (cell, replication). [h]"""
        return ratio(self.visits.hold_h, self.visits.left)

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
        found: list[list[tuple[bool, dict[int, int | None]]]] = []
        for flow in self.scope.plan.flows:
            found.append([])
            for variant in flow.variants:
                visits: dict[int, int | None] = {}
                for step in variant.steps:
                    before = visits.get(step.element, 0)
                    leaves = step.balk or step.patience
                    passed_by = step.share or leaves or any(not relief.factor for relief in step.reliefs)
                    visits[step.element] = None if passed_by or before is None else before + 1
                found[-1].append((any(step.balk or step.patience for step in variant.steps), visits))
        return found

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
        scope, flows = components.scope, components.scope.plan.flows
        place_of = {place[1]: n for n, place in scope.places("flow")}
        self._begun = np.stack([spans.of(spans.begun, place_of[flow.id]) for flow in flows])
        self._share = self._shares(components)
        self._hours: dict[str, FloatArray] = {}
        self._mean_h: dict[str, FloatArray] = {}

    def mean_h(self, name: str) -> FloatArray:
        """Hours of one component in the mean journey of each flow, shape (flow, replication). [h]"""
        if name not in self._mean_h:
            total = np.zeros_like(self._begun)
            # One element of each flow after the other, so that the sum of a flow does not depend on the others.
            for kind, flows, cells in self._in_turn(name):
                total[flows] += self._hours_by_cell(kind)[cells]
            self._mean_h[name] = np.where(self._begun > 0, total, np.nan)
        return self._mean_h[name]

    def _in_turn(self, name: str) -> Iterator[tuple[str, list[int], list[int]]]:
        """Kind of time, flows and their cells; those of a flow in order of its elements, each flow once in a turn."""
        scope = self._scope
        turns: dict[tuple[int, str], tuple[list[int], list[int]]] = {}
        for flow, elements in enumerate(scope.flow_elements):
            turn = 0
            for k in elements:
                for kind in self._kinds(k, name):
                    flows, cells = turns.setdefault((turn, kind), ([], []))
                    flows.append(flow)
                    cells.append(scope.cell_of[k, flow])
                    turn += 1
        for (_, kind), (flows, cells) in sorted(turns.items(), key=lambda entry: entry[0][0]):
            yield kind, flows, cells

    def _kinds(self, element: int, name: str) -> Iterator[str]:
        thing = self._scope.plan.elements[element]
        if thing.kind != "delay" and thing.wait_component == name:
            yield "wait"
        if thing.kind != "quota" and hold_component(thing) == name:
            yield "hold"
        if name in ("interrupted", "blocked"):
            yield name

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
        share, by_way = np.empty_like(visits.joined), components.visits_by_way
        some: list[int] = []
        among: list[FloatArray] = []
        for flow, elements in enumerate(scope.flow_elements):
            passages = self._begun[flow]
            for k in elements:
                cell = scope.cell_of[k, flow]
                often = {by_element.get(k, 0) for _, by_element in by_way[flow]}
                if len(often) == 1 and None not in often:
                    (always,) = often
                    share[cell] = always
                    if always == 1:
                        passages = visits.began[cell]
                else:
                    some.append(cell)
                    among.append(passages)
        if some:
            share[some] = ratio(visits.joined[some], np.stack(among))
        return share


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
