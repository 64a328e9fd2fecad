"""Machine code of the pass: coupled queues are worked through together, in time order (`coupled.py`).

As in the event engine all that happens at one instant is taken first, then queues settle in their order
until none is touched. Where somebody goes after a service that nothing interrupts is found as soon as it
begins, for many at once; those who come back to the group are found before its next instant. Stations with anything
beyond lanes and priority are in `full.py`, legs, timetables and daily acceptance in `full_legs.py`; where there are
none `f` is None, and the compiler leaves out what is for them.
"""
# mypy: ignore-errors

from __future__ import annotations

from math import inf, nan

import numpy as np

from corridor_sim.core.draws.scalar import BY_11, bits_of, word
from corridor_sim.core.units import GRID_PER_H
from corridor_sim.engines.compiled.announcing import announced_h
from corridor_sim.engines.compiled.codes import (
    ALL,
    CLOSES,
    CLOSES_END,
    DAILY,
    FREE,
    ID_BITS,
    NO_TIME,
    SAILING,
    SHARE_BITS,
    SHARE_COLUMN,
    SHARE_OF,
    SLOT_BITS,
    TAKE,
)
from corridor_sim.engines.compiled.counting import passages, visited, visited_at
from corridor_sim.engines.compiled.drawing import lasting
from corridor_sim.engines.compiled.full import refreshed, settled
from corridor_sim.engines.compiled.full_legs import let_in
from corridor_sim.engines.compiled.full_opening import extra_brought, gate_asked
from corridor_sim.engines.compiled.full_queue import without_void
from corridor_sim.engines.compiled.full_visits import NOT_DUE, STARTED, TOLD, ended, joined_full, left_over, read_again
from corridor_sim.engines.compiled.heap import drop_first, push
from corridor_sim.engines.compiled.parts import ID, POINT, nth, stage, written_in
from corridor_sim.engines.compiled.walking import sorted_into, walk


@stage
def lined_up_together(k, until_h, since_h, c, g):
    """Those in the inboxes of a group who join before an instant, in order in `c.line`; how many."""
    line, other, join_h, behind, bucket = c.line, c.other, c.join_h, c.behind, c.bucket
    n, latest = 0, np.int64(0)
    earliest = np.int64(max(since_h, 0.0) * GRID_PER_H) << ID_BITS
    for z in range(g.member_from[k], g.member_from[k + 1]):
        q = g.member[z]
        i, later = c.inbox[q], -1
        while i >= 0:
            after = behind[i]
            if join_h[i] < until_h:
                x = (np.int64(join_h[i] * GRID_PER_H) << ID_BITS) | i
                other[n] = x
                n += 1
                latest, earliest = max(latest, x), min(earliest, x)
            else:
                behind[i] = later
                later = i
            i = after
        c.inbox[q] = -1
        g.later[q] = later
    sorted_into(n, earliest, latest, other, line, bucket)
    return n


@stage
def inside(k, c, g, f):
    """An upper limit of how many wait in a group or are on their way between its queues."""
    found = g.heap_size[k]
    for z in range(g.member_from[k], g.member_from[k + 1]):
        found += c.waiting[g.member[z]]
        if f is not None and f.number[g.member[z]] >= 0:
            found += f.there[f.number[g.member[z]]]
    return found


@stage
def walked_on(m, leave, k, until_h, w, t, d, c, a, g):
    """Those in `c.who` go on; who comes to the group before an instant is put on its heap. Returns visits."""
    visits, noted = walk(m, leave, w, t, d, c, a)
    passages(noted, w, t, c, a)
    heap_h, heap_of = g.heap_h[k], g.heap_of[k]
    for z in range(g.member_from[k], g.member_from[k + 1]):
        q = g.member[z]
        i = c.inbox[q]
        c.inbox[q] = -1
        while i >= 0:
            after = c.behind[i]
            if c.join_h[i] < until_h:
                push(heap_h, heap_of, g.heap_size[k], c.join_h[i], np.int64(i))
                g.heap_size[k] += 1
            else:
                c.behind[i] = g.later[q]
                g.later[q] = i
            i = after
    return visits


