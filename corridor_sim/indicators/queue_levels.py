"""How long a queue had each length: exact from the events, in little memory.

A queue is one longer when somebody joins and one shorter when somebody starts; its level is
the value after all that happens at an instant, weighted by the time it lasts. Events are whole
numbers (instants on the clock grid), so are the sums: the order of chunks does not show.
"""
# ruff: noqa: D102 (the hooks are documented in base.py)

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.units import GRID_PER_H, FloatArray
from corridor_sim.indicators.base import Kept, Reducer
from corridor_sim.records.visits import Chunk, IntArray

ROW_BITS = 46
"""Below these bits an event holds its instant (in grid points, 2^25 h at most) and its sign, above them its row."""
WORTH_SORTING = 32768
"""Events of one place that are taken in at once at least, but at the end, so that the calls weigh little."""
AT_ONCE = 32768
"""Events worked through at once at most, so that temporaries stay in the cache."""


class LevelTimes(Kept):
    """Time spent at each level by one queue, shape (replication, level). [grid points]"""

    def __init__(self, replications: int, from_h: float) -> None:
        self.spent: IntArray = np.zeros((replications, 2), dtype=np.int64)
        self._level = np.zeros(replications, dtype=np.int64)
        self._since = np.full(replications, grid_points(from_h), dtype=np.int64)

    @property
    def nbytes(self) -> int:  # type: ignore[override]
        """Size of the arrays. [bytes]"""
        return self.spent.nbytes + self._level.nbytes + self._since.nbytes

    def take(self, events: IntArray) -> None:
        """Take in events in order of row and time, none earlier than those taken in before."""
        for first in range(0, len(events), AT_ONCE):
            self._take(events[first : first + AT_ONCE])

    def _take(self, events: IntArray) -> None:
        low, high = int(events[0]) >> ROW_BITS, int(events[-1]) >> ROW_BITS
        edges = np.searchsorted(events, np.arange(low, high + 2, dtype=np.int64) << ROW_BITS)
        rows = np.flatnonzero(edges[1:] > edges[:-1])
        first, number = edges[rows], edges[rows + 1] - edges[rows]
        last, rows = first + number - 1, rows + low
        instant = events >> 1
        instant &= (1 << (ROW_BITS - 1)) - 1
        lasted = np.empty_like(instant)
        np.subtract(instant[1:], instant[:-1], out=lasted[1:])
        lasted[first] = instant[first] - self._since[rows]
        # The level before each event; one running sum over all rows, put right where a row begins.
        change = events & 1
        change <<= 1
        np.subtract(1, change, out=change)
        level = np.cumsum(change)
        now = level[last]
        level -= change
        shift = self._level[rows] - level[first]
        self._level[rows] = now + shift
        self._since[rows] = instant[last]
        level += np.repeat(shift, number) if len(rows) > 1 else shift
        highest = int(level.max())
        if highest >= self.spent.shape[1]:
            wider = np.zeros((len(self.spent), max(highest + 1, 2 * self.spent.shape[1])), dtype=np.int64)
            wider[:, : self.spent.shape[1]] = self.spent
            self.spent = wider
        width = self.spent.shape[1]
        level += np.repeat(rows * width, number) if len(rows) > 1 else rows * width
        np.add.at(self.spent.reshape(-1), level, lasted)

    def put(self, rows: slice, spent: IntArray, level: IntArray, since: IntArray) -> None:
        """Take over some rows, with the level that each has since an instant."""
        width = spent.shape[1]
        if width > self.spent.shape[1]:
            self.spent = np.pad(self.spent, ((0, 0), (0, width - self.spent.shape[1])))
        self.spent[rows, :width] = spent
        self._level[rows], self._since[rows] = level, since

    def close(self, until_h: float) -> None:
        """No event comes any more: the levels last until the end of the window."""
        highest = int(self._level.max(initial=0))
        if highest >= self.spent.shape[1]:
            self.spent = np.pad(self.spent, ((0, 0), (0, highest + 1 - self.spent.shape[1])))
        rows = np.arange(len(self._level))
        self.spent[rows, self._level] += grid_points(until_h) - self._since
        self._since[:] = grid_points(until_h)

    def percentile(self, percent: int) -> FloatArray:
        """Smallest level that was not exceeded for at least `percent` of the time, shape (replication,)."""
        upto = np.cumsum(self.spent, axis=1)
        return np.asarray(np.argmax(upto * 100 >= percent * upto[:, -1:], axis=1), dtype=np.float64)

    def highest(self) -> FloatArray:
        """Highest level that lasted any time, shape (replication,)."""
        width = self.spent.shape[1]
        return np.asarray(width - 1 - np.argmax(self.spent[:, ::-1] > 0, axis=1), dtype=np.float64)


def grid_points(time_h: float) -> int:
    """An instant in points of the clock grid."""
    return round(time_h * GRID_PER_H)


