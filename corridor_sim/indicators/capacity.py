"""How much could get through, how much wants to: capacity, load and saturation of stages and posts.

Planned capacity follows from the plan alone (`plan/capacity.py`): what lanes can really do
over the mean cycle (law, dated factors and reliefs, by the flows that come), places of
departures, daily acceptance, entries of legs. Load is what arrives. At a post the
scarcest stage counts, in consignments of the post.
"""
# ruff: noqa: D102 (the hooks are documented in base.py)

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from corridor_sim.core.units import H_PER_DAY, FloatArray
from corridor_sim.indicators.base import INDICATORS, Indicator, PlaceKey, Reducer, element_place, ratio
from corridor_sim.indicators.components import Components
from corridor_sim.indicators.extra_lanes import ExtraLaneHours
from corridor_sim.indicators.label import Row
from corridor_sim.indicators.queue_marks import QueueMarks
from corridor_sim.indicators.shared_sums import SpanDays, SpanSums, StationDays, by_period
from corridor_sim.indicators.visit_sums import VisitSums
from corridor_sim.plan.capacity import COUNTED, Accounts, CapacityPool
from corridor_sim.plan.elements import Station
from corridor_sim.plan.needs import left_out
from corridor_sim.plan.plan import Plan
from corridor_sim.plan.steps import Step

_Terms = tuple[tuple[Any, ...], ...]


def not_counted(plan: Plan) -> dict[str, list[str]]:
    """Mechanisms of a plan that give or take lane-time and that planned capacity leaves out, with their places.

    Examples
    --------
    >>> from corridor_sim.core.step_functions import StepFunction
    >>> station = Station(id="samur", lanes=StepFunction.constant(2), staff_pool="customs")
    >>> not_counted(Plan(elements=(station,), flows=(), horizon_h=24.0))
    {}
    """
    return {need.words: places for need, places in left_out(plan, COUNTED).items()}


