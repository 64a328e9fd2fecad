"""Machine code of the pass: stations with everything, legs and daily acceptance, worked through in time order.

As `engines.event.full_station`, `legs` and `timetables` do it, instant by instant, and in the same order: what
changes by date (`refreshed`), then who goes on or starts (`settled`, `let_in`). A service that may be interrupted
ends by an event of its own (`ended`); one that no longer counts is void: the consignment has another time or none.
"""
# mypy: ignore-errors

from __future__ import annotations

from math import inf, nan

import numpy as np

from corridor_sim.core.units import GRID_PER_H
from corridor_sim.engines.compiled.announcing import extra_usable, of_pools
from corridor_sim.engines.compiled.codes import (
    BEGINS_ANEW,
    CLEAR_QUEUE,
    FIXED,
    NO_OVERRUN,
    NO_TIME,
    NOBODY_STOPS,
    OUTAGES_REQUEUE,
    OUTAGES_RESTART,
    OUTAGES_RESUME,
    RESTART,
    SAILING,
    SLOT_BITS,
    SUSPEND,
    TOO_LONG,
    UNUSUAL,
)
from corridor_sim.engines.compiled.counting import interruptible, seen, time_bin, visited
from corridor_sim.engines.compiled.drawing import drawn, function_at, unusual_duration
from corridor_sim.engines.compiled.heap import push
from corridor_sim.engines.compiled.parts import stage, written_in
from corridor_sim.engines.compiled.serving import open_from

NOT_DUE = -2
"""Of `leaves_with`: the patience does not end now."""
STARTED, TOLD = 2, 1
"""Of `told`: the service has begun; those who count the queue know that the consignment waits."""


# ---------------------------------------------------------------- events to come


@stage
def without_void(k, queues, g, f):
    """Take the ends of services and of patience that no longer count off the heap of a group."""
    heap_h, heap_of, size, many = g.heap_h[k], g.heap_of[k], g.heap_size[k], len(f.leaves_h)
    kept = 0
    for z in range(size):
        at, what = heap_h[z], heap_of[z]
        i = -1 - what - 2 * queues
        counts = i < 0
        if i >= many:
            counts = f.leaves_h[i - many] == at
        elif i >= 0:
            counts = f.ending[i] and f.due_h[i] == at
        if counts:
            push(heap_h, heap_of, kept, at, what)
            kept += 1
    g.heap_size[k] = kept


# ---------------------------------------------------------------- lanes


@stage
def shared_out(x, lanes, at, f):
    """`Reservations.share_out`."""
    general = f.pool_from[x]
    for y in range(general + 1, f.pool_from[x + 1]):
        wanted = function_at(y, at, f.kept_from, f.kept_h, f.kept)
        f.bound[y] = wanted > 0
        f.capacity[y] = min(wanted, lanes)
        lanes -= f.capacity[y]
    f.capacity[general] = lanes


@stage
def counted(x, f):
    """`LaneStation._count`: lanes to share out, and who counts against them."""
    begin, end, general = f.lane_from[x], f.lane_from[x + 1], f.pool_from[x]
    lanes = 0
    for z in range(begin, end):
        if f.is_open[z] and f.down[z] == 0:
            lanes += 1
    shared_out(x, lanes, f.read_h[x], f)
    for y in range(general, f.pool_from[x + 1]):
        f.used[y] = 0
    for z in range(begin, end):
        i = f.occupant[z]
        if i >= 0 and f.down[z] == 0 and (f.is_open[z] or not f.named[x]):
            f.used[general + f.pool[i]] += 1


@stage
def lanes_read(x, at, f):
    """`FullStation._read_lanes` and that of `LaneStation`."""
    lanes, begin = f.lanes_now[x], f.lane_from[x]
    cleared = f.closed[x] and f.closing[x] == CLEAR_QUEUE
    if not f.by_lane[x]:
        if cleared:
            lanes = f.open_before[x]
        shared_out(x, 0 if f.down[begin] > 0 else lanes, at, f)
        f.capacity[f.pool_from[x]] += extra_usable(x, f)
        return
    for z in range(begin, f.lane_from[x + 1]):
        if f.named[x]:
            if not cleared and f.calendar_from[z] < f.calendar_from[z + 1]:
                f.is_open[z] = function_at(z, at, f.calendar_from, f.calendar_h, f.calendar) > 0
        else:
            f.is_open[z] = z - begin < (f.open_before[x] if cleared else lanes)
    f.read_h[x] = at
    counted(x, f)


