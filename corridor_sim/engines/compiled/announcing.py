"""Machine code of the pass: the wait announced to who reaches a post (`engines.event.announced`)."""
# mypy: ignore-errors

from __future__ import annotations

from math import inf

import numpy as np

from corridor_sim.engines.compiled.codes import CLEAR_QUEUE, RESTART, SUSPEND
from corridor_sim.engines.compiled.drawing import function_at
from corridor_sim.engines.compiled.parts import stage, written_in


@stage
def planned_h(s, at_h, g):
    """`StepNow.mean_h`: mean duration planned for those who take a step. [h]"""
    found = 0.0
    if g.law_from[s + 1] > g.law_from[s]:
        k = g.law_from[s + 1] - 1
        while k > g.law_from[s] and g.law_h[k] > at_h:
            k -= 1
        found = g.mean_h[k]
        if g.factor[s] >= 0:
            found *= function_at(g.factor[s], at_h, g.function_from, g.function_h, g.function_value)
        for k in range(g.relief_from[s], g.relief_from[s + 1]):
            if g.relief_factor[k] != 0:
                share = function_at(g.relief_share[k], at_h, g.function_from, g.function_h, g.function_value)
                found *= 1 - share * (1 - g.relief_factor[k])
    return found


@stage
def needing(s, at_h, g):
    """`StepNow.need`: share of those who take a step."""
    found = 1.0
    if g.share[s] >= 0:
        found = function_at(g.share[s], at_h, g.function_from, g.function_h, g.function_value)
    for k in range(g.relief_from[s], g.relief_from[s + 1]):
        if g.relief_factor[k] == 0:
            found *= 1 - function_at(g.relief_share[k], at_h, g.function_from, g.function_h, g.function_value)
    return found


@written_in
def overlap(x, one, other, f):
    """Whether two groups may use a pool in common."""
    general = f.pool_from[x]
    mine, theirs = f.bound[general + one], f.bound[general + other]
    found = one == other or (not mine and not theirs)
    if not found:
        found = (not mine or f.overflow[general + one]) and (not theirs or f.overflow[general + other])
    return found


@written_in
def of_pools(x, group, pool, f):
    """Whether a group may use a pool (`Reservations.pools_of`)."""
    general = f.pool_from[x]
    found = not f.bound[general + pool]
    if f.bound[general + group]:
        found = pool == group or (pool == 0 and f.overflow[general + group])
    return found


@written_in
def extra_usable(x, f):
    """`FullStation._extra_usable`: extra lanes that may start services."""
    return 0 if f.closed[x] or f.down[f.lane_from[x]] > 0 else f.extra_open[x]


