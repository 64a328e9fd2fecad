"""Machine code of the pass: from where a consignment is to its next queue, and who lines up there."""
# mypy: ignore-errors

from __future__ import annotations

from math import inf, nan

import numpy as np

from corridor_sim.core.draws.scalar import BY_11, bits_of, word
from corridor_sim.core.units import GRID_PER_H
from corridor_sim.engines.compiled.codes import (
    ALL,
    CLOSES,
    CLOSES_END,
    COLUMN,
    HOW,
    ID_BITS,
    LEG_OF,
    MOST_BUCKETS,
    OPENS,
    OPENS_END,
    QUEUE,
    RESTS,
    SHARE_BITS,
    SHARE_COLUMN,
    SHARE_OF,
    SOME,
    TAKE,
)
from corridor_sim.engines.compiled.counting import edge_visit
from corridor_sim.engines.compiled.drawing import lasting, unusual_taking
from corridor_sim.engines.compiled.parts import maker, nth, stage, written_in
from corridor_sim.engines.compiled.resting import resting


@stage
def released(until_h, last_h, flows, coming, d, c):
    """Those released before an instant (and by `last_h`), as ones who come to their first step."""
    base, release_h, who, when_h = d.base, d.release_h, c.who, c.when_h
    m = 0
    for f in range(flows):
        i = coming[f]
        while i < base[f + 1] and release_h[i] < until_h:
            if release_h[i] <= last_h:
                who[m] = i
                when_h[m] = release_h[i]
                m += 1
            i += 1
        coming[f] = i
    return m


@stage
def handed_over(number, order, upto, d, c):
    """Those that another pass hands over in a window of this one, as ones who come to the step where they go on."""
    who, when_h, come_h = c.who, c.when_h, d.come_h
    m = 0
    for k in range(upto[number], upto[number + 1]):
        i = order[k]
        who[m] = i
        when_h[m] = come_h[i]
        m += 1
    return m


@maker
def by_window(w, come_h):
    """Those handed over in order of the window in which they come (after the end: the last), and where each begins."""
    windows, end_h = 1, w.step_h
    while end_h <= w.horizon_h:
        windows += 1
        end_h += w.step_h
    ends_h = np.empty(windows)
    end_h = 0.0
    for k in range(windows):
        end_h += w.step_h
        ends_h[k] = end_h
    window = np.empty(len(come_h), np.int32)
    upto, order = np.zeros(windows + 1, np.int64), np.empty(len(come_h), np.int32)
    for i in range(len(come_h)):
        window[i] = -1
        if come_h[i] == come_h[i]:
            k = windows - 1
            if come_h[i] < ends_h[k]:
                k = min(np.int64(max(come_h[i], 0.0) / w.step_h), k)
                while k > 0 and come_h[i] < ends_h[k - 1]:
                    k -= 1
            window[i] = k
            upto[k + 1] += 1
    for k in range(windows):
        upto[k + 1] += upto[k]
    begin = upto.copy()
    for i in range(len(come_h)):
        if window[i] >= 0:
            order[begin[window[i]]] = i
            begin[window[i]] += 1
    return order, upto


