"""Machine code of the pass: those lined up at a queue are served, one after the other.

`served` is for queues whose line is first come first served, `served_by_rank` for those with priority.
"""
# mypy: ignore-errors

from __future__ import annotations

from math import inf, nan

import numpy as np

from corridor_sim.core.units import GRID_PER_H
from corridor_sim.engines.compiled.codes import (
    CONSTANT_LANES,
    DAILY,
    DATED_LANES,
    FLOW,
    FREE,
    HOW,
    SAILING,
    SLOT_BITS,
    UNUSUAL,
)
from corridor_sim.engines.compiled.counting import visited
from corridor_sim.engines.compiled.drawing import lasting, unusual_duration
from corridor_sim.engines.compiled.parts import ID, nth, stage, written_in


@written_in
def open_from(k, at_h, function_from, from_h, value_of):
    """The first instant from one on at which a step function is not 0. [h]"""
    piece, end = function_from[k], function_from[k + 1]
    while piece + 1 < end and from_h[piece + 1] <= at_h:
        piece += 1
    found = at_h
    if not value_of[piece] > 0:
        while piece < end and not value_of[piece] > 0:
            piece += 1
        found = from_h[piece] if piece < end else inf
    return found


FEW = 4
"""Lanes whose free times are kept in registers."""


@written_in
def beside(one, other):
    """The earlier and the later of two instants; without a branch, as nobody can foresee which it is."""
    return (one if one < other else other), (other if one < other else one)


@written_in
def next_start(p, final_piece, earliest, lane_h, size, piece_h, piece_value):
    """When the next may start where the number of lanes has dates, inf if never, and in which piece that is."""
    while True:
        lanes, start = piece_value[nth(p)], inf
        if lanes > 0:
            start = max(max(lane_h[nth(size - lanes)], piece_h[nth(p)]), earliest)
        if p == final_piece or start < piece_h[nth(p + 1)]:
            break
        p += 1
    return start, p


@written_in
def taken_down(lane_h, size, leave):
    """The first of the sorted instants from which lanes are free is that of one who leaves at another instant."""
    lane = 1
    while lane < size and lane_h[nth(lane)] < leave:
        lane_h[nth(lane - 1)] = lane_h[nth(lane)]
        lane += 1
    lane_h[nth(lane - 1)] = leave