@written_in
def lined_up_last(i, q, u, join_of, behind, head, tail):
    """Put one into a queue, in order of joining, then of number."""
    behind[nth(i)] = -1
    last = np.int64(tail[nth(q), nth(u)])
    if head[nth(q), nth(u)] < 0:
        head[nth(q), nth(u)] = i
        tail[nth(q), nth(u)] = i
    elif join_of[nth(last)] < join_of[nth(i)] or last < i:
        behind[nth(last)] = i
        tail[nth(q), nth(u)] = i
    else:
        # The queue has settled at this instant already.
        before, x = np.int64(-1), np.int64(head[q, u])
        while join_of[x] < join_of[i] or (join_of[x] == join_of[i] and x < i):
            before, x = x, np.int64(behind[x])
        behind[i] = x
        if before < 0:
            head[q, u] = i
        else:
            behind[before] = i


@written_in
def joins_h(line, place, n):
    """When one of those lined up joins; infinite past the last. [h]"""
    return np.float64(line[nth(place)] >> ID_BITS) * POINT if place < n else inf


@written_in
def straight_on(s, j, k, t, d, g):
    """The step at which one who leaves a step queues next in the same group; -1 leaves it to `walk`."""
    found, u, ahead = np.int64(-1), s + 1, True
    while ahead:
        left = nth(u - 1)
        ahead = g.onward[nth(u)] == k and t.step[left, CLOSES] == t.step[left, CLOSES_END] and t.mark[nth(u)] < 0
        if ahead:
            if t.step[nth(u), TAKE] == ALL:
                found = np.int64(u)
            else:
                column = nth(t.step[nth(u), SHARE_COLUMN])
                if d.given_at[column] >= 0:
                    goes = d.given[d.given_at[column] + j] < t.step_h[nth(u), SHARE_OF]
                else:
                    seed = word(d.first[column], d.second[column], np.uint64(j))
                    goes = np.int64(seed >> BY_11) < bits_of(t.step_h[nth(u), SHARE_BITS])
                if goes:
                    found = np.int64(u)
            ahead = found < 0
            u += 1
    return found


@stage
def still_waiting(k, m, w, t, c, a, g):
    """Those who wait as the run ends come to `c.who` too. Returns how many are there, and visits."""
    head, join_of, behind, who, when_h = c.head, c.join_h, c.behind, c.who, c.when_h
    visits = 0
    for z in range(g.member_from[k], g.member_from[k + 1]):
        q = g.member[z]
        for u in range(head.shape[1]):
            i = np.int64(head[q, u])
            while i >= 0:
                visited_at(np.int64(c.step_of[i]), q, join_of[i], inf, inf, 0.0, w, t, a)
                a.served[q] += 1
                visits += 1
                who[m] = i
                when_h[m] = inf
                m += 1
                i = np.int64(behind[i])
    return m, visits


