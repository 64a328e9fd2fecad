"""When does each consignment get one of c lanes that are always open, first come first served?

One recursion, five forms that give the same bits on the clock grid; `fifo` takes the
compiled one where there is one and else chooses by size. A new form goes here and into
`FORMS`.
"""

from __future__ import annotations

from heapq import heapify, heapreplace

import numpy as np
from numpy.typing import ArrayLike

from corridor_sim.core import arguments
from corridor_sim.core.units import FloatArray
from corridor_sim.engines.queues import compiled, loops
from corridor_sim.engines.queues.layout import SCALAR_BELOW, require_sorted, rows_of, upright

SEGMENT = 64
"""Least number of consignments in a segment of the time-parallel form."""
PARALLEL_BELOW = 128
"""Replications from which the row loop is as good as the time-parallel form."""
BLOCK = 32
"""Consignments between two looks whether a segment has met its stored state."""


def fifo(
    arrival_h: ArrayLike, service_h: ArrayLike, lanes: int, *, free_h: FloatArray | None = None, form: str = "auto"
) -> FloatArray:
    """Instants at which each consignment gets a lane, first come first served.

    Parameters
    ----------
    arrival_h : array, shape (consignment,) or (replication, consignment)
        Joining instants, non-decreasing along the last axis; padding is inf. [h]
    service_h : array, broadcast to the same shape
        Lane-holding times, >= 0. [h]
    lanes : int
        Lanes open throughout, at least 1.
    free_h : array, shape (replication, lanes), optional
        When each lane falls free, sorted along the row; overwritten with the state
        after the last consignment, so that a run can be cut in time. Default: free at once.
    form : {"auto", "closed", "rows", "heap", "parallel", "compiled"}
        "closed" needs one lane, "compiled" numba. All give the same bits for times on the clock grid.

    Returns
    -------
    array, same shape
        Start instants; the wait is ``start_h - arrival_h``, the finish ``start_h + service_h``. [h]

    Raises
    ------
    ValueError
        For fewer than one lane, unsorted arrivals or an unknown form.

    Notes
    -----
    The sorted vector of lane-free times follows the recursion of [kiefer1955]: the consignment
    takes the smallest entry, and its finish is inserted. Cost per consignment: "rows"
    O(lanes) vector operations on all replications at once, "heap" O(log lanes) in Python,
    "closed" two prefix operations (Lindley), "parallel" as rows over segments of one
    replication, repeated where the guessed start state was wrong (after [greenberg1991]), "compiled"
    O(lanes) steps of a plain loop.

    Examples
    --------
    >>> import numpy as np
    >>> fifo(np.array([0.0, 1.0, 2.0]), np.array([4.0, 4.0, 1.0]), lanes=2)
    array([0., 1., 4.])
    """
    lanes = arguments.whole("lanes", lanes, 1)
    (arrival, service), back = rows_of(arrival_h, service_h)
    require_sorted(arrival)
    count, length = arrival.shape
    state = np.full((count, lanes), -np.inf) if free_h is None else free_h
    if form == "auto":
        form = _choose(count, length, lanes)
    if form == "closed" and lanes == 1:
        return back(_closed(arrival, service, state))
    if form not in FORMS:
        raise ValueError(f"form must be one of closed (one lane), {', '.join(FORMS)}, got {form!r}")
    return back(FORMS[form](arrival, service, state))


def _choose(count: int, length: int, lanes: int) -> str:
    if compiled.loop(loops.fifo, compiled.SAVED * count * length):
        return "compiled"
    if lanes == 1 and count < 200:
        return "closed"
    if count >= PARALLEL_BELOW:
        return "rows"
    if count * length >= 20_000 and length >= 16 * SEGMENT:
        return "parallel"
    return "heap" if count < SCALAR_BELOW else "rows"


def _closed(arrival: FloatArray, service: FloatArray, state: FloatArray) -> FloatArray:
    """Lindley's recursion as prefix sum and prefix maximum."""
    if not arrival.shape[1]:
        return arrival.copy()
    work = np.cumsum(service, axis=1)
    finish = np.subtract(arrival, work)
    finish += service
    np.maximum(finish[:, 0], state[:, 0], out=finish[:, 0])
    np.maximum.accumulate(finish, axis=1, out=finish)
    finish += work
    state[:, 0] = _last_finite(finish, arrival, state[:, 0])
    finish -= service
    return finish


