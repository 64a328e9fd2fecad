"""How times and queues are shaped: the distribution of stays, the week of a queue."""
# ruff: noqa: D102 (the hooks are documented in base.py)

from __future__ import annotations

import functools
from collections.abc import Iterator

from corridor_sim.indicators.base import INDICATORS, Indicator, PlaceKey
from corridor_sim.indicators.distributions import STAY_STEPS_H
from corridor_sim.indicators.label import Label, Row, label_of
from corridor_sim.indicators.queue_marks import PostReadings
from corridor_sim.indicators.shared_sums import StayTimes

STEP_NAMES = tuple(f"{step_h:g} h" for step_h in STAY_STEPS_H)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@INDICATORS.register("stay_distribution")
class StayDistribution(Indicator):
    """Share of the passages of a post that took at most each of `STAY_STEPS_H` (`of`). [-]"""

    def start(self) -> None:
        self._times = self.shared(StayTimes)

    def table_rows(self) -> Iterator[Row]:
        yield from self.rows_at(self.scope.places("post"), self._of_post)

    def _of_post(self, n: int, place: PlaceKey) -> Iterator[Row]:
        yield self.rows_by("of", STEP_NAMES, self._times.shares_within(n, STAY_STEPS_H), place)


@INDICATORS.register("queue_by_weekday_hour")
class QueueByWeekdayHour(Indicator):
    """Mean number waiting at a post by weekday (`of`) and local hour; nothing where the plan has no dates.

    Readings, taken just before every quarter of an hour (every hour in runs over 93 days).
    """

    unit = "1"
    window = "window"

    def start(self) -> None:
        self._readings = self.shared(PostReadings)

    def table_rows(self) -> Iterator[Row]:
        yield from self.rows_at(self.scope.post_places, self._of_post)

    def _of_post(self, elements: tuple[int, ...], place: PlaceKey) -> Iterator[Row]:
        _, post, direction = place
        if first := self.scope.first_date(post):
            hours, mean = self._readings.by_hour_of_week(elements, post, first.weekday())
            yield _labels(self.name, post, direction, tuple(hours.tolist())), mean


@functools.lru_cache(maxsize=256)
def _labels(name: str, post: str, direction: str, hours_of_week: tuple[int, ...]) -> tuple[Label, ...]:
    return tuple(
        label_of(name, "1", "post", post, direction, "", hour % 24, None, WEEKDAYS[hour // 24])
        for hour in hours_of_week
    )
