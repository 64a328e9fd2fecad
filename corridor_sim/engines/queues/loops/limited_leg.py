"""A leg with headway, closures or a limit of vehicles."""

from __future__ import annotations

from math import inf

from corridor_sim.core.units import FloatArray
from corridor_sim.engines.queues.layout import IntArray


def limited_leg(
    arrival: FloatArray,
    travel: FloatArray,
    apart_from: FloatArray,
    apart: FloatArray,
    begin_of: FloatArray,
    value_of: IntArray,
    no_overtaking: int,
    inside: FloatArray,
    free: FloatArray,
    last: FloatArray,
    gone: FloatArray,
    enter: FloatArray,
    leave: FloatArray,
) -> None:
    """Entries and exits in order of joining, with headway, closures and a limit of vehicles.

    The headway is `apart` from `apart_from` on, shape (1, piece), no columns without one; at most
    `value_of` from `begin_of` on, one row, may be on the leg. `inside` (replication, limit; no
    columns without one), `free`, `last` and `gone` (1, replication) are the `LegState`, moved on;
    `enter` and `leave` hold inf and are filled. O(limit) a vehicle at worst.
    """
    count, length = arrival.shape
    last_piece, last_step = begin_of.shape[1] - 1, apart.shape[1] - 1
    size = inside.shape[1]
    for k in range(count):
        piece, step = 0, 0
        while piece < last_piece and begin_of[0, piece + 1] <= last[0, k]:
            piece += 1
        for i in range(length):
            joined = arrival[k, i]
            if not joined < inf:
                break
            earliest = last[0, k]
            if free[0, k] > earliest:
                earliest = free[0, k]
            if joined > earliest:
                earliest = joined
            while True:
                room = value_of[0, piece]
                begin = inf
                if room > 0:
                    begin = earliest
                    if begin_of[0, piece] > begin:
                        begin = begin_of[0, piece]
                    if room <= size and inside[k, size - room] > begin:
                        begin = inside[k, size - room]
                if piece == last_piece or begin < begin_of[0, piece + 1]:
                    break
                piece += 1
            last[0, k] = begin
            if last_step >= 0 and begin < inf:
                while step < last_step and apart_from[0, step + 1] <= begin:
                    step += 1
                free[0, k] = begin + apart[0, step]
            end = begin + travel[k, i]
            if no_overtaking:
                if gone[0, k] > end:
                    end = gone[0, k]
                gone[0, k] = end
            enter[k, i], leave[k, i] = begin, end
            if size > 0 and end > inside[k, 0]:
                place = 1
                while place < size and inside[k, place] < end:
                    inside[k, place - 1] = inside[k, place]
                    place += 1
                inside[k, place - 1] = end
