"""Classes that differ in urgency."""

from __future__ import annotations

from math import inf

from corridor_sim.core.units import FloatArray
from corridor_sim.engines.queues.layout import IntArray


def priority(
    arrival: FloatArray,
    service: FloatArray,
    rank: IntArray,
    begin_of: FloatArray,
    value_of: IntArray,
    until_h: float,
    busy: FloatArray,
    last: FloatArray,
    start: FloatArray,
    behind: IntArray,
    ends: IntArray,
) -> None:
    """The most urgent of those waiting first, pooled lanes of dated number.

    `rank` counts from 0. The arguments are those of `pooled`; no service starts at or after
    `until_h`. Those waiting stand in one chain a class: `behind`, shape (1, consignment),
    says which consignment is behind which, and `ends`, shape (2, class), which are at the head (-1:
    none) and at the tail; both are scratch. O(capacity + classes) a start at worst.
    """
    count, length = arrival.shape
    size, last_piece = busy.shape[1], begin_of.shape[1] - 1
    rows, classes = begin_of.shape[0], ends.shape[1]
    for k in range(count):
        row = k if rows > 1 else 0
        now = last[0, k]
        piece = 0
        while piece < last_piece and begin_of[row, piece + 1] <= now:
            piece += 1
        for urgency in range(classes):
            ends[0, urgency] = -1
        coming, waiting = 0, 0
        while True:
            earliest = now
            if waiting == 0:
                if coming == length or not arrival[k, coming] < inf:
                    break
                if arrival[k, coming] > now:
                    earliest = arrival[k, coming]
            while True:
                open_ = value_of[row, piece]
                begin = inf
                if open_ > 0:
                    begin = busy[k, size - open_]
                    if begin_of[row, piece] > begin:
                        begin = begin_of[row, piece]
                    if earliest > begin:
                        begin = earliest
                if piece == last_piece or begin < begin_of[row, piece + 1]:
                    break
                piece += 1
            if not (begin < until_h and begin < inf):
                break
            while coming < length and arrival[k, coming] <= begin:
                urgency = rank[k, coming]
                if ends[0, urgency] < 0:
                    ends[0, urgency] = coming
                else:
                    behind[0, ends[1, urgency]] = coming
                ends[1, urgency] = coming
                behind[0, coming] = -1
                coming += 1
                waiting += 1
            urgency = 0
            while ends[0, urgency] < 0:
                urgency += 1
            who = ends[0, urgency]
            ends[0, urgency] = behind[0, who]
            waiting -= 1
            start[k, who] = now = begin
            end = begin + service[k, who]
            lane = 1
            while lane < size and busy[k, lane] < end:
                busy[k, lane - 1] = busy[k, lane]
                lane += 1
            busy[k, lane - 1] = end
        last[0, k] = now
