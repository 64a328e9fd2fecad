"""How do the recursions read as plain loops, one consignment after the other, for a compiler?

Every loop serves any number of replications, keeps no more than the state of one, and
does the same maxima and sums in the same order as the numpy forms, so the bits are the
same. Plain Python runs them too, slowly. `compiled` compiles them and lists the types
of their arguments: arrays have shape (replication, consignment) and may be views of
anything; tables of step functions have shape (1 or replication, piece) as in `Pieces`.
A loop calls no other, writes only where its docstring says so, and uses nothing but
numbers and places in arrays, which keeps it quick to compile.
"""

from __future__ import annotations

from corridor_sim.engines.queues.layout import IntArray
from corridor_sim.plan import Closing, OutagePolicy
from corridor_sim.units import FloatArray

INF = float("inf")
FINISH, NO_OVERRUN, CLEAR_QUEUE, RESTART = range(4)
CLOSING: dict[Closing, int] = {
    "finish": FINISH, "no_overrun": NO_OVERRUN, "clear_queue": CLEAR_QUEUE, "restart": RESTART
}  # fmt: skip
"""What closing does, as a number ("suspend" is "finish" in operational time)."""
RESUMED, RESTARTED, COMPLETED = range(3)
POLICY: dict[OutagePolicy, int] = {"resume": RESUMED, "restart": RESTARTED, "finish": COMPLETED}
"""What becomes of a service that an outage meets, as a number."""


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
            if not joined < INF:
                for rest in range(i, length):
                    start[k, rest] = INF
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
        until = begin_of[row, piece + 1] if piece < last_piece else INF
        for i in range(length):
            joined, needs = arrival[k, i], service[k, i]
            if not joined < INF:
                break
            while True:
                open_ = value_of[row, piece]
                if open_ == 0 and closing == CLEAR_QUEUE and piece > 0 and joined < low:
                    open_ = value_of[row, piece - 1]
                begin = INF
                if open_ > 0:
                    begin = busy[k, size - open_]
                    if low > begin:
                        begin = low
                    if joined > begin:
                        begin = joined
                if begin < until and not (closing == NO_OVERRUN and begin + needs > closes_of[row, piece]):
                    break
                if piece == last_piece:
                    begin = INF
                    break
                piece += 1
                low = begin_of[row, piece]
                until = begin_of[row, piece + 1] if piece < last_piece else INF
            end = begin + needs
            if closing == RESTART and end < INF:
                again = piece
                while end > closes_of[row, again]:
                    reopen = reopens_of[row, again]
                    end = reopen + needs
                    if reopen == INF:
                        break
                    while again < last_piece and begin_of[row, again + 1] <= reopen:
                        again += 1
            start[k, i], finish[k, i], last[0, k] = begin, end, begin
            lane = 1
            while lane < size and busy[k, lane] < end:
                busy[k, lane - 1] = busy[k, lane]
                lane += 1
            busy[k, lane - 1] = end


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

    `rank` counts from 0. The arguments are those of `pooled`; nobody starts at or after
    `until_h`. Those waiting stand in one chain a class: `behind`, shape (1, consignment),
    tells who stands behind whom, and `ends`, shape (2, class), who stands at the head (-1:
    nobody) and at the tail; both are scratch. O(capacity + classes) a start at worst.
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
                if coming == length or not arrival[k, coming] < INF:
                    break
                if arrival[k, coming] > now:
                    earliest = arrival[k, coming]
            while True:
                open_ = value_of[row, piece]
                begin = INF
                if open_ > 0:
                    begin = busy[k, size - open_]
                    if begin_of[row, piece] > begin:
                        begin = begin_of[row, piece]
                    if earliest > begin:
                        begin = earliest
                if piece == last_piece or begin < begin_of[row, piece + 1]:
                    break
                piece += 1
            if not (begin < until_h and begin < INF):
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


def lanes(
    arrival: FloatArray,
    service: FloatArray,
    edge: FloatArray,
    is_open: IntArray,
    is_up: IntArray,
    fails: FloatArray,
    returns: FloatArray,
    pooled_: int,
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
            if not joined < INF:
                break
            if joined > now:
                now = joined
            lane = -1
            while now < INF:
                while piece < last_piece and edge[0, piece + 1] <= now:
                    piece += 1
                room, held = 0, 0
                nearest = edge[0, piece + 1] if piece < last_piece else INF
                for j in range(size):
                    room += is_open[piece, j]
                    if free[k, j] > now:
                        held += is_up[piece, j]
                        if free[k, j] < nearest:
                            nearest = free[k, j]
                    elif lane < 0 and is_open[piece, j]:
                        lane = j
                if pooled_ and held >= room:
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


def passage(
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
    columns without one), `free`, `last` and `gone` (1, replication) are the `Leg`, moved on;
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
            if not joined < INF:
                break
            earliest = last[0, k]
            if free[0, k] > earliest:
                earliest = free[0, k]
            if joined > earliest:
                earliest = joined
            while True:
                room = value_of[0, piece]
                begin = INF
                if room > 0:
                    begin = earliest
                    if begin_of[0, piece] > begin:
                        begin = begin_of[0, piece]
                    if size > 0 and inside[k, size - room] > begin:
                        begin = inside[k, size - room]
                if piece == last_piece or begin < begin_of[0, piece + 1]:
                    break
                piece += 1
            last[0, k] = begin
            if last_step >= 0 and begin < INF:
                while step < last_step and apart_from[0, step + 1] <= begin:
                    step += 1
                free[0, k] = begin + apart[0, step]
            end = begin + travel[k, i]
            if no_overtaking:
                if gone[0, k] > end:
                    end = gone[0, k]
                gone[0, k] = end
            enter[k, i], leave[k, i] = begin, end
            if size > 0:
                place = 1
                while place < size and inside[k, place] < end:
                    inside[k, place - 1] = inside[k, place]
                    place += 1
                inside[k, place - 1] = end