@stage
def served(q, n, events, event_line, held, w, t, d, c, a):
    """Those lined up at a queue without priority are served and come to `c.who`. Returns the number of events.

    First how long each holds a lane, then when each starts, which hangs on the one before, then what is counted.
    """
    from_h, until_h, horizon_h, first_bin, per_h = w.from_h, w.until_h, w.horizon_h, w.first_bin, w.marks_per_h
    line, join_of, step_of, who, leave_of = c.line, c.join_h, c.step_of, c.who, c.when_h
    join_h, hold_h, start_h, lane_h = c.arrival_h, c.service_h, c.start_h, c.busy[q]
    piece_h, piece_value, sailing_h = t.queue_h, t.queue_value, t.sailing_h
    base, _, _, first, second, given_at, given, _ = d
    until_of, step, step_h, open_function = t.queue_until_h, t.step, t.step_h, t.queue_open[q]
    function_from, function_h, function_value = t.function_from, t.piece_h, t.piece_value
    kind, size = t.queue_kind[q], t.queue_lanes[q]
    p, final_piece, taken = c.piece[q], t.queue_from[q + 1] - 1, c.taken[q]

    has_service = kind != SAILING and kind != DAILY
    for k in range(n):
        i = nth(line[k] & ID)
        s, hold = nth(step_of[i]), 0.0
        join = join_of[i]
        if has_service:
            hold = nan
            if step[s, HOW] != UNUSUAL:
                j = np.int64(i) - base[nth(step[s, FLOW])]
                hold = lasting(s, j, join, step, step_h, given_at, given, first, second, t, d)
        who[k], join_h[k], hold_h[k] = np.int32(i), join, hold

    few = kind == CONSTANT_LANES and size <= FEW
    lane_0, lane_1, lane_2, lane_3 = lane_h[0], inf, inf, inf
    if few:
        lane_1 = lane_h[1] if size > 1 else inf
        lane_2 = lane_h[2] if size > 2 else inf
        lane_3 = lane_h[3] if size > 3 else inf
    for k in range(n):
        join, hold = join_h[k], hold_h[k]
        if few:
            _, start = beside(lane_0, join)
        elif kind == CONSTANT_LANES:
            _, start = beside(lane_h[0], join)
        elif kind == DATED_LANES:
            start, p = next_start(p, final_piece, join, lane_h, size, piece_h, piece_value)
        elif kind == FREE:
            start = join
        else:
            # The first day that has not closed by then and has room
            while p <= final_piece and (until_of[nth(p)] <= join or taken >= piece_value[nth(p)]):
                p += 1
                taken = 0
            start = inf
            if p <= final_piece:
                start = max(piece_h[nth(p)], join)
                taken += 1
                if open_function >= 0:
                    start = open_from(open_function, start, function_from, function_h, function_value)
                if kind == SAILING and start < inf:
                    hold = sailing_h[nth(p)]
        if hold != hold:
            s = nth(step_of[nth(who[k])])
            j = np.int64(who[k]) - base[nth(step[s, FLOW])]
            hold = unusual_duration(np.int64(s), j, start if start < inf else join, t, d)
        leave = start + hold
        if few:
            lane_0, leaves = beside(lane_1, leave)
            lane_1, leaves = beside(lane_2, leaves)
            lane_2, lane_3 = beside(lane_3, leaves)
        elif kind <= DATED_LANES and start < inf:
            taken_down(lane_h, size, leave)
        start_h[k], hold_h[k], leave_of[k] = start, hold, leave
    if few:
        lane_h[0] = lane_0
        if size > 1:
            lane_h[1] = lane_1
        if size > 2:
            lane_h[2] = lane_2
        if size > 3:
            lane_h[3] = lane_3
    c.piece[q], c.taken[q] = p, taken

    group, mark, row, clock = t.queue_group[q], np.int64(t.queue_slot[q]) << 1, t.queue_row[q], t.queue_clock[q]
    net, waits, days, inner, at_edge = a.net, a.waits, a.days, a.inner, a.at_edge
    for k in range(n):
        join, start = join_h[k], start_h[k]
        if group >= 0:
            # Written in any case, and passed over where nobody waits.
            waits_here, started = np.int64(start > join), np.int64(start < horizon_h)
            events[nth(held)] = (np.int64(join * GRID_PER_H) << SLOT_BITS) | mark
            event_line[nth(held)] = group
            held += waits_here
            events[nth(held)] = (np.int64((start if start < horizon_h else 0.0) * GRID_PER_H) << SLOT_BITS) | mark | 1
            event_line[nth(held)] = group
            held += waits_here & started
        visited(
            step_of[nth(who[k])],
            row,
            clock,
            join,
            start,
            leave_of[k],
            hold_h[k],
            from_h,
            until_h,
            horizon_h,
            first_bin,
            per_h,
            inner,
            at_edge,
            days,
            net,
            waits,
            t,
        )
    return held