@stage
def stage_wait_h(s, q, x, at, after_h, horizon_h, c, g, f):
    """`FullStation.announced_h`: the wait announced at one stage. [h]"""
    general, pools = f.pool_from[x], f.pool_from[x + 1] - f.pool_from[x]
    row = f.rank_from[x + 1] - 1
    while row > f.rank_from[x] and f.rank_h[row] > at:
        row -= 1
    group, rank = f.group_of[x, g.flow[s]], f.rank[row, g.flow[s]]
    y = general + group
    piece, end = f.usable_from[y], f.usable_from[y + 1]
    while piece + 1 < end and f.usable_h[piece + 1] <= at:
        piece += 1
    lanes, to_opening_h = f.usable[piece], 0.0
    if of_pools(x, group, 0, f):
        lanes += extra_usable(x, f)
    closed = function_at(x, at, f.lanes_from, f.lanes_h, f.lanes) == 0
    stops = closed and (f.closing[x] == SUSPEND or f.closing[x] == RESTART)
    taken = 0
    opening = lanes == 0
    if opening:
        piece += 1
        while piece < end and not (f.usable_h[piece] > at and f.usable[piece] > 0):
            piece += 1
        if piece >= end or f.usable_h[piece] > horizon_h:
            return inf
        lanes, to_opening_h = f.usable[piece], max(0.0, f.usable_h[piece] - at - after_h)
        if f.by_lane[x]:
            for z in range(f.lane_from[x], f.lane_from[x + 1]):
                if f.occupant[z] >= 0 and of_pools(x, group, f.pool[f.occupant[z]], f):
                    taken += 1
        else:
            for pool in range(pools):
                if of_pools(x, group, pool, f):
                    taken += f.used[general + pool]
    else:
        for pool in range(pools):
            if of_pools(x, group, pool, f):
                taken += f.used[general + pool]
    i = f.inside_head[x]
    while i >= 0:
        if f.parked[i]:
            line = f.group[i] if f.bound[general + f.group[i]] else 0
            if of_pools(x, group, line, f):
                taken += 1
        elif opening and not stops and f.ending[i] and of_pools(x, group, f.pool[i], f):
            taken -= 1
        i = np.int64(f.after[i])
    cleared = closed and f.closing[x] == CLEAR_QUEUE
    for chain in range(2):
        i = g.arrived[q] if chain == 0 else f.later_head[x]
        while i >= 0:
            f.outside[c.step_of[i]] += 1
            i = np.int64(c.behind[i])
    count, work_h = 0, planned_h(s, at, g)
    for z in range(g.visit_from[q], g.visit_from[q + 1]):
        one = g.visit[z]
        many = f.outside[one] + (0 if cleared else g.ahead[one])
        flow = g.flow[one]
        if many > 0 and f.rank[row, flow] <= rank and overlap(x, group, f.group_of[x, flow], f):
            count += many
            work_h += many * planned_h(one, at, g)
        f.outside[one] = 0
    mean_h = work_h / (count + 1)
    return to_opening_h + max(0.0, count + 1 - max(0.0, lanes - taken)) * mean_h / lanes


@stage
def announced_h(b, at_h, horizon_h, t, c, g, f):
    """`engines.event.announced`: the wait announced at an instant on some terms. [h]"""
    total_h = 0.0
    for x in range(g.stage_from[b], g.stage_from[b + 1]):
        s = g.stage[x]
        need = needing(s, at_h, g)
        if not need > 0:
            continue
        q = t.queue[s]
        if f is not None and f.number[q] >= 0:
            wait_h = stage_wait_h(s, q, f.number[q], at_h, total_h, horizon_h, c, g, f)
            if wait_h == inf:
                return inf
            total_h += need * wait_h
            continue
        rank, final = t.queue_rank[q, g.flow[s]], t.queue_from[q + 1] - 1
        p = c.piece[q]
        while p < final and t.queue_h[p + 1] <= at_h:
            p += 1
        lanes, taken, to_opening_h = float(t.queue_value[p]), float(g.used[q]), 0.0
        if lanes == 0:
            while p < final and not t.queue_value[p] > 0:
                p += 1
            if not t.queue_value[p] > 0 or t.queue_h[p] > horizon_h:
                return inf
            lanes, taken = float(t.queue_value[p]), 0.0
            to_opening_h = max(0.0, t.queue_h[p] - at_h - total_h)
        i = g.arrived[q]
        while i >= 0:
            g.ahead[c.step_of[i]] += 1
            i = c.behind[i]
        count, work_h = 0, planned_h(s, at_h, g)
        for y in range(g.visit_from[q], g.visit_from[q + 1]):
            one = g.visit[y]
            if g.ahead[one] > 0 and t.queue_rank[q, g.flow[one]] <= rank:
                count += g.ahead[one]
                work_h += g.ahead[one] * planned_h(one, at_h, g)
        i = g.arrived[q]
        while i >= 0:
            g.ahead[c.step_of[i]] -= 1
            i = c.behind[i]
        mean_h = work_h / (count + 1)
        total_h += need * (to_opening_h + max(0.0, count + 1 - max(0.0, lanes - taken)) * mean_h / lanes)
    return total_h
