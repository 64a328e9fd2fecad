"""A line of stations with finite yards between them."""

from __future__ import annotations

from math import inf

from corridor_sim.core.units import FloatArray
from corridor_sim.engines.queues.layout import IntArray


def line(
    arrival: FloatArray,
    service: FloatArray,
    number: IntArray,
    change: FloatArray,
    value: IntArray,
    yard: IntArray,
    until_h: float,
    join: FloatArray,
    start: FloatArray,
    finish: FloatArray,
    leave: FloatArray,
    ends: FloatArray,
    serving: IntArray,
    queue: IntArray,
    asking: IntArray,
    count_of: IntArray,
) -> None:
    """Stations in line that block each other, instant by instant.

    Arrays of the stations lie one below the other: station j of replication k is row
    ``j * replications + k`` of `service`, `join`, `start`, `finish` and `leave`; the last four
    hold inf and are filled. `value` lanes are open from `change` on, shape (station, piece),
    padded with inf; `yard`, shape (1, station), is -1 without limit. The rest is scratch: finishes
    to come with the last first, and whose, shape (station, most lanes); those who have joined and
    those who have asked to, in order, shape (station, consignment); eight counts a station.
    """
    # Why by instants, not by stations: when a lane is left depends on room at the next station, and that on its own
    # services. Why one move a turn, first station first: it is the order of S03, which decides what happens in ties.
    count, length = arrival.shape
    stations, last_piece = change.shape[0], change.shape[1] - 1
    # Rows of `count_of`: piece in force, lanes held, finishes to come, has to be looked at,
    # first and end of those who wait, first and end of those who ask.
    for k in range(count):
        for j in range(stations):
            for row in range(8):
                count_of[row, j] = 0
        coming = 0
        while True:
            now = arrival[k, coming] if coming < length else inf
            for j in range(stations):
                held = count_of[2, j]
                if held > 0 and ends[j, held - 1] < now:
                    now = ends[j, held - 1]
                if count_of[0, j] < last_piece and change[j, count_of[0, j] + 1] < now:
                    now = change[j, count_of[0, j] + 1]
            if not (now <= until_h and now < inf):
                break
            for j in range(stations):
                if count_of[0, j] < last_piece and change[j, count_of[0, j] + 1] <= now:
                    count_of[0, j] += 1
                    count_of[3, j] = 1
            # One turn serves, admits or begins one; `at` is the station being looked at.
            at = -1
            while True:
                done, where = -1, -1
                enters, to = -1, -1
                if at < 0:
                    for j in range(stations):
                        held = count_of[2, j]
                        if held > 0 and ends[j, held - 1] <= now:
                            done, where = serving[j, held - 1], j
                            count_of[2, j] = held - 1
                            break
                    if done < 0 and coming < length and arrival[k, coming] <= now:
                        enters, to = coming, 0
                        coming += 1
                    if done < 0 and enters < 0:
                        for j in range(stations):
                            if count_of[3, j]:
                                at = j
                                count_of[3, j] = 0
                                break
                        if at < 0:
                            break
                if at >= 0:
                    free = count_of[1, at] < value[at, count_of[0, at]]
                    waiting = count_of[5, at] - count_of[4, at]
                    room = yard[0, at]
                    asks = count_of[7, at] > count_of[6, at]
                    if asks and (waiting < room or (room == 0 and waiting == 0 and free)):
                        enters, to = asking[at, count_of[6, at]], at
                        count_of[6, at] += 1
                        leave[(at - 1) * count + k, enters] = now
                        count_of[1, at - 1] -= 1
                        count_of[3, at - 1] = 1
                    elif waiting > 0 and free:
                        who = queue[at, count_of[4, at]]
                        count_of[4, at] += 1
                        count_of[1, at] += 1
                        start[at * count + k, who] = now
                        needs = service[at * count + k, who]
                        if needs > 0:
                            place = count_of[2, at]
                            while place > 0 and ends[at, place - 1] < now + needs:
                                ends[at, place] = ends[at, place - 1]
                                serving[at, place] = serving[at, place - 1]
                                place -= 1
                            ends[at, place], serving[at, place] = now + needs, who
                            count_of[2, at] += 1
                        else:
                            done, where = who, at
                    else:
                        at = -1
                if done >= 0:
                    row = where * count + k
                    finish[row, done] = now
                    after = where + 1
                    if after == stations or yard[0, after] < 0:
                        leave[row, done] = now
                        count_of[1, where] -= 1
                        count_of[3, where] = 1
                        if after < stations:
                            enters, to = done, after
                    else:
                        place = count_of[7, after]
                        count_of[7, after] += 1
                        while (
                            place > count_of[6, after]
                            and finish[row, asking[after, place - 1]] == now
                            and number[k, asking[after, place - 1]] > number[k, done]
                        ):
                            asking[after, place] = asking[after, place - 1]
                            place -= 1
                        asking[after, place] = done
                        count_of[3, after] = 1
                if enters >= 0:
                    row = to * count + k
                    join[row, enters] = now
                    place = count_of[5, to]
                    count_of[5, to] += 1
                    while (
                        to > 0
                        and place > count_of[4, to]
                        and join[row, queue[to, place - 1]] == now
                        and number[k, queue[to, place - 1]] > number[k, enters]
                    ):
                        queue[to, place] = queue[to, place - 1]
                        place -= 1
                    queue[to, place] = enters
                    if to != at:
                        count_of[3, to] = 1
