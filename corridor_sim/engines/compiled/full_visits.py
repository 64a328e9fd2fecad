"""Machine code of the pass, stations with everything: a visit from its joining to its end, and how it is counted."""
# mypy: ignore-errors

from __future__ import annotations

from math import inf, nan

import numpy as np

from corridor_sim.core.units import GRID_PER_H
from corridor_sim.engines.compiled.boarding import ready_h
from corridor_sim.engines.compiled.codes import CLEAR_QUEUE, FIXED, NO_OVERRUN, SLOT_BITS, TOO_LONG
from corridor_sim.engines.compiled.counting import counted_visit, time_bin
from corridor_sim.engines.compiled.drawing import draw_of, unusual_duration
from corridor_sim.engines.compiled.full_lanes import vacated
from corridor_sim.engines.compiled.full_queue import gone_out, queued, taken_out
from corridor_sim.engines.compiled.heap import push
from corridor_sim.engines.compiled.parts import stage, written_in

NOT_DUE = -2
"""Of `leaves_with`: the patience does not end now."""
STARTED, TOLD = 2, 1
"""Of `told`: the service has begun; those who count the queue know that the consignment waits."""


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
    f.rank_of[i], f.ready_h[i] = f.rank[row, flow], at
    if t.queue_boarded[q]:
        f.ready_h[i] = ready_h(i, t, d, c)
        c.landed_h[i] = nan
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
        f.leaves_h[i] = at + draw_of(f.patience[s], j, t, d)
        if f.leaves_h[i] == at:
            f.leaves_with[i] = f.due_head[x]
            f.due_head[x] = i
        else:
            what = np.int64(-1 - 2 * len(t.queue_kind) - len(f.leaves_h) - i)
            push(g.heap_h[k], g.heap_of[k], g.heap_size[k], f.leaves_h[i], what)
            g.heap_size[k] += 1


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
    counted_visit(s, q, join, start, leave, leave - start, f.service_h[i], w, t, c, a)


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
