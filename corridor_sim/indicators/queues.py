"""How long are the queues: in consignments and in km, on average, at worst and by hour."""
# ruff: noqa: D102 (the hooks are documented in base.py)

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from corridor_sim.core.units import H_PER_DAY, FloatArray
from corridor_sim.indicators.base import INDICATORS, Indicator, PlaceKey, Row, element_place, ratio
from corridor_sim.indicators.distributions import CountArray
from corridor_sim.indicators.post_clock import PostClock
from corridor_sim.indicators.queue_levels import QueueLevels
from corridor_sim.indicators.shared_sums import QueueMarks, VisitSums


def upper_percentile(sorted_counts: CountArray, percent: float) -> FloatArray:
    """Smallest number that at least `percent` of them do not exceed (inverted cdf), along the last sorted axis."""
    count = sorted_counts.shape[-1]
    rank = max(int(np.ceil(count * (percent / 100.0))), 1) - 1
    return np.asarray(sorted_counts[..., rank], dtype=np.float64)


class _Queues(Indicator):
    """Places that queue, with the numbers waiting there at the marks."""

    def start(self) -> None:
        self._marks, self._visits = self.shared(QueueMarks), self.shared(VisitSums)

    def _places(self, *, stages: bool) -> Iterator[tuple[PlaceKey, tuple[int, ...]]]:
        scope = self.scope
        if stages:
            for k, element in enumerate(scope.plan.elements):
                if element.kind != "delay" and len(scope.element_cells[k]):
                    yield element_place(element), (k,)
        for (post, direction), elements in scope.post_elements.items():
            # Who waits for a slot does so away from the border.
            there = tuple(k for k in elements if scope.plan.elements[k].wait_component != "slot_wait")
            yield ("post", post, direction), there

    def _km_each(self, elements: tuple[int, ...]) -> FloatArray:
        """Length of road that one waiting vehicle takes, mean of those that join, shape (replication,). [km]"""
        visits, scope = self._visits, self.scope
        metres, number = np.zeros(len(scope.replications)), np.zeros(len(scope.replications))
        for element in elements:
            for cell in scope.element_cells[element]:
                flow = scope.plan.flows[scope.cells[cell][1]]
                joined = visits.joined[cell]
                number = number + joined
                metres = metres + joined * (flow.vehicle_length_m + scope.options.vehicle_gap_m)
        return ratio(metres, number) / 1000.0


@INDICATORS.register("queue")
class Queue(_Queues):
    """Number waiting at a stage, or at all stages of a post: mean over time, 95th percentile, maximum.

    All three are exact and weighted by time: the percentile is the smallest number that was not
    exceeded for 95 % of the counted window, the maximum the largest that lasted any time. Who
    waits for a booked slot is not at the post and has a row of the slots alone.
    """

    unit = "1"
    window = "window"

    def start(self) -> None:
        super().start()
        self._levels = self.shared(QueueLevels)

    def table_rows(self) -> Iterator[Row]:
        visits = self._visits
        none = np.zeros(len(self.scope.replications))
        for place, elements in self._places(stages=True):
            mean = visits.of(visits.wait_in_window_h, elements) / self.scope.window_h
            yield self.row(mean, *place, name="queue_mean")
            levels = self._levels.of_post(*place[1:]) if place[0] == "post" else self._levels.of_element(*elements)
            yield self.row(none if levels is None else levels.percentile(95), *place, name="queue_p95")
            yield self.row(none if levels is None else levels.highest(), *place, name="queue_max")


@INDICATORS.register("queue_by_hour")
class QueueByHour(_Queues):
    """Number waiting at a post by local hour of the day: mean over the days, and 95th percentile.

    Readings, taken just before every quarter of an hour (every hour in runs over 93 days).
    """

    unit = "1"
    window = "window"

    def table_rows(self) -> Iterator[Row]:
        for place, elements in self._places(stages=False):
            for hour, waiting in _by_hour(self._marks, self._marks.waiting(*elements), self.scope.clock(place[1])):
                mean = waiting.sum(axis=1) / max(waiting.shape[1], 1) if waiting.shape[1] else _none(waiting)
                yield self.row(mean, *place, hour=hour)
                high = upper_percentile(np.sort(waiting, axis=1), 95) if waiting.shape[1] else _none(waiting)
                yield self.row(high, *place, hour=hour, name="queue_by_hour_p95")


@INDICATORS.register("queue_by_day")
class QueueByDay(_Queues):
    """Mean number waiting at a post in each period of local days, from readings (see `queue_by_hour`)."""

    unit = "1"
    window = "window"

    def table_rows(self) -> Iterator[Row]:
        scope, mark_h = self.scope, self._marks.mark_h
        for place, elements in self._places(stages=False):
            post = place[1]
            waiting = self._marks.waiting(*elements)
            # A mark shows the time just before it.
            day = np.ceil(scope.clock(post).shown_h(mark_h, before=True) / H_PER_DAY).astype(np.int64) - 1
            for first in range(0, scope.days(post), scope.period_days):
                inside = waiting[:, (day >= first) & (day < first + scope.period_days)]
                mean = inside.sum(axis=1) / inside.shape[1] if inside.shape[1] else _none(inside)
                yield self.row(mean, *place, day=first)


@INDICATORS.register("queue_km")
class QueueLength(_Queues):
    """Length of the queue at a post: median, 90th and 95th percentile, maximum; also by local hour. [km]

    Number waiting times the mean of vehicle length plus gap (`Options.vehicle_gap_m`) in one line.
    Exact over the window; by hour from readings (see `queue_by_hour`).
    """

    unit = "km"
    window = "window"

    def start(self) -> None:
        super().start()
        self._levels = self.shared(QueueLevels)

    def table_rows(self) -> Iterator[Row]:
        none = np.zeros(len(self.scope.replications))
        for place, elements in self._places(stages=False):
            each_km = self._km_each(elements)
            levels = self._levels.of_post(*place[1:])
            for percent in (50, 90, 95):
                found = none if levels is None else levels.percentile(percent)
                yield self.row(found * each_km, *place, name=f"queue_p{percent}_km")
            most = none if levels is None else levels.highest()
            yield self.row(most * each_km, *place, name="queue_max_km")
            waiting = self._marks.waiting(*elements)
            for hour, numbers in _by_hour(self._marks, waiting, self.scope.clock(place[1])):
                ordered = np.sort(numbers, axis=1)
                for percent in (50, 90, 95):
                    found = upper_percentile(ordered, percent) if ordered.shape[1] else _none(ordered)
                    yield self.row(found * each_km, *place, hour=hour, name=f"queue_p{percent}_km")
                longest = ordered[:, -1] if ordered.shape[1] else _none(ordered)
                yield self.row(longest * each_km, *place, hour=hour, name="queue_max_km")


def _none(numbers: CountArray) -> FloatArray:
    return np.full(len(numbers), np.nan)


def _by_hour(marks: QueueMarks, waiting: CountArray, clock: PostClock) -> list[tuple[int, CountArray]]:
    """Numbers waiting, for each local hour of the day."""
    hour = clock.hour_before(marks.mark_h) % 24
    return [(h, np.asarray(waiting[:, hour == h])) for h in range(24)]
