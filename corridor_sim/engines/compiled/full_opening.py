"""Machine code of the pass, stations with everything: lanes that the queue opens and gates that a queue closes.

As `QueueOpenedLanes` and the gates of the event engine (rules S27 and S31).
"""
# mypy: ignore-errors

from __future__ import annotations

from math import inf

import numpy as np

from corridor_sim.engines.compiled.announcing import of_pools
from corridor_sim.engines.compiled.codes import NOBODY_STOPS
from corridor_sim.engines.compiled.full_lanes import lanes_read
from corridor_sim.engines.compiled.heap import push
from corridor_sim.engines.compiled.parts import stage


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