@stage
def extra_have(x, number, at, w, f):
    """`QueueOpenedLanes._have`, with the lane-hours and openings of the counted window."""
    before = f.extra_open[x]
    if number != before:
        since, until = max(f.extra_since_h[x], w.from_h), min(at, w.until_h)
        if until > since:
            f.extra_open_h[x] += before * (until - since)
        if number > before and w.from_h <= at < w.until_h:
            f.extra_opened[x] += number - before
        f.extra_since_h[x] = at
        f.extra_open[x] = number


@stage
def extra_piece(x, at, f):
    """Which numbers of its extra lanes hold now."""
    p = f.extra_at[x]
    while p + 1 < f.extra_from[x + 1] and f.extra_h[p + 1] <= at:
        p += 1
    f.extra_at[x] = p
    return p


@stage
def extra_brought(x, at, w, f):
    """`QueueOpenedLanes.bring_to`, and the lanes read anew where their number has changed."""
    if f.extra_from[x] == f.extra_from[x + 1]:
        return False
    before, most = f.extra_open[x], f.extra_most[extra_piece(x, at, f)]
    number = before
    if f.extra_ready_h[x] <= at:
        f.extra_ready_h[x] = inf
        number += 1
    if number >= most:
        f.extra_ready_h[x] = inf
    extra_have(x, min(number, most), at, w, f)
    if f.extra_open[x] != before:
        lanes_read(x, at, f)
        return True
    return False


@stage
def extra_asked(k, q, x, queues, at, w, g, f):
    """`FullStation._ask`: open or close lanes by how many wait for the general ones."""
    if f.extra_from[x] == f.extra_from[x + 1] or f.closed[x] or f.down[f.lane_from[x]] > 0:
        return False
    general, pools = f.pool_from[x], f.pool_from[x + 1] - f.pool_from[x]
    # Who is there and has no lane waits, or was interrupted.
    waiting, used = f.there[x], np.int64(0)
    for y in range(general, general + pools):
        waiting -= f.used[y]
        if not f.bound[y]:
            used += f.used[y]
    if pools > 1:
        for z in range(g.visit_from[q], g.visit_from[q + 1]):
            if not of_pools(x, f.group_of[x, g.flow[g.visit[z]]], 0, f):
                waiting -= g.ahead[g.visit[z]]
        i = f.inside_head[x] if f.parked_count[x] > 0 else np.int64(-1)
        while i >= 0:
            if f.parked[i] and not of_pools(x, f.group[i], 0, f):
                waiting -= 1
            i = np.int64(f.after[i])
    p = extra_piece(x, at, f)
    if waiting > f.extra_above[p]:
        if f.extra_ready_h[x] == inf and f.extra_open[x] < f.extra_most[p]:
            f.extra_ready_h[x] = at + f.extra_start_up_h[p]
            if f.extra_ready_h[x] > at:
                push(g.heap_h[k], g.heap_of[k], g.heap_size[k], f.extra_ready_h[x], np.int64(-1 - queues - q))
                g.heap_size[k] += 1
            return extra_brought(x, at, w, f)
    elif waiting < f.extra_below[p]:
        f.extra_ready_h[x] = inf
        if f.extra_open[x] > 0 and used <= f.capacity[general]:
            extra_have(x, f.extra_open[x] - 1, at, w, f)
            lanes_read(x, at, f)
            return True
    return False


@stage
def in_line(q, c, g, f):
    """`waiting_now` of an element of the event engine: who has joined a queue and not started."""
    x = f.number[q]
    if x < 0:
        return c.waiting[q]
    found = np.int64(0)
    for z in range(g.visit_from[q], g.visit_from[q + 1]):
        found += g.ahead[g.visit[z]]
    # Who was put back or interrupted has started before; who came after a closing is not in line yet.
    if f.preempts[x] != NOBODY_STOPS:
        for u in range(f.slot_from[x], f.slot_from[x + 1]):
            i = np.int64(f.head[u])
            while i >= 0:
                if f.cut[i]:
                    found -= 1
                i = np.int64(c.behind[i])
    for pool in range(f.pool_from[x + 1] - f.pool_from[x]):
        for u in range(f.slot_from[x] + 2 * pool * f.classes[x], f.slot_from[x] + (2 * pool + 1) * f.classes[x]):
            i = np.int64(f.head[u])
            while i >= 0:
                found -= 1
                i = np.int64(c.behind[i])
    i = f.later_head[x]
    while i >= 0:
        found += 1
        i = np.int64(c.behind[i])
    return found


