"""What several indicators need, counted once: passages, numbers by day and hour, distributions.

Visits have their sums in `visit_sums.py`, queues theirs in `queue_marks.py` and `queue_levels.py`.

Everything here is a sum of grid times, a count or a histogram of counts, hence
the same however a run is cut. Add a reducer when two indicators would
otherwise count the same thing.
"""
# ruff: noqa: D102 (the hooks are documented in base.py)

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.units import H_PER_DAY, FloatArray
from corridor_sim.indicators.base import PlanView, Reducer, SpanBlock, VisitBlock
from corridor_sim.indicators.distributions import STAY_STEPS_H, Distribution, TimeCounts
from corridor_sim.indicators.many_distributions import CountArray, Distributions
from corridor_sim.indicators.post_clock import PostClock
from corridor_sim.plan.plan import FlowPlan
from corridor_sim.plan.steps import Variant
from corridor_sim.records.visits import IntArray


class SpanSums(Reducer):
    """Numbers and hours by (span place, flow) cell, shape (cell, replication).

    `begun` in the counted window, of them `done` by the end with `stay_h` in total;
    `ended` in the window, whenever begun; over the whole run `created` (begun at
    all), `inside` at its end, with their time so far `inside_h`. Journeys that ended because their
    consignment left a queue for good (rule S34) are `lost`, and neither done nor ended.
    """

    def start(self) -> None:
        shape = (len(self.scope.span_cells), len(self.scope.replications))
        self.begun, self.done, self.ended = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        self.stay_h = np.zeros(shape)
        self.created, self.inside, self.inside_h = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        self.lost = np.zeros(shape)
        variants = [(f, v) for f, flow in enumerate(self.scope.plan.flows) for v in range(len(flow.variants))]
        self._variant = {pair: n for n, pair in enumerate(variants)}
        self.variant_done = np.zeros((len(variants), len(self.scope.replications)))
        self._cells_at: dict[int, list[tuple[int, int]]] = {}
        for cell, (place, flow) in enumerate(self.scope.span_cells):
            self._cells_at.setdefault(place, []).append((cell, flow))

    def add_span(self, block: SpanBlock) -> None:
        if block.lost:
            self._add_lost(block)
            return
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

    def _add_lost(self, block: SpanBlock) -> None:
        cell, inside = block.cell, np.flatnonzero(np.isnan(block.end_h))
        number = block.sum_of(inside, np.ones(len(inside)))
        self.created[cell] += block.number
        self.begun[cell] += block.number if block.counted is None else block.count(block.counted)
        self.inside[cell] += number
        self.inside_h[cell] += block.sum_of(inside, self.scope.plan.horizon_h - block.begin_h[inside])
        self.lost[cell] += block.number - number

    def of(self, values: FloatArray, place: int, flows: tuple[int, ...] | None = None) -> FloatArray:
        """Sum of `values` over the flows at one place, shape (replication,)."""
        total = np.zeros(values.shape[1])
        for cell, flow in self._cells_at.get(place, ()):
            if flows is None or flow in flows:
                total = total + values[cell]
        return total

    @cached_property
    def _flow_cells(self) -> IntArray:
        """Cell of the journeys of each flow."""
        places, cells = self.scope.span_places, self.scope.span_cells
        at = {flow: cell for cell, (place, flow) in enumerate(cells) if places[place][0] == "flow"}
        return np.array([at[f] for f in range(len(self.scope.plan.flows))], dtype=np.int64)

    def by_flow(self, values: FloatArray) -> FloatArray:
        """Those of `values` that are of whole journeys, shape (flow, replication)."""
        return np.asarray(values[self._flow_cells] + 0.0)

    def journeys_times(
        self,
        what: Callable[[Variant], float],
        of_flow: Callable[[FlowPlan, float], float] = lambda _, value: value,
    ) -> FloatArray:
        """Something that each journey done brings by its itinerary, in all, shape (flow, replication).

        `of_flow` makes what a journey of one flow brings from what its itinerary does, which flows may share.
        """
        flows = self.scope.plan.flows
        by_variant = {id(variant): what(variant) for variant in self.scope.plan.different_variants()}
        brings = [[of_flow(flow, by_variant[id(variant)]) for variant in flow.variants] for flow in flows]
        total = np.zeros((len(flows), len(self.scope.replications)))
        # One itinerary of each flow after the other, so that the sum of a flow does not depend on the others.
        for v in range(max(map(len, brings), default=0)):
            some = [f for f, of_flow in enumerate(brings) if len(of_flow) > v]
            done = self.variant_done[[self._variant[f, v] for f in some]]
            total[some] += done * np.array([[brings[f][v]] for f in some])
        return total

    def journeys_by_variant(self, flow: int) -> list[FloatArray]:
        """Journeys begun in the window and done, for each itinerary of a flow, each of shape (replication,)."""
        return [self.variant_done[self._variant[flow, v]] for v in range(len(self.scope.plan.flows[flow].variants))]

    def flows_at(self, place: int) -> tuple[int, ...]:
        """Flows that pass a place."""
        return tuple(flow for _, flow in self._cells_at.get(place, ()))


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
        flows = [self._at[place] for place, _ in scope.places("flow")]
        self._flows = slice(min(flows, default=0), max(flows, default=-1) + 1)
        self.counts = TimeCounts(len(places), len(scope.replications), scope.longest_h, limits_h, self._flows)
        self._found: dict[int, Distribution] = {}

    def add_span(self, block: SpanBlock) -> None:
        where = self._at.get(block.place)
        if where is not None and not block.lost:
            self.counts.add(where, block.of_done(block.row), block.of_done(block.stay_h))

    def row_of(self, place: int) -> int:
        """Row of a place in the arrays."""
        return self._at[place]

    @cached_property
    def journeys(self) -> Distributions:
        """Distributions of whole journeys, in order of the flows; to be asked once everything is counted."""
        return self.counts.of_several(self._flows)

    def share_within(self, place: int, limit_h: float) -> FloatArray:
        """Share of those at one place that took at most a target or a step of the distribution."""
        return self.counts.share_within(self._at[place], limit_h)

    def shares_within(self, place: int, limits_h: Sequence[float]) -> FloatArray:
        """As `share_within` for several of them, shape (limit, replication)."""
        return self.counts.shares_within(self._at[place], limits_h)

    def of(self, place: int) -> Distribution:
        """Distribution at one place, which several indicators read; to be asked once everything is counted."""
        if place not in self._found:
            self._found[place] = self.counts.of(self._at[place])
        return self._found[place]


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
        which, gone = block.waiting, block.counted_gave_up
        if block.gave_up is not None:
            which = np.setdiff1d(which, block.gave_up, assume_unique=True)
        if len(gone):
            self.started[where] -= block.sum_of(gone, np.ones(len(gone)))
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


def by_period(counts: NDArray[np.generic], scope: PlanView, post: str = "") -> tuple[range, FloatArray]:
    """First day of each period of `scope.period_days`, and the sums over its days, shape (period, replication)."""
    days, length = scope.days(post), scope.period_days
    first = range(0, days, length)
    found = np.empty((len(first), len(counts)))
    whole = days // length
    # Along the days, so that the sum of a period is the same whatever the others are.
    by_day = counts[:, : whole * length].reshape(len(counts), whole, length)
    found[:whole] = by_day.sum(axis=2).T
    if whole < len(first):
        found[-1] = counts[:, whole * length : days].sum(axis=1)
    return first, found
