"""When does each consignment get a lane where lanes are kept for some of them, for a time?

A reservation of no lanes binds nobody (rule D28): before and after it those whom it
names stand in line with all the others. Reservations that bind throughout, without
overflow, are stations of their own and need none of this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import FloatArray
from corridor_sim.engines.queues import compiled, loops
from corridor_sim.engines.queues.layout import IntArray, require_sorted, require_whole, rows_of


@dataclass(slots=True, eq=False)
class KeptLanes:
    """Lanes of a station with reservations over time, and what goes on in them between two blocks of time.

    `room` and `bound`, shape (pool, piece), are the lanes of each pool and whether its
    consignments are bound to it, from `begin_h`, shape (1, piece), on; pool 0 is general.
    `busy_h`, shape (replication, pool times capacity), are ends of services, `last_h` the
    last instant worked on.
    """

    begin_h: FloatArray
    room: IntArray
    bound: IntArray
    overflow: IntArray
    busy_h: FloatArray
    last_h: FloatArray

    @classmethod
    def of(
        cls, capacity: StepFunction | int, reservations: Sequence[tuple[StepFunction | int, bool]], count: int
    ) -> KeptLanes:
        """Open lanes and the reservations in their order, as (lanes kept, overflow), for so many replications.

        Raises ValueError for lanes that are no whole numbers >= 0.
        """
        lanes, *kept = (
            StepFunction.constant(one) if isinstance(one, int) else one
            for one in (capacity, *(wanted for wanted, _ in reservations))
        )
        edge: FloatArray = np.unique(np.concatenate([lanes.from_h, *(one.from_h for one in kept)]))
        require_whole("lanes and other capacities", np.concatenate([lanes.value, *(one.value for one in kept)]))
        left = lanes(edge)
        pools, bound = [left], [np.zeros(len(edge))]
        for wanted in kept:
            own = np.minimum(wanted(edge), left)
            left = left - own
            pools.append(own)
            bound.append(np.sign(wanted(edge)))
        pools[0] = left
        begin = edge.copy()
        begin[0] = -np.inf
        size = max(1, int(max(pool.max() for pool in pools)))
        return cls(
            begin[None, :],
            np.array(pools, dtype=np.int64),
            np.array(bound, dtype=np.int64),
            np.array([[1, *(over for _, over in reservations)]], dtype=np.int64),
            np.full((count, size * len(pools)), -np.inf),
            np.full(count, -np.inf),
        )


def reserved(
    arrival_h: ArrayLike,
    service_h: ArrayLike,
    pool: ArrayLike,
    kept: KeptLanes,
    *,
    rank: ArrayLike = 0,
    until_h: float = np.inf,
) -> FloatArray:
    """Instants at which each consignment gets a lane, with lanes kept for some of them.

    Parameters
    ----------
    arrival_h, service_h : array, shape (consignment,) or (replication, consignment)
        Joining instants, non-decreasing (padding inf), and lane-holding times >= 0. [h]
    pool : array of int, broadcast to the same shape
        1 + the number of the reservation that names the consignment, 0 if there is none.
    kept : KeptLanes
        The lanes, updated in place.
    rank : array of int >= 0, broadcast to the same shape
        Smaller is more urgent; within a rank the order of the arrays holds.
    until_h : float
        Starts at or after this instant are left open (inf), because somebody may still
        join before: hand those consignments in again with the next block.

    Returns
    -------
    array, same shape
        Start instants; inf where there is none before `until_h`. [h]

    Examples
    --------
    Two lanes, of which one is kept for pool 1 from hour 30 on:

    >>> import numpy as np
    >>> kept = KeptLanes.of(2, [(StepFunction([0, 30], [0, 1]), False)], 1)
    >>> reserved(np.array([1.0, 1, 1, 31, 31]), np.full(5, 2.0), np.array([1, 1, 1, 1, 1]), kept)
    array([ 1.,  1.,  3., 31., 33.])
    """
    (arrival, service), back = rows_of(arrival_h, service_h)
    require_sorted(arrival)
    shape = np.shape(arrival_h)
    pools, ranks = (
        np.broadcast_to(np.asarray(one, dtype=np.int64), shape).reshape(arrival.shape) for one in (pool, rank)
    )
    many = int(ranks.max(initial=0)) + 1
    number = len(kept.room)
    start = np.full(arrival.shape, np.inf)
    scratch = (
        np.empty((1, arrival.shape[1]), dtype=np.int64),
        np.empty((2, number * many), dtype=np.int64),
        np.empty((1, number), dtype=np.int64),
    )
    table = kept.begin_h, kept.room, kept.bound, kept.overflow
    loop = compiled.loop(loops.reserved, compiled.SAVED_PLAIN * arrival.size) or loops.reserved
    loop(arrival, service, pools * many + ranks, *table, many, until_h, kept.busy_h, kept.last_h[None], start, *scratch)
    return back(start)