@stage
def together(k, n, until_h, last, leave, events, event_line, held, w, t, d, c, a, g, f):
    """Those lined up at a group, and those who are there from before, are served until an instant.

    Returns visits, and the number of events of queue lengths.
    """
    from_h, window_end_h, horizon_h, first_bin, per_h = w.from_h, w.until_h, w.horizon_h, w.first_bin, w.marks_per_h
    line, join_of, behind, step_of, route, begun = c.line, c.join_h, c.behind, c.step_of, d.route, c.begun
    head, tail, who, when_h = c.head, c.tail, c.who, c.when_h
    net, waits, days, inner, at_edge = a.net, a.waits, a.days, a.inner, a.at_edge
    base, _, _, first, second, given_at, given, _ = d
    route_flow, step, step_h = t.route_flow, t.step, t.step_h
    heap_h, heap_of, heap_size, member, place, touched = (
        g.heap_h[k],
        g.heap_of[k],
        g.heap_size,
        g.member,
        g.place,
        g.touched,
    )
    arrived, came, told = g.arrived, g.came, g.told
    begin, end = g.member_from[k], g.member_from[k + 1]
    p, final_p = g.calendar_at[k], g.calendar_from[k + 1]
    nobody = np.int64(0)  # a number as such would have what is called with it compiled once more
    coming, m, visits, soon_h, queues = 0, nobody, np.int64(0), inf, len(t.queue_kind)
    coming_h = joins_h(line, coming, n)
    calendar_h = g.calendar_h[p] if p < final_p else inf
    while True:
        # The next instant; before it those who leave until then have to be on their way.
        at = min(coming_h, calendar_h)
        if heap_size[k] > 0:
            at = min(at, heap_h[0])
        if soon_h <= at and soon_h < until_h:
            visits += walked_on(m, leave, k, until_h, w, t, d, c, a, g)
            m, soon_h = nobody, inf
            continue
        if not at < until_h:
            break
        if f is not None and 2 * heap_size[k] > heap_h.shape[0]:
            without_void(k, queues, g, f)
        lowest = end
        while True:
            # What happens: lanes are freed, the calendar, who comes.
            while heap_size[nth(k)] > 0 and heap_h[0] == at:
                x = heap_of[0]
                heap_size[nth(k)] -= 1
                drop_first(heap_h, heap_of, heap_size[nth(k)])
                free = x < 0
                if not free:
                    # He is there; the lane that he leaves, if any, is free from now on.
                    one = nth(x & ID)
                    q = t.queue[nth(step_of[one])]
                    behind[one] = arrived[nth(q)]
                    arrived[nth(q)] = np.int64(one)
                    touched[nth(q)] = True
                    lowest = min(lowest, place[nth(q)])
                    q = (x >> ID_BITS) - 1
                    free = q >= 0
                else:
                    q = -1 - x
                    if f is not None:
                        if q >= 2 * queues:
                            i = np.int64(q - 2 * queues)
                            if i >= len(f.leaves_h):
                                i -= len(f.leaves_h)
                                # One of an earlier queue may ring at the same instant.
                                if f.leaves_h[i] == at and f.leaves_with[i] == NOT_DUE:
                                    q = t.queue[step_of[i]]
                                    x = f.number[q]
                                    f.leaves_with[i] = f.due_head[x]
                                    f.due_head[x] = i
                                    touched[q] = True
                                    lowest = min(lowest, place[q])
                                continue
                            if f.ending[i] and f.due_h[i] == at:
                                s = np.int64(step_of[i])
                                ended(i, t.queue[s], f.number[t.queue[s]], at, w, t, c, a, g, f)
                                lowest = begin
                                visits += 1
                                who[m] = i
                                when_h[m] = at
                                m += 1
                                if g.comes_back[s]:
                                    soon_h = min(soon_h, at)
                            continue
                        if q >= queues:
                            q -= queues
                            touched[q] = True
                            lowest = min(lowest, place[q])
                            continue
                if free:
                    o, pool = nth(q), g.pool[nth(q)]
                    g.used[o] -= 1
                    if pool >= 0:
                        g.held[nth(pool)] -= g.staff[o]
                        for y in range(g.pool_from[nth(pool)], g.pool_from[nth(pool + 1)]):
                            # Where nobody waits nobody starts.
                            other = nth(g.pool_queue[nth(y)])
                            if f is not None or c.waiting[other] > 0:
                                touched[other] = True
                                lowest = min(lowest, place[other])
                    if f is not None or c.waiting[o] > 0:
                        touched[o] = True
                        lowest = min(lowest, place[o])
            while calendar_h == at:
                q = g.calendar_queue[p]
                touched[q] = True
                lowest = min(lowest, place[q])
                p += 1
                calendar_h = g.calendar_h[p] if p < final_p else inf
            while coming_h == at:
                one = nth(line[nth(coming)] & ID)
                coming += 1
                coming_h = joins_h(line, coming, n)
                q = t.queue[nth(step_of[one])]
                behind[one] = arrived[nth(q)]
                arrived[nth(q)] = np.int64(one)
                touched[nth(q)] = True
                lowest = min(lowest, place[nth(q)])
            if f is not None and soon_h <= at:
                visits += walked_on(m, leave, k, until_h, w, t, d, c, a, g)
                m, soon_h = nobody, inf
                continue
            while lowest < end and not touched[nth(member[nth(lowest)])]:
                lowest += 1
            if lowest == end:
                break
            # The first queue that is touched settles: those who came join or balk, in their order.
            q = member[nth(lowest)]
            touched[nth(q)] = False
            if f is not None and f.number[q] >= 0:
                refreshed(k, f.number[q], at, w, t, c, g, f)
                extra_brought(f.number[q], at, w, f)
                for z in range(f.gate_from[f.number[q]], f.gate_from[f.number[q] + 1]):
                    gate_asked(z, at, c, g, f)
                read_again(q, f.number[q], at, t, d, c, f)
            many, x = 0, arrived[nth(q)]
            arrived[nth(q)] = -1
            while x >= 0:
                y = many
                while y > 0 and came[nth(y - 1)] > x:
                    came[nth(y)] = came[nth(y - 1)]
                    y -= 1
                came[nth(y)] = x
                many += 1
                x = np.int64(behind[nth(x)])
            joined = 0
            for y in range(many):
                i = came[nth(y)]
                s = np.int64(step_of[nth(i)])
                b = g.balk[nth(s)]
                if b >= 0 and g.asked[i] < g.since[b]:
                    g.asked[i] = s
                    if announced_h(b, at, horizon_h, t, c, g, f) > g.threshold_h[b]:
                        route[i] = g.route[b]
                        # He leaves the step before; what was under way when he came is of the other itinerary.
                        step_of[i] = g.goes_on[b] - 1
                        for z in range(begun.shape[1]):
                            begun[i, z] = nan
                        who[m] = i
                        when_h[m] = at
                        m += 1
                        if g.balker_comes_back[b]:
                            visits += walked_on(m, leave, k, until_h, w, t, d, c, a, g)
                            m, soon_h = nobody, inf
                        continue
                told[nth(i)] = 0
                came[nth(joined)] = i
                joined += 1
                if f is not None and f.number[q] >= 0:
                    joined_full(k, i, q, f.number[q], at, t, d, c, g, f)
                    continue
                u = t.queue_rank[nth(q), nth(route_flow[nth(route[nth(i)])])]
                if f is not None and f.leg[q] >= 0 and f.single[f.leg[q]] and f.opposite[s]:
                    u = 1
                lined_up_last(i, q, u, join_of, behind, head, tail)
                c.waiting[nth(q)] += 1
                g.ahead[nth(s)] += 1
            # They start as far as there are lanes and staff.
            o = nth(q)
            pool, lanes, stock = g.pool[o], 1 << 62, np.inf
            in_time = False
            if f is not None:
                if f.number[q] >= 0:
                    m, soon_h, held, more = settled(
                        k, q, f.number[q], m, soon_h, at, events, event_line, held, w, t, d, c, a, g, f
                    )
                    visits += more
                    lowest, in_time = begin, True
                elif f.leg[q] >= 0 or t.queue_kind[q] == DAILY or t.queue_kind[q] == SAILING:
                    m, soon_h, held, more = let_in(k, q, m, soon_h, at, events, event_line, held, w, t, d, c, a, g, f)
                    visits += more
                    lanes, in_time = 0, True
            if t.queue_kind[o] != FREE and not in_time:
                piece = c.piece[o]
                while piece + 1 < t.queue_from[nth(q + 1)] and t.queue_h[nth(piece + 1)] <= at:
                    piece += 1
                c.piece[o] = piece
                lanes = t.queue_value[nth(piece)]
            if pool >= 0 and not in_time:
                piece = g.stock_piece[nth(pool)]
                while piece + 1 < g.stock_from[nth(pool + 1)] and g.stock_h[nth(piece + 1)] <= at:
                    piece += 1
                g.stock_piece[nth(pool)] = piece
                stock = g.stock[nth(piece)]
            group, mark = t.queue_group[o], np.int64(t.queue_slot[o]) << 1
            while c.waiting[o] > 0 and g.used[o] < lanes:
                if pool >= 0 and g.held[nth(pool)] + g.staff[o] > stock:
                    break
                u = 0
                while head[o, nth(u)] < 0:
                    u += 1
                i = np.int64(head[o, nth(u)])
                head[o, nth(u)] = behind[nth(i)]
                c.waiting[o] -= 1
                s = np.int64(step_of[nth(i)])
                g.ahead[nth(s)] -= 1
                join, j = join_of[nth(i)], i - base[nth(route_flow[nth(route[nth(i)])])]
                hold = lasting(s, j, at, step, step_h, given_at, given, first, second, t, d)
                if told[nth(i)] == TOLD:
                    events[nth(held)] = (np.int64(at * GRID_PER_H) << SLOT_BITS) | mark | 1
                    event_line[nth(held)] = group
                    held += 1
                told[nth(i)] = STARTED
                if hold == 0 and g.round_about[o]:
                    c.wrong[0], c.wrong[1], c.wrong[2] = NO_TIME, q + 1, at
                visited(
                    s,
                    t.queue_row[o],
                    t.queue_clock[o],
                    join,
                    at,
                    at + hold,
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
                a.served[o] += 1
                visits += 1
                goes_on, leave_h = np.int64(-1), at + hold
                if leave_h < until_h and leave_h <= horizon_h:
                    goes_on = straight_on(s, j, k, t, d, g)
                if goes_on >= 0:
                    # Nothing is between: he is on his way already.
                    step_of[nth(i)] = goes_on
                    join_of[nth(i)] = leave_h
                else:
                    who[nth(m)] = i
                    when_h[nth(m)] = leave_h
                    m += 1
                    if g.comes_back[nth(s)]:
                        soon_h = min(soon_h, leave_h)
                if hold > 0:
                    g.used[o] += 1
                    if pool >= 0:
                        g.held[nth(pool)] += g.staff[o]
                if hold > 0 or goes_on >= 0:
                    # What comes of it at that instant: he is at the next queue, his lane is free, or both.
                    lane = q + 1 if hold > 0 else np.int64(0)
                    what = i | lane << ID_BITS if goes_on >= 0 else -lane
                    push(heap_h, heap_of, heap_size[nth(k)], leave_h, what)
                    heap_size[nth(k)] += 1
                if hold == 0 and pool >= 0:
                    for y in range(g.pool_from[pool], g.pool_from[pool + 1]):
                        touched[g.pool_queue[y]] = True
                        lowest = min(lowest, place[g.pool_queue[y]])
            if f is not None:
                for z in range(f.asks_from[q], f.asks_from[q + 1]):
                    if gate_asked(f.asks[z], at, c, g, f):
                        touched[f.gate_queue[f.asks[z]]] = True
                        lowest = min(lowest, place[f.gate_queue[f.asks[z]]])
            for y in range(joined):
                if told[nth(came[nth(y)])] == 0:
                    told[nth(came[nth(y)])] = TOLD
                    if group >= 0:
                        events[nth(held)] = (np.int64(at * GRID_PER_H) << SLOT_BITS) | mark
                        event_line[nth(held)] = group
                        held += 1
            if soon_h <= at:
                visits += walked_on(m, leave, k, until_h, w, t, d, c, a, g)
                m, soon_h = nobody, inf
    if last:
        m, more = still_waiting(k, m, w, t, c, a, g)
        visits += more
        if f is not None:
            m, more = left_over(k, m, w, t, c, a, g, f)
            visits += more
    visits += walked_on(m, leave, k, until_h, w, t, d, c, a, g)
    for z in range(begin, end):
        c.inbox[member[z]] = g.later[member[z]]
    g.calendar_at[k] = p
    return visits, held
