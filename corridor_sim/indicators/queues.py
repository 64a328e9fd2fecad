"""How long are the queues: in consignments and in km, on average, at worst and by hour."""
# ruff: noqa: D102 (the hooks are documented in base.py)

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.base import INDICATORS, Indicator, PlaceKey, ratio
from corridor_sim.indicators.label import Row
from corridor_sim.indicators.queue_levels import QueueLevels
from corridor_sim.indicators.queue_marks import PostReadings
from corridor_sim.indicators.visit_sums import VisitSums


class _Queues(Indicator):
    """Places that queue, with the numbers waiting there at the marks."""

    def start(self) -> None:
        self._readings, self._visits = self.shared(PostReadings), self.shared(VisitSums)

    def _posts(self) -> Iterator[tuple[tuple[int, ...], PlaceKey]]:
        """Elements at each post: who waits for a slot does so away from the border."""
        for elements, place in self.scope.post_places:
            yield tuple(k for k in elements if self.scope.plan.elements[k].wait_component != "slot_wait"), place

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
        stages = (((k,), place) for k, place in self.scope.queueing)
        yield from self.rows_at((*stages, *self._posts()), self._of_elements)

    def _of_elements(self, elements: tuple[int, ...], place: PlaceKey) -> Iterator[Row]:
        visits, none = self._visits, np.zeros(len(self.scope.replications))
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
        yield from self.rows_at(self._posts(), self._of_post)

    def _of_post(self, elements: tuple[int, ...], place: PlaceKey) -> Iterator[Row]:
        found = self._readings.by_hour(elements, place[1])
        names = {"queue_by_hour": "1", "queue_by_hour_p95": "1"}
        yield self.rows_by("hour", range(24), found[:, [0, -2]], place, **names)


@INDICATORS.register("queue_by_day")
class QueueByDay(_Queues):
    """Mean number waiting at a post in each period of local days, from readings (see `queue_by_hour`)."""

    unit = "1"
    window = "window"

    def table_rows(self) -> Iterator[Row]:
        yield from self.rows_at(self._posts(), self._of_post)

    def _of_post(self, elements: tuple[int, ...], place: PlaceKey) -> Iterator[Row]:
        first, mean = self._readings.by_period(elements, place[1])
        yield self.rows_by("day", first.tolist(), mean, place)


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
        yield from self.rows_at(self._posts(), self._of_post)

    def _of_post(self, elements: tuple[int, ...], place: PlaceKey) -> Iterator[Row]:
        each_km, none = self._km_each(elements), np.zeros(len(self.scope.replications))
        levels = self._levels.of_post(*place[1:])
        for percent in self._readings.PERCENTS:
            found = none if levels is None else levels.percentile(percent)
            yield self.row(found * each_km, *place, name=f"queue_p{percent}_km")
        most = none if levels is None else levels.highest()
        yield self.row(most * each_km, *place, name="queue_max_km")
        by_hour = self._readings.by_hour(elements, place[1])[:, 1:] * each_km
        names = {f"queue_p{percent}_km": "km" for percent in self._readings.PERCENTS} | {"queue_max_km": "km"}
        yield self.rows_by("hour", range(24), by_hour, place, **names)