@stage
def served_by_rank(q, n, until_h, last, events, event_line, held, w, t, d, c, a):
    """Those lined up at a queue with priority, and those who wait there from before, are served and come to `c.who`.

    Returns how many, and the number of events of queue lengths.
    """
    from_h, window_end_h, horizon_h, first_bin, per_h = w.from_h, w.until_h, w.horizon_h, w.first_bin, w.marks_per_h
    line, lane_h, join_of, behind, step_of = c.line, c.busy[q], c.join_h, c.behind, c.step_of
    head, tail, piece_h, piece_value = c.head, c.tail, t.queue_h, t.queue_value
    net, waits, days, inner, at_edge = a.net, a.waits, a.days, a.inner, a.at_edge
    base, _, _, first, second, given_at, given, _ = d
    who, when_h, rank = c.who, c.when_h, t.queue_rank
    step, step_h, hold_of = t.step, t.step_h, c.hold_h
    size, row, clock = t.queue_lanes[q], t.queue_row[q], t.queue_clock[q]
    group, mark = t.queue_group[q], np.int64(t.queue_slot[q]) << 1
    p, final_piece = c.piece[q], t.queue_from[q + 1] - 1
    now = c.now_h[q]
    coming, m, waiting, lone = 0, 0, c.waiting[q], False
    own = nth(q)
    # Services that do not ask when they start: one after the other, nothing waits for another here.
    for k in range(n):
        i = nth(line[k] & ID)
        s, hold = nth(step_of[i]), nan
        if step[s, HOW] != UNUSUAL:
            j = np.int64(i) - base[nth(step[s, FLOW])]
            hold = lasting(s, j, join_of[i], step, step_h, given_at, given, first, second, t, d)
        hold_of[i] = hold
    while True:
        # Who is next, and when?
        earliest = now
        if waiting == 0:
            if coming == n:
                break
            earliest = max(now, join_of[nth(line[nth(coming)] & ID)])
        start, p = next_start(p, final_piece, earliest, lane_h, size, piece_h, piece_value)
        settled = start < until_h or (last and start < inf)
        by_h = start if settled else inf
        lone = waiting == 0
        arrived, earliest_h = 0, inf
        while coming < n:
            i = nth(line[nth(coming)] & ID)
            if join_of[i] > by_h:
                break
            earliest_h = min(earliest_h, join_of[i])
            u = nth(rank[own, nth(step[nth(step_of[i]), FLOW])])
            behind[i] = -1
            if head[own, u] < 0:
                head[own, u] = np.int64(i)
            else:
                behind[nth(tail[own, u])] = np.int32(i)
            tail[own, u] = np.int64(i)
            arrived += 1
            coming += 1
        waiting += arrived
        # Who comes alone to a free lane does not wait.
        lone = lone and arrived == 1 and settled and earliest_h == start
        if not lone and group >= 0:
            for k in range(coming - arrived, coming):
                joined = join_of[nth(line[nth(k)] & ID)]
                events[nth(held)] = (np.int64(joined * GRID_PER_H) << SLOT_BITS) | mark
                event_line[nth(held)] = group
                held += 1
        if not settled:
            if not last or waiting == 0:
                break
            start = inf
        rank_of = 0
        while head[own, nth(rank_of)] < 0:
            rank_of += 1
        u = nth(rank_of)
        i = nth(head[own, u])
        head[own, u] = np.int64(behind[i])
        waiting -= 1
        join = join_of[i]
        told = not lone and group >= 0
        s = nth(step_of[i])
        if told and start < horizon_h:
            events[nth(held)] = (np.int64(start * GRID_PER_H) << SLOT_BITS) | mark | 1
            event_line[nth(held)] = group
            held += 1
        # How long does it hold its lane?
        hold = hold_of[i]
        if hold != hold:
            j = np.int64(i) - base[nth(step[s, FLOW])]
            hold = unusual_duration(np.int64(s), j, start if start < inf else join, t, d)
        leave = start + hold
        if start < inf:
            taken_down(lane_h, size, leave)
            now = start
        who[nth(m)] = np.int32(i)
        when_h[nth(m)] = leave
        m += 1
        visited(
            s,
            row,
            clock,
            join,
            start,
            leave,
            hold,
            from_h,
            window_end_h,
            horizon_h,
            first_bin,
            per_h,
            inner,
            at_edge,
            days,
            net,
            waits,
            t,
        )
    c.now_h[q], c.piece[q], c.waiting[q] = now, p, waiting
    return m, held