@stage
def gate_asked(z, at, c, g, f):
    """`QueueGateNow.ask`: a gate closes or opens by how many wait; whether it has changed."""
    waiting = np.int64(0)
    for y in range(f.gate_at_from[z], f.gate_at_from[z + 1]):
        waiting += in_line(f.gate_at[y], c, g, f)
    p = f.gate_piece[z]
    while p + 1 < f.gate_piece_from[z + 1] and f.gate_h[p + 1] <= at:
        p += 1
    f.gate_piece[z] = p
    closed = f.gate_closed[z]
    if waiting >= f.gate_close[p]:
        closed = True
    elif waiting < f.gate_open[p]:
        closed = False
    if closed == f.gate_closed[z]:
        return False
    f.gate_closed[z] = closed
    f.shut[f.gate_station[z]] += 1 if closed else -1
    return True


@stage
def pool_for(x, group, f):
    """`Reservations.pool_for`."""
    general = f.pool_from[x]
    y = general + group
    if f.bound[y]:
        if f.used[y] < f.capacity[y]:
            return group
        if not f.overflow[y]:
            return -1
    many = 0
    for y in range(general, f.pool_from[x + 1]):
        if not f.bound[y]:
            many += f.used[y]
    return 0 if many < f.capacity[general] else -1


@stage
def occupied(i, x, pool, f):
    """A lane of a pool is taken."""
    f.pool[i] = pool
    if not f.by_lane[x]:
        f.used[f.pool_from[x] + pool] += 1
        return
    z = f.lane_from[x]
    while z + 1 < f.lane_from[x + 1] and (f.occupant[z] >= 0 or not f.is_open[z] or f.down[z] > 0):
        z += 1
    f.lane[i] = z - f.lane_from[x]
    f.occupant[z] = i
    counted(x, f)


@stage
def vacated(i, x, f):
    """A lane is free again."""
    if f.by_lane[x]:
        f.occupant[f.lane_from[x] + f.lane[i]] = -1
        counted(x, f)
    else:
        f.used[f.pool_from[x] + f.pool[i]] -= 1


# ---------------------------------------------------------------- who waits and who is inside


@written_in
def comes_before(i, j, join_of, f):
    """Queue order (rules S04, S05); those put back stand at the head."""
    found = i < j
    if f.requeued[i] != f.requeued[j]:
        found = f.requeued[i]
    elif f.rank_of[i] != f.rank_of[j]:
        found = f.rank_of[i] < f.rank_of[j]
    elif join_of[i] != join_of[j]:
        found = join_of[i] < join_of[j]
    return found


@stage
def queued(i, x, c, f):
    """One more waits, in its place."""
    u = f.slot_from[x] + (2 * f.group[i] + (0 if f.requeued[i] else 1)) * f.classes[x] + f.rank_of[i]
    head, tail, behind, join_of = f.head, f.tail, c.behind, c.join_h
    behind[i] = -1
    if head[u] < 0:
        head[u] = i
        tail[u] = i
    elif comes_before(tail[u], i, join_of, f):
        behind[tail[u]] = i
        tail[u] = i
    else:
        before, one = np.int64(-1), np.int64(head[u])
        while comes_before(one, i, join_of, f):
            before, one = one, np.int64(behind[one])
        behind[i] = one
        if before < 0:
            head[u] = i
        else:
            behind[before] = i


@written_in
def first_line(x, group, f):
    """The line in which the first of a group waits, -1 if nobody does."""
    u = f.slot_from[x] + 2 * group * f.classes[x]
    end = u + 2 * f.classes[x]
    while u < end and f.head[u] < 0:
        u += 1
    return u if u < end else -1


@stage
def gone_in(i, x, f):
    """A service has begun: one more, the last in order of starts."""
    last = f.inside_tail[x]
    f.before[i], f.after[i] = last, -1
    if last < 0:
        f.inside_head[x] = i
    else:
        f.after[last] = i
    f.inside_tail[x] = i


