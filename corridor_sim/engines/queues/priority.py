"""Who starts when classes differ in urgency? Non-preemptive, head of the line, any number of classes.

All who join at an instant are there before any service starts (rules S03, S05).
Services under way at closing run over.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from heapq import heappop, heappush

import numpy as np
from numpy.typing import ArrayLike, NDArray

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import FloatArray
from corridor_sim.engines.queues import compiled, loops
from corridor_sim.engines.queues.fifo import fifo
from corridor_sim.engines.queues.hours import PiecesTable, Pool, pooled
from corridor_sim.engines.queues.layout import IntArray, Pieces, require_sorted, rows_of, upright

ROW_NS = 32_000.0
"""Cost of one start in all replications at once, in rows (measured)."""
REPAIRED_NS = 100.0, 8_000.0
"""Cost of one consignment served in order of joining, and more for each that overtakes (measured)."""


def priority(
    arrival_h: ArrayLike,
    service_h: ArrayLike,
    rank: ArrayLike,
    capacity: StepFunction | Pieces | int,
    *,
    pool: Pool | None = None,
    until_h: float = np.inf,
) -> FloatArray:
    """Instants at which each consignment gets a lane, the most urgent of those waiting first.

    Parameters
    ----------
    arrival_h, service_h : array, shape (consignment,) or (replication, consignment)
        Joining instants, non-decreasing (padding inf), and lane-holding times >= 0. [h]
    rank : array of int, broadcast to the same shape
        Smaller is more urgent; within a rank the order of the arrays holds.
    capacity : StepFunction, Pieces or int
        Open lanes c(t), pooled.
    pool : Pool, optional
        State before the first start, updated in place.
    until_h : float
        Starts at or after this instant are left open (inf), because others may still
        join before: hand those consignments in again with the next block.

    Returns
    -------
    array, same shape
        Start instants; inf where there is none before `until_h`. [h]

    Notes
    -----
    The next start is at the first instant at which a lane is free and the queue is not empty; then
    the first of the most urgent class that has joined by then starts [cobham1954]. A compiled loop does
    just that, O(lanes + classes) steps a start. Without one: where no start overtakes another, that is
    first come first served, and the other stretches are worked through with a heap, or for many
    replications with one pointer a class, O(lanes + classes) vector operations a start.

    Examples
    --------
    >>> import numpy as np
    >>> priority(np.array([0.0, 1.0, 3.0]), np.array([10.0, 5.0, 4.0]), np.array([1, 1, 0]), 1)
    array([ 0., 14., 10.])
    """
    (arrival, service), back = rows_of(arrival_h, service_h)
    require_sorted(arrival)
    ranks = np.broadcast_to(np.asarray(rank, dtype=np.int64), np.shape(arrival_h)).reshape(arrival.shape)
    pieces = capacity if isinstance(capacity, Pieces) else Pieces.of(capacity)
    if pool is None:
        pool = Pool.empty(len(arrival), pieces.largest)
    if loop := compiled.loop(loops.priority, compiled.SAVED * arrival.size):
        start = np.full(arrival.shape, np.inf)
        state = pool.busy_h, pool.last_h[None, :]
        ranks, scratch = _from_zero(ranks)
        loop(arrival, service, ranks, pieces.start_h, pieces.value, until_h, *state, start, *scratch)
        return back(start)
    return back(_repaired(arrival, service, ranks, pieces, pool, until_h))


def _from_zero(rank: IntArray) -> tuple[IntArray, tuple[IntArray, IntArray]]:
    """Ranks as small whole numbers, and room to line up one queue a class."""
    lowest, highest = (int(rank.min()), int(rank.max())) if rank.size else (0, 0)
    if lowest < 0 or highest > 100:
        values, place = np.unique(rank, return_inverse=True)
        rank, highest = place.reshape(rank.shape), len(values) - 1
    behind = np.empty((1, rank.shape[1]), dtype=np.int64)
    return rank, (behind, np.empty((2, highest + 1), dtype=np.int64))


def _repaired(
    arrival: FloatArray, service: FloatArray, rank: IntArray, pieces: Pieces, pool: Pool, until_h: float
) -> FloatArray:
    """First come first served, repaired from each start by which a more urgent consignment had joined.

    Up to there both disciplines are the same; after it one replication is worked through in
    plain Python until the queue is empty and the lanes are as they would be first come first served.
    """
    count, length = arrival.shape
    if not length:
        return arrival.copy()
    size = pool.busy_h.shape[1]
    before = pool.busy_h.copy()
    if pieces.value.size == 1 and pieces.value[0, 0] > 0:
        fifo_h = fifo(arrival, service, size, free_h=pool.busy_h.copy())
    else:
        fifo_h, _ = pooled(arrival, service, pieces, pool=Pool(pool.busy_h.copy(), pool.last_h.copy()))
    there = np.isfinite(arrival)
    less_urgent = _last_less_urgent(rank, there)
    beaten = np.take_along_axis(fifo_h, np.maximum(less_urgent, 0), axis=1) >= arrival
    beaten &= (less_urgent >= 0) & there
    many = int(np.count_nonzero(beaten))
    if ROW_NS / count < REPAIRED_NS[0] + REPAIRED_NS[1] * many / arrival.size:
        return _rows(arrival, service, rank, pieces, pool, until_h)
    start = fifo_h
    if many:
        start = fifo_h.copy()
        ends = np.where(there, fifo_h + service, -np.inf)
        latest = np.maximum.accumulate(ends, axis=1)
        for k in np.flatnonzero(beaten.any(axis=1)).tolist():
            _PriorityRepair(
                arrival[k], service[k], rank[k], pieces.row(k), before[k], float(pool.last_h[k]),
                fifo_h[k], ends[k], latest[k], until_h,
            ).repair(np.flatnonzero(beaten[k]), less_urgent[k], start[k])  # fmt: skip
    start = np.where(start < until_h, start, np.inf)
    begun = np.isfinite(start)
    finish = np.concatenate([before, np.where(begun, start + service, -np.inf)], axis=1)
    # A start takes the smallest of the lane-free times away and brings no smaller one: the largest remain.
    pool.busy_h[...] = np.sort(np.partition(finish, finish.shape[1] - size, axis=1)[:, -size:], axis=1)
    np.maximum(pool.last_h, np.where(begun, start, -np.inf).max(axis=1), out=pool.last_h)
    return start


def _last_less_urgent(rank: IntArray, there: NDArray[np.bool_]) -> IntArray:
    """Index of the last one before each that is less urgent; -1 if there is none."""
    column = np.arange(rank.shape[1])
    found = np.full(rank.shape, -1)
    for urgency in np.unique(rank)[:-1]:
        less = np.maximum.accumulate(np.where((rank > urgency) & there, column, -1), axis=1)
        np.copyto(found, less, where=rank == urgency)
    return found


class _PriorityRepair:
    """One replication: the first-come-first-served starts, and the stretches between that have to be repaired."""

    # Why repair: few starts are overtaken as a rule, and the kernels without classes are many times faster. Why a
    # stretch may end: with an empty queue and equal lane-free times, all that follows is the same in both disciplines.

    def __init__(
        self,
        arrival: FloatArray,
        service: FloatArray,
        rank: IntArray,
        pieces: Pieces,
        busy: FloatArray,
        last_h: float,
        fifo_h: FloatArray,
        ends_h: FloatArray,
        latest_h: FloatArray,
        until_h: float,
    ) -> None:
        self.count = count = int(np.isfinite(arrival).sum())
        self.joined, self.length = arrival[:count].tolist(), service[:count].tolist()
        self.joined.append(np.inf)
        # Who is first of those waiting: the smallest of these numbers, rank before place in line.
        self.bits = count.bit_length()
        self.urgency = ((rank[:count] << self.bits) + np.arange(count)).tolist()
        self.begin_of, self.value_of = pieces.start_h[0].tolist(), pieces.value[0].tolist()
        self.end_of = pieces.end_h[0].tolist()
        self.busy, self.last_h, self.until_h = busy.tolist(), last_h, until_h
        self.fifo_h, self.ends_h, self.latest_h = fifo_h[:count], ends_h, latest_h

    def lanes_at(self, number: int, now: float) -> list[float]:
        """Lane-free times, sorted and none before `now`, once the first `number` have started in order of joining."""
        size = len(self.busy)
        found = [end for end in self.busy if end > now]
        at = number - 1
        ends, latest = self.ends_h, self.latest_h
        while at >= 0 and latest[at] > now:
            if ends[at] > now:
                found.append(float(ends[at]))
            at -= 1
        found.sort()
        return [now] * (size - len(found)) + found[-size:]

    def repair(self, beaten: IntArray, less_urgent: IntArray, start: FloatArray) -> None:
        """Write the starts that differ into `start`."""
        settled = 0
        for who, before in zip(beaten.tolist(), less_urgent[beaten].tolist(), strict=True):
            if who < settled or before < settled:
                continue
            now = self.joined[who]
            first = max(settled, int(np.searchsorted(self.fifo_h, now, side="left")))
            settled = self._from(first, now, start)
            if settled >= self.count:
                return

    def _from(self, first: int, now: float, start: FloatArray) -> int:
        """Serve from `first` on until both disciplines agree again; returns the position of the next consignment."""
        joined, length, count, until_h = self.joined, self.length, self.count, self.until_h
        urgency, in_line = self.urgency, (1 << self.bits) - 1
        longest, latest = self.busy[-1], self.latest_h
        # Behind the lanes stands one that is never free: that is where capacity 0 looks.
        busy = [*self.lanes_at(first, now), np.inf]
        size = len(busy) - 1
        last = max(self.last_h, now)
        begin_of, value_of, end_of = self.begin_of, self.value_of, self.end_of
        last_piece = len(begin_of) - 1
        piece = max(0, bisect_right(begin_of, last) - 1)
        lane, low, high = size - value_of[piece], begin_of[piece], end_of[piece]
        waiting: list[int] = []
        coming = first
        while True:
            earliest = last
            if not waiting:
                if coming == count:
                    return count
                then = joined[coming]
                # The lane that is busy longest is compared first: mostly the answer is no.
                if coming > first and max(busy[size - 1], then) == max(longest, latest[coming - 1], then):
                    mine = sorted(end if end > then else then for end in busy[:size])
                    if mine == self.lanes_at(coming, then):
                        return coming
                if then > earliest:
                    earliest = then
            begin = busy[lane]
            if earliest > begin:
                begin = earliest
            if low > begin:
                begin = low
            while begin >= high and piece < last_piece:
                piece += 1
                lane, low, high = size - value_of[piece], begin_of[piece], end_of[piece]
                begin = max(earliest, busy[lane], low)
            if begin >= until_h:
                for who in waiting:
                    start[who & in_line] = np.inf
                start[coming:count] = np.inf
                return count
            if waiting or joined[coming + 1] <= begin:
                while joined[coming] <= begin:
                    heappush(waiting, urgency[coming])
                    coming += 1
                who = heappop(waiting) & in_line
            else:
                who = coming
                coming += 1
            start[who] = last = begin
            del busy[0]
            insort(busy, begin + length[who])


def _rows(
    arrival: FloatArray, service: FloatArray, rank: IntArray, pieces: Pieces, pool: Pool, until_h: float
) -> FloatArray:
    """Many replications: each turn starts one consignment in every replication that has one."""
    count, length = arrival.shape
    start = np.full(count * length + 1, np.inf)
    classes = np.unique(rank)
    column = np.arange(count)
    heads, queues, pointers = [], [], []
    for urgency in classes:
        mine = (rank == urgency) & np.isfinite(arrival)
        of_class = np.flatnonzero(mine)
        size = mine.sum(axis=1)
        offset = np.concatenate([[0], np.cumsum(size + 1)])
        # Behind the last of each replication's class stands a dummy that joins at inf.
        queue = np.full(int(offset[-1]), count * length)
        place = np.arange(len(of_class)) + np.repeat(column, size)
        queue[place] = of_class
        queues.append(queue)
        pointers.append(offset[:-1].copy())
    joins = np.append(arrival.ravel(), np.inf)
    services = np.append(service.ravel(), 0.0)
    heads = [joins[queue[pointer]] for queue, pointer in zip(queues, pointers, strict=True)]
    table = PiecesTable.of(pieces, count)
    capacity = pool.busy_h.shape[1]
    busy = np.concatenate([upright(pool.busy_h), np.full((1, count), np.inf)])
    at = table.locate(pool.last_h)
    last = pool.last_h.copy()
    while True:
        earliest = heads[0]
        for head in heads[1:]:
            earliest = np.minimum(earliest, head)
        waits = np.isfinite(earliest)
        earliest = np.maximum(earliest, last)
        begin = _first_free(earliest, at, table, busy, capacity, column, waits)
        going = begin < until_h
        if not np.count_nonzero(going):
            break
        chosen = np.full(count, count * length)
        open_ = going.copy()
        for k, head in enumerate(heads):
            takes = open_ & (head <= begin)
            found = np.flatnonzero(takes)
            if not len(found):
                continue
            pointer = pointers[k]
            chosen[found] = queues[k][pointer[found]]
            pointer[found] += 1
            head[found] = joins[queues[k][pointer[found]]]
            open_ &= ~takes
        start[chosen[going]] = begin[going]
        np.copyto(last, begin, where=going)
        finish = np.where(going, begin + services[chosen], -np.inf)
        _insert_where(busy, finish, capacity, going)
    pool.busy_h[...], pool.last_h[...] = busy[:capacity].T, last
    return start[:-1].reshape(count, length)


def _insert_where(busy: FloatArray, finish: FloatArray, capacity: int, going: NDArray[np.bool_]) -> None:
    # For replications without a start in this turn, the smallest takes its own place again.
    finish = np.where(going, finish, busy[0])
    for k in range(1, capacity):
        lower = np.minimum(busy[k], finish)
        finish = np.maximum(busy[k], finish)
        busy[k - 1] = lower
    busy[capacity - 1] = finish


def _first_free(
    earliest: FloatArray,
    at: IntArray,
    table: PiecesTable,
    busy: FloatArray,
    capacity: int,
    column: IntArray,
    waits: NDArray[np.bool_],
) -> FloatArray:
    """First instant from `earliest` on at which a lane is free; moves the pointers `at` on."""
    flat, count = busy.ravel(), len(column)
    begin = np.maximum(earliest, table.start_h[at])
    np.maximum(begin, flat[(capacity - table.value[at]) * count + column], out=begin)
    passed = (begin >= table.end_h[at]) & waits & ~table.last[at]
    while np.count_nonzero(passed):
        moved = np.flatnonzero(passed)
        at[moved] += 1
        place = at[moved]
        fresh = np.maximum(earliest[moved], table.start_h[place])
        fresh = np.maximum(fresh, flat[(capacity - table.value[place]) * count + moved])
        begin[moved] = fresh
        passed[moved] = (fresh >= table.end_h[place]) & ~table.last[place]
    return np.where(waits, begin, np.inf)
