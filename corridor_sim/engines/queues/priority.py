"""Who starts when classes differ in urgency? Non-preemptive, head of the line, any number of classes.

All who join at an instant are there before anybody starts (SEMANTICS S03, S05).
Services under way at closing run over.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from heapq import heappop, heappush

import numpy as np
from numpy.typing import ArrayLike, NDArray

from corridor_sim.engines.queues.hours import Pool, Table
from corridor_sim.engines.queues.layout import SCALAR_BELOW, IntArray, Pieces, require_sorted, rows_of, upright
from corridor_sim.plan import StepFunction
from corridor_sim.units import FloatArray


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
        Starts at or after this instant are left open (inf), because somebody may still
        join before: hand those consignments in again with the next block.

    Returns
    -------
    array, same shape
        Start instants; inf where there is none before `until_h`. [h]

    Notes
    -----
    The next start is at the first instant at which a lane is free and somebody waits; then
    the first of the most urgent class that has joined by then starts [1]_. Many replications:
    one pointer a class, O(lanes + classes) vector operations a start; few: a heap in Python.

    References
    ----------
    .. [1] A. Cobham, "Priority assignment in waiting line problems," Oper. Res., vol. 2,
       no. 1, 1954. doi:10.1287/opre.2.1.70

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
    if len(arrival) >= SCALAR_BELOW:
        return back(_rows(arrival, service, ranks, pieces, pool, until_h))
    start = np.full(arrival.shape, np.inf)
    for k in range(len(arrival)):
        _one(arrival[k], service[k], ranks[k], pieces.row(k), pool, k, until_h, start[k])
    return back(start)


def _one(
    arrival: FloatArray,
    service: FloatArray,
    rank: IntArray,
    pieces: Pieces,
    pool: Pool,
    k: int,
    until_h: float,
    start: FloatArray,
) -> None:
    """One replication in plain Python."""
    begin_of, value_of, end_of = pieces.start_h[0].tolist(), pieces.value[0].tolist(), pieces.end_h[0].tolist()
    busy, last = pool.busy_h[k].tolist(), float(pool.last_h[k])
    size, last_piece = len(busy), len(begin_of) - 1
    piece = max(0, bisect_right(begin_of, last) - 1)
    there = int(np.isfinite(arrival).sum())
    joined, length, ranks = arrival[:there].tolist(), service[:there].tolist(), rank[:there].tolist()
    waiting: list[tuple[int, int]] = []
    coming = 0
    while waiting or coming < there:
        earliest = last if waiting else max(last, joined[coming])
        while True:
            c = value_of[piece]
            begin = max(earliest, begin_of[piece], busy[size - c]) if c else np.inf
            if begin < end_of[piece] or piece == last_piece:
                break
            piece += 1
        if begin >= until_h or begin == np.inf:
            break
        while coming < there and joined[coming] <= begin:
            heappush(waiting, (ranks[coming], coming))
            coming += 1
        _, who = heappop(waiting)
        start[who] = last = begin
        del busy[0]
        insort(busy, begin + length[who])
    pool.busy_h[k], pool.last_h[k] = busy, last


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
        # Behind the last of each replication's class stands nobody, who joins at no time.
        queue = np.full(int(offset[-1]), count * length)
        place = np.arange(len(of_class)) + np.repeat(column, size)
        queue[place] = of_class
        queues.append(queue)
        pointers.append(offset[:-1].copy())
    joins = np.append(arrival.ravel(), np.inf)
    services = np.append(service.ravel(), 0.0)
    heads = [joins[queue[pointer]] for queue, pointer in zip(queues, pointers, strict=True)]
    table = Table.of(pieces, count)
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
    # For replications that do not start anybody, the smallest takes its own place again.
    finish = np.where(going, finish, busy[0])
    for k in range(1, capacity):
        lower = np.minimum(busy[k], finish)
        finish = np.maximum(busy[k], finish)
        busy[k - 1] = lower
    busy[capacity - 1] = finish


def _first_free(
    earliest: FloatArray,
    at: IntArray,
    table: Table,
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