class Capacity(Reducer):
    """Planned capacity and load of each element that can queue, by local day and over the window."""

    def start(self) -> None:
        self.days_joined, self.visits = self.shared(StationDays), self.shared(VisitSums)
        self.accounts = Accounts(self.scope.plan)
        self._in_window: dict[int, InWindow | None] = {}
        self._daily: dict[int, tuple[FloatArray, FloatArray] | None] = {}

    @property
    def visited(self) -> tuple[int, ...]:
        """Elements that can queue and are on the way of a flow."""
        return tuple(k for k in self.days_joined.elements if len(self.scope.element_cells[k]))

    def is_limited(self, element: int) -> bool:
        """Whether an element has a limit."""
        return any(self._limits(pool) for pool in self.accounts.of(element).pools)

    def _limits(self, pool: CapacityPool) -> bool:
        """Whether a pool has a limit at any time of the run."""
        return not np.isinf(pool.between(np.array([0.0, max(self.scope.plan.horizon_h, 1.0)]))).all()

    def edges_h(self, element: int) -> FloatArray:
        """Edges of the local days at an element, within the run. [h]"""
        return self.scope.day_edges_h(self.scope.plan.elements[element].post)

    @cached_property
    def _steps(self) -> list[list[Step]]:
        """The steps of each cell, over all itineraries of its flow."""
        # By object: flows may share their itineraries, and then the lists too.
        known: dict[int, dict[int, list[Step]]] = {}
        for flow in self.scope.plan.flows:
            if id(flow.variants) not in known:
                mine = known[id(flow.variants)] = dict[int, list[Step]]()
                for variant in flow.variants:
                    for step in variant.steps:
                        mine.setdefault(step.element, []).append(step)
        by_flow = [known[id(flow.variants)] for flow in self.scope.plan.flows]
        return [by_flow[flow][element] for element, flow in self.scope.cells]

    @cached_property
    def _terms(self) -> list[_Terms]:
        """What decides the planned hold of each cell; by object, since laws are slow to compare."""
        # Many cells may share a step, or all of them.
        lists = {id(steps): steps for steps in self._steps}
        known = {
            id(step): (tuple((from_h, id(law)) for from_h, law in step.laws), id(step.factor), *map(id, step.reliefs))
            for step in {id(step): step for steps in lists.values() for step in steps}.values()
        }
        terms = {number: tuple([known[id(step)] for step in steps]) for number, steps in lists.items()}
        return [terms[id(steps)] for steps in self._steps]

    def _cells(self, element: int, pool: CapacityPool) -> list[int]:
        """Cells of the visit sums whose flows count against a pool."""
        return [cell for cell in self.scope.element_cells[element] if self.scope.cells[cell][1] in pool.flows]

    def cycle_h(self, element: int, pool: CapacityPool, at_h: FloatArray) -> FloatArray:
        """Planned hold of one unit of supply by one consignment, shape (replication, instant). [h] or [-]

        For lanes the mean service of the law and factors in force, over the flows in
        the proportion in which they came; 1 elsewhere (a place is a place). Where a law
        has no known mean, the mean service that was drawn.
        """
        scope, visits = self.scope, self.visits
        count = len(scope.replications)
        if pool.lanes is None:
            return np.ones((count, len(at_h)))
        cells = self._cells(element, pool)
        if not cells:
            return np.full((count, len(at_h)), np.nan)
        joined, alike = visits.joined[cells], dict[_Terms, list[int]]()
        for k, cell in enumerate(cells):
            alike.setdefault(self._terms[cell], []).append(k)
        hours = np.empty((len(cells), count, len(at_h)))
        for some in alike.values():
            mean, mine = _mean_hold_h(self._steps[cells[some[0]]], at_h), joined[some]
            if mean is not None:
                hours[some] = mine[:, :, None] * mean
            else:
                which = [cells[k] for k in some]
                drawn = ratio(visits.hold_h[which], visits.left[which])
                hours[some] = np.where(mine > 0, mine * drawn, 0.0)[:, :, None]
        # One cell after the other, so that the sum does not depend on how numpy takes it.
        return ratio(np.add.accumulate(hours, axis=0)[-1], joined.sum(axis=0)[:, None])

    def daily(self, element: int) -> tuple[FloatArray, FloatArray] | None:
        """(capacity, load) of each local day in consignments, shape (replication, day), once everything is counted."""
        if element not in self._daily:
            self._daily[element] = self._by_day(element)
        return self._daily[element]

    def _by_day(self, element: int) -> tuple[FloatArray, FloatArray] | None:
        days_h = self.edges_h(element)
        edges_h = self._with_changes(element, days_h)
        first, capacity = np.searchsorted(edges_h, days_h[:-1]), None
        for pool in self.accounts.of(element).pools:
            if not pool.inside:
                more = np.add.reduceat(self._by_piece(element, pool, edges_h), first, axis=1)
                capacity = more if capacity is None else capacity + np.where(np.isnan(more), 0.0, more)
        if capacity is None:
            return None
        load = self.days_joined.joined(element)[:, : capacity.shape[1]].astype(np.float64)
        return capacity, load

    def _by_piece(self, element: int, pool: CapacityPool, edges_h: FloatArray) -> FloatArray:
        """What can pass between each two edges, shape (replication, piece)."""
        cycle_h = self.cycle_h(element, pool, (edges_h[:-1] + edges_h[1:]) / 2)
        return ratio(pool.between(edges_h)[None, :] + np.zeros((len(self.scope.replications), 1)), cycle_h)

    def _with_changes(self, element: int, edges_h: FloatArray) -> FloatArray:
        """The edges, and between them the instants at which a law, factor or relief of an element changes. [h]"""
        lists = {id(steps): steps for steps in (self._steps[cell] for cell in self.scope.element_cells[element])}
        steps = {id(step): step for steps in lists.values() for step in steps}
        changes = {at for step in steps.values() for at in step.changes_h}
        inside = sorted(at for at in changes if edges_h[0] < at < edges_h[-1])
        return np.unique(np.concatenate([edges_h, np.array(inside, dtype=np.float64)]))

    def over_window(self, element: int) -> InWindow | None:
        """What can pass and what comes in the counted window, once everything is counted."""
        if element not in self._in_window:
            self._in_window[element] = self._over_window(element)
        return self._in_window[element]

    def _over_window(self, element: int) -> InWindow | None:
        scope, account = self.scope, self.accounts.of(element)
        edges_h = self.edges_h(element)
        edges_h = self._with_changes(element, np.unique(np.clip(edges_h, scope.from_h, scope.until_h)))
        capacity = saturation = None
        for pool in account.pools:
            # Day after day, so that the sum does not depend on how numpy takes it.
            mine = np.add.accumulate(self._by_piece(element, pool, edges_h), axis=1)[:, -1] / scope.window_days
            cells = self._cells(element, pool)
            joined = self.visits.joined[cells].sum(axis=0) if cells else np.zeros(len(mine))
            share = ratio(joined / scope.window_days, mine)
            saturation = share if saturation is None else np.fmax(saturation, share)
            if not pool.inside:
                capacity = mine if capacity is None else capacity + np.where(np.isnan(mine), 0.0, mine)
        if capacity is None or saturation is None:
            return None
        load = self.visits.of(self.visits.joined, element) / scope.window_days
        if element in scope.left_early:
            # Who comes too many leave: no load is too much for the place.
            saturation = np.full(len(load), np.nan)
        return InWindow(capacity, load, saturation, account.reason)