@stage
def gone_out(i, x, f):
    """A service is over, or its consignment is put back."""
    before, after = f.before[i], f.after[i]
    if before < 0:
        f.inside_head[x] = after
    else:
        f.after[before] = after
    if after < 0:
        f.inside_tail[x] = before
    else:
        f.before[after] = before


@stage
def interrupted(i, at, f):
    """`FullStation._interrupt`."""
    if f.ending[i]:
        f.ending[i] = False
        f.remaining_h[i] = f.due_h[i] - at


@stage
def resumed(k, i, queues, at, g, f):
    """`FullStation._resume`, of a service of which something is left."""
    f.due_h[i] = at + f.remaining_h[i]
    f.ending[i] = True
    push(g.heap_h[k], g.heap_of[k], g.heap_size[k], f.due_h[i], np.int64(-1 - 2 * queues - i))
    g.heap_size[k] += 1


# ---------------------------------------------------------------- the calendar


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


# ---------------------------------------------------------------- starts and ends


@written_in
def duration(s, j, at_h, t, d):
    """The duration of a step that starts at an instant. [h]"""
    return t.fixed_h[s] if t.how[s] == FIXED else unusual_duration(s, j, at_h, t, d)


@stage
def joined_full(k, i, q, x, at, t, d, c, g, f):
    """`FullStation._join`."""
    s, flow = np.int64(c.step_of[i]), t.route_flow[d.route[i]]
    j = i - d.base[flow]
    f.service_h[i] = duration(s, j, at, t, d)
    if f.service_h[i] > f.longest_h[x]:
        c.wrong[0], c.wrong[1], c.wrong[2] = TOO_LONG, q + 1, f.service_h[i]
    row = f.rank_from[x + 1] - 1
    while row > f.rank_from[x] and f.rank_h[row] > at:
        row -= 1
    f.rank_of[i] = f.rank[row, flow]
    f.remaining_h[i], f.start_h[i] = f.service_h[i], inf
    f.ending[i] = f.parked[i] = f.requeued[i] = f.staffed[i] = f.cut[i] = False
    f.pool[i] = f.lane[i] = 0
    f.group[i] = f.group_of[x, flow]
    f.there[x] += 1
    if f.closed[x] and f.closing[x] == CLEAR_QUEUE:
        c.behind[i] = -1
        if f.later_head[x] < 0:
            f.later_head[x] = i
        else:
            c.behind[f.later_tail[x]] = i
        f.later_tail[x] = i
    else:
        queued(i, x, c, f)
        g.ahead[s] += 1
    f.leaves_h[i], f.leaves_with[i] = inf, NOT_DUE
    if f.patience[s] >= 0:
        f.leaves_h[i] = at + drawn(
            f.patience[s],
            j,
            t.node,
            d.given_at,
            d.given,
            d.first,
            d.second,
            t.law_kind,
            t.law_number,
            t.law_place,
            t.law_table,
        )
        if f.leaves_h[i] == at:
            f.leaves_with[i] = f.due_head[x]
            f.due_head[x] = i
        else:
            what = np.int64(-1 - 2 * len(t.queue_kind) - len(f.leaves_h) - i)
            push(g.heap_h[k], g.heap_of[k], g.heap_size[k], f.leaves_h[i], what)
            g.heap_size[k] += 1


@stage
def taken_out(i, x, c, g, f):
    """One who waits is taken out of his line (`StationQueue.drop`), or out of those who came after a closing."""
    behind, before = c.behind, np.int64(-1)
    u = f.slot_from[x] + (2 * f.group[i] + 1) * f.classes[x] + f.rank_of[i]
    one = np.int64(f.head[u])
    while one >= 0 and one != i:
        before, one = one, np.int64(behind[one])
    if one == i:
        g.ahead[c.step_of[i]] -= 1
        if before < 0:
            f.head[u] = behind[i]
        else:
            behind[before] = behind[i]
            if f.tail[u] == i:
                f.tail[u] = before
        return
    before, one = np.int64(-1), np.int64(f.later_head[x])
    while one != i:
        before, one = one, np.int64(behind[one])
    if before < 0:
        f.later_head[x] = behind[i]
    else:
        behind[before] = behind[i]
    if f.later_tail[x] == i:
        f.later_tail[x] = before


