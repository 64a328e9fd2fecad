"""Machine code of the pass: legs and daily acceptance that are worked through in time order."""
# mypy: ignore-errors

from __future__ import annotations

import numpy as np

from corridor_sim.core.units import GRID_PER_H
from corridor_sim.engines.compiled.codes import SAILING, SLOT_BITS
from corridor_sim.engines.compiled.drawing import function_at
from corridor_sim.engines.compiled.full_visits import STARTED, TOLD, duration, noted
from corridor_sim.engines.compiled.heap import push
from corridor_sim.engines.compiled.parts import stage
from corridor_sim.engines.compiled.serving import open_from


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
