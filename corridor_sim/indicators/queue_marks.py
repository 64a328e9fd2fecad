"""How many wait at evenly spaced instants, and what is read of it by hour, weekday and day."""
# ruff: noqa: D102 (the hooks are documented in base.py)

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from corridor_sim.core.units import H_PER_DAY, FloatArray
from corridor_sim.indicators.base import Reducer, VisitBlock
from corridor_sim.indicators.many_distributions import CountArray
from corridor_sim.indicators.post_clock import PostClock
from corridor_sim.records.visits import IntArray


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

    def waiting_at(self, element: int, mark: int) -> CountArray:
        """Number waiting at an element at one of the marks kept, shape (replication,)."""
        if element not in self._at:
            return np.zeros(len(self.scope.replications), dtype=np.int32)
        upto = self._kept.start + mark + 1
        return np.asarray(self.net[self._at[element]][:, :upto].sum(axis=1, dtype=np.int32))


class PostReadings(Reducer):
    """What the marks show of the queue at some elements together, by local hour, weekday and period of days.

    Worked out when asked for, once for all indicators.
    """

    PERCENTS = (50, 90, 95)

    def start(self) -> None:
        self._marks = self.shared(QueueMarks)
        self._by_hour: dict[tuple[tuple[int, ...], PostClock], FloatArray] = {}
        self._sorted: dict[tuple[str, PostClock, int], MarkGroups] = {}

    def by_hour(self, elements: tuple[int, ...], post: str) -> FloatArray:
        """Mean, `PERCENTS` and maximum in each local hour of the day, shape (hour, 5, replication); NaN for none."""
        clock = self.scope.clock(post)
        if (elements, clock) not in self._by_hour:
            waiting = self._marks.waiting(*elements)
            found = np.full((24, 2 + len(self.PERCENTS), len(waiting)), np.nan)
            for hours, marks in self._groups("hour", clock).by_number():
                ordered = np.sort(waiting[:, marks], axis=2)
                number = ordered.shape[2]
                found[hours, 0] = ordered.sum(axis=2).T / number
                for k, percent in enumerate(self.PERCENTS, 1):
                    found[hours, k] = upper_percentile(ordered, percent).T
                found[hours, -1] = ordered[..., -1].T
            self._by_hour[elements, clock] = found
        return self._by_hour[elements, clock]

    def by_period(self, elements: tuple[int, ...], post: str) -> tuple[IntArray, FloatArray]:
        """First day of each period of the rows by day, and its mean, shape (period, replication); NaN for none."""
        scope = self.scope
        length = scope.period_days
        first = np.arange(0, scope.days(post), length)
        found = np.full((len(first), len(scope.replications)), np.nan)
        periods, means = self._groups("period", scope.clock(post)).means(self._marks.waiting(*elements))
        there = (periods >= 0) & (periods < len(first))
        found[periods[there]] = means[there]
        return first, found

    def by_hour_of_week(self, elements: tuple[int, ...], post: str, weekday: int) -> tuple[IntArray, FloatArray]:
        """Hours of the week that occur, from Monday, and the mean in each, shape (hour, replication).

        `weekday` is that of day 0 at the post.
        """
        groups = self._groups("hour of week", self.scope.clock(post), weekday)
        return groups.means(self._marks.waiting(*elements))

    def _groups(self, what: str, clock: PostClock, weekday: int = 0) -> MarkGroups:
        key = what, clock, weekday
        if key not in self._sorted:
            # A mark shows the time just before it.
            if what == "period":
                shown_h = clock.shown_h(self._marks.mark_h, before=True)
                day = np.ceil(shown_h / H_PER_DAY).astype(np.int64) - 1
                self._sorted[key] = MarkGroups(day // self.scope.period_days)
            else:
                local = clock.hour_before(self._marks.mark_h)
                of_week = (weekday + local // int(H_PER_DAY)) % 7 * 24 + local % 24
                self._sorted[key] = MarkGroups(local % 24 if what == "hour" else of_week)
        return self._sorted[key]


class MarkGroups:
    """Marks sorted into groups by a whole number."""

    def __init__(self, group: IntArray) -> None:
        self._order: IntArray | None = None
        if (group[1:] < group[:-1]).any():
            self._order = np.argsort(group, kind="stable")
            group = group[self._order]
        self.group, self._begin, self._number = np.unique(group, return_index=True, return_counts=True)

    def by_number(self) -> Iterator[tuple[IntArray, IntArray]]:
        """Groups of equally many marks together, and their marks, shape (group, mark)."""
        for number in np.unique(self._number):
            these = np.flatnonzero(self._number == number)
            marks = self._begin[these][:, None] + np.arange(number)
            yield self.group[these], marks if self._order is None else self._order[marks]

    def means(self, waiting: CountArray) -> tuple[IntArray, FloatArray]:
        """The groups, and the mean of the numbers at their marks, shape (group, replication)."""
        if not len(self.group):
            return self.group, np.empty((0, len(waiting)))
        ordered = waiting if self._order is None else waiting[:, self._order]
        total = np.add.reduceat(ordered, self._begin, axis=1, dtype=np.int64)
        return self.group, np.asarray((total / self._number).T)


def upper_percentile(sorted_counts: CountArray, percent: float) -> FloatArray:
    """Smallest number that at least `percent` of them do not exceed (inverted cdf), along the last sorted axis."""
    count = sorted_counts.shape[-1]
    rank = max(int(np.ceil(count * (percent / 100.0))), 1) - 1
    return np.asarray(sorted_counts[..., rank], dtype=np.float64)
