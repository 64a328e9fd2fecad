"""When does each consignment pass a line of stations with finite yards between them?

Blocking after service (rules S14 to S17): who is done holds the lane until there is
room at the next station. All visit every station, first come first served.
Lanes that never change have a recursion for all replications at once; dated lanes
are worked through event by event.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np
from numpy.typing import ArrayLike

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import FloatArray
from corridor_sim.engines.queues import compiled, loops
from corridor_sim.engines.queues.layout import IntArray, require_sorted, require_whole, rows_of


@dataclass(frozen=True, slots=True, eq=False)
class StationTimes:
    """Times at one station of the line, in the order of the consignments handed in; inf for never. [h]"""

    join_h: FloatArray
    start_h: FloatArray
    finish_h: FloatArray
    leave_h: FloatArray


def line(
    arrival_h: ArrayLike,
    service_h: Sequence[ArrayLike],
    lanes: Sequence[StepFunction | int],
    yards: Sequence[int | None],
    *,
    number: ArrayLike | None = None,
    until_h: float = np.inf,
) -> tuple[StationTimes, ...]:
    """Joins, starts, finishes and departures along a line of stations that block each other.

    Parameters
    ----------
    arrival_h : array, shape (consignment,) or (replication, consignment)
        Joining instants at the first station, non-decreasing; padding is inf. [h]
    service_h : one array of that shape a station
        Lane-holding times, >= 0. [h]
    lanes : StepFunction or int, one a station
        Open lanes; services under way at closing run over.
    yards : int or None, one a station
        Waiting places in front of each; None is unlimited, and so is the road before the first.
    number : array of int, same shape as `arrival_h`, optional
        Settles ties between those who come to a station together, but at the first one, where the
        arrays are in queue order; default: order of the arrays.
    until_h : float
        Nothing later than this is worked out.

    Returns
    -------
    tuple of StationTimes

    Notes
    -----
    O(stations) events a consignment, compiled or in Python, one replication after the other. At one
    instant the stations settle in order, and again while one frees another (rule D14).

    Examples
    --------
    >>> import numpy as np
    >>> times = line(np.zeros(3), [np.array([5.0, 5, 5]), np.array([9.0, 9, 9])], [1, 1], [None, 0])
    >>> times[0].leave_h, times[1].finish_h
    (array([ 5., 14., 23.]), array([14., 23., 32.]))
    """
    (arrival, *services), back = rows_of(arrival_h, *service_h)
    require_sorted(arrival)
    if not len(services) == len(lanes) == len(yards):
        found = f"{len(services)}, {len(lanes)} and {len(yards)}"
        raise ValueError(f"services, lanes and yards must be one a station, got {found}")
    require_whole("yards", [yard for yard in yards if yard is not None])
    count, length = arrival.shape
    if number is None:
        numbers: IntArray = np.broadcast_to(np.arange(length), arrival.shape)
    else:
        numbers = np.asarray(number, dtype=np.int64).reshape(arrival.shape)
    functions = [
        StepFunction.constant(float(open_)) if isinstance(open_, (int, np.integer)) else open_ for open_ in lanes
    ]
    if loop := compiled.loop(loops.line, compiled.SAVED_PLAIN * arrival.size):
        columns = _compiled(loop, arrival, services, functions, yards, numbers, until_h)
        return tuple(StationTimes(*(back(column[j]) for column in columns)) for j in range(len(functions)))
    tables = [tuple(np.full(arrival.shape, np.inf) for _ in range(4)) for _ in functions]
    for k in range(count):
        _Line(arrival[k], [s[k] for s in services], functions, yards, numbers[k], until_h).run(
            [tuple(column[k] for column in table) for table in tables]
        )
    return tuple(StationTimes(*(back(column) for column in table)) for table in tables)


def _compiled(
    loop: Callable[..., None],
    arrival: FloatArray,
    services: Sequence[FloatArray],
    lanes: Sequence[StepFunction],
    yards: Sequence[int | None],
    number: IntArray,
    until_h: float,
) -> list[FloatArray]:
    """Joins, starts, finishes and departures, each of shape (station, replication, consignment)."""
    stations, (count, length) = len(lanes), arrival.shape
    width = max(len(function.value) for function in lanes)
    change, value = np.full((stations, width), np.inf), np.zeros((stations, width), dtype=np.int64)
    for j, function in enumerate(lanes):
        pieces = len(function.value)
        change[j, :pieces], value[j, :pieces] = function.from_h, function.value
    yard = np.array([[-1 if places is None else places for places in yards]], dtype=np.int64)
    columns = [np.full((stations * count, length), np.inf) for _ in range(4)]
    most = max(1, int(value.max()))
    scratch = [np.empty((stations, width), dtype=np.int64) for width in (most, length, length)]
    loop(
        arrival, np.concatenate(services), number, change, value, yard, until_h, *columns,
        np.empty((stations, most)), *scratch, np.empty((8, stations), dtype=np.int64),
    )  # fmt: skip
    return [column.reshape(stations, count, length) for column in columns]


class _Line:
    """One replication, worked through instant by instant."""

    def __init__(
        self,
        arrival: FloatArray,
        services: Sequence[FloatArray],
        lanes: Sequence[StepFunction],
        yards: Sequence[int | None],
        number: IntArray,
        until_h: float,
    ) -> None:
        there = int(np.isfinite(arrival).sum())
        self.arrival = arrival[:there].tolist()
        self.services = [service[:there].tolist() for service in services]
        self.number = number[:there].tolist()
        # Those from outside are in queue order already, which need not be that of the numbers.
        self.orders = [list(range(there)), *([self.number] * (len(lanes) - 1))]
        self.instants = [function.from_h.tolist() for function in lanes]
        self.values = [function.value.astype(int).tolist() for function in lanes]
        self.yards = list(yards)
        self.until_h = until_h
        size = len(lanes)
        self.queue: list[deque[int]] = [deque() for _ in range(size)]
        self.joining: list[list[int]] = [[] for _ in range(size)]
        self.asking: list[list[tuple[float, int, int]]] = [[] for _ in range(size)]
        self.used = [0] * size
        # (instant, kind, station, consignment): endings come before the calendar, arrivals last.
        self.events: list[tuple[float, int, int, int]] = []
        self.touched: list[int] = []
        self.is_touched = [False] * size

    def run(self, tables: Sequence[tuple[FloatArray, ...]]) -> None:
        """Fill the four columns of each station."""
        self.tables = tables
        for station, instants in enumerate(self.instants):
            for at in instants[1:]:
                heappush(self.events, (at, 1, station, -1))
        for who, at in enumerate(self.arrival):
            self.events.append((at, 2, 0, who))
        self.events.sort()
        while self.events and self.events[0][0] <= self.until_h:
            now = self.events[0][0]
            while self.events and self.events[0][0] == now:
                _, kind, station, who = heappop(self.events)
                if kind == 0:
                    self.finish(station, who, now)
                elif kind == 2:
                    self.joining[0].append(who)
                self.touch(station)
            while self.touched:
                station = heappop(self.touched)
                self.is_touched[station] = False
                self.settle(station, now)

    def touch(self, station: int) -> None:
        if not self.is_touched[station]:
            self.is_touched[station] = True
            heappush(self.touched, station)

    def join(self, station: int, who: int, now: float) -> None:
        """Line up by joining time, then number: only those who join at `now` too can change places."""
        joined, queue, number = self.tables[station][0], self.queue[station], self.orders[station]
        joined[who] = now
        place = len(queue)
        while place and joined[queue[place - 1]] == now and number[queue[place - 1]] > number[who]:
            place -= 1
        queue.insert(place, who)

    def finish(self, station: int, who: int, now: float) -> None:
        self.tables[station][2][who] = now
        after = station + 1
        if after == len(self.yards):
            self.leave(station, who, now)
        elif self.yards[after] is None:
            self.leave(station, who, now)
            self.joining[after].append(who)
            self.touch(after)
        else:
            heappush(self.asking[after], (now, self.number[who], who))
            self.touch(after)

    def leave(self, station: int, who: int, now: float) -> None:
        self.tables[station][3][who] = now
        self.used[station] -= 1
        self.touch(station)

    def settle(self, station: int, now: float) -> None:
        queue, asking, yard = self.queue[station], self.asking[station], self.yards[station]
        if self.joining[station]:
            came = self.joining[station]
            joined = self.tables[station][0]
            while queue and joined[queue[-1]] == now:
                came.append(queue.pop())
            came.sort(key=self.orders[station].__getitem__)
            for who in came:
                self.join(station, who, now)
            came.clear()
        place = max(0, bisect_right(self.instants[station], now) - 1)
        lanes = self.values[station][place]
        while True:
            while asking and yard is not None and len(queue) < yard:
                self.admit(station, now)
            if queue and self.used[station] < lanes:
                self.begin(station, queue.popleft(), now)
            elif asking and yard == 0 and not queue and self.used[station] < lanes:
                self.admit(station, now)
            else:
                return

    def admit(self, station: int, now: float) -> None:
        _, _, who = heappop(self.asking[station])
        self.leave(station - 1, who, now)
        self.join(station, who, now)

    def begin(self, station: int, who: int, now: float) -> None:
        self.tables[station][1][who] = now
        self.used[station] += 1
        service = self.services[station][who]
        if service > 0:
            heappush(self.events, (now + service, 0, station, who))
        else:
            self.finish(station, who, now)
