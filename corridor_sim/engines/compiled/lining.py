"""Machine code of the pass: stations that hold each other up, with yards between them, worked through in time order.

As `queues.loops.line`, which tells why so, but from one window of time to the next. At one instant ends come first,
then who comes to the first station, then the stations in order, and again while one makes room for another (rule D14).
"""
# mypy: ignore-errors

from __future__ import annotations

from math import inf, nan

import numpy as np

from corridor_sim.core.units import GRID_PER_H
from corridor_sim.engines.compiled.codes import CLOSES, CLOSES_END, OPENS, OPENS_END, SLOT_BITS
from corridor_sim.engines.compiled.counting import passages, visited_at
from corridor_sim.engines.compiled.drawing import lasting
from corridor_sim.engines.compiled.heap import drop_first, push
from corridor_sim.engines.compiled.parts import ID, stage


@stage
def counted_in_line(i, leave, w, t, c, a, g):
    """Count a visit to a station of a line, with what followed its service in the lane."""
    s = np.int64(c.step_of[i])
    q, join, start, finish = t.queue[s], c.join_h[i], g.start_h[i], g.finish_h[i]
    visited_at(s, q, join, start, leave, leave - start, w, t, a)
    a.served[q] += 1
    gone = leave < w.horizon_h
    until = leave if gone else w.horizon_h
    if finish < until:
        if gone and (join >= w.from_h or w.from_h <= 0.0) and join < w.until_h:
            g.blocked_h[s, 0] += until - finish
        g.blocked_h[s, 1] += min(max(until, w.from_h), w.until_h) - min(max(finish, w.from_h), w.until_h)


@stage
def next_instant(line, n, coming, t, c, g, number):
    """When something happens next in a line. [h]"""
    at = inf
    if coming < n:
        at = c.join_h[line[coming] & ID]
    if g.heap_size[number] > 0:
        at = min(at, g.heap_h[number, 0])
    for z in range(g.member_from[number], g.member_from[number + 1]):
        q = g.member[z]
        if c.piece[q] + 1 < t.queue_from[q + 1]:
            at = min(at, t.queue_h[c.piece[q] + 1])
        if g.yard_at[z] + 1 < g.yard_from[z + 1]:
            at = min(at, g.yard_h[g.yard_at[z] + 1])
    return at


@stage
def changed_by_date(at, t, c, g, number):
    """Lanes and yards that change at an instant; their stations have to be looked at."""
    for z in range(g.member_from[number], g.member_from[number + 1]):
        q = g.member[z]
        while c.piece[q] + 1 < t.queue_from[q + 1] and t.queue_h[c.piece[q] + 1] <= at:
            c.piece[q] += 1
            g.touched[z] = 1
        while g.yard_at[z] + 1 < g.yard_from[z + 1] and g.yard_h[g.yard_at[z] + 1] <= at:
            g.yard_at[z] += 1
            g.touched[z] = 1


@stage
def asked(i, z, c, g):
    """One who is done asks for a place at the next station, by finish, then number (rule S14)."""
    before, one = np.int64(-1), g.asking[z]
    while one >= 0 and (g.finish_h[one] < g.finish_h[i] or (g.finish_h[one] == g.finish_h[i] and one < i)):
        before, one = one, np.int64(c.behind[one])
    c.behind[i] = one
    if before < 0:
        g.asking[z] = i
    else:
        c.behind[before] = i
    g.touched[z] = 1


@stage
def queued_in_line(i, q, is_first, c):
    """One joins a station by joining, then number; those from outside come in queue order already."""
    head, tail, behind, join_of = c.head, c.tail, c.behind, c.join_h
    last = tail[q, 0]
    behind[i] = -1
    if head[q, 0] < 0:
        head[q, 0] = i
        tail[q, 0] = i
    elif is_first or join_of[last] < join_of[i] or last < i:
        behind[last] = i
        tail[q, 0] = i
    else:
        before, one = np.int64(-1), head[q, 0]
        while join_of[one] < join_of[i] or (join_of[one] == join_of[i] and one < i):
            before, one = one, np.int64(behind[one])
        behind[i] = one
        if before < 0:
            head[q, 0] = i
        else:
            behind[before] = i
    c.waiting[q] += 1


@stage
def moved_up(i, at, spans, t, c):
    """One leaves a step for the next one: spans end and begin as in `walk`. Returns the number of spans noted."""
    s = np.int64(c.step_of[i])
    for k in range(t.step[s, CLOSES], t.step[s, CLOSES_END]):
        o = t.closes[k]
        begin = c.begun[i, t.span_slot[o]]
        if begin == begin:
            c.begun[i, t.span_slot[o]] = nan
            c.span[spans], c.span_begin_h[spans], c.span_end_h[spans] = o, begin, at
            spans += 1
    for k in range(t.step[s + 1, OPENS], t.step[s + 1, OPENS_END]):
        slot = t.span_slot[t.opens[k]]
        if c.begun[i, slot] != c.begun[i, slot]:
            c.begun[i, slot] = at
    c.step_of[i], c.join_h[i] = s + 1, at
    return spans


