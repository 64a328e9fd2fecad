"""First come first served, where a closing takes the lanes away and fewer may open again."""

from __future__ import annotations

from math import inf

from corridor_sim.core.units import FloatArray
from corridor_sim.engines.queues.layout import IntArray


def parked(
    arrival: FloatArray,
    service: FloatArray,
    begin_of: FloatArray,
    value_of: IntArray,
    window_of: IntArray,
    anew: int,
    busy: FloatArray,
    last: FloatArray,
    start: FloatArray,
    finish: FloatArray,
) -> None:
    """Pooled lanes of dated number; who is interrupted goes on as lanes open, in order of the starts.

    `window_of` numbers the openings, -1 where the station is closed. A service that a closing cuts
    goes on with what is left of it, or `anew`. Whoever started earlier takes a lane first, so each
    opening is a recursion of its own over those who are served in it: `busy` holds the latest ends
    in each, sorted, shape (replication, opening times capacity). The other arguments are those of
    `pooled`. O(capacity) a consignment and opening it is in.
    """
    count, length = arrival.shape
    rows, last_piece = begin_of.shape[0], begin_of.shape[1] - 1
    size = 1
    for r in range(rows):
        for p in range(last_piece + 1):
            if value_of[r, p] > size:
                size = value_of[r, p]
    for k in range(count):
        row = k if rows > 1 else 0
        first = 0
        while first < last_piece and begin_of[row, first + 1] <= last[0, k]:
            first += 1
        for i in range(length):
            joined, left = arrival[k, i], service[k, i]
            if not joined < inf:
                break
            piece, end = first, inf
            while True:
                window, open_ = window_of[row, piece], value_of[row, piece]
                begin = inf
                if window >= 0 and open_ > 0:
                    begin = busy[k, (window + 1) * size - open_]
                    if begin_of[row, piece] > begin:
                        begin = begin_of[row, piece]
                    if joined > begin:
                        begin = joined
                if piece < last_piece and not begin < begin_of[row, piece + 1]:
                    piece += 1
                    continue
                if not start[k, i] < inf:
                    start[k, i], last[0, k], first = begin, begin, piece
                if not begin < inf:
                    break
                while piece < last_piece and window_of[row, piece + 1] == window:
                    piece += 1
                end = begin + left
                cut = piece < last_piece and end > begin_of[row, piece + 1]
                place = window * size
                while place < (window + 1) * size - 1 and busy[k, place + 1] < end:
                    busy[k, place] = busy[k, place + 1]
                    place += 1
                busy[k, place] = end
                if not cut:
                    break
                left = service[k, i] if anew else end - begin_of[row, piece + 1]
                end = inf
                piece += 1
            finish[k, i] = end
