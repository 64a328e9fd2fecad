"""Machine code of the pass: stations with everything, worked through in time order.

As `engines.event.full_station` does it, instant by instant, and in the same order: what changes by date
(`refreshed`), then who goes on or starts (`settled`). A service that may be interrupted ends by an event of its own
(`full_visits.ended`); one that no longer counts is void: the consignment has another time or none. Lanes, those that
the queue opens, lines and visits stand in `full_lanes`, `full_opening`, `full_queue` and `full_visits`; `full_legs` has
legs and daily acceptance.
"""
# mypy: ignore-errors

from __future__ import annotations

from math import inf

import numpy as np

from corridor_sim.core.units import GRID_PER_H
from corridor_sim.engines.compiled.codes import (
    BEGINS_ANEW,
    NO_OVERRUN,
    NO_TIME,
    NOBODY_STOPS,
    OUTAGES_REQUEUE,
    OUTAGES_RESTART,
    OUTAGES_RESUME,
    RESTART,
    SLOT_BITS,
    SUSPEND,
    UNUSUAL,
)
from corridor_sim.engines.compiled.drawing import function_at
from corridor_sim.engines.compiled.full_lanes import lanes_read, occupied, pool_for, vacated
from corridor_sim.engines.compiled.full_opening import extra_asked, extra_have
from corridor_sim.engines.compiled.full_queue import (
    comes_before,
    first_line,
    gone_in,
    gone_out,
    interrupted,
    queued,
    resumed,
)
from corridor_sim.engines.compiled.full_visits import NOT_DUE, STARTED, TOLD, duration, ended, left_the_queue
from corridor_sim.engines.compiled.parts import stage


@stage
def refreshed(k, x, at, w, t, c, g, f):
    """`FullStation._refresh`: hours, lanes and outages, with what they do to services under way."""
    p, end = f.change_at[x], f.change_from[x + 1]
    if p == end or f.change_h[p] > at:
        return
    while p < end and f.change_h[p] <= at:
        p += 1
    f.change_at[x] = p
    queues, begin = len(t.queue_kind), f.lane_from[x]
    before = f.lanes_now[x]
    f.lanes_now[x] = function_at(x, at, f.lanes_from, f.lanes_h, f.lanes)
    closed = f.lanes_now[x] == 0
    closing = closed and not f.closed[x]
    if closing:
        f.open_before[x] = before
    elif not closed and f.later_head[x] >= 0:
        i = f.later_head[x]
        f.later_head[x] = f.later_tail[x] = -1
        while i >= 0:
            after = np.int64(c.behind[i])
            queued(i, x, c, f)
            g.ahead[c.step_of[i]] += 1
            i = after
    f.closed[x] = closed
    if closed:
        f.extra_ready_h[x] = inf
        extra_have(x, 0, at, w, f)
    for z in range(begin, f.lane_from[x + 1]):
        f.failed[z] = f.down[z] == 0
    o = f.outage_at[x]
    while o < f.outage_from[x + 1] and f.outage_h[o] <= at:
        for z in range(begin, f.lane_from[x + 1]):
            if f.outage_lane[o] < 0 or begin + f.outage_lane[o] == z:
                f.down[z] += f.outage_change[o]
        o += 1
    f.outage_at[x] = o
    for z in range(begin, f.lane_from[x + 1]):
        f.failed[z] = f.failed[z] and f.down[z] > 0
    lanes_read(x, at, f)
    if closing and (f.closing[x] == SUSPEND or f.closing[x] == RESTART):
        i = f.inside_head[x]
        while i >= 0:
            interrupted(i, at, f)
            if f.closing[x] == RESTART:
                f.remaining_h[i] = f.service_h[i]
            if not f.parked[i]:
                f.parked[i] = True
                f.parked_count[x] += 1
                vacated(i, x, f)
            i = np.int64(f.after[i])
    policy = f.policy[x]
    i = f.inside_head[x]
    while i >= 0:
        after, z = np.int64(f.after[i]), begin + f.lane[i]
        put_back = policy == OUTAGES_REQUEUE and f.failed[z] and not f.parked[i]
        down = (policy in (OUTAGES_RESUME, OUTAGES_RESTART)) and f.down[z] > 0
        if down or put_back:
            interrupted(i, at, f)
        if f.failed[z] and policy == OUTAGES_RESTART:
            f.remaining_h[i] = f.service_h[i]
        if put_back:
            gone_out(i, x, f)
            vacated(i, x, f)
            f.requeued[i] = True
            queued(i, x, c, f)
            g.ahead[c.step_of[i]] += 1
        elif not (down or f.parked[i] or f.ending[i]):
            resumed(k, i, queues, at, g, f)
        i = after


@stage
def gone_on(k, x, queues, at, g, f):
    """`FullStation._go_on`: the first, in order of their starts, of those parked who have a lane goes on."""
    i = f.inside_head[x]
    while i >= 0:
        if f.parked[i]:
            pool = pool_for(x, f.group[i], f)
            if pool >= 0:
                f.parked[i] = False
                f.parked_count[x] -= 1
                occupied(i, x, pool, f)
                resumed(k, i, queues, at, g, f)
                return True
        i = np.int64(f.after[i])
    return False