@stage
def left_in_line(number, m, w, t, c, a, g):
    """Those who wait, are served or are held up as the run ends come to `c.who` too. Returns how many are there."""
    first, end = m, g.member_from[number + 1]
    for z in range(g.member_from[number], end):
        q = g.member[z]
        i = c.head[q, 0]
        while i >= 0:
            g.start_h[i] = g.finish_h[i] = inf
            c.who[m] = i
            m += 1
            i = np.int64(c.behind[i])
        i = g.asking[z]
        while i >= 0:
            c.who[m] = i
            m += 1
            i = np.int64(c.behind[i])
    for k in range(g.heap_size[number]):
        i = g.heap_of[number, k]
        g.finish_h[i] = inf
        c.who[m] = i
        m += 1
    for k in range(first, m):
        c.when_h[k] = inf
        counted_in_line(np.int64(c.who[k]), inf, w, t, c, a, g)
    return m


@stage
def through_line(number, n, until_h, last, events, event_line, held, w, t, d, c, a, g):
    """Those lined up at the first station of a line, and those in it, until an instant; who leaves comes to `c.who`.

    Returns how many do, the visits that are over, and the number of events of queue lengths.
    """
    line, begin, end = c.line, g.member_from[number], g.member_from[number + 1]
    heap_h, heap_of, heap_size = g.heap_h[number], g.heap_of[number], g.heap_size
    nobody = np.int64(-1)
    coming, m, visits, spans = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    g.there[number] += n
    at = next_instant(line, n, coming, t, c, g, number)
    while at < until_h:
        changed_by_date(at, t, c, g, number)
        # One turn ends, brings in, admits or begins one; `z` is the station that is looked at.
        z, over = begin - 1, False
        while not over:
            done, leaves, enters = nobody, nobody, nobody
            if z < begin:
                if heap_size[number] > 0 and heap_h[0] == at:
                    done = heap_of[0]
                    heap_size[number] -= 1
                    drop_first(heap_h, heap_of, heap_size[number])
                elif coming < n and c.join_h[line[coming] & ID] == at:
                    enters = line[coming] & ID
                    coming += 1
                else:
                    z = begin
                    while z < end and g.touched[z] == 0:
                        z += 1
                    over = z == end
                    if not over:
                        g.touched[z] = 0
            if z >= begin and not over:
                q, asks = g.member[z], g.asking[z]
                free, room = g.used[z] < t.queue_value[c.piece[q]], g.yard[g.yard_at[z]]
                waiting = c.waiting[q]
                if asks >= 0 and (waiting < room or (room == 0 and waiting == 0 and free)):
                    g.asking[z] = c.behind[asks]
                    leaves = asks
                elif waiting > 0 and free:
                    i = c.head[q, 0]
                    c.head[q, 0] = c.behind[i]
                    c.waiting[q] -= 1
                    g.used[z] += 1
                    g.start_h[i] = at
                    g.finish_h[i] = inf
                    if t.queue_group[q] >= 0:
                        events[held] = (np.int64(at * GRID_PER_H) << SLOT_BITS) | (t.queue_slot[q] << 1) | 1
                        event_line[held] = t.queue_group[q]
                        held += 1
                    s = np.int64(c.step_of[i])
                    j = i - d.base[t.route_flow[d.route[i]]]
                    hold = lasting(s, j, at, t.step, t.step_h, d.given_at, d.given, d.first, d.second, t, d)
                    if hold > 0:
                        push(heap_h, heap_of, heap_size[number], at + hold, i)
                        heap_size[number] += 1
                    else:
                        done = i
                else:
                    z = begin - 1
            if done >= 0:
                y = g.place[t.queue[c.step_of[done]]]
                g.finish_h[done] = at
                if y + 1 == end:
                    leaves = done
                else:
                    asked(done, y + 1, c, g)
            if leaves >= 0:
                y = g.place[t.queue[c.step_of[leaves]]]
                g.used[y] -= 1
                g.touched[y] = 1
                counted_in_line(leaves, at, w, t, c, a, g)
                visits += 1
                if y + 1 == end:
                    c.who[m] = leaves
                    c.when_h[m] = at
                    m += 1
                else:
                    spans = moved_up(leaves, at, spans, t, c)
                    enters = leaves
            if enters >= 0:
                q = t.queue[c.step_of[enters]]
                y = g.place[q]
                queued_in_line(enters, q, y == begin, c)
                if t.queue_group[q] >= 0:
                    events[held] = (np.int64(at * GRID_PER_H) << SLOT_BITS) | (t.queue_slot[q] << 1)
                    event_line[held] = t.queue_group[q]
                    held += 1
                if y != z:
                    g.touched[y] = 1
        at = next_instant(line, n, coming, t, c, g, number)
    if last:
        gone = m
        m = left_in_line(number, m, w, t, c, a, g)
        visits += m - gone
    g.there[number] -= m
    passages(spans, w, t, c, a)
    return m, visits, held