def _last_finite(finish: FloatArray, arrival: FloatArray, before: FloatArray) -> FloatArray:
    """The finish of each row's last consignment that is not padding."""
    last = np.isfinite(arrival).sum(axis=1) - 1
    found = np.take_along_axis(finish, np.maximum(last, 0)[:, None], axis=1)[:, 0]
    return np.where(last >= 0, found, before)


def _rows(arrival: FloatArray, service: FloatArray, state: FloatArray) -> FloatArray:
    arrivals, services = upright(arrival), upright(service)
    free = upright(state)
    start = np.empty_like(arrivals)
    # Padding ends a row, so the shortest row tells from where on there is some.
    whole = len(arrivals) - int(np.isinf(arrivals).sum(axis=0).max(initial=0))
    row_loop(arrivals[:whole], services[:whole], free, start[:whole])
    if whole < len(arrivals):
        # It takes a lane for no time at the instant it falls free: that moves nothing.
        padding = np.isinf(arrivals[whole:])
        past, none = np.where(padding, -np.inf, arrivals[whole:]), np.where(padding, 0.0, services[whole:])
        row_loop(past, none, free, start[whole:])
        np.copyto(start[whole:], np.inf, where=padding)
    state[...] = free.T
    return upright(start)


def row_loop(arrivals: FloatArray, services: FloatArray, free: FloatArray, start: FloatArray) -> None:
    """The recursion over consignments (first axis), numpy over replications (second)."""
    lanes = len(free)
    maximum, minimum, add = np.maximum, np.minimum, np.add
    finish = np.empty(free.shape[1])
    if lanes == 1:
        lane = free[0]
        for a, s, out in zip(arrivals, services, start, strict=True):
            maximum(a, lane, out=out)
            add(out, s, out=lane)
    elif lanes <= 4:
        rows = [free[k] for k in range(lanes)]
        first, second, middle, last = rows[0], rows[1], rows[1:-1], rows[-1]
        pairs = list(zip(middle, rows[2:], strict=True))
        for a, s, out in zip(arrivals, services, start, strict=True):
            maximum(a, first, out=out)
            add(out, s, out=finish)
            minimum(second, finish, out=first)
            if lanes > 2:
                maximum(second, finish, out=finish)
                for lower, upper in pairs[:-1]:
                    minimum(upper, finish, out=lower)
                    maximum(upper, finish, out=finish)
                minimum(last, finish, out=pairs[-1][0])
            maximum(last, finish, out=last)
    else:
        pushed = np.empty((lanes - 1, free.shape[1]))
        lower, upper = free[:-1], free[1:]
        for a, s, out in zip(arrivals, services, start, strict=True):
            maximum(a, free[0], out=out)
            add(out, s, out=finish)
            minimum(upper, finish, out=pushed)
            maximum(upper[-1], finish, out=finish)
            # The k-th smallest after insertion is the larger of the old k-th and min(old (k+1)-th, finish).
            maximum(lower[1:], pushed[1:], out=lower[1:])
            lower[0] = pushed[0]
            upper[-1] = finish


def _heap(arrival: FloatArray, service: FloatArray, state: FloatArray) -> FloatArray:
    start = np.empty(arrival.shape)
    for k in range(len(arrival)):
        there = int(np.isfinite(arrival[k]).sum())
        free = state[k].tolist()
        heapify(free)
        begun = _heap_loop(arrival[k, :there].tolist(), service[k, :there].tolist(), free)
        start[k, :there], start[k, there:] = begun, np.inf
        state[k] = sorted(free)
    return start


def _heap_loop(arrivals: list[float], services: list[float], free: list[float]) -> list[float]:
    """Starts of one replication; `free` is a heap of lane-free times and holds the state afterwards."""
    begun: list[float] = []
    begin_of = begun.append
    for a, s in zip(arrivals, services, strict=True):
        begin = free[0]
        if a > begin:
            begin = a
        begin_of(begin)
        heapreplace(free, begin + s)
    return begun