@dataclass(frozen=True, slots=True)
class InWindow:
    """Capacity and load of an element in the counted window, each of shape (replication,). [1/day]

    `saturation` is that of the scarcest lanes where flows have lanes of their own, else load
    over capacity; `reason` says why the capacity is an upper bound only.
    """

    capacity: FloatArray
    load: FloatArray
    saturation: FloatArray
    reason: str = ""


def planned_hold_h(step: Step, at_h: FloatArray) -> FloatArray | None:
    """Mean hold of a step for services that start at `at_h`, None where a law has no known mean. [h]"""
    if not step.laws:
        return None
    means = [getattr(law, "mean_h", None) for _, law in step.laws]
    if any(mean is None or not np.isfinite(mean) for mean in means):
        return None
    since = np.array([from_h for from_h, _ in step.laws])
    hold = np.array(means, dtype=np.float64)[np.maximum(np.searchsorted(since, at_h, side="right") - 1, 0)]
    if step.factor is not None:
        hold = hold * step.factor(at_h)
    # Whom a relief of factor 0 spares the step does not join it, so it is in neither the load nor the hold.
    for relief in (relief for relief in step.reliefs if relief.factor != 0):
        hold = hold * (1.0 - relief.share(at_h) * (1.0 - relief.factor))
    return np.asarray(hold)


def _mean_hold_h(steps: Sequence[Step], at_h: FloatArray) -> FloatArray | None:
    """Mean planned hold over some steps, None where none is known. [h]"""
    known = [hold for hold in (planned_hold_h(step, at_h) for step in steps) if hold is not None]
    if not known:
        return None
    mean = known[0]
    for hold in known[1:]:
        mean = mean + hold
    return np.asarray(mean / len(known))


class PostCapacity(Reducer):
    """Capacity of each post in consignments of the post: that of its scarcest stage."""

    def start(self) -> None:
        self.stages, self.days, self.spans = self.shared(Capacity), self.shared(SpanDays), self.shared(SpanSums)
        self.components = self.shared(Components)

    def _share(self, element: int, place: int) -> FloatArray:
        """Visits to a stage for each passage of its post."""
        key, begun = self.scope.span_places[place], self.spans.of(self.spans.begun, place)
        return self.components.share(element, self.scope.post_elements.get(key[1:], ()), begun, key)

    def _scarcest(self, found: list[FloatArray]) -> FloatArray:
        least = found[0]
        for other in found[1:]:
            least = np.fmin(least, other)
        return np.where(np.isfinite(least), least, np.nan)

    def over_window(self, place: int) -> InWindow | None:
        """What can pass and what comes in the counted window."""
        _, post, direction = self.scope.span_places[place]
        found, pools, reasons = [], [], []
        for k in self.scope.post_elements.get((post, direction), ()):
            window = self.stages.over_window(k) if len(self.scope.element_cells[k]) else None
            if window is not None:
                found.append(ratio(window.capacity, self._share(k, place)))
                reasons += [window.reason] if window.reason else []
                pools += [window.saturation] if len(self.stages.accounts.of(k).pools) > 1 else []
        if not found:
            return None
        capacity, load = self._scarcest(found), self.spans.of(self.spans.begun, place) / self.scope.window_days
        saturation = ratio(load, capacity)
        for other in pools:
            saturation = np.fmax(saturation, other)
        return InWindow(capacity, load, saturation, reasons[0] if reasons else "")

    def daily(self, place: int) -> tuple[FloatArray, FloatArray] | None:
        """(capacity, load) of each local day, shape (replication, day)."""
        _, post, direction = self.scope.span_places[place]
        found = []
        for k in self.scope.post_elements.get((post, direction), ()):
            daily = self.stages.daily(k) if len(self.scope.element_cells[k]) else None
            if daily is not None:
                found.append(ratio(daily[0], self._share(k, place)[:, None]))
        if not found:
            return None
        capacity = self._scarcest(found)
        return capacity, self.days.begun(place)[:, : capacity.shape[1]].astype(np.float64)


