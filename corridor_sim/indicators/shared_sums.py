"""What several indicators need, counted once: sums, numbers by day and hour, queues, distributions.

Everything here is a sum of grid times, a count or a histogram of counts, hence
the same however a run is cut. Add a reducer when two indicators would
otherwise count the same thing.
"""
# ruff: noqa: D102 (the hooks are documented in base.py)

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.units import H_PER_DAY, FloatArray
from corridor_sim.indicators.base import PlanView, Reducer, SpanBlock, VisitBlock, ratio
from corridor_sim.indicators.distributions import STAY_STEPS_H, CountArray, Distribution, TimeCounts
from corridor_sim.indicators.interruptions import WorkingTime, that_fits, worked_h, working_times
from corridor_sim.indicators.places import PlaceKey
from corridor_sim.indicators.post_clock import PostClock
from corridor_sim.plan.plan import Element, Station
from corridor_sim.records.visits import IntArray


class VisitSums(Reducer):
    """Numbers and hours by (element, flow) cell, shape (cell, replication).

    Over visits joined in the counted window: `joined`; `started` and `wait_h`
    (those started); `left`, `hold_h`, `interrupted_h`, `blocked_h` (those that have
    left). Within the window, for all visits: `began` (starts); clipped at its ends:
    `wait_in_window_h`, `hold_in_window_h`, `interrupted_in_window_h`, `blocked_in_window_h`. At the
    end of the run, whenever they joined: `unserved` and their wait so far,
    `unserved_wait_h`. `hold_h` is service, travel, crossing or dwell.
    """

    def start(self) -> None:
        shape = (len(self.scope.cells), len(self.scope.replications))

        def zeros() -> FloatArray:
            return np.zeros(shape)

        self.joined, self.started, self.left, self.began = zeros(), zeros(), zeros(), zeros()
        self.wait_h, self.hold_h, self.interrupted_h, self.blocked_h = zeros(), zeros(), zeros(), zeros()
        self.wait_in_window_h, self.hold_in_window_h = zeros(), zeros()
        self.interrupted_in_window_h, self.blocked_in_window_h = zeros(), zeros()
        self.unserved, self.unserved_wait_h = zeros(), zeros()
        self._found: dict[tuple[int | tuple[int, ...], tuple[int, ...] | None], IntArray] = {}
        self._found_each: dict[tuple[tuple[int, ...], tuple[int, ...] | None], tuple[IntArray, IntArray]] = {}
        self._working_times: dict[tuple[int, int], list[WorkingTime]] = {}

    def add_visits(self, block: VisitBlock) -> None:
        cell, kind = block.cell, self.scope.plan.elements[block.element].kind
        for number in (self.joined, self.started, self.left, self.began):
            number[cell] += block.inner_number
        if kind != "delay":
            wait = block.sum_inner(block.wait_h)
            self.wait_h[cell] += wait
            self.wait_in_window_h[cell] += wait
        splits = kind in ("station", "limited_leg") and self.scope.may_block
        blocked = block.sum_inner(block.leave_h - block.finish_h) if splits else 0.0
        interrupts = self.scope.may_interrupt(block.element)
        if kind == "station" and not interrupts:
            hold: FloatArray | float = block.sum_inner(block.service_h)
        elif kind == "quota":
            hold = 0.0
        else:
            hold = block.sum_inner(block.leave_h - block.start_h) - blocked
        if interrupts:
            service = block.sum_inner(block.service_h)
            interrupted = hold - service
            self.interrupted_h[cell] += interrupted
            self.interrupted_in_window_h[cell] += interrupted
            hold = service
        self.hold_h[cell] += hold
        self.hold_in_window_h[cell] += hold
        if splits:
            self.blocked_h[cell] += blocked
            self.blocked_in_window_h[cell] += blocked
        if len(block.edge):
            self._add_edge(block, kind)

    def _add_edge(self, block: VisitBlock, kind: str) -> None:
        scope, horizon, cell, edge = self.scope, self.scope.plan.horizon_h, block.cell, block.edge
        join, start, finish, leave, service = (
            column[edge] for column in (block.join_h, block.start_h, block.finish_h, block.leave_h, block.service_h)
        )
        if kind == "delay":
            start = join
        if kind not in ("station", "limited_leg"):
            finish = leave
        ended = finish
        waiting, held, gone = np.isnan(start), np.isnan(finish), ~np.isnan(leave)
        counted = (join >= scope.counts_from_h) & (join < scope.until_h)

        def within(since: FloatArray, until: FloatArray) -> FloatArray:
            return np.asarray(np.clip(until, scope.from_h, scope.until_h) - np.clip(since, scope.from_h, scope.until_h))

        start = np.where(waiting, horizon, start)
        finish = np.where(held, horizon, finish)
        until = np.where(gone, leave, horizon)
        wait, hold, blocked = start - join, finish - start, until - finish
        interrupted = np.zeros_like(hold)
        if scope.may_interrupt(block.element):
            # What exceeds the service was interruption, unfinished services included.
            interrupted = np.maximum(hold - service, 0.0)
        in_window = within(start, finish)
        interrupted_in_window = np.zeros_like(hold)
        if scope.may_interrupt(block.element):
            worked = self._worked_h(block, start, ended, service, waiting)
            interrupted_in_window = np.where(waiting, 0.0, np.maximum(in_window - worked, 0.0))

        row, count = block.row[edge], len(scope.replications)

        def add(values: NDArray[np.generic]) -> FloatArray:
            return np.asarray(np.bincount(row, values, minlength=count), dtype=np.float64)

        self.joined[cell] += add(counted)
        self.started[cell] += add(counted & ~waiting)
        self.began[cell] += add(~waiting & (start >= scope.from_h) & (start < scope.until_h))
        self.left[cell] += add(counted & gone)
        self.wait_h[cell] += add(np.where(counted & ~waiting, wait, 0.0))
        self.hold_h[cell] += add(np.where(counted & gone, hold - interrupted, 0.0))
        self.interrupted_h[cell] += add(np.where(counted & gone, interrupted, 0.0))
        self.blocked_h[cell] += add(np.where(counted & gone, blocked, 0.0))
        self.wait_in_window_h[cell] += add(within(join, start))
        self.hold_in_window_h[cell] += add(in_window - interrupted_in_window)
        self.interrupted_in_window_h[cell] += add(interrupted_in_window)
        self.blocked_in_window_h[cell] += add(within(finish, until))
        self.unserved[cell] += add(waiting)
        self.unserved_wait_h[cell] += add(np.where(waiting, wait, 0.0))

    def _worked_h(
        self, block: VisitBlock, start: FloatArray, finish: FloatArray, service: FloatArray, waiting: NDArray[np.bool_]
    ) -> FloatArray:
        """Work done within the counted window on those at its edges; finish NaN where it goes on. [h]"""
        scope = self.scope
        began, over = ~waiting & (start < scope.until_h), finish <= scope.until_h
        worked = np.where(began & (start >= scope.from_h) & over, service, 0.0)
        astride = began & ~(finish <= scope.from_h) & ~((start >= scope.from_h) & over)
        for k in np.flatnonzero(astride).tolist():
            row = int(block.row[block.edge[k]])
            worked[k] = self.worked_astride(block.element, row, float(start[k]), float(finish[k]), float(service[k]))
        return worked

    def worked_astride(self, element: int, row: int, start_h: float, finish_h: float, service_h: float) -> float:
        """Work done in the counted window on a service under way at an end of it; finish NaN where it goes on. [h]"""
        scope, station = self.scope, self.scope.plan.elements[element]
        assert isinstance(station, Station)
        lost = station.closing == "restart" or (station.closing != "suspend" and station.outage_policy == "restart")
        drawn = self.collector.outages_of(element, row)
        key = element, row if drawn else -1
        if key not in self._working_times:
            self._working_times[key] = working_times(station, drawn)
        span = start_h, finish_h, service_h
        time = that_fits(self._working_times[key], *span)
        by = [worked_h(time, *span, at, scope.plan.horizon_h, lost=lost) for at in (scope.from_h, scope.until_h)]
        return by[1] - by[0]

    def of(
        self, values: FloatArray, elements: int | tuple[int, ...], flows: tuple[int, ...] | None = None
    ) -> FloatArray:
        """Sum of `values` over the cells of some elements (and flows), shape (replication,)."""
        cells = self._cells(elements, flows)
        if len(cells) == 1:
            return np.asarray(values[cells[0]] + 0.0)
        # Whole numbers and times on the grid: their sum is exact in any order.
        return np.asarray(values[cells].sum(axis=0)) if len(cells) else np.zeros(values.shape[1])

    def _cells(self, elements: int | tuple[int, ...], flows: tuple[int, ...] | None) -> IntArray:
        """Cells of some elements and flows, looked up once."""
        if (elements, flows) not in self._found:
            some = (elements,) if isinstance(elements, int) else elements
            if flows is None:
                found = [cell for k in some for cell in self.scope.element_cells[k]]
            else:
                at = self.scope.cell_of
                found = [at[k, flow] for k in some for flow in flows if (k, flow) in at]
            self._found[elements, flows] = np.array(found, dtype=np.int64)
        return self._found[elements, flows]

    def visited(self, elements: tuple[int, ...], flows: tuple[int, ...] | None) -> tuple[int, ...]:
        """Those of some elements that one of the flows may visit."""
        return tuple(k for k in elements if len(self._cells(k, flows)))

    def of_each(self, values: FloatArray, visited: tuple[int, ...], flows: tuple[int, ...] | None = None) -> FloatArray:
        """Sum of `values` over the flows at each of some elements that they may visit, shape (element, replication)."""
        key = visited, flows
        if key not in self._found_each:
            found = [self._cells(k, flows) for k in visited]
            ends = np.cumsum([len(cells) for cells in found])
            self._found_each[key] = np.concatenate(found), ends - [len(cells) for cells in found]
        cells, first = self._found_each[key]
        # Exact in any order, see `of`.
        return values[cells] if len(cells) == len(first) else np.add.reduceat(values[cells], first, axis=0)


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

    def names(self, elements: tuple[int, ...], also: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Components that can occur at some elements (and `also` some that cannot), in a fixed order."""
        found: dict[str, None] = dict.fromkeys(also)
        for element in elements:
            thing = self.scope.plan.elements[element]
            if thing.kind != "delay":
                found[thing.wait_component] = None
            if thing.kind != "quota":
                found[hold_component(thing)] = None
            if self.scope.may_interrupt(element):
                found["interrupted"] = None
            if thing.kind in ("station", "limited_leg") and self.scope.may_block:
                found["blocked"] = None
        return tuple(name for name in COMPONENTS if name in found)

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
        key = elements, flows, place
        if key not in self._means:
            self._means[key] = _MeanVisits(self, elements, passages, place, flows)
        return np.where(passages > 0, self._means[key].hours_of(name), np.nan)

    def travel_h(self, elements: tuple[int, ...], flow: int, done: list[FloatArray]) -> FloatArray:
        """Hours moved in all by the journeys of a flow that are `done`, by itinerary, shape (replication,). [h]

        Mean travel over each leg times how often their itineraries use it; NaN where nobody was counted on a leg.
        """
        total = np.zeros(len(self.scope.replications))
        visits, things = self.visits, self.scope.plan.elements
        travel = [k for k in elements if things[k].kind != "quota" and hold_component(things[k]) == "travel"]
        moved = visits.visited(tuple(travel), (flow,))
        if not moved:
            return total
        used = {element: np.zeros(len(total)) for element in moved}
        for variant, number in zip(self.scope.plan.flows[flow].variants, done, strict=True):
            times = Counter(step.element for step in variant.steps)
            for element in used:
                used[element] = used[element] + number * times[element]
        hours, left = visits.of_each(visits.hold_h, moved, (flow,)), visits.of_each(visits.left, moved, (flow,))
        for mean, often in zip(ratio(hours, left), used.values(), strict=True):
            total = total + np.where(often > 0, mean * often, 0.0)
        return total

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
    def _visits_by_way(self) -> list[list[tuple[bool, dict[int, int | None]]]]:
        """For each itinerary of each flow whether some balk, and visits by element, None where some pass it by."""
        found: list[list[tuple[bool, dict[int, int | None]]]] = []
        for flow in self.scope.plan.flows:
            found.append([])
            for variant in flow.variants:
                visits: dict[int, int | None] = {}
                for step in variant.steps:
                    before = visits.get(step.element, 0)
                    passed_by = step.share or step.balk or any(not relief.factor for relief in step.reliefs)
                    visits[step.element] = None if passed_by or before is None else before + 1
                found[-1].append((any(step.balk for step in variant.steps), visits))
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
            balks, visits = self._visits_by_way[f][v]
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


DELAYS = ("wait", "slot_wait", "acceptance_wait", "entry_wait", "sailing_wait", "blocked", "interrupted")
"""Components that are delay against an unqueued passage."""
BOOKED = ("wait", "slot_wait", "acceptance_wait")
"""Waits that an improvement of a post turns into one another."""
COMPONENTS = (*DELAYS, "service", "dwell", "travel")


def hold_component(element: Element) -> str:
    """What the time between start and finish at an element is: service, dwell or travel."""
    if element.kind == "station":
        return "service"
    if element.kind == "delay":
        return getattr(element, "component", "travel")
    return "travel"


class SpanSums(Reducer):
    """Numbers and hours by (span place, flow) cell, shape (cell, replication).

    `begun` in the counted window, of them `done` by the end with `stay_h` in total;
    `ended` in the window, whenever begun; over the whole run `created` (begun at
    all), `inside` at its end, with their time so far `inside_h`.
    """

    def start(self) -> None:
        shape = (len(self.scope.span_cells), len(self.scope.replications))
        self.begun, self.done, self.ended = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        self.stay_h = np.zeros(shape)
        self.created, self.inside, self.inside_h = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        variants = [(f, v) for f, flow in enumerate(self.scope.plan.flows) for v in range(len(flow.variants))]
        self._variant = {pair: n for n, pair in enumerate(variants)}
        self.variant_done = np.zeros((len(variants), len(self.scope.replications)))
        self._cells_at: dict[int, list[tuple[int, int]]] = {}
        for cell, (place, flow) in enumerate(self.scope.span_cells):
            self._cells_at.setdefault(place, []).append((cell, flow))

    def add_span(self, block: SpanBlock) -> None:
        cell, done = block.cell, block.done_number
        self.created[cell] += block.number
        self.done[cell] += done
        if block.done is None:
            self.stay_h[cell] += block.sum(block.stay_h)
        else:
            self.stay_h[cell] += block.sum_of(block.done, block.stay_h[block.done])
        if block.counted is None:
            # All count, so those done are those that ended.
            self.begun[cell] += block.number
            self.ended[cell] += done
        else:
            self.begun[cell] += block.count(block.counted)
            self.ended[cell] += block.count((block.end_h >= self.scope.from_h) & (block.end_h < self.scope.until_h))
        if block.kind == "flow":
            self.variant_done[self._variant[block.flow, block.variant]] += done
        if not block.all_ended:
            inside = np.flatnonzero(np.isnan(block.end_h))
            self.inside[cell] += block.sum_of(inside, np.ones(len(inside)))
            self.inside_h[cell] += block.sum_of(inside, self.scope.plan.horizon_h - block.begin_h[inside])

    def of(self, values: FloatArray, place: int, flows: tuple[int, ...] | None = None) -> FloatArray:
        """Sum of `values` over the flows at one place, shape (replication,)."""
        total = np.zeros(values.shape[1])
        for cell, flow in self._cells_at.get(place, ()):
            if flows is None or flow in flows:
                total = total + values[cell]
        return total

    def journeys_by_variant(self, flow: int) -> list[FloatArray]:
        """Journeys begun in the window and done, for each itinerary of a flow, each of shape (replication,)."""
        return [self.variant_done[self._variant[flow, v]] for v in range(len(self.scope.plan.flows[flow].variants))]

    def flows_at(self, place: int) -> tuple[int, ...]:
        """Flows that pass a place."""
        return tuple(flow for _, flow in self._cells_at.get(place, ()))


class QueueMarks(Reducer):
    """Number waiting at each element just before evenly spaced instants ("marks").

    A mark lies every quarter of an hour in runs up to 93 days, else every hour.
    `waiting(element)` has shape (replication, mark); marks within the counted window.
    """

    def start(self) -> None:
        scope = self.scope
        self.step_h = 0.25 if scope.plan.horizon_h <= 93 * H_PER_DAY else 1.0
        self.marks = int(np.floor(scope.plan.horizon_h / self.step_h))
        self.elements = tuple(k for k, element in enumerate(scope.plan.elements) if element.kind != "delay")
        self._at = {element: n for n, element in enumerate(self.elements)}
        # net[e, r, b]: joined minus started in bin b, the last bin is beyond the last mark.
        self.net = np.zeros((len(self.elements), len(scope.replications), self.marks + 1), dtype=np.int32)
        first = int(np.floor(scope.from_h / self.step_h))
        last = int(np.floor(scope.until_h / self.step_h))
        self._kept = slice(first, max(last, first))

    def add_visits(self, block: VisitBlock) -> None:
        where = self._at.get(block.element)
        if where is None:
            return
        per_h, which = 1.0 / self.step_h, block.waiting
        if not len(which):
            return
        joined = np.floor(np.maximum(block.join_h[which], 0.0) * per_h)
        started = np.floor(block.start_h[which] * per_h)
        # Who starts before the next mark is never seen waiting.
        seen = np.flatnonzero(joined != started)
        if not len(seen):
            return
        offset = block.row[which[seen]] * (self.marks + 1)
        net = self.net[where].reshape(-1)
        np.add.at(net, offset + joined[seen].astype(np.int64), np.int32(1))
        starts = started[seen]
        if not starts.max() < np.inf:
            there = np.flatnonzero(starts == starts)
            offset, starts = offset[there], starts[there]
        np.add.at(net, offset + starts.astype(np.int64), np.int32(-1))

    def before(self, element: int) -> CountArray:
        """Number waiting at an element just before the counted window, shape (replication,)."""
        if element not in self._at:
            return np.zeros(len(self.scope.replications), dtype=np.int32)
        first = int(np.floor(self.scope.from_h / self.step_h))
        if not first:
            return np.full(len(self.scope.replications), self.scope.standing(element), dtype=np.int32)
        return np.asarray(self.net[self._at[element]][:, :first].sum(axis=1, dtype=np.int32))

    @property
    def mark_h(self) -> FloatArray:
        """Instants of the marks kept. [h]"""
        return np.asarray(np.arange(1, self.marks + 1)[self._kept] * self.step_h, dtype=np.float64)

    def waiting(self, *elements: int) -> CountArray:
        """Number waiting at some elements together, shape (replication, mark)."""
        net = np.zeros(self.net.shape[1:], dtype=np.int32)
        for element in elements:
            if element in self._at:
                net += self.net[self._at[element]]
        return np.asarray(np.cumsum(net, axis=1, dtype=np.int32)[:, self._kept])


class StationDays(Reducer):
    """Visits joined at each element that can queue, by local day, shape (replication, day)."""

    def start(self) -> None:
        scope = self.scope
        self.elements = tuple(k for k, element in enumerate(scope.plan.elements) if element.kind != "delay")
        self._at = {element: n for n, element in enumerate(self.elements)}
        self.joined_by_day = np.zeros((len(self.elements), len(scope.replications), scope.most_days), dtype=np.int32)

    def add_visits(self, block: VisitBlock) -> None:
        where = self._at.get(block.element)
        if where is not None:
            clock = self.scope.clock(self.scope.plan.elements[block.element].post)
            _count_by_day(self.joined_by_day[where], block.row, block.join_h, clock)

    def joined(self, element: int) -> CountArray:
        """Visits joined by local day of the post."""
        return np.asarray(self.joined_by_day[self._at[element]])


class SpanDays(Reducer):
    """Passages of posts begun and ended by local day, shape (post, replication, day)."""

    def start(self) -> None:
        scope = self.scope
        self._at = {place: n for n, (place, _) in enumerate(scope.places("post"))}
        shape = (len(self._at), len(scope.replications), scope.most_days)
        self.begun_by_day, self.ended_by_day = np.zeros(shape, dtype=np.int32), np.zeros(shape, dtype=np.int32)

    def add_span(self, block: SpanBlock) -> None:
        where = self._at.get(block.place)
        if where is not None:
            clock = self.scope.clock(self.scope.span_places[block.place][1])
            _count_by_day(self.begun_by_day[where], block.row, block.begin_h, clock)
            row, end_h = block.row, block.end_h
            if not block.all_ended:
                ended = np.flatnonzero(end_h == end_h)
                row, end_h = row[ended], end_h[ended]
            _count_by_day(self.ended_by_day[where], row, end_h, clock)

    def row_of(self, place: int) -> int:
        """Row of a place in the arrays."""
        return self._at[place]

    def begun(self, place: int) -> CountArray:
        """Passages begun by local day."""
        return np.asarray(self.begun_by_day[self._at[place]])

    def ended(self, place: int) -> CountArray:
        """Passages ended by local day."""
        return np.asarray(self.ended_by_day[self._at[place]])


class SpanHours(Reducer):
    """Passages of crossings by local hour of beginning, shape (crossing, replication, 24).

    `begun` counts the passages done that began in the window, `stay_h` sums their times.
    """

    def start(self) -> None:
        scope = self.scope
        self._at = {place: n for n, (place, _) in enumerate(scope.places("crossing"))}
        # A crossing keeps the clock of the first of its posts.
        posts = scope.plan.labels.get("posts", {})
        self.clock = {
            id: scope.clock(next((post for post, of in posts.items() if of.get("crossing") == id), ""))
            for _, (_, id, _) in scope.places("crossing")
        }
        shape = (len(self._at), len(scope.replications), 24)
        self.begun, self.stay_h = np.zeros(shape), np.zeros(shape)

    def add_span(self, block: SpanBlock) -> None:
        where = self._at.get(block.place)
        if where is None:
            return
        _, id, _ = self.scope.span_places[block.place]
        hour = np.floor(self.clock[id].shown_h(block.of_done(block.begin_h)))
        hour -= 24.0 * np.floor((hour + 0.5) * (1.0 / 24.0))
        key = block.of_done(block.row) * 24 + hour.astype(np.int64)
        shape = self.begun.shape[1:]
        size = shape[0] * shape[1]
        self.begun[where] += np.bincount(key, minlength=size).reshape(shape)
        self.stay_h[where] += np.bincount(key, block.of_done(block.stay_h), minlength=size).reshape(shape)

    def row_of(self, place: int) -> int:
        """Row of a place in the arrays."""
        return self._at[place]

    def of(self, place: int) -> tuple[FloatArray, FloatArray]:
        """(number, total stay) by hour at one place."""
        return self.begun[self._at[place]], self.stay_h[self._at[place]]


class StayTimes(Reducer):
    """Distribution of the times over posts, crossings and whole journeys."""

    def start(self) -> None:
        scope = self.scope
        places = scope.places("post", "crossing", "flow")
        self._at = {place: n for n, (place, _) in enumerate(places)}
        limits_h = (*scope.options.targets_h, *STAY_STEPS_H)
        self.counts = TimeCounts(len(places), len(scope.replications), scope.longest_h, limits_h)

    def add_span(self, block: SpanBlock) -> None:
        where = self._at.get(block.place)
        if where is not None:
            self.counts.add(where, block.of_done(block.row), block.of_done(block.stay_h))

    def row_of(self, place: int) -> int:
        """Row of a place in the arrays."""
        return self._at[place]

    def share_within(self, place: int, limit_h: float) -> FloatArray:
        """Share of those at one place that took at most a target or a step of the distribution."""
        return self.counts.share_within(self._at[place], limit_h)

    def of(self, place: int) -> Distribution:
        """Distribution at one place."""
        return self.counts.of(self._at[place])


class WaitTimes(Reducer):
    """Distribution of the waits at each element, of visits joined in the window and started."""

    def start(self) -> None:
        scope = self.scope
        elements = tuple(k for k, element in enumerate(scope.plan.elements) if element.kind != "delay")
        self._at = {element: n for n, element in enumerate(elements)}
        self.counts = TimeCounts(len(elements), len(scope.replications), scope.longest_h)
        self.started = np.zeros((len(elements), len(scope.replications)))

    def add_visits(self, block: VisitBlock) -> None:
        where = self._at.get(block.element)
        if where is None:
            return
        # Many visits do not wait: they are counted, not sorted in.
        which = block.waiting
        wait_h = block.start_h[which] - block.join_h[which]
        yet = wait_h > 0
        if not yet.all():
            which, wait_h = which[yet], wait_h[yet]
        if block.all_inner:
            self.started[where] += block.number
        else:
            counted = (block.join_h >= self.scope.counts_from_h) & (block.join_h < self.scope.until_h)
            self.started[where] += block.count(counted & (block.start_h >= block.join_h))
            inside = counted[which]
            which, wait_h = which[inside], wait_h[inside]
        self.counts.add(where, block.row[which], wait_h)

    def of(self, element: int) -> Distribution:
        """Distribution at one element, those that did not wait included."""
        where = self._at[element]
        return self.counts.of(where, self.started[where])


def _count_by_day(counts: CountArray, row: IntArray, time_h: FloatArray, clock: PostClock) -> None:
    """Add instants to ``counts[row, day]``, each in its replication; those before the run as at its start."""
    if not len(time_h):
        return
    shown_h = clock.shown_h(np.maximum(time_h, 0.0))
    first, last = (int(float(at) // H_PER_DAY) for at in (shown_h.min(), shown_h.max()))
    assert last < counts.shape[1]
    if first == last:
        counts[:, first] += np.bincount(row, minlength=len(counts)).astype(np.int32)
        return
    day = (shown_h * (1.0 / H_PER_DAY)).astype(np.int64)
    day += row * counts.shape[1]
    np.add.at(counts.reshape(-1), day, np.int32(1))


def by_period(counts: NDArray[np.generic], scope: PlanView, post: str = "") -> list[tuple[int, FloatArray]]:
    """(first day, sum over its days) of each period of `scope.period_days`, shape (replication,)."""
    days, length = scope.days(post), scope.period_days
    return [
        (first, np.asarray(counts[:, first : min(first + length, days)].sum(axis=1), dtype=np.float64))
        for first in range(0, days, length)
    ]