def _parallel(arrival: FloatArray, service: FloatArray, state: FloatArray) -> FloatArray:
    """Segments of each replication side by side, swept until no start state is wrong.

    A start state matters only through max(free, next arrival): once that agrees with the
    stored one at a block boundary, the rest of the segment stands.
    """
    count, length = arrival.shape
    common = int(np.isfinite(arrival).all(axis=0).sum())
    segments = max(2, min(1024 // count, common // SEGMENT))
    size = common // segments // BLOCK * BLOCK
    if size < SEGMENT // 2:
        return _heap(arrival, service, state)
    whole = common // size * size
    head = _sweeps(arrival[:, :whole], service[:, :whole], state, size)
    if whole == length:
        return head
    return np.concatenate([head, _heap(arrival[:, whole:], service[:, whole:], state)], axis=1)


def _sweeps(arrival: FloatArray, service: FloatArray, state: FloatArray, size: int) -> FloatArray:
    """The time-parallel form on whole segments of `size` consignments."""
    count, length = arrival.shape
    lanes, segments, blocks = state.shape[1], length // size, size // BLOCK
    arrivals = arrival.reshape(count * segments, size)
    services = service.reshape(count * segments, size)
    flow, work = upright(arrivals), upright(services)
    start = np.empty_like(flow)
    columns = np.arange(count * segments)
    first = columns % segments == 0
    # Guess: every lane free, except where the true state is known.
    begin = np.full((lanes, count * segments), -np.inf)
    begin[:, first] = state.T
    checkpoints = np.empty((blocks + 1, lanes, count * segments))
    checkpoints[0] = begin
    todo = columns
    sweep = 0
    while True:
        free = np.ascontiguousarray(checkpoints[0][:, todo])
        active = todo
        for block in range(blocks):
            rows = slice(block * BLOCK, (block + 1) * BLOCK)
            if len(active) == len(columns):
                row_loop(flow[rows], work[rows], free, start[rows])
            else:
                part = np.empty((BLOCK, len(active)))
                row_loop(flow[rows].take(active, axis=1), work[rows].take(active, axis=1), free, part)
                start[rows, active] = part
            stored = checkpoints[block + 1].take(active, axis=1)
            checkpoints[block + 1][:, active] = free
            if sweep:
                following = flow[(block + 1) * BLOCK, active] if block + 1 < blocks else flow[-1, active]
                going = (np.maximum(stored, following) != np.maximum(free, following)).any(axis=0)
                if not going.all():
                    # The state itself may still differ below the next arrival; that has no effect on any start.
                    active, free = active[going], np.ascontiguousarray(free[:, going])
                    if not len(active):
                        break
        sweep += 1
        previous = columns[~first] - 1
        ends = checkpoints[blocks][:, previous]
        opening = flow[0, columns[~first]]
        wrong = (np.maximum(ends, opening) != np.maximum(checkpoints[0][:, ~first], opening)).any(axis=0)
        checkpoints[0][:, ~first] = ends
        left = columns[~first][wrong]
        if not len(left):
            break
        if len(left) < 20 or (sweep >= 3 and len(left) > 0.6 * len(todo)):
            _finish_in_order(flow, work, start, checkpoints, left, segments)
            break
        todo = left
    state[...] = checkpoints[blocks][:, segments - 1 :: segments].T
    return upright(start).reshape(count, length)


def _finish_in_order(
    flow: FloatArray, work: FloatArray, start: FloatArray, checkpoints: FloatArray, left: FloatArray, segments: int
) -> None:
    """Serve the segments that are still wrong one after the other, each from its true state."""
    blocks = len(checkpoints) - 1
    wrong = set(left.tolist())
    for column in range(flow.shape[1]):
        if column not in wrong:
            continue
        free = checkpoints[0][:, column].tolist()
        heapify(free)
        begun = _heap_loop(flow[:, column].tolist(), work[:, column].tolist(), free)
        start[:, column] = begun
        end = np.array(sorted(free))
        checkpoints[blocks][:, column] = end
        after = column + 1
        if after % segments:
            opening = flow[0, after]
            if (np.maximum(checkpoints[0][:, after], opening) != np.maximum(end, opening)).any():
                wrong.add(after)
            checkpoints[0][:, after] = end


def _compiled(arrival: FloatArray, service: FloatArray, state: FloatArray) -> FloatArray:
    loop = compiled.loop(loops.fifo)
    if loop is None:
        raise ValueError(f"form 'compiled' must have numba, and {compiled.SWITCH} must not be 0")
    start = np.empty(arrival.shape)
    loop(arrival, service, state, start)
    return start


FORMS = {"rows": _rows, "heap": _heap, "parallel": _parallel, "compiled": _compiled}
"""Forms for any number of lanes, by name."""