class QueueLevels(Reducer):
    """Time spent at each number waiting, at each element that can queue and at each post, in the counted window.

    Who waits for a booked slot is not at the post. Events are sorted as soon as a chunk says
    that nobody earlier comes (`Chunk.settled`), else at the end.
    """

    def start(self) -> None:
        scope, count = self.scope, len(self.scope.replications)
        plan = scope.plan
        self.elements = tuple(k for k, _ in scope.queueing)
        there = set(self.elements)
        self._post = {
            key: tuple(k for k in elements if k in there and plan.elements[k].wait_component != "slot_wait")
            for key, elements in scope.post_elements.items()
        }
        lines = {(k,) for k in self.elements} | {elements for elements in self._post.values() if elements}
        self._times = {line: LevelTimes(count, scope.from_h) for line in sorted(lines)}
        together = [line for line in self._times if len(line) > 1]
        alone = there - {k for line in together for k in line}
        # Elements whose events are sorted together, and the group of each.
        self.groups = [*together, *((k,) for k in sorted(alone))]
        self._group_of = {k: group for group in self.groups for k in group}
        self._events: dict[int, list[IntArray]] = {k: [] for k in self.elements}
        self._size = dict.fromkeys(self.groups, 0)
        self._known_h = np.full((len(plan.elements), count), -np.inf)
        self._open = True

    @property
    def nbytes(self) -> int:
        """Size of the arrays that it keeps. [bytes]"""
        return sum(times.nbytes for times in self._times.values())

    @property
    def lines(self) -> tuple[tuple[int, ...], ...]:
        """Elements of each queue whose levels are kept; `groups` are those that must be seen together."""
        return tuple(self._times)

    def add_chunk(self, rows: IntArray, chunk: Chunk) -> None:
        for visits in chunk.visits:
            if visits.element in self._events and visits.start_h is not visits.join_h:
                start_h = visits.start_h
                if visits.element in self.scope.left_early:
                    # Who leaves the queue waits no longer than until then.
                    start_h = np.where(np.isnan(start_h), visits.leave_h, start_h)
                self._queued(rows, visits.element, visits.count, visits.join_h, start_h)
        for joined in chunk.waiting:
            if joined.element in self._events and len(joined.join_h):
                self._queued(rows, joined.element, joined.count, joined.join_h, None)
        if chunk.settled is None:
            return
        number, known_h = chunk.settled
        self._known_h[:number, rows] = known_h
        for group in self.groups:
            if self._size[group] >= WORTH_SORTING and group[-1] < number:
                self._sort(group)

    def _queued(
        self, rows: IntArray, element: int, count: IntArray, join_h: FloatArray, start_h: FloatArray | None
    ) -> None:
        """Hold the events of those who wait any time in the window; without starts they are still waiting."""
        from_h, until_h = self.scope.from_h, self.scope.until_h
        row = np.repeat(rows << ROW_BITS, count)
        if start_h is not None:
            # The joins of those who had joined by then have been announced.
            known_h = float(self._known_h[element, rows[0]])
            waits = ~(start_h <= join_h)
            if from_h > 0.0:
                waits &= ~(start_h <= from_h) | (join_h < known_h)
            which = np.flatnonzero(waits)
            if not len(which):
                return
            row, join_h, start_h = row[which], join_h[which], start_h[which]
            self._hold(element, row, np.maximum(start_h, from_h), 1, start_h < until_h)
            joins = join_h < until_h
            if known_h > -np.inf:
                joins &= join_h >= known_h
        else:
            joins = join_h < until_h
        self._hold(element, row, np.maximum(join_h, from_h), 0, joins)

    def _hold(self, element: int, row: IntArray, time_h: FloatArray, sign: int, which: NDArray[np.bool_]) -> None:
        if not which.all():
            row, time_h = row[which], time_h[which]
        events = (time_h * GRID_PER_H).astype(np.int64)
        events <<= 1
        events += row
        events += sign
        self._events[element].append(events)
        self._size[self._group_of[element]] += len(events)

    def _sort(self, group: tuple[int, ...]) -> None:
        """Take in all events of some elements from before the instant up to which they are known."""
        known_h = self._known_h[list(group)].min(axis=0)
        limit: IntArray | None = None
        if not (known_h == np.inf).all():
            points = np.clip(known_h * GRID_PER_H, 0, float(1 << (ROW_BITS - 1))).astype(np.int64)
            limit = (np.arange(len(known_h), dtype=np.int64) << ROW_BITS) + (points << 1)
        taken, self._size[group] = [], 0
        for element in group:
            held = self._events[element]
            events = np.concatenate(held) if held else np.empty(0, dtype=np.int64)
            self._events[element] = []
            if limit is not None and len(events):
                soon = events < limit[events >> ROW_BITS]
                later = events[~soon]
                if len(later):
                    self._events[element] = [later]
                    self._size[group] += len(later)
                    events = events[soon]
            # Merging what is in order is fast: every part is, or nearly.
            events.sort(kind="stable")
            self._times[element,].take(events)
            taken.append(events)
        if len(group) > 1:
            together = np.concatenate(taken)
            together.sort(kind="stable")
            self._times[group].take(together)

    def _close(self) -> None:
        if self._open:
            self._open = False
            self._known_h[:] = np.inf
            for group in self.groups:
                self._sort(group)
            for times in self._times.values():
                times.close(self.scope.until_h)

    def put(self, row: int, line: tuple[int, ...], spent: IntArray, level: int, since: int) -> None:
        """Take over the time at each level of one queue in one replication, worked out elsewhere. [grid points]"""
        self.put_rows(row, line, spent[None], np.array([level]), np.array([since]))

    def put_rows(self, first: int, line: tuple[int, ...], spent: IntArray, level: IntArray, since: IntArray) -> None:
        """As `put`, for the replications from a first row on; shape (replication, level) and (replication,)."""
        self._times[line].put(slice(first, first + len(spent)), spent, level, since)

    def take(self, line: tuple[int, ...], other: QueueLevels, of_other: tuple[int, ...]) -> None:
        """One queue has the levels that another one has with an other collector; nobody comes to either any more."""
        # Closing it twice adds nothing.
        self._times[line] = other._times[of_other]

    def of_element(self, element: int) -> LevelTimes:
        """Levels at one element."""
        self._close()
        return self._times[element,]

    def of_post(self, post: str, direction: str) -> LevelTimes | None:
        """Levels at all elements of a post together; None where nobody can queue."""
        self._close()
        return self._times.get(self._post[post, direction])
