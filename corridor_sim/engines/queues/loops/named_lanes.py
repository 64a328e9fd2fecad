"""Lanes that open and fail one by one."""

from __future__ import annotations

from math import inf

from corridor_sim.core.units import FloatArray
from corridor_sim.engines.queues.layout import IntArray
from corridor_sim.plan.elements import OutagePolicy

RESUMED, RESTARTED, COMPLETED = range(3)
POLICY: dict[OutagePolicy, int] = {"resume": RESUMED, "restart": RESTARTED, "finish": COMPLETED}
"""What happens to a service that an outage interrupts, as a number."""


def lanes(
    arrival: FloatArray,
    service: FloatArray,
    edge: FloatArray,
    is_open: IntArray,
    is_up: IntArray,
    fails: FloatArray,
    returns: FloatArray,
    pooled: int,
    policy: int,
    free: FloatArray,
    last: FloatArray,
    start: FloatArray,
    finish: FloatArray,
) -> None:
    """The lowest lane that is idle, open and up, for replications that share one calendar.

    From `edge`, shape (1, piece), on, lane j is open where `is_open` and up where `is_up`, shape
    (piece, lane), are 1; it is down from `fails` to `returns`, shape (lane, outage), padded with
    inf. `free` (replication, lane) and `last` (1, replication) are moved on; `start` and
    `finish` hold inf and are filled. O(lanes) steps for each change that is waited through.
    """
    count, length = arrival.shape
    last_piece, size = edge.shape[1] - 1, free.shape[1]
    for k in range(count):
        now = last[0, k]
        piece = 0
        for i in range(length):
            joined, needs = arrival[k, i], service[k, i]
            if not joined < inf:
                break
            if joined > now:
                now = joined
            lane = -1
            while now < inf:
                while piece < last_piece and edge[0, piece + 1] <= now:
                    piece += 1
                room, held = 0, 0
                nearest = edge[0, piece + 1] if piece < last_piece else inf
                for j in range(size):
                    room += is_open[piece, j]
                    if free[k, j] > now:
                        held += is_up[piece, j]
                        if free[k, j] < nearest:
                            nearest = free[k, j]
                    elif lane < 0 and is_open[piece, j]:
                        lane = j
                if pooled and held >= room:
                    lane = -1
                if lane >= 0:
                    break
                now = nearest
            end = now
            if lane >= 0:
                end = now + needs
                if policy != COMPLETED:
                    for outage in range(fails.shape[1]):
                        if fails[lane, outage] > now:
                            if end <= fails[lane, outage]:
                                break
                            if policy == RESUMED:
                                end = end + (returns[lane, outage] - fails[lane, outage])
                            else:
                                end = returns[lane, outage] + needs
                free[k, lane] = end
            start[k, i], finish[k, i] = now, end
        last[0, k] = now
