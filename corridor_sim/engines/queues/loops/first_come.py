"""First come first served: lanes that are always open, and pooled lanes of dated number."""

from __future__ import annotations

from math import inf

from corridor_sim.core.units import FloatArray
from corridor_sim.engines.queues.layout import IntArray
from corridor_sim.plan.elements import Closing

FINISH, NO_OVERRUN, CLEAR_QUEUE, RESTART = range(4)
CLOSING: dict[Closing, int] = {
    "finish": FINISH,
    "no_overrun": NO_OVERRUN,
    "clear_queue": CLEAR_QUEUE,
    "restart": RESTART,
}
"""What closing does, as a number ("suspend" is "finish" in operational time)."""


def fifo(arrival: FloatArray, service: FloatArray, free: FloatArray, start: FloatArray) -> None:
    """First come first served, lanes always open.

    `free` holds the sorted lane-free times, (replication, lane), and is moved on; `start` is
    filled, inf for padding. The finish walks up the sorted lanes: O(lanes) at worst.
    """
    count, length = arrival.shape
    lanes = free.shape[1]
    for k in range(count):
        for i in range(length):
            joined = arrival[k, i]
            if not joined < inf:
                for rest in range(i, length):
                    start[k, rest] = inf
                break
            begin = free[k, 0]
            if joined > begin:
                begin = joined
            start[k, i] = begin
            end = begin + service[k, i]
            lane = 1
            while lane < lanes and free[k, lane] < end:
                free[k, lane - 1] = free[k, lane]
                lane += 1
            free[k, lane - 1] = end


def pooled(
    arrival: FloatArray,
    service: FloatArray,
    begin_of: FloatArray,
    value_of: IntArray,
    closes_of: FloatArray,
    reopens_of: FloatArray,
    closing: int,
    busy: FloatArray,
    last: FloatArray,
    start: FloatArray,
    finish: FloatArray,
) -> None:
    """First come first served, pooled lanes of dated number.

    `begin_of`, `value_of`, `closes_of` and `reopens_of` are columns of `Pieces`; the last two
    are read where `closing` looks ahead. `busy` (replication, largest capacity; sorted) and
    `last` (1, replication) are the `Pool`, moved on; `start` and `finish` hold inf and are
    filled. O(capacity) a consignment at worst, and each piece is passed once.
    """
    count, length = arrival.shape
    size, last_piece = busy.shape[1], begin_of.shape[1] - 1
    rows = begin_of.shape[0]
    for k in range(count):
        row = k if rows > 1 else 0
        piece = 0
        while piece < last_piece and begin_of[row, piece + 1] <= last[0, k]:
            piece += 1
        low = begin_of[row, piece]
        until = begin_of[row, piece + 1] if piece < last_piece else inf
        for i in range(length):
            joined, needs = arrival[k, i], service[k, i]
            if not joined < inf:
                break
            while True:
                open_ = value_of[row, piece]
                if open_ == 0 and closing == CLEAR_QUEUE and piece > 0 and joined < low:
                    open_ = value_of[row, piece - 1]
                begin = inf
                if open_ > 0:
                    begin = busy[k, size - open_]
                    if low > begin:
                        begin = low
                    if joined > begin:
                        begin = joined
                if begin < until and not (closing == NO_OVERRUN and begin + needs > closes_of[row, piece]):
                    break
                if piece == last_piece:
                    begin = inf
                    break
                piece += 1
                low = begin_of[row, piece]
                until = begin_of[row, piece + 1] if piece < last_piece else inf
            end = begin + needs
            if closing == RESTART and end < inf:
                again = piece
                while end > closes_of[row, again]:
                    reopen = reopens_of[row, again]
                    end = reopen + needs
                    if reopen == inf:
                        break
                    while again < last_piece and begin_of[row, again + 1] <= reopen:
                        again += 1
            start[k, i], finish[k, i], last[0, k] = begin, end, begin
            lane = 1
            while lane < size and busy[k, lane] < end:
                busy[k, lane - 1] = busy[k, lane]
                lane += 1
            busy[k, lane - 1] = end
