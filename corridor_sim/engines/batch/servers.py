"""What happens at each kind of element: one small class each, fed block of time by block of time.

A server is given all who join in the block, in queue order, and answers with
starts, finishes and departures. A new mechanism gets its kernel in `engines.queues`,
a class here, its line in `server_for`, and leaves `refusals.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.errors import SimulationError
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import FloatArray
from corridor_sim.engines import queues
from corridor_sim.engines.batch.merging import Joining
from corridor_sim.engines.queues.layout import Pieces
from corridor_sim.plan.elements import Delay, Departures, LimitedLeg, PlanOutage, Quota, Station
from corridor_sim.plan.plan import Plan
from corridor_sim.records.inputs import SampledInputs


@dataclass(slots=True, eq=False)
class Served:
    """Times at an element, shape (replication, visit); inf for never.

    `decided` is False for those whose start depends on who joins later: they are
    handed in again with the next block. None = all are decided.
    """

    start_h: FloatArray
    finish_h: FloatArray
    leave_h: FloatArray
    service_h: FloatArray
    decided: NDArray[np.bool_] | None = None


class Server(Protocol):
    """One element in all replications of a run.

    Attributes
    ----------
    MOVES_ON
        Names of the attributes in which it remembers what went on before a block of time; none where a
        start does not depend on durations.
    """

    MOVES_ON: ClassVar[tuple[str, ...]]

    @property
    def looks_ahead(self) -> bool:
        """Whether a service may only start if it is short enough."""
        ...

    def serve(self, joining: Joining, until_h: float, *, last: bool) -> Served:
        """Serve those who join before `until_h`; `last` if none come after them."""
        ...


@dataclass(frozen=True, slots=True)
class DelayServer:
    """Time without a queue: every consignment starts at once."""

    MOVES_ON: ClassVar[tuple[str, ...]] = ()
    looks_ahead = False

    def serve(self, joining: Joining, until_h: float, *, last: bool) -> Served:  # noqa: ARG002
        """Start at once."""
        leave = joining.join_h + joining.service_h
        return Served(joining.join_h, leave, leave, joining.service_h)


class ConstantLanes:
    """First come first served, lanes that are always open."""

    MOVES_ON: ClassVar[tuple[str, ...]] = ("free_h",)
    looks_ahead = False

    def __init__(self, lanes: int, rows: int) -> None:
        self.lanes, self.free_h = lanes, np.full((rows, lanes), -np.inf)

    def serve(self, joining: Joining, until_h: float, *, last: bool) -> Served:  # noqa: ARG002
        """Serve in order."""
        start = queues.fifo(joining.join_h, joining.service_h, self.lanes, free_h=self.free_h)
        finish = start + joining.service_h
        return Served(start, finish, finish, joining.service_h)


class DatedLanes:
    """First come first served, pooled lanes of dated number, outages of the whole station."""

    MOVES_ON: ClassVar[tuple[str, ...]] = ("pool",)

    def __init__(
        self, station: Station, lanes: StepFunction, works: Pieces | None, rows: int, horizon_h: float
    ) -> None:
        self.id = station.id
        self.hours = queues.Hours.of(Pieces.of(lanes), station.closing, works, station.lanes)
        self.pool = self.hours.pool(rows)
        self.looks_ahead = station.closing == "no_overrun"
        self.longest_h = longest_opening(station.lanes, horizon_h) if station.closing == "no_overrun" else np.inf

    def serve(self, joining: Joining, until_h: float, *, last: bool) -> Served:  # noqa: ARG002
        """Serve in order."""
        if (joining.service_h > self.longest_h).any():
            raise SimulationError(
                f"{self.id}: a service takes {joining.service_h.max():g} h, longer than any time the station is open "
                f"({self.longest_h:g} h); with closing 'no_overrun' it could never start"
            )
        start, finish = queues.pooled(joining.join_h, joining.service_h, self.hours, pool=self.pool)
        return Served(start, finish, finish, joining.service_h)


class UrgentFirst:
    """Non-preemptive priority."""

    MOVES_ON: ClassVar[tuple[str, ...]] = ("pool",)
    looks_ahead = False

    def __init__(self, rank: tuple[int, ...], capacity: Pieces, rows: int) -> None:
        self.rank = np.array([*rank, 0])
        self.capacity, self.pool = capacity, queues.Pool.empty(rows, capacity.largest)

    def serve(self, joining: Joining, until_h: float, *, last: bool) -> Served:
        """Serve those who start before `until_h`."""
        rank = self.rank[joining.flow]
        limit = np.inf if last else until_h
        start = queues.priority(joining.join_h, joining.service_h, rank, self.capacity, pool=self.pool, until_h=limit)
        finish = start + joining.service_h
        return Served(start, finish, finish, joining.service_h, None if last else np.isfinite(start))


class DatedReservations:
    """Reserved lanes that begin or end within the run, or from which their flows may overflow."""

    MOVES_ON: ClassVar[tuple[str, ...]] = ("kept",)
    looks_ahead = False

    def __init__(self, station: Station, flows: int, rows: int) -> None:
        self.group = np.array([group_of(station, flow) for flow in range(flows)] + [0])
        self.rank = np.array([*(station.rank or (0,) * flows), 0])
        self.rank -= self.rank.min()
        self.kept = queues.KeptLanes.of(station.lanes, [(one.lanes, one.overflow) for one in station.reserved], rows)

    def serve(self, joining: Joining, until_h: float, *, last: bool) -> Served:
        """Serve whoever starts before `until_h`."""
        start = queues.reserved(
            joining.join_h,
            joining.service_h,
            self.group[joining.flow],
            self.kept,
            rank=self.rank[joining.flow],
            until_h=np.inf if last else until_h,
        )
        finish = start + joining.service_h
        return Served(start, finish, finish, joining.service_h, None if last else np.isfinite(start))


class NamedLanes:
    """Lanes that keep their identity."""

    MOVES_ON: ClassVar[tuple[str, ...]] = ("free_h", "last_h")
    looks_ahead = False

    def __init__(self, station: Station, outages: Sequence[Sequence[PlanOutage]]) -> None:
        self.capacity: StepFunction | Sequence[StepFunction] = station.named or station.lanes
        self.outages, self.policy = outages, station.outage_policy
        rows = len(outages)
        self.free_h = np.full((rows, queues.lane_count(self.capacity, outages)), -np.inf)
        self.last_h = np.full(rows, -np.inf)

    def serve(self, joining: Joining, until_h: float, *, last: bool) -> Served:  # noqa: ARG002
        """Serve in order."""
        start, finish = queues.lanes(
            joining.join_h,
            joining.service_h,
            self.capacity,
            self.outages,
            self.policy,
            free_h=self.free_h,
            last_h=self.last_h,
        )
        return Served(start, finish, finish, joining.service_h)


class Pools:
    """Reserved lanes without overflow: several stations in one, each with its own flows."""

    MOVES_ON: ClassVar[tuple[str, ...]] = ("servers",)

    def __init__(self, station: Station, flows: int, servers: Sequence[Server]) -> None:
        self.group = np.array([group_of(station, flow) for flow in range(flows)] + [-1])
        self.servers = servers
        self.looks_ahead = any(server.looks_ahead for server in servers)

    def serve(self, joining: Joining, until_h: float, *, last: bool) -> Served:
        """Serve each pool for itself."""
        shape = joining.join_h.shape
        columns = [np.full(shape, np.inf) for _ in range(3)]
        decided = np.ones(shape, dtype=bool)
        group = self.group[joining.flow]
        for k, server in enumerate(self.servers):
            mine = group == k
            if not mine.any():
                continue
            order = np.argsort(~mine, axis=1, kind="stable")[:, : int(mine.sum(axis=1).max())]
            inside = np.take_along_axis(mine, order, axis=1)
            part = joining.some(order, inside)
            served = server.serve(part, until_h, last=last)
            row, column = np.nonzero(inside)
            place = (row, order[row, column])
            for whole, one in zip(columns, (served.start_h, served.finish_h, served.leave_h), strict=True):
                whole[place] = one[row, column]
            if served.decided is not None:
                decided[place] = served.decided[row, column]
        start, finish, leave = columns
        return Served(start, finish, leave, joining.service_h, None if decided.all() else decided)


class LimitedLegServer:
    """A leg whose entry is limited."""

    MOVES_ON: ClassVar[tuple[str, ...]] = ("state",)
    looks_ahead = False

    def __init__(self, leg: LimitedLeg, rows: int) -> None:
        self.leg, self.state = leg, queues.LegState.empty(rows, leg.max_vehicles)

    def serve(self, joining: Joining, until_h: float, *, last: bool) -> Served:
        """Let in, in order."""
        leg = self.leg
        if leg.headway_h is None and leg.open is None and leg.max_vehicles is None and not leg.no_overtaking:
            return DelayServer().serve(joining, until_h, last=last)
        enter, leave = queues.limited_leg(
            joining.join_h,
            joining.service_h,
            headway_h=leg.headway_h,
            open=leg.open,
            max_vehicles=leg.max_vehicles,
            no_overtaking=leg.no_overtaking,
            leg=self.state,
        )
        return Served(enter, leave, leave, joining.service_h)


class DeparturesServer:
    """Departures and slots with places, or departures when full; crossings are not of those who join."""

    MOVES_ON: ClassVar[tuple[str, ...]] = ()
    looks_ahead = False

    def __init__(
        self,
        element: Departures,
        crossing_h: FloatArray | None,
        cancelled: NDArray[np.bool_] | None,
        rows: int,
        horizon_h: float,
    ) -> None:
        self.element, self.crossing_h, self.horizon_h = element, crossing_h, horizon_h
        places = np.asarray(element.places, dtype=np.int64)
        if not element.when_full and (np.diff(element.depart_h) < 0).any():
            raise SimulationError(f"{element.id}: departures must be in order of time")
        self.places = places if cancelled is None else np.where(cancelled[:, : len(places)], 0, places)
        self.quay = queues.Quay.empty(rows)
        self.first = np.zeros(rows, dtype=np.int64)
        self.next = 0

    def serve(self, joining: Joining, until_h: float, *, last: bool) -> Served:
        """Board; the load lands together."""
        element = self.element
        decided: NDArray[np.bool_] | None = None
        if element.when_full:
            departure, start = queues.when_full(joining.join_h, element.when_full, first=self.first)
            self.first = np.maximum(self.first, departure.max(axis=1, initial=-1) + 1)
            decided = None if last else departure >= 0
        elif element.priority is not None:
            rank = np.array([*element.priority, 0])[joining.flow]
            limit = np.inf if last else until_h
            departure, start = queues.timetable_by_class(
                joining.join_h, element.depart_h, self.places, rank, first=self.next, until_h=limit
            )
            self.next = int(np.searchsorted(element.depart_h, limit, side="left"))
            decided = None if last else departure >= 0
        else:
            departure, start = queues.timetable(
                joining.join_h, element.depart_h, self.places, quay=self.quay, until_h=until_h
            )
        crossing = np.zeros(start.shape)
        if self.crossing_h is not None:
            sails = departure >= 0
            most = self.crossing_h.shape[1]
            if (departure >= most).any():
                soon = (departure >= most) & (start < until_h)
                if soon.any():
                    raise SimulationError(f"{element.id}: {most} crossings were drawn, one more is needed")
                sails &= departure < most
            row = np.broadcast_to(np.arange(len(departure))[:, None], departure.shape)
            crossing[sails] = self.crossing_h[row[sails], departure[sails]]
        landing = start + crossing
        # A consignment that has not departed by the horizon has no crossing.
        return Served(start, landing, landing, np.where(start <= self.horizon_h, crossing, np.nan), decided)


class QuotaServer:
    """Daily acceptance."""

    MOVES_ON: ClassVar[tuple[str, ...]] = ()
    looks_ahead = False

    def __init__(self, element: Quota, rows: int) -> None:
        self.element, self.quay = element, queues.Quay.empty(rows)

    def serve(self, joining: Joining, until_h: float, *, last: bool) -> Served:  # noqa: ARG002
        """Take over in order."""
        start = queues.quota(
            joining.join_h,
            self.element.day_start_h,
            self.element.per_day,
            open=self.element.open,
            quay=self.quay,
            until_h=until_h,
        )
        return Served(start, start, start, np.zeros(start.shape))


def group_of(station: Station, flow: int) -> int:
    """0 for the general lanes, or 1 + the number of the first reservation that names the flow."""
    return next((k for k, reservation in enumerate(station.reserved, 1) if flow in reservation.flows), 0)


def longest_opening(lanes: StepFunction, horizon_h: float) -> float:
    """The longest stretch with a lane open that begins by the horizon."""
    longest, opened = 0.0, (0.0 if lanes.value[0] > 0 else None)
    for at, value in zip(lanes.from_h.tolist(), lanes.value.tolist(), strict=True):
        if value > 0 and opened is None:
            opened = max(at, 0.0)
        elif value == 0 and opened is not None:
            if opened <= horizon_h:
                longest = max(longest, at - opened)
            opened = None
    return np.inf if opened is not None and opened <= horizon_h else longest


def shares_of_lanes(station: Station) -> list[StepFunction]:
    """Dated lanes of the general pool and of each reservation (reservations are served first)."""
    edge: FloatArray = np.unique(np.concatenate([station.lanes.from_h, *(r.lanes.from_h for r in station.reserved)]))
    left = station.lanes(edge)
    pools = []
    for reservation in station.reserved:
        own = np.minimum(reservation.lanes(edge), left)
        left = left - own
        pools.append(StepFunction(edge, own))
    return [StepFunction(edge, left), *pools]


def up_of(outages: Sequence[Sequence[PlanOutage]], *, always: bool) -> Pieces | None:
    """1 while a station is up, one row a replication; None if it never goes down."""
    if not any(row for row in outages):
        return None
    rows = []
    for row in outages:
        changes: dict[float, int] = {}
        for outage in row:
            if outage.from_h < outage.until_h:
                changes[outage.from_h] = changes.get(outage.from_h, 0) + 1
                changes[outage.until_h] = changes.get(outage.until_h, 0) - 1
        down, start, value = 0, [-np.inf], [1]
        for at in sorted(changes):
            down += changes[at]
            start.append(at)
            value.append(0 if down else 1)
        rows.append((start, value))
        if always:
            break
    width = max(len(start) for start, _ in rows)
    return Pieces(
        np.array([start + [np.inf] * (width - len(start)) for start, _ in rows]),
        np.array([value + [value[-1]] * (width - len(value)) for _, value in rows], dtype=np.int64),
    )


def server_for(plan: Plan, number: int, inputs: SampledInputs) -> Server:
    """The server of element `number` for the replications of `inputs`.

    Raises
    ------
    SimulationError
        If draws that the element needs are missing.
    """
    element = plan.elements[number]
    rows = len(inputs.replications)
    match element:
        case Delay():
            return DelayServer()
        case LimitedLeg():
            return LimitedLegServer(element, rows)
        case Quota():
            return QuotaServer(element, rows)
        case Departures():
            if element.crossing is not None and number not in inputs.crossing_h:
                raise SimulationError(f"{element.id}: no crossing times were drawn")
            if element.cancel > 0 and number not in inputs.cancelled and element.when_full is None:
                raise SimulationError(f"{element.id}: no cancellations were drawn")
            return DeparturesServer(
                element, inputs.crossing_h.get(number), inputs.cancelled.get(number), rows, plan.horizon_h
            )
    return _station(plan, element, number, inputs)


def _station(plan: Plan, station: Station, number: int, inputs: SampledInputs) -> Server:
    rows = len(inputs.replications)
    drawn = inputs.outages.get(number)
    if station.breakdown is not None and drawn is None:
        raise SimulationError(f"{station.id}: no outages were drawn for its breakdowns")
    outages = [(*station.outages, *(drawn[k] if drawn is not None else ())) for k in range(rows)]
    if station.named is not None or any(outage.lane is not None for row in outages for outage in row):
        return NamedLanes(station, outages)
    works = up_of(outages, always=drawn is None)
    if station.reserved and not station.keeps_lanes_apart:
        return DatedReservations(station, len(plan.flows), rows)
    if station.reserved:
        pools = shares_of_lanes(station)
        return Pools(station, len(plan.flows), [_lanes(plan, station, lanes, works, rows) for lanes in pools])
    return _lanes(plan, station, station.lanes, works, rows)


def _lanes(plan: Plan, station: Station, lanes: StepFunction, works: Pieces | None, rows: int) -> Server:
    if station.rank is not None and len(set(station.rank)) > 1:
        return UrgentFirst(station.rank, Pieces.of(lanes), rows)
    if lanes.is_constant and works is None and lanes.value[0] >= 1:
        return ConstantLanes(int(lanes.value[0]), rows)
    return DatedLanes(station, lanes, works, rows, plan.horizon_h)