@INDICATORS.register("utilisation")
class Utilisation(Indicator):
    """Busy over open lane-hours of a stage in the counted window, extra lanes included, 0-1. [-]

    A lane is busy while a service goes on or its vehicle is blocked; services that
    run over closing time can bring it above 1.
    """

    window = "window"

    def start(self) -> None:
        self._visits, self._capacity = self.shared(VisitSums), self.shared(Capacity)
        self._extra = self.shared(ExtraLaneHours)

    def table_rows(self) -> Iterator[Row]:
        elements, cells = enumerate(self.scope.plan.elements), self.scope.element_cells
        stations = [((k, one), element_place(one)) for k, one in elements if isinstance(one, Station) and cells[k]]
        yield from self.rows_at(stations, self._of_station)

    def _of_station(self, which: tuple[int, Station], place: PlaceKey) -> Iterator[Row]:
        (k, station), visits = which, self._visits
        lane_h = station.lanes.integral(self.scope.until_h, self.scope.from_h)
        if not np.isfinite(lane_h):
            return
        busy_h = visits.of(visits.hold_in_window_h, k) + visits.of(visits.blocked_in_window_h, k)
        open_h = np.full(len(busy_h), lane_h)
        if station.extra_lanes is not None:
            open_h = open_h + self._extra.open_h[self._extra.elements.index(k)]
        yield self.row(ratio(busy_h, open_h), *place)


@INDICATORS.register("saturation")
class Saturation(Indicator):
    """Planned capacity and load per day of the window, and load over capacity, by stage and post.

    Rows ``capacity_per_day``, ``load_per_day`` [1/day] and ``saturation`` [-], the last that
    of the scarcest lanes where flows have lanes of their own. At 1 or more a queue grows as
    long as the run lasts: its mean wait measures the horizon. Where there is no planned
    capacity the row has no value, its note says why, and saturation is a lower bound.

    Load is who came in the window: where the warm-up is shorter than the way to a stage, its load is lower
    than that of the demand, which `check` tells for a run of any length.
    """

    def start(self) -> None:
        self._stages, self._posts = self.shared(Capacity), self.shared(PostCapacity)

    def table_rows(self) -> Iterator[Row]:
        visited = [(k, element_place(self.scope.plan.elements[k])) for k in self._stages.visited]
        yield from self.rows_at(visited, self._of_element)
        posts = self.scope.places("post")
        yield from self.rows_at(posts, lambda n, place: self._of_window(self._posts.over_window(n), place))

    def _of_element(self, k: int, place: PlaceKey) -> Iterator[Row]:
        if self._stages.is_limited(k):
            yield from self._of_window(self._stages.over_window(k), place)

    def _of_window(self, window: InWindow | None, place: PlaceKey) -> Iterator[Row]:
        if window is None:
            return
        finite = np.where(np.isfinite(window.capacity), window.capacity, np.nan)
        known = np.full(len(finite), np.nan) if window.reason else finite
        yield self.row(known, *place, name="capacity_per_day", unit="1/day")
        yield self.row(window.load, *place, name="load_per_day", unit="1/day")
        yield self.row(window.saturation, *place)


@INDICATORS.register("saturation_by_day")
class SaturationByDay(Indicator):
    """Load over planned capacity of a post in each period of local days, with both. [-]"""

    window = "run"

    def start(self) -> None:
        self._posts = self.shared(PostCapacity)

    def table_rows(self) -> Iterator[Row]:
        yield from self.rows_at(self.scope.places("post"), self._of_post)

    def _of_post(self, n: int, place: PlaceKey) -> Iterator[Row]:
        daily = self._posts.daily(n)
        if daily is None:
            return
        first, capacity = by_period(daily[0], self.scope, place[1])
        _, load = by_period(daily[1], self.scope, place[1])
        values = np.stack([capacity, load, ratio(load, capacity)], axis=1)
        names = {"capacity_by_day": "1", "load_by_day": "1", self.name: self.unit}
        yield self.rows_by("day", first, values, place, **names)


