"""What a kernel of `engines.queues` reads and remembers at one queue, as tables of two axes; many in flat arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.units import FloatArray
from corridor_sim.engines.queues.layout import Pieces
from corridor_sim.engines.queues.limited_legs import limit_of, room_of
from corridor_sim.plan.plan import LimitedLeg

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
    """

    times: Sequence[FloatArray] = ()
    counts: Sequence[Ints] = ()
    kept: Sequence[tuple[int, int, bool]] = ()


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