@stage
def left_the_queue(i, q, x, at, events, event_line, held, w, t, d, c, a, g, f):
    """`FullStation._let_leave`: the visit is over, and counted as of one who left. Returns the number of events."""
    s, join = np.int64(c.step_of[i]), c.join_h[i]
    taken_out(i, x, c, g, f)
    f.there[x] -= 1
    f.leaves_h[i] = inf
    f.service_h[i] = 0.0
    if g.told[i] == TOLD:
        mark = np.int64(t.queue_slot[q]) << 1
        events[held] = (np.int64(at * GRID_PER_H) << SLOT_BITS) | mark | 1
        event_line[held] = t.queue_group[q]
        held += 1
    g.told[i] = STARTED
    noted(i, q, at, at, w, t, c, a, f)
    if (join >= w.from_h or w.from_h <= 0.0) and join < w.until_h and at < w.horizon_h:
        f.gave_up[s, 0] += 1.0
        f.gave_up[s, 1] += at - join
        if at > join:
            a.waits[t.queue_row[q], time_bin(at - join, w.first_bin)] -= 1
    d.route[i] = f.leave_route[s]
    c.step_of[i] = f.leave_step[s] - 1
    for z in range(c.begun.shape[1]):
        c.begun[i, z] = nan
    return held


@stage
def read_again(q, x, at, t, d, c, f):
    """Whether the services of those who wait, read anew, fit into an opening where none may run over."""
    for p in range(t.changes_from[q], t.changes_from[q + 1]):
        if t.changes_h[p] == at and f.closing[x] == NO_OVERRUN:
            for u in range(f.slot_from[x], f.slot_from[x + 1]):
                i = np.int64(f.head[u])
                while i >= 0:
                    longest = duration(np.int64(c.step_of[i]), i - d.base[t.route_flow[d.route[i]]], at, t, d)
                    if longest > f.longest_h[x]:
                        c.wrong[0], c.wrong[1], c.wrong[2] = TOO_LONG, q + 1, longest
                    i = np.int64(c.behind[i])


@stage
def noted(i, q, start, leave, w, t, c, a, f):
    """Count a visit: its sums, who joins by day, the queue at its marks, the wait."""
    s, join = np.int64(c.step_of[i]), c.join_h[i]
    a.served[q] += 1
    if t.queue_stops[q] and join < w.horizon_h:
        interruptible(s, q, join, start, leave, f.service_h[i], w, a, c)
        seen(
            t.queue_row[q],
            t.queue_clock[q],
            join,
            start,
            w.from_h,
            w.until_h,
            w.horizon_h,
            w.first_bin,
            w.marks_per_h,
            a.days,
            a.net,
            a.waits,
            t,
        )
    elif not t.queue_stops[q]:
        visited(
            s,
            t.queue_row[q],
            t.queue_clock[q],
            join,
            start,
            leave,
            leave - start,
            w.from_h,
            w.until_h,
            w.horizon_h,
            w.first_bin,
            w.marks_per_h,
            a.inner,
            a.at_edge,
            a.days,
            a.net,
            a.waits,
            t,
        )


@stage
def ended(i, q, x, at, w, t, c, a, g, f):
    """`FullStation.end`: the staff and the lane are free, the visit is over."""
    gone_out(i, x, f)
    f.ending[i] = False
    f.there[x] -= 1
    if f.staffed[i]:
        f.staffed[i] = False
        pool = g.pool[q]
        g.held[pool] -= g.staff[q]
        for y in range(g.pool_from[pool], g.pool_from[pool + 1]):
            g.touched[g.pool_queue[y]] = True
    vacated(i, x, f)
    g.touched[q] = True
    noted(i, q, f.start_h[i], at, w, t, c, a, f)


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


@stage
def line_of_track(q, leg, at, c, g, f):
    """`SingleTrackElement.settle`: the line of the direction that may enter, -1 while the other one is still there."""
    if f.way[leg] < 0:
        one, other = np.int64(c.head[q, 0]), np.int64(c.head[q, 1])
        f.way[leg] = 1
        first = c.join_h[one] < c.join_h[other] or (c.join_h[one] == c.join_h[other] and one < other)
        if one >= 0 and (other < 0 or first):
            f.way[leg] = 0
    u = f.way[leg]
    full_row = f.convoy[leg] > 0 and f.in_a_row[leg] >= f.convoy[leg]
    if c.head[q, 1 - u] >= 0 and (c.head[q, u] < 0 or full_row):
        u = 1 - u
        f.way[leg], f.in_a_row[leg], f.turning[leg] = u, 0, True
    if f.turning[leg]:
        if g.used[q] > 0:
            return -1
        f.turning[leg], f.free_h[leg] = False, at + f.switch_h[leg]
    return u


