"""Lanes kept for some, for a time: who is bound to which lanes changes while they wait."""

from __future__ import annotations

from math import inf

from corridor_sim.core.units import FloatArray
from corridor_sim.engines.queues.layout import IntArray


def reserved(
    arrival: FloatArray,
    service: FloatArray,
    line: IntArray,
    begin_of: FloatArray,
    room_of: IntArray,
    bound_of: IntArray,
    overflow: IntArray,
    ranks: int,
    until_h: float,
    busy: FloatArray,
    last: FloatArray,
    start: FloatArray,
    behind: IntArray,
    ends: IntArray,
    used: IntArray,
) -> None:
    """The next in order of rank and joining, of all who have a lane that they may use.

    Pool 0 holds the general lanes. `line` of a consignment is pool times `ranks` plus rank;
    `room_of` and `bound_of`, shape (pool, piece), say how many lanes a pool has and whether
    its consignments are bound to it; those who are not use the general lanes, and count in
    them. With `overflow`, shape (1, pool), those who are bound may use the general lanes too.
    Nobody starts at or after `until_h`. `busy` (replication, pool times capacity) holds ends
    of services in no order and is moved on, as is `last`; `start` holds inf and is filled.
    `behind`, `ends` and `used` (1, pool) are scratch, the first two as in `priority`.
    O(lines + lanes) a start and a change.
    """
    count, length = arrival.shape
    pools, last_piece = room_of.shape[0], begin_of.shape[1] - 1
    size = busy.shape[1] // pools
    for k in range(count):
        now = last[0, k]
        piece = 0
        for one in range(pools * ranks):
            ends[0, one] = -1
        coming, waiting = 0, 0
        while True:
            while piece < last_piece and begin_of[0, piece + 1] <= now:
                piece += 1
            while coming < length and arrival[k, coming] <= now:
                one = line[k, coming]
                if ends[0, one] < 0:
                    ends[0, one] = coming
                else:
                    behind[0, ends[1, one]] = coming
                ends[1, one] = coming
                behind[0, coming] = -1
                coming += 1
                waiting += 1
            best, into = -1, -1
            soonest = inf
            if coming < length:
                soonest = arrival[k, coming]
            if waiting > 0:
                general = 0
                if piece < last_piece and begin_of[0, piece + 1] < soonest:
                    soonest = begin_of[0, piece + 1]
                for pool in range(pools):
                    used[0, pool] = 0
                    for place in range(pool * size, (pool + 1) * size):
                        if busy[k, place] > now:
                            used[0, pool] += 1
                            if busy[k, place] < soonest:
                                soonest = busy[k, place]
                    if pool == 0 or bound_of[pool, piece] == 0:
                        general += used[0, pool]
                for one in range(pools * ranks):
                    who = ends[0, one]
                    if who < 0:
                        continue
                    pool, found = one // ranks, -1
                    bound = pool > 0 and bound_of[pool, piece] > 0
                    if bound and used[0, pool] < room_of[pool, piece]:
                        found = pool
                    elif (not bound or overflow[0, pool] > 0) and general < room_of[0, piece]:
                        found = 0
                    if found < 0:
                        continue
                    if best >= 0:
                        rank, other = one % ranks, best % ranks
                        if rank > other or (rank == other and who > ends[0, best]):
                            continue
                    best, into = one, found
            if best < 0:
                if not (soonest < until_h and soonest < inf):
                    break
                now = soonest
                continue
            who = ends[0, best]
            ends[0, best] = behind[0, who]
            waiting -= 1
            start[k, who] = now
            place = into * size
            while busy[k, place] > now:
                place += 1
            busy[k, place] = now + service[k, who]
        last[0, k] = now
