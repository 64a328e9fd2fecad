"""What a kernel of `engines.queues` reads and remembers at one queue, as tables of two axes; many in flat arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import FloatArray
from corridor_sim.engines.batch.servers import group_of, longest_opening
from corridor_sim.engines.compiled import codes
from corridor_sim.engines.queues import Hours, KeptLanes, loops
from corridor_sim.engines.queues.lanes import Calendar, lane_count
from corridor_sim.engines.queues.layout import Pieces
from corridor_sim.engines.queues.limited_legs import limit_of, room_of
from corridor_sim.plan.elements import Departures, LimitedLeg, PlanOutage, Station

Ints = NDArray[np.int64]
MOST = 8
"""Most tables of one sort that a kernel has."""


@dataclass(frozen=True, slots=True, eq=False)
class KernelTables:
    """Of one queue.

    Attributes
    ----------
    times, counts
        What the kernel reads, in the order in which `machine.by_kernel` hands it on.
    kept
        Shapes of what it remembers, -inf at first; columns are at most as many as there are consignments in a
        replication where the shape says so (`True`).
    scratch
        Shapes of tables of whole numbers that it works with.
    """

    times: Sequence[FloatArray] = ()
    counts: Sequence[Ints] = ()
    kept: Sequence[tuple[int, int, bool]] = ()
    scratch: Sequence[tuple[int, int]] = ()


def number(value: int) -> Ints:
    """A single whole number as a table."""
    return np.array([[value]], dtype=np.int64)


def of_leg(leg: LimitedLeg) -> KernelTables:
    """Of `loops.limited_leg`."""
    headway = leg.headway_h
    apart = (np.empty((1, 0)), np.empty((1, 0)))
    if headway is not None:
        apart = headway.from_h[None, :], headway.value[None, :]
    room: Pieces = room_of(leg.open, leg.max_vehicles)
    inside = (1, limit_of(leg.max_vehicles), True)
    return KernelTables(
        (*apart, room.start_h), (room.value, number(int(leg.no_overtaking))), (inside, *[(1, 1, False)] * 3)
    )


def of_hours(station: Station, lanes: StepFunction, works: Pieces | None, horizon_h: float) -> tuple[int, KernelTables]:
    """Kind and tables of `loops.pooled` or `loops.parked`, for some of the lanes of a station."""
    hours = Hours.of(Pieces.of(lanes), station.closing, works, station.lanes)
    pieces, clock = hours.pieces.row(0), hours.clock
    stretches = (np.empty((1, 0)),) * 3 if clock is None else tuple(part[None, :] for part in clock.stretches[0])
    longest_h = longest_opening(station.lanes, horizon_h) if station.closing == "no_overrun" else np.inf
    ahead = pieces.closes_h(), pieces.reopens_h()
    times = (pieces.start_h, *ahead, *stretches, np.array([[longest_h]]))
    kept = (*hours.pool(1).busy_h.shape, False), (1, 1, False)
    if hours.window is None:
        code = loops.CLOSING[hours.closing]
        return codes.HOURS, KernelTables(times, (pieces.value, number(code), number(clock is not None)), kept)
    counts = pieces.value, number(hours.closing == "restart"), number(clock is not None), hours.window[:1]
    return codes.PARKED, KernelTables(times, counts, kept)


def of_single_lanes(station: Station, outages: Sequence[PlanOutage]) -> KernelTables:
    """Of `loops.lanes`."""
    lanes = station.named or station.lanes
    size = lane_count(lanes, [outages])
    edge, is_open, is_up, fails, returns, pooled = Calendar(lanes, outages, size).as_arrays()
    # What requeues has no kernel (`has_kernel`): here nothing is ever down.
    policy = "resume" if station.outage_policy == "requeue" else station.outage_policy
    counts = is_open, is_up, number(pooled), number(loops.POLICY[policy])
    return KernelTables((edge, fails, returns), counts, ((1, size, False), (1, 1, False)))


def of_reservations(station: Station, flows: int) -> KernelTables:
    """Of `loops.reserved`."""
    kept = KeptLanes.of(station.lanes, [(one.lanes, one.overflow) for one in station.reserved], 1)
    rank = np.array(station.rank or (0,) * flows, dtype=np.int64)
    rank -= rank.min(initial=0)
    ranks, pools = int(rank.max(initial=0)) + 1, len(kept.room)
    line = np.array([group_of(station, flow) for flow in range(flows)], dtype=np.int64) * ranks + rank
    return KernelTables(
        (kept.begin_h,),
        (kept.room, kept.bound, kept.overflow, number(ranks), line[None, :]),
        ((*kept.busy_h.shape, False), (1, 1, False)),
        ((2, pools * ranks), (1, pools)),
    )


def of_full_loads(element: Departures, crossing_h: FloatArray | None) -> KernelTables:
    """Of `machine.full_loads`; crossings of one replication by departure."""
    crossing = np.empty(0) if crossing_h is None else crossing_h
    return KernelTables(
        (crossing[None, :],), (number(element.when_full or 1), number(crossing_h is not None)), ((1, 1, False),)
    )


def of_classes(element: Departures, crossing_h: FloatArray | None, cancelled: NDArray[np.bool_] | None) -> KernelTables:
    """Of `machine.by_class`; crossings and cancellations of one replication by departure."""
    departures = len(element.depart_h)
    crossing = np.zeros(departures) if crossing_h is None else crossing_h[:departures]
    places = element.places if cancelled is None else np.where(cancelled[:departures], 0, element.places)
    rank, classes = np.unique(element.priority or (), return_inverse=True)
    counts = np.asarray(places, dtype=np.int64)[None, :], classes.astype(np.int64)[None, :]
    return KernelTables(
        (element.depart_h[None, :], crossing[None, :]), counts, ((1, 1, False),), ((2, max(len(rank), 1)),)
    )


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """Tables of many queues, one after the other; table k of queue q has ``at[q, k]``: begin, rows, columns."""

    times: FloatArray
    times_at: Ints
    counts: Ints
    counts_at: Ints


def packed(queues: Sequence[KernelTables]) -> Packed:
    """All tables of all queues in flat arrays."""
    times, times_at = _flat([one.times for one in queues])
    counts, counts_at = _flat([one.counts for one in queues])
    return Packed(times.astype(np.float64), times_at, counts.astype(np.int64), counts_at)


def _flat(lists: Sequence[Sequence[NDArray[Any]]]) -> tuple[NDArray[Any], Ints]:
    at, size = np.zeros((len(lists), MOST, 3), dtype=np.int64), 0
    flat: list[NDArray[Any]] = [np.empty(0, dtype=np.int64)]
    for q, tables in enumerate(lists):
        for k, table in enumerate(tables):
            at[q, k] = size, *table.shape
            flat.append(table.ravel())
            size += table.size
    return np.concatenate(flat), at


def kept(queues: Sequence[KernelTables], consignments: int) -> tuple[FloatArray, Ints]:
    """What the kernels remember before the first consignment, and where."""
    at, size = np.zeros((len(queues), MOST, 3), dtype=np.int64), 0
    for q, one in enumerate(queues):
        for k, (rows, columns, at_most) in enumerate(one.kept):
            columns = min(columns, consignments) if at_most else columns
            at[q, k] = size, rows, columns
            size += rows * columns
    return np.full(size, -np.inf), at


def scratch(queues: Sequence[KernelTables]) -> tuple[Ints, Ints]:
    """Tables of whole numbers to work with, and where."""
    at, size = np.zeros((len(queues), MOST, 3), dtype=np.int64), 0
    for q, one in enumerate(queues):
        for k, (rows, columns) in enumerate(one.scratch):
            at[q, k] = size, rows, columns
            size += rows * columns
    return np.zeros(size, dtype=np.int64), at
