"""The waiting side of a full station: classes, reserved lanes, and staff pools."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush
from math import inf

from simpy import Event

from corridor_sim.engines.event.clock import DatedValue, EventClock, Happening, Settles
from corridor_sim.engines.event.itinerary import Consignment, StepNow, Visit
from corridor_sim.plan.elements import Station
from corridor_sim.plan.plan import PlanStaffPool

Key = tuple[int, int, float, float, int]
"""Head of the queue or not, rank, joining time, readiness, number."""


_NO_CALLBACKS: list[Callable[[Event], None]] = []


class StationVisit(Visit):
    """A visit to a full station, with what may still happen to it.

    Attributes
    ----------
    group
        0, or 1 + the number of the reservation that holds for its flow.
    pool
        Lanes it was let into: 0 are the general ones, else as `group`.
    lane
        Lane it is in (from 0) where lanes have an identity, else 0.
    remaining_h
        Service still to be done when last started or resumed. [h]
    ending
        The event of its end; None while it waits, is interrupted, or is done.
    cut
        Whether a more urgent one has taken its lane (rule S35); it waits in its place in the queue.
    parked
        Whether a closing has taken its lane away; it goes on before anybody starts.
    """

    __slots__ = (
        "cut",
        "due_h",
        "ending",
        "group",
        "lane",
        "parked",
        "pool",
        "rank",
        "remaining_h",
        "requeued",
        "staffed",
    )

    def __init__(self, consignment: Consignment, now: float, service_h: float, group: int, rank: int) -> None:
        super().__init__(consignment, now, service_h, _NO_CALLBACKS)
        self.group, self.rank = group, rank
        self.pool = self.lane = 0
        self.remaining_h = service_h
        self.due_h = now
        self.ending: Ending | None = None
        self.cut = self.parked = self.requeued = self.staffed = False

    @property
    def key(self) -> Key:
        """Queue order (rules S04, S05); interrupted ones that were put back stand at the head."""
        return 0 if self.requeued else 1, self.rank, self.join_h, self.ready_h, self.consignment.number

    @property
    def kind(self) -> tuple[int, int, StepNow]:
        """What an announced wait asks of one that waits: its group, its rank and its step."""
        return self.group, self.rank, self.consignment.steps[self.step]


class Ending(Happening):
    """The end of a stay, void if the stay no longer names it."""

    __slots__ = ("stay",)

    def __init__(self, stay: StationVisit, callbacks: list[Callable[[Event], None]]) -> None:
        super().__init__(callbacks)
        self.stay = stay


class StationQueue:
    """Those waiting at one station, one heap for each group of lanes they may use.

    Consignments put back by an outage or a more urgent one are not counted in
    `waiting`: they have left the yard. `counts` says how many wait by group, rank and step of their
    itinerary; it is kept only where waits are announced.
    """

    __slots__ = ("counts", "groups", "waiting")

    def __init__(self, groups: int, *, counted: bool = False) -> None:
        self.groups: list[list[tuple[Key, StationVisit]]] = [[] for _ in range(groups)]
        self.waiting = 0
        self.counts: dict[tuple[int, int, StepNow], int] | None = {} if counted else None

    def add(self, stay: StationVisit) -> None:
        """Line up."""
        heappush(self.groups[stay.group], (stay.key, stay))
        self.waiting += not (stay.requeued or stay.cut)
        if self.counts is not None:
            kind = stay.kind
            self.counts[kind] = self.counts.get(kind, 0) + 1

    def drop(self, stay: StationVisit) -> None:
        """One who waits leaves the queue."""
        heap = self.groups[stay.group]
        heap.remove((stay.key, stay))
        heapify(heap)
        self.waiting -= 1
        if self.counts is not None:
            self.counts[stay.kind] -= 1

    def take(self, group: int) -> StationVisit:
        """The first of a group, which leaves the queue."""
        stay = heappop(self.groups[group])[1]
        self.waiting -= not (stay.requeued or stay.cut)
        if self.counts is not None:
            self.counts[stay.kind] -= 1
        return stay


class Reservations:
    """Which lanes are for which flows: the general pool 0 and one pool a reservation.

    The lanes that are open are given to the reservations first, in their order;
    the general pool has what is left. A flow belongs to the first reservation
    that names it. A reservation of no lanes binds nobody: as long as it lasts its
    flows stand in line for the general lanes, and those of them still in a lane of
    their own count there.
    """

    __slots__ = ("_lanes", "_overflow", "bound", "capacity", "group_of", "idle", "used")

    def __init__(self, station: Station, flows: int, start_h: float) -> None:
        self._lanes = [DatedValue(reservation.lanes, start_h) for reservation in station.reserved]
        self._overflow = [True] + [reservation.overflow for reservation in station.reserved]
        self.group_of = [
            next((k for k, reservation in enumerate(station.reserved, 1) if flow in reservation.flows), 0)
            for flow in range(flows)
        ]
        self.bound = [False] * (1 + len(self._lanes))
        """Whether the flows of each group have lanes of their own now; group 0 has none."""
        self.capacity = [0] * (1 + len(self._lanes))
        self.used = [0] * (1 + len(self._lanes))
        self.idle = True
        """Whether a lane is idle at all: lanes of their own identity may all be held while a pool has room."""

    def share_out(self, lanes: int, now: float) -> None:
        """Give `lanes` open lanes to the pools."""
        for k, reserved in enumerate(self._lanes, 1):
            wanted = int(reserved.at(now))
            self.bound[k] = wanted > 0
            self.capacity[k] = min(wanted, lanes)
            lanes -= self.capacity[k]
        self.capacity[0] = lanes

    def pool_for(self, group: int) -> int:
        """The pool that would take one of `group` now, its own first; -1 if none."""
        if not self.idle:
            return -1
        if self.bound[group]:
            if self.used[group] < self.capacity[group]:
                return group
            if not self._overflow[group]:
                return -1
        return 0 if self.general < self.capacity[0] else -1

    @property
    def general(self) -> int:
        """How many count in the general pool."""
        return sum(used for used, bound in zip(self.used, self.bound, strict=True) if not bound)

    def line_of(self, group: int) -> int:
        """The line in which a group waits: its own, or 0 where it has no lanes of its own."""
        return group if self.bound[group] else 0

    def pools_of(self, group: int) -> tuple[int, ...]:
        """The pools that may take one of `group`."""
        if self.bound[group]:
            return (group, 0) if self._overflow[group] else (group,)
        return tuple(pool for pool, bound in enumerate(self.bound) if not bound)


class Staff:
    """A staff pool in one replication."""

    __slots__ = ("_members", "_used", "stations")

    def __init__(self, pool: PlanStaffPool, start_h: float) -> None:
        self._members = DatedValue(pool.members, start_h)
        self._used = 0
        self.stations: list[Settles] = []

    def has(self, members: int, now: float) -> bool:
        """Whether so many are free. A fall of the pool takes no member from a service under way."""
        return self._used + members <= self._members.at(now)

    def take(self, members: int) -> None:
        """Hold members."""
        self._used += members

    def give_back(self, members: int, clock: EventClock) -> None:
        """Free members, for whichever station of the pool settles first."""
        self._used -= members
        for station in self.stations:
            clock.touch(station)


class Outages:
    """Which lanes are down: station-wide, or each lane for itself (calendar clock, rule S26).

    Overlapping outages add up: a lane is up again when the last of them is over.
    """

    __slots__ = ("_ahead", "_count", "instants_h")

    def __init__(self, outages: Iterable[tuple[float, float, int | None]], lanes: int) -> None:
        changes = [
            change
            for from_h, until_h, lane in outages
            if from_h < until_h
            for change in ((from_h, lane, 1), (until_h, lane, -1))
        ]
        self.instants_h = sorted({change[0] for change in changes})
        self._ahead = sorted(changes, key=lambda change: -change[0])
        self._count = [0] * lanes

    def go_to(self, now: float) -> set[int]:
        """Bring the state to `now`; the lanes that have newly gone down."""
        before = [count > 0 for count in self._count]
        while self._ahead and self._ahead[-1][0] <= now:
            _, lane, change = self._ahead.pop()
            for k in range(len(self._count)) if lane is None else (lane - 1,):
                self._count[k] += change
        return {k for k, count in enumerate(self._count) if count > 0 and not before[k]}

    def down(self, lane: int) -> bool:
        """Whether the lane (from 0) is down."""
        return self._count[lane] > 0


class OpenIntervals:
    """When a station opens and closes: the maximal intervals with a positive capacity."""

    __slots__ = ("_closings_h", "_next", "longest_h")

    def __init__(self, station: Station, start_h: float, horizon_h: float) -> None:
        from_h, lanes = station.lanes.from_h.tolist(), station.lanes.value.tolist()
        opened: float | None = start_h if lanes[0] > 0 else None
        self._closings_h: list[float] = []
        self.longest_h = 0.0
        for at, value in zip(from_h, lanes, strict=True):
            if value > 0 and opened is None:
                opened = max(at, start_h)
            elif value == 0 and opened is not None:
                self._closings_h.append(at)
                if opened <= horizon_h:
                    self.longest_h = max(self.longest_h, at - opened)
                opened = None
        self._closings_h.append(inf)
        if opened is not None and opened <= horizon_h:
            self.longest_h = inf
        self._next = 0

    def closing_h(self, now: float) -> float:
        """The first closing later than `now`, inf if there is none. [h]"""
        while self._closings_h[self._next] <= now:
            self._next += 1
        return self._closings_h[self._next]