@INDICATORS.register("headroom")
class Headroom(Indicator):
    """Where a post stands against `Options.saturation_limit` (0.9).

    ``days_saturated`` is the share of local days whose load is at the limit or above;
    ``saturation_day`` the first day from which the load of seven days on end is (days
    since the first date; NaN where that does not happen in the run).
    """

    def start(self) -> None:
        self._posts = self.shared(PostCapacity)

    def table_rows(self) -> Iterator[Row]:
        yield from self.rows_at(self.scope.places("post"), self._of_post)

    def _of_post(self, n: int, place: PlaceKey) -> Iterator[Row]:
        daily, limit = self._posts.daily(n), self.scope.options.saturation_limit
        if daily is None:
            return
        capacity, load = daily
        edges_h = self.scope.day_edges_h(place[1])
        counted = (edges_h[:-1] >= self.scope.from_h) & (edges_h[1:] <= self.scope.until_h)
        counted &= np.diff(edges_h) == H_PER_DAY
        saturated = (load >= limit * capacity) & counted[None, :]
        share = ratio(saturated.sum(axis=1), np.full(len(load), counted.sum()))
        yield self.row(share, *place, name="days_saturated")
        yield self.row(first_week_at(load, capacity, limit, counted), *place, name="saturation_day", unit="day")


def first_week_at(
    load: FloatArray, capacity: FloatArray, limit: float, counted: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> FloatArray:
    """First day of the first seven whole days whose load is at least `limit` of their capacity; NaN if none."""
    days = np.flatnonzero(counted)
    found = np.full(len(load), np.nan)
    if len(days) < 7:
        return found
    load, capacity = load[:, days], np.nan_to_num(capacity[:, days], nan=np.inf)
    starts = len(days) - 6
    week_load, week_capacity = np.zeros((len(load), starts)), np.zeros((len(load), starts))
    for day in range(7):
        week_load, week_capacity = (
            week_load + load[:, day : day + starts],
            week_capacity + capacity[:, day : day + starts],
        )
    saturated = week_load >= limit * week_capacity
    return np.where(saturated.any(axis=1), days[np.argmax(saturated, axis=1)].astype(np.float64), found)


@INDICATORS.register("queue_growth_per_day")
class QueueGrowth(Indicator):
    """Growth of the number waiting at a stage and post over the counted window. [1/day]

    Those that joined less those that started in it, over its days, but for those who waited as the run
    began: both ends are read just before
    what happens at them (a new day's quota). A queue that grows throughout is the sign of
    overload; around 0 it comes and goes.
    """

    unit = "1/day"
    window = "window"

    def start(self) -> None:
        self._visits, self._marks = self.shared(VisitSums), self.shared(QueueMarks)

    def table_rows(self) -> Iterator[Row]:
        stages = (((k,), place) for k, place in self.scope.queueing)
        yield from self.rows_at((*stages, *self.scope.post_places), self._of_elements)

    def _of_elements(self, elements: tuple[int, ...], place: PlaceKey) -> Iterator[Row]:
        scope, visits = self.scope, self._visits
        more = visits.of(visits.joined, elements) - visits.of(visits.began, elements)
        if not scope.from_h:
            more = more - sum(scope.standing(k) for k in elements)
        yield self.row(more / scope.window_days, *place)
        if len(elements) == 1:
            for half, growth in zip(("first half", "second half"), self._by_half(elements[0], more), strict=True):
                yield self.row(growth, *place, of=half)

    def _by_half(self, element: int, more: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Growth in the halves of the window, the middle read at the mark nearest to it; NaN without such a mark."""
        scope, marks = self.scope, self._marks.mark_h
        inside = np.flatnonzero((marks > scope.from_h) & (marks < scope.until_h))
        if not len(inside):
            return np.full(len(more), np.nan), np.full(len(more), np.nan)
        middle = inside[np.argmin(np.abs(marks[inside] - (scope.from_h + scope.until_h) / 2))]
        first = self._marks.waiting_at(element, int(middle)) - self._marks.before(element)
        days = (marks[middle] - scope.from_h) / H_PER_DAY, (scope.until_h - marks[middle]) / H_PER_DAY
        return first / days[0], (more - first) / days[1]
