"""How times and queues are shaped: the distribution of stays, the week of a queue."""
# ruff: noqa: D102 (the hooks are documented in base.py)

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from corridor_sim.core.units import H_PER_DAY
from corridor_sim.indicators.base import INDICATORS, Indicator, Row
from corridor_sim.indicators.distributions import STAY_STEPS_H
from corridor_sim.indicators.shared_sums import QueueMarks, StayTimes

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@INDICATORS.register("stay_distribution")
class StayDistribution(Indicator):
    """Share of the passages of a post that took at most each of `STAY_STEPS_H` (`of`). [-]"""

    def start(self) -> None:
        self._times = self.shared(StayTimes)

    def table_rows(self) -> Iterator[Row]:
        for n, place in self.scope.places("post"):
            for step_h in STAY_STEPS_H:
                yield self.row(self._times.share_within(n, step_h), *place, of=f"{step_h:g} h")


@INDICATORS.register("queue_by_weekday_hour")
class QueueByWeekdayHour(Indicator):
    """Mean number waiting at a post by weekday (`of`) and local hour; nothing where the plan has no dates.

    Readings, taken just before every quarter of an hour (every hour in runs over 93 days).
    """

    unit = "1"
    window = "window"

    def start(self) -> None:
        self._marks = self.shared(QueueMarks)

    def table_rows(self) -> Iterator[Row]:
        scope, mark_h = self.scope, self._marks.mark_h
        for (post, direction), elements in scope.post_elements.items():
            first = scope.first_date(post)
            if first is None:
                return
            waiting = self._marks.waiting(*elements)
            # A mark shows the time just before it.
            local = scope.clock(post).hour_before(mark_h)
            hour_of_week = (first.weekday() + local // int(H_PER_DAY)) % 7 * 24 + local % 24
            order = np.argsort(hour_of_week, kind="stable")
            present, begin, number = np.unique(hour_of_week[order], return_index=True, return_counts=True)
            if not len(present):
                continue
            total = np.add.reduceat(waiting[:, order], begin, axis=1, dtype=np.int64)
            for k, (hour, marks) in enumerate(zip(present.tolist(), number.tolist(), strict=True)):
                name = WEEKDAYS[hour // 24]
                yield self.row(total[:, k] / marks, "post", post, direction, hour=hour % 24, of=name)