@stage
def next_of(q, x, at, t, d, c, g, f):
    """The line of the first in queue order who has a lane and staff, -1 if there is none."""
    best, best_i = -1, np.int64(-1)
    pools = f.pool_from[x + 1] - f.pool_from[x]
    general = f.pool_from[x]
    free_staff = True
    if g.pool[q] >= 0:
        pool = g.pool[q]
        stock = function_at(pool, at, g.stock_from, g.stock_h, g.stock)
        free_staff = g.held[pool] + g.staff[q] <= stock
    closing_h = inf
    if f.closing[x] == NO_OVERRUN:
        p = f.closing_at[x]
        while f.closing_h[p] <= at:
            p += 1
        f.closing_at[x] = p
        closing_h = f.closing_h[p]
    for group in range(pools):
        u = first_line(x, group, f)
        if u < 0:
            continue
        i = np.int64(f.head[u])
        if f.shut[x] > 0 and not f.requeued[i]:
            continue
        heads = True
        for other in range(pools):
            same = (group if f.bound[general + group] else 0) == (other if f.bound[general + other] else 0)
            if other != group and same:
                v = first_line(x, other, f)
                if v >= 0 and comes_before(np.int64(f.head[v]), i, c.join_h, f):
                    heads = False
        if not heads or pool_for(x, group, f) < 0:
            continue
        if best >= 0 and comes_before(best_i, i, c.join_h, f):
            continue
        needs_h = f.remaining_h[i]
        if not f.requeued[i] and closing_h < inf:
            s = np.int64(c.step_of[i])
            needs_h = duration(s, i - d.base[t.route_flow[d.route[i]]], at, t, d)
        if at + needs_h <= closing_h and (f.staffed[i] or free_staff):
            best, best_i = u, i
    return best


@stage
def lane_taken(x, at, c, g, f):
    """`FullStation._interrupt_for_the_first`: the line of the first, who has the lane of another one; -1 for none."""
    general = f.pool_from[x]
    u = first_line(x, 0, f)
    if u < 0 or f.used[general] > f.capacity[general]:
        return -1
    rank, last = f.rank_of[f.head[u]], np.int64(-1)
    i = f.inside_head[x]
    while i >= 0:
        if f.ending[i] and f.rank_of[i] > rank and (last < 0 or f.rank_of[i] >= f.rank_of[last]):
            last = i
        i = np.int64(f.after[i])
    if last < 0:
        return -1
    interrupted(last, at, f)
    if f.preempts[x] == BEGINS_ANEW:
        f.remaining_h[last] = f.service_h[last]
    gone_out(last, x, f)
    vacated(last, x, f)
    f.cut[last] = True
    queued(last, x, c, f)
    g.ahead[c.step_of[last]] += 1
    return u


@stage
def settled(k, q, x, m, soon_h, at, events, event_line, held, w, t, d, c, a, g, f):
    """`FullStation.settle`, once those who came have joined: who goes on or starts, one by one."""
    queues, group, mark = len(t.queue_kind), t.queue_group[q], np.int64(t.queue_slot[q]) << 1
    visits = 0
    while True:
        if f.parked_count[x] > 0 and gone_on(k, x, queues, at, g, f):
            continue
        u = next_of(q, x, at, t, d, c, g, f)
        if u < 0 and f.preempts[x] != NOBODY_STOPS:
            u = lane_taken(x, at, c, g, f)
        if u < 0:
            if extra_asked(k, q, x, queues, at, w, g, f):
                continue
            left = False
            while f.due_head[x] >= 0:
                i = f.due_head[x]
                f.due_head[x], f.leaves_with[i] = f.leaves_with[i], NOT_DUE
                if f.leaves_h[i] == at:
                    held = left_the_queue(i, q, x, at, events, event_line, held, w, t, d, c, a, g, f)
                    visits += 1
                    c.who[m] = i
                    c.when_h[m] = at
                    m += 1
                    if g.comes_back[c.step_of[i]]:
                        soon_h = min(soon_h, at)
                    left = True
            if left:
                continue
            break
        i = np.int64(f.head[u])
        f.head[u] = c.behind[i]
        s = np.int64(c.step_of[i])
        g.ahead[s] -= 1
        occupied(i, x, pool_for(x, f.group[i], f), f)
        f.leaves_h[i] = inf
        if not (f.requeued[i] or f.cut[i]):
            f.start_h[i] = at
            if t.how[s] == UNUSUAL:
                f.service_h[i] = duration(s, i - d.base[t.route_flow[d.route[i]]], at, t, d)
                f.remaining_h[i] = f.service_h[i]
            if g.told[i] == TOLD:
                events[held] = (np.int64(at * GRID_PER_H) << SLOT_BITS) | mark | 1
                event_line[held] = group
                held += 1
            g.told[i] = STARTED
        f.requeued[i] = f.cut[i] = False
        if g.pool[q] >= 0 and not f.staffed[i]:
            g.held[g.pool[q]] += g.staff[q]
            f.staffed[i] = True
        gone_in(i, x, f)
        if f.remaining_h[i] > 0:
            resumed(k, i, queues, at, g, f)
        else:
            if g.round_about[q]:
                c.wrong[0], c.wrong[1], c.wrong[2] = NO_TIME, q + 1, at
            ended(i, q, x, at, w, t, c, a, g, f)
            visits += 1
            c.who[m] = i
            c.when_h[m] = at
            m += 1
            if g.comes_back[s]:
                soon_h = min(soon_h, at)
    return m, soon_h, held, visits