@stage
def let_in(k, q, m, soon_h, at, events, event_line, held, w, t, d, c, a, g, f):
    """Who may enter a leg, is accepted on a day or boards (`engines.event.legs`, `timetables`)."""
    leg, kind, group, mark = f.leg[q], t.queue_kind[q], t.queue_group[q], np.int64(t.queue_slot[q]) << 1
    p, final = c.piece[q], t.queue_from[q + 1] - 1
    queues, visits = len(t.queue_kind), 0
    while c.waiting[q] > 0:
        u = np.int64(0)
        if leg >= 0:
            if f.single[leg]:
                u = line_of_track(q, leg, at, c, g, f)
                if u < 0:
                    break
            if g.used[q] >= function_at(leg, at, f.room_from, f.room_h, f.room):
                break
            if at < f.free_h[leg]:
                if f.woken_h[leg] != f.free_h[leg]:
                    f.woken_h[leg] = f.free_h[leg]
                    push(g.heap_h[k], g.heap_of[k], g.heap_size[k], f.free_h[leg], np.int64(-1 - queues - q))
                    g.heap_size[k] += 1
                break
        else:
            while p <= final and (t.queue_until_h[p] <= at or c.taken[q] >= t.queue_value[p]):
                p += 1
                c.taken[q] = 0
            if p > final or t.queue_h[p] > at:
                break
            opens = t.queue_open[q]
            if opens >= 0 and open_from(opens, at, t.function_from, t.piece_h, t.piece_value) > at:
                break
            c.taken[q] += 1
        i = np.int64(c.head[q, u])
        c.head[q, u] = c.behind[i]
        c.waiting[q] -= 1
        if leg >= 0 and f.single[leg] and c.head[q, 1 - u] >= 0:
            f.in_a_row[leg] += 1
        s, flow = np.int64(c.step_of[i]), t.route_flow[d.route[i]]
        g.ahead[s] -= 1
        j, hold = i - d.base[flow], 0.0
        if leg >= 0:
            hold = duration(s, j, at, t, d)
            if f.no_overtaking[leg]:
                f.exit_h[leg] = max(at + hold, f.exit_h[leg])
                hold = f.exit_h[leg] - at
            if f.headway_from[leg + 1] > f.headway_from[leg]:
                f.free_h[leg] = at + function_at(leg, at, f.headway_from, f.headway_h, f.headway)
            if hold > 0:
                g.used[q] += 1
                push(g.heap_h[k], g.heap_of[k], g.heap_size[k], at + hold, np.int64(-1 - q))
                g.heap_size[k] += 1
        elif kind == SAILING:
            hold = t.sailing_h[p]
        if g.told[i] == TOLD:
            events[held] = (np.int64(at * GRID_PER_H) << SLOT_BITS) | mark | 1
            event_line[held] = group
            held += 1
        g.told[i] = STARTED
        noted(i, q, at, at + hold, w, t, c, a, f)
        visits += 1
        c.who[m] = i
        c.when_h[m] = at + hold
        m += 1
        if g.comes_back[s]:
            soon_h = min(soon_h, at + hold)
    c.piece[q] = p
    return m, soon_h, held, visits


@stage
def left_over(k, m, w, t, c, a, g, f):
    """Count those who wait or are served at full stations as the run ends."""
    visits = 0
    for z in range(g.member_from[k], g.member_from[k + 1]):
        q = g.member[z]
        x = f.number[q]
        if x < 0:
            continue
        for u in range(f.slot_from[x], f.slot_from[x + 1] + 2):
            # Those in line, then those who came after a closing, then those inside.
            last = f.slot_from[x + 1]
            i = f.head[u] if u < last else (f.later_head[x] if u == last else f.inside_head[x])
            while i >= 0:
                noted(i, q, f.start_h[i], inf, w, t, c, a, f)
                visits += 1
                c.who[m] = i
                c.when_h[m] = inf
                m += 1
                i = np.int64(f.after[i] if u > last else c.behind[i])
    return m, visits
