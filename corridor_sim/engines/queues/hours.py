"""When does each consignment get a lane where the number of open lanes changes with time?

Pooled capacity (rule S07): a start is allowed iff the services in progress are
fewer than c(t). What closing does (rule S08) is a policy; `suspend`, `restart` and
`clear_queue` act when c falls to 0. `operational` moves a problem to the time that
runs only while the station works.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import FloatArray
from corridor_sim.engines.queues import compiled, loops
from corridor_sim.engines.queues.layout import (
    SCALAR_BELOW,
    IntArray,
    Pieces,
    require_sorted,
    rows_of,
    upright,
)
from corridor_sim.plan.elements import Closing


@dataclass(slots=True, eq=False)
class Pool:
    """What a pooled station remembers between two blocks of time.

    `busy_h` are the finishes of the last services, sorted along the row, shape
    (replication, largest capacity); `last_h` is the last start of each replication.
    """

    busy_h: FloatArray
    last_h: FloatArray

    @classmethod
    def empty(cls, count: int, capacity: int) -> Pool:
        """A station before its first service."""
        return cls(np.full((count, max(1, capacity)), -np.inf), np.full(count, -np.inf))


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """When how many lanes are open and what closing does, prepared for many calls of `pooled`.

    `clock`, if there is one, runs while the station works; `pieces` are then on its reading.
    """

    pieces: Pieces
    closing: Closing
    clock: Clock | None = None
    window: IntArray | None = None
    """Number of the opening that each piece belongs to, -1 while closed, where fewer lanes may open than closed."""

    @classmethod
    def of(
        cls,
        capacity: StepFunction | Pieces | int,
        closing: Closing = "finish",
        works: Pieces | StepFunction | None = None,
        station: StepFunction | None = None,
    ) -> Hours:
        """Hours from what `pooled` takes; `station` are the lanes of a station of which these are a part.

        Raises ValueError for a closing that is not known.
        """
        if closing != "suspend" and closing not in loops.CLOSING:
            raise ValueError(f"closing must be one of suspend, {', '.join(loops.CLOSING)}, got {closing!r}")
        pieces = capacity if isinstance(capacity, Pieces) else Pieces.of(capacity)
        if closing in ("suspend", "restart"):
            whole = pieces if station is None else Pieces.of(station)
            if station is not None:
                edge = np.unique(np.concatenate([pieces.start_h[0], whole.start_h[0]]))
                pieces = Pieces(edge[None, :], pieces.at(edge)[None, :])
            closed = whole.value == 0 if station is None else (whole.at(pieces.start_h[0]) == 0)[None, :]
            if _fewer_open(pieces.value, closed):
                before = np.concatenate([np.ones((len(closed), 1), dtype=bool), closed[:, :-1]], axis=1)
                opening = np.cumsum(~closed & before, axis=1)
                return cls(pieces, closing, window=np.where(closed, -1, opening - 1))._while_working(works)
        if works is None and closing != "suspend":
            return cls(pieces, closing)
        up = works if isinstance(works, Pieces) else Pieces.of(1 if works is None else works)
        clock = Clock.of(up, whole if closing == "suspend" else None)
        return cls(clock.carry(pieces), "finish" if closing == "suspend" else closing, clock)

    def _while_working(self, works: Pieces | StepFunction | None) -> Hours:
        """The same on the reading of a clock that stands while the whole station is down.

        What closes and opens again meanwhile is kept, as pieces of no length.
        """
        assert self.window is not None
        if works is None:
            return self
        clock = Clock.of(works if isinstance(works, Pieces) else Pieces.of(works))
        shape = max(len(clock.stretches), len(self.pieces.value)), self.pieces.value.shape[1]
        begin = np.broadcast_to(self.pieces.start_h, shape)
        value, window = np.broadcast_to(self.pieces.value, shape), np.broadcast_to(self.window, shape)
        reading = np.column_stack([np.full(shape[0], -np.inf), clock.inside(np.ascontiguousarray(begin[:, 1:]))])
        return Hours(Pieces(reading, value), self.closing, clock, window)

    def pool(self, count: int) -> Pool:
        """The state of a station at which nobody has been, for so many replications."""
        openings = 1 if self.window is None else int(self.window.max(initial=0)) + 1
        return Pool.empty(count, openings * max(1, self.pieces.largest))


def _fewer_open(value: IntArray, closed: NDArray[np.bool_]) -> bool:
    """Whether fewer lanes open after a closing than may have been in use at it."""
    for lanes, shut in zip(value.tolist(), closed.tolist(), strict=True):
        most, before = 0, False
        for open_, is_shut in zip(lanes, shut, strict=True):
            if not is_shut:
                if before and open_ < most:
                    return True
                most = max(most, open_)
            before = is_shut
    return False


def pooled(
    arrival_h: ArrayLike,
    service_h: ArrayLike,
    capacity: StepFunction | Pieces | int | Hours,
    closing: Closing = "finish",
    *,
    works: Pieces | StepFunction | None = None,
    pool: Pool | None = None,
) -> tuple[FloatArray, FloatArray]:
    """First starts and finishes at pooled lanes of dated number, first come first served.

    Parameters
    ----------
    arrival_h, service_h : array, shape (consignment,) or (replication, consignment)
        Joining instants, non-decreasing (padding inf), and lane-holding times >= 0. [h]
    capacity : StepFunction, Pieces, int or Hours
        Open lanes c(t); `Pieces` when they differ by replication; `Hours` hold the next two as well.
        Where fewer open than closed, as many interrupted services go on as there are lanes, in order
        of their starts (rule D30).
    closing : {"finish", "suspend", "restart", "no_overrun", "clear_queue"}
        What happens when c falls to 0: a service runs over, is frozen, is repeated, is not
        begun unless it ends by then (in strict order), or all who joined before are served.
    works : Pieces or StepFunction, optional
        0 while the whole station is down: services under way are frozen, none starts.
    pool : Pool, optional
        State before the first consignment, updated in place; `Hours.pool` makes one (with "suspend" or
        `works` it is kept in operational time).

    Returns
    -------
    start_h, finish_h : arrays, same shape
        inf for what never happens. [h]

    Notes
    -----
    With w the sorted finishes of the last C services, fewer than c services are in progress
    at t iff w[C - c] <= t, so the start is the first instant of a piece of c(t), not before
    joining, at which that holds; pieces are passed once, in order. O(C) steps of a compiled
    loop a consignment, or vector operations for many replications and a sorted list in
    Python for few.

    Examples
    --------
    >>> import numpy as np
    >>> from corridor_sim.core.step_functions import StepFunction
    >>> hours = StepFunction([0, 60, 100], [1, 0, 1])
    >>> pooled(np.array([5.0, 50.0, 70.0]), np.array([50.0, 15.0, 1.0]), hours)
    (array([  5.,  55., 100.]), array([ 55.,  70., 101.]))
    """
    (arrival, service), back = rows_of(arrival_h, service_h)
    require_sorted(arrival)
    hours = capacity if isinstance(capacity, Hours) else Hours.of(capacity, closing, works)
    if pool is None:
        pool = hours.pool(len(arrival))
    if hours.window is not None:
        _hold_openings(pool, hours)
    if hours.clock is None:
        start, finish = _served(arrival, service, hours, pool)
        return back(start), back(finish)
    start, finish = _served(hours.clock.inside(arrival), service, hours, pool)
    start = hours.clock.outside_late(start)
    return back(start), back(np.maximum(start, hours.clock.outside_early(finish)))


def _served(arrival: FloatArray, service: FloatArray, hours: Hours, pool: Pool) -> tuple[FloatArray, FloatArray]:
    if hours.window is None:
        return _pooled(arrival, service, hours.pieces, hours.closing, pool)
    start, finish = np.full(arrival.shape, np.inf), np.full(arrival.shape, np.inf)
    table = hours.pieces.start_h, hours.pieces.value, hours.window, int(hours.closing == "restart")
    loop = compiled.loop(loops.parked, compiled.SAVED_PLAIN * arrival.size) or loops.parked
    loop(arrival, service, *table, pool.busy_h, pool.last_h[None, :], start, finish)
    return start, finish


def _hold_openings(pool: Pool, hours: Hours) -> None:
    """Give an empty pool room for the ends in each opening; another pool must come from `Hours.pool`."""
    fresh = hours.pool(len(pool.busy_h))
    if pool.busy_h.shape != fresh.busy_h.shape:
        if (pool.busy_h > -np.inf).any():
            raise ValueError(
                f"the pool is not of these hours: its shape is {pool.busy_h.shape}; take hours.pool(count)"
            )
        pool.busy_h = fresh.busy_h


def _pooled(
    arrival: FloatArray, service: FloatArray, pieces: Pieces, closing: Closing, pool: Pool
) -> tuple[FloatArray, FloatArray]:
    loop = compiled.loop(loops.pooled, compiled.SAVED * arrival.size)
    if loop is None and len(arrival) >= SCALAR_BELOW:
        return _rows(arrival, service, pieces, closing, pool)
    start, finish = np.full(arrival.shape, np.inf), np.full(arrival.shape, np.inf)
    if loop is not None:
        ahead = pieces.start_h, pieces.start_h
        if closing in ("no_overrun", "restart"):
            ahead = pieces.closes_h(), pieces.reopens_h()
        table = pieces.start_h, pieces.value, *ahead
        loop(arrival, service, *table, loops.CLOSING[closing], pool.busy_h, pool.last_h[None, :], start, finish)
        return start, finish
    for k in range(len(arrival)):
        if closing == "finish":
            _in_order(arrival[k], service[k], pieces.row(k), pool, k, start[k], finish[k])
        else:
            _one(arrival[k], service[k], pieces.row(k), closing, pool, k, start[k], finish[k])
    return start, finish


def _in_order(
    arrival: FloatArray, service: FloatArray, pieces: Pieces, pool: Pool, k: int, start: FloatArray, finish: FloatArray
) -> None:
    """One replication in plain Python, where services run over at closing: `_one` without what it needs for others."""
    begin_of, end_of, value_of = pieces.start_h[0].tolist(), pieces.end_h[0].tolist(), pieces.value[0].tolist()
    # Behind the lanes stands one that is never free: that is where capacity 0 looks.
    busy = [*pool.busy_h[k].tolist(), np.inf]
    size, last_piece = len(busy) - 1, len(begin_of) - 1
    there = int(np.isfinite(arrival).sum())
    piece = max(0, bisect_right(begin_of, pool.last_h[k]) - 1)
    lane, low, high = size - value_of[piece], begin_of[piece], end_of[piece]
    starts: list[float] = []
    started = starts.append
    for a, s in zip(arrival[:there].tolist(), service[:there].tolist(), strict=True):
        begin = busy[lane]
        if a > begin:
            begin = a
        if low > begin:
            begin = low
        while begin >= high and piece < last_piece:
            piece += 1
            lane, low, high = size - value_of[piece], begin_of[piece], end_of[piece]
            begin = max(a, low, busy[lane])
        started(begin)
        del busy[0]
        insort(busy, begin + s)
    start[:there] = starts
    np.add(start[:there], service[:there], out=finish[:there])
    pool.busy_h[k] = busy[:size]
    if starts:
        pool.last_h[k] = starts[-1]


def _one(
    arrival: FloatArray,
    service: FloatArray,
    pieces: Pieces,
    closing: Closing,
    pool: Pool,
    k: int,
    start: FloatArray,
    finish: FloatArray,
) -> None:
    """One replication in plain Python."""
    begin_of, value_of = pieces.start_h[0].tolist(), pieces.value[0].tolist()
    end_of = pieces.end_h[0].tolist()
    closes_of, reopens_of = pieces.closes_h()[0].tolist(), pieces.reopens_h()[0].tolist()
    busy = pool.busy_h[k].tolist()
    size, last_piece = len(busy), len(begin_of) - 1
    there = int(np.isfinite(arrival).sum())
    piece = max(0, bisect_right(begin_of, pool.last_h[k]) - 1)
    low = begin_of[piece]
    starts, finishes = [], []
    for a, s in zip(arrival[:there].tolist(), service[:there].tolist(), strict=True):
        while True:
            c = value_of[piece]
            if c == 0 and closing == "clear_queue" and piece and a < begin_of[piece]:
                c = value_of[piece - 1]
            begin = max(a, low, busy[size - c]) if c else np.inf
            if begin >= end_of[piece] or (closing == "no_overrun" and begin + s > closes_of[piece]):
                if piece == last_piece:
                    begin = np.inf
                    break
                piece += 1
                low = begin_of[piece]
            else:
                break
        end = begin + s
        if closing == "restart" and end > closes_of[piece]:
            again = piece
            while end > closes_of[again]:
                reopen = reopens_of[again]
                end = reopen + s
                if reopen == np.inf:
                    break
                again = bisect_right(begin_of, reopen) - 1
        starts.append(begin)
        finishes.append(end)
        del busy[0]
        insort(busy, end)
    start[:there], finish[:there] = starts, finishes
    pool.busy_h[k] = busy
    if starts:
        pool.last_h[k] = starts[-1]


def _rows(
    arrival: FloatArray, service: FloatArray, pieces: Pieces, closing: Closing, pool: Pool
) -> tuple[FloatArray, FloatArray]:
    """Many replications, a row of numpy operations a consignment."""
    count, length = arrival.shape
    table = PiecesTable.of(pieces, count)
    size = pool.busy_h.shape[1]
    # Row `size` is never free: that is where capacity 0 looks.
    busy = np.concatenate([upright(pool.busy_h), np.full((1, count), np.inf)])
    flat, column = busy.ravel(), np.arange(count)
    at = table.locate(pool.last_h)
    low, end = table.start_h[at], table.end_h[at]
    offset = (size - table.value[at]) * count + column
    closes = table.closes_h[at]
    looks_ahead, clears, repeats = closing == "no_overrun", closing == "clear_queue", closing == "restart"
    arrivals, services = upright(arrival), upright(service)
    starts, finishes = np.empty_like(arrivals), np.empty_like(arrivals)
    lanes = busy[:size]
    for i in range(length):
        a, s, begin = arrivals[i], services[i], starts[i]
        where = offset
        if clears:
            where = np.where(table.closed[at] & (a < low), table.before[at] + column, offset)
        np.maximum(a, low, out=begin)
        np.maximum(begin, flat.take(where), out=begin)
        there = np.isfinite(a)
        passed = begin >= end
        if looks_ahead:
            passed |= begin + s > closes
        passed &= there
        while np.count_nonzero(passed):
            passed &= ~table.last[at]
            moved = np.flatnonzero(passed)
            if not len(moved):
                break
            at[moved] += 1
            place = at[moved]
            low[moved], end[moved], closes[moved] = table.start_h[place], table.end_h[place], table.closes_h[place]
            offset[moved] = (size - table.value[place]) * count + moved
            where = offset[moved]
            if clears:
                still = table.closed[place] & (a[moved] < low[moved])
                where = np.where(still, table.before[place] + moved, where)
            fresh = np.maximum(np.maximum(a[moved], low[moved]), flat[where])
            begin[moved] = fresh
            passed[moved] = fresh >= end[moved]
            if looks_ahead:
                passed[moved] |= fresh + s[moved] > closes[moved]
        finish = np.add(begin, s, out=finishes[i])
        if repeats:
            _repeat(finish, s, at, closes, table)
        # The padding takes the place of the smallest again, which moves nothing.
        _insert(lanes, finish.copy() if there.all() else np.where(there, finish, lanes[0]))
        np.copyto(pool.last_h, begin, where=there)
    pool.busy_h[...] = lanes.T
    return upright(starts), upright(finishes)


def _insert(lanes: FloatArray, finish: FloatArray) -> None:
    """Replace the smallest of each sorted column by `finish`; `finish` is spent."""
    for k in range(1, len(lanes)):
        np.minimum(lanes[k], finish, out=lanes[k - 1])
        np.maximum(lanes[k], finish, out=finish)
    lanes[-1] = finish


def _repeat(finish: FloatArray, service: FloatArray, at: IntArray, closes: FloatArray, table: PiecesTable) -> None:
    """Finishes of services that closing undoes, each repeated from the next opening on."""
    cut = np.flatnonzero((finish > closes) & np.isfinite(finish))
    place = at[cut]
    while len(cut):
        reopen = table.reopens_h[place]
        finish[cut] = reopen + service[cut]
        going = np.isfinite(reopen)
        cut, reopen, place = cut[going], reopen[going], place[going]
        while True:
            behind = (table.end_h[place] <= reopen) & ~table.last[place]
            if not behind.any():
                break
            place = place + behind
        again = finish[cut] > table.closes_h[place]
        cut, place = cut[again], place[again]


@dataclass(slots=True, eq=False)
class PiecesTable:
    """`Pieces` laid flat, so that a pointer a replication reads every column with one index.

    `before` is the row offset that the capacity before a closed piece looks at.
    """

    start_h: FloatArray
    end_h: FloatArray
    value: IntArray
    closes_h: FloatArray
    reopens_h: FloatArray
    last: NDArray[np.bool_]
    closed: NDArray[np.bool_]
    before: IntArray
    origin: IntArray
    width: int

    @classmethod
    def of(cls, pieces: Pieces, count: int) -> PiecesTable:
        """The table for `count` replications."""
        rows, width = pieces.value.shape
        size = max(1, pieces.largest)
        last = np.zeros((rows, width), dtype=bool)
        last[:, -1] = True
        before = np.concatenate([np.zeros((rows, 1), dtype=np.int64), pieces.value[:, :-1]], axis=1)
        origin = np.arange(count) * width if rows > 1 else np.zeros(count, dtype=np.int64)
        return cls(
            pieces.start_h.ravel(),
            pieces.end_h.ravel(),
            pieces.value.ravel(),
            pieces.closes_h().ravel(),
            pieces.reopens_h().ravel(),
            last.ravel(),
            (pieces.value == 0).ravel(),
            ((size - before) * count).ravel(),
            origin,
            width,
        )

    def locate(self, time_h: FloatArray) -> IntArray:
        """Flat index of the piece in force at one instant a replication."""
        table = self.start_h.reshape(-1, self.width)
        inside = (table <= time_h[:, None]).sum(axis=1) - 1
        return np.asarray(self.origin + np.clip(inside, 0, self.width - 1))


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """Operational time: runs while a station works, stands while it does not.

    Exact on the clock grid. One entry a replication, or one for all: the instants at
    which the clock starts to run and to stand, and its reading at each start.
    """

    stretches: tuple[tuple[FloatArray, FloatArray, FloatArray], ...]

    @classmethod
    def of(cls, works: Pieces, also: Pieces | None = None) -> Clock:
        """The clock that runs from hour 0 on while `works` (and `also`, if given) is positive."""
        stretches = []
        for k in range(max(len(works.value), 1 if also is None else len(also.value))):
            row = works.row(k)
            edge = row.start_h[0]
            up = row.value[0] > 0
            if also is not None:
                other = also.row(k)
                edge = np.unique(np.concatenate([edge, other.start_h[0]]))
                up = (row.at(edge) > 0) & (other.at(edge) > 0)
            begin = np.maximum(edge, 0.0)
            end = np.append(begin[1:], np.inf)
            keep = up & (begin < end)
            begin, end = begin[keep], end[keep]
            reading = begin
            if len(begin):
                apart = begin[1:] != end[:-1]
                begin, end = begin[np.append(True, apart)], end[np.append(apart, True)]
                reading = np.concatenate([[0.0], np.cumsum(end - begin)[:-1]])
            stretches.append((begin, end, reading))
        return cls(tuple(stretches))

    def inside(self, time_h: FloatArray) -> FloatArray:
        """Reading at each instant; while the clock stands, the reading it stands at."""

        def one(asked: FloatArray, begin: FloatArray, end: FloatArray, reading: FloatArray) -> FloatArray:
            stretch = np.searchsorted(begin, asked, side="right") - 1
            known = np.maximum(stretch, 0)
            shown = reading[known] + (np.minimum(asked, end[known]) - begin[known])
            return np.where(stretch >= 0, shown, 0.0)

        return self._map(time_h, one)

    def outside_late(self, reading_h: FloatArray) -> FloatArray:
        """The instant at which the clock runs on from a reading: where something may start."""

        def one(asked: FloatArray, begin: FloatArray, end: FloatArray, reading: FloatArray) -> FloatArray:
            stretch = np.searchsorted(reading, asked, side="right") - 1
            found = begin[stretch] + (asked - reading[stretch])
            return np.where(found < end[stretch], found, np.inf)

        return self._map(reading_h, one)

    def outside_early(self, reading_h: FloatArray) -> FloatArray:
        """The first instant at which the clock shows a reading: where something ends."""

        def one(asked: FloatArray, begin: FloatArray, end: FloatArray, reading: FloatArray) -> FloatArray:
            stretch = np.maximum(np.searchsorted(reading, asked, side="left") - 1, 0)
            found = begin[stretch] + (asked - reading[stretch])
            return np.where(found <= end[stretch], found, np.inf)

        return self._map(reading_h, one)

    def _map(self, values: FloatArray, one: Callable[..., FloatArray]) -> FloatArray:
        out = np.full(values.shape, np.inf)
        for k, (begin, end, reading) in enumerate(self.stretches):
            where = slice(None) if len(self.stretches) == 1 else k
            finite = np.isfinite(values[where])
            if len(begin):
                out[where][finite] = one(values[where][finite], begin, end, reading)
        return out

    def carry(self, pieces: Pieces) -> Pieces:
        """A step function of outside time as one of the reading; what happens while it stands, at once."""
        starts: list[list[float]] = []
        values: list[list[int]] = []
        for k in range(max(len(self.stretches), len(pieces.value))):
            begin, end, reading = self.stretches[k if len(self.stretches) > 1 else 0]
            row = pieces.row(k)
            edge = row.start_h[0]
            moved: dict[float, int] = {}
            for since, until, shown in zip(begin, end, reading, strict=True):
                inner = edge[(edge > since) & (edge < until)]
                instants = np.append(since, inner)
                moved.update(zip((shown + (instants - since)).tolist(), row.at(instants).tolist(), strict=True))
            keys = sorted(moved)
            starts.append([-np.inf, *keys[1:]] if keys else [-np.inf])
            values.append([moved[key] for key in keys] if keys else [0])
        width = max(len(line) for line in starts)
        return Pieces(
            np.array([line + [np.inf] * (width - len(line)) for line in starts]),
            np.array([line + [line[-1]] * (width - len(line)) for line in values], dtype=np.int64),
        )