@stage
def walk(m, after, w, t, d, c, a):
    """Those in `c.who`, at `c.when_h`, go on until a queue or the end; `after`: they leave a step, else they come.

    Returns the numbers of visits, and of passages that are noted in `c.span`.
    """
    from_h, until_h, horizon_h = w.from_h, w.until_h, w.horizon_h
    who, when_h, step_of, join_h, behind, begun, inbox = (
        c.who,
        c.when_h,
        c.step_of,
        c.join_h,
        c.behind,
        c.begun,
        c.inbox,
    )
    span, span_begin_h, span_end_h = c.span, c.span_begin_h, c.span_end_h
    route_flow, route_begin, route_end, route_span = t.route_flow, t.route_begin, t.route_end, t.route_span
    step, step_h, slot, opens, closes, covers_from, covers = (
        t.step,
        t.step_h,
        t.span_slot,
        t.opens,
        t.closes,
        t.covers_from,
        t.covers,
    )
    base, release_h, route, first, second, given_at, given, _ = d
    inner, at_edge, late = a.inner, a.at_edge, a.late
    mark, handed_h, handed_begun, slots = t.mark, c.handed_h, c.handed_begun, begun.shape[1]
    visits, noted = 0, 0
    for z in range(m):
        i, at = nth(who[z]), when_h[z]
        r = nth(route[i])
        j = np.int64(i) - base[nth(route_flow[r])]
        end = route_end[r]
        s = np.int64(step_of[i]) if after else route_begin[r]
        leaving = after
        over = True
        entered = at
        while True:
            u = nth(s)
            if not leaving:
                if mark[u] >= 0:
                    handed_h[mark[u], i] = at
                    for k in range(slots):
                        handed_begun[mark[u], i, k] = begun[i, k]
                if at > horizon_h or s == end:
                    break
                goes = True
                if step[u, TAKE] == SOME:
                    column = nth(step[u, SHARE_COLUMN])
                    if given_at[column] >= 0:
                        goes = given[given_at[column] + j] < step_h[u, SHARE_OF]
                    else:
                        seed = word(first[column], second[column], np.uint64(j))
                        goes = np.int64(seed >> BY_11) < bits_of(step_h[u, SHARE_BITS])
                elif step[u, TAKE] != ALL:
                    goes = unusual_taking(s, j, at, t, d)
                if goes:
                    for k in range(step[u, OPENS], step[u, OPENS_END]):
                        place = nth(slot[nth(opens[nth(k)])])
                        if begun[i, place] != begun[i, place]:
                            begun[i, place] = at
                    if step[u, QUEUE] >= 0:
                        q = nth(step[u, QUEUE])
                        step_of[i] = s
                        join_h[i] = at
                        behind[i] = inbox[q]
                        inbox[q] = np.int64(i)
                        over = False
                        break
                    hold = lasting(s, j, at, step, step_h, given_at, given, first, second, t, d)
                    if step[u, HOW] == RESTS:
                        # The leg is the step before, and a free road: `entered` is when it began.
                        hold = resting(
                            np.int64(step[u, COLUMN]),
                            np.int64(i),
                            entered,
                            at,
                            join_h[i],
                            t.rests,
                            c.driven_h,
                            c.stands_h,
                        )
                    entered = at
                    leave = at + hold
                    visits += 1
                    if at >= from_h and leave < until_h and leave < horizon_h:
                        inner[u, 0] += 1.0
                        inner[u, 2] += hold
                    else:
                        late[u] += 1
                        if at < horizon_h:
                            left = leave if leave < horizon_h else nan
                            if not (left < from_h):
                                edge_visit(s, at, at, left, from_h, until_h, horizon_h, at_edge)
                            if step[u, LEG_OF] >= 0:
                                span[noted], span_begin_h[noted], span_end_h[noted] = step[u, LEG_OF], at, leave
                                noted += 1
                    at = leave
            leaving = False
            for k in range(step[u, CLOSES], step[u, CLOSES_END]):
                o = closes[nth(k)]
                place = nth(slot[nth(o)])
                begin = begun[i, place]
                if begin == begin:
                    begun[i, place] = nan
                    span[noted], span_begin_h[noted], span_end_h[noted] = o, begin, at
                    noted += 1
            s += 1
        if over:
            # Spans under way do not end; the journey does if this was its last step.
            if s < end:
                for x in range(s + 1, end):
                    if mark[x] >= 0:
                        handed_h[mark[x], i] = inf
                        for k in range(slots):
                            handed_begun[mark[x], i, k] = nan
                        # A slot may hold another span by then: only those that reach from here to there.
                        for k in range(covers_from[x], covers_from[x + 1]):
                            for y in range(covers_from[s], covers_from[s + 1]):
                                if covers[y] == covers[k]:
                                    handed_begun[mark[x], i, slot[covers[k]]] = begun[i, slot[covers[k]]]
                for k in range(covers_from[s], covers_from[s + 1]):
                    o = covers[k]
                    if begun[i, slot[o]] == begun[i, slot[o]]:
                        span[noted], span_begin_h[noted], span_end_h[noted] = o, begun[i, slot[o]], nan
                        noted += 1
            span[noted], span_begin_h[noted] = route_span[r], release_h[i]
            span_end_h[noted] = at if s == end else nan
            noted += 1
    return visits, noted


@stage
def lined_up(q, until_h, since_h, c):
    """Those in an inbox who join before an instant, in queue order in `c.line`; how many."""
    line, other, join_h, behind, bucket = c.line, c.other, c.join_h, c.behind, c.bucket
    # The last who came is the first in an inbox: what comes out of it is the other way round, and nearly in order.
    i, n, later, latest = c.inbox[q], 0, -1, np.int64(0)
    earliest = np.int64(max(since_h, 0.0) * GRID_PER_H) << ID_BITS
    while i >= 0:
        u = nth(i)
        after = np.int64(behind[u])
        if join_h[u] < until_h:
            x = (np.int64(join_h[u] * GRID_PER_H) << ID_BITS) | i
            other[n] = x
            n += 1
            latest, earliest = max(latest, x), min(earliest, x)
        else:
            behind[u] = later
            later = i
        i = after
    c.inbox[q] = later
    sorted_into(n, earliest, latest, other, line, bucket)
    return n


@written_in
def sorted_into(n, earliest, latest, source, out, bucket):
    """The first `n` of `source`, between two numbers, in order in `out`: by bucket, then by insertion.

    Read from the end: where a source is nearly in order the other way round there is little to insert.
    """
    if n > 0:
        buckets = 1
        while buckets < n and buckets < MOST_BUCKETS:
            buckets *= 2
        shift = 0
        while ((latest - earliest) >> shift) >= buckets:
            shift += 1
        for b in range(buckets + 1):
            bucket[b] = 0
        for k in range(n):
            bucket[nth(((source[k] - earliest) >> shift) + 1)] += 1
        for b in range(buckets):
            bucket[b + 1] += bucket[b]
        for k in range(n - 1, -1, -1):
            b = nth((source[nth(k)] - earliest) >> shift)
            out[nth(bucket[b])] = source[nth(k)]
            bucket[b] += 1
        for k in range(1, n):
            x = out[k]
            before = k - 1
            while before >= 0 and out[nth(before)] > x:
                out[nth(before + 1)] = out[nth(before)]
                before -= 1
            out[nth(before + 1)] = x
