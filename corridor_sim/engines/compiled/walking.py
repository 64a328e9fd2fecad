"""Machine code of the pass: from where a consignment is to its next queue, and who lines up there."""
# mypy: ignore-errors

from __future__ import annotations

from math import inf, nan

import numpy as np

from corridor_sim.core.draws.scalar import uniform, word
from corridor_sim.core.units import GRID_PER_H
from corridor_sim.engines.compiled.codes import ALL, ID_BITS, MOST_BUCKETS, SOME
from corridor_sim.engines.compiled.counting import edge_visit
from corridor_sim.engines.compiled.drawing import lasting, unusual_taking
from corridor_sim.engines.compiled.parts import maker, stage, written_in


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
    queue, how, fixed_h, column, take = t.queue, t.how, t.fixed_h, t.column, t.take
    share_column, share_of, leg_of, slot = t.share_column, t.share_of, t.leg_of, t.span_slot
    opens_from, opens, closes_from, closes = t.opens_from, t.opens, t.closes_from, t.closes
    covers_from, covers = t.covers_from, t.covers
    node, simple, kind, number = t.node, t.simple, t.law_kind, t.law_number
    base, release_h, route, first, second, given_at, given, _ = d
    inner, at_edge, late = a.inner, a.at_edge, a.late
    mark, handed_h, handed_begun, slots = t.mark, c.handed_h, c.handed_begun, begun.shape[1]
    visits, noted = 0, 0
    for z in range(m):
        i, at = who[z], when_h[z]
        r = route[i]
        j = i - base[route_flow[r]]
        end = route_end[r]
        s = np.int64(step_of[i]) if after else route_begin[r]
        leaving = after
        over = True
        while True:
            if not leaving:
                if mark[s] >= 0:
                    handed_h[mark[s], i] = at
                    for k in range(slots):
                        handed_begun[mark[s], i, k] = begun[i, k]
                if at > horizon_h or s == end:
                    break
                goes = True
                if take[s] == SOME:
                    x = share_column[s]
                    if given_at[x] >= 0:
                        goes = given[given_at[x] + j] < share_of[s]
                    else:
                        goes = uniform(word(first[x], second[x], np.uint64(j))) < share_of[s]
                elif take[s] != ALL:
                    goes = unusual_taking(s, j, at, t, d)
                if goes:
                    for k in range(opens_from[s], opens_from[s + 1]):
                        o = opens[k]
                        if begun[i, slot[o]] != begun[i, slot[o]]:
                            begun[i, slot[o]] = at
                    q = queue[s]
                    if q >= 0:
                        step_of[i] = s
                        join_h[i] = at
                        behind[i] = inbox[q]
                        inbox[q] = i
                        over = False
                        break
                    hold = lasting(
                        s, j, at, how, fixed_h, column, given_at, given, simple, node, kind, number, first, second, t, d
                    )
                    leave = at + hold
                    visits += 1
                    if at >= from_h and leave < until_h and leave < horizon_h:
                        inner[s, 0] += 1.0
                        inner[s, 2] += hold
                    else:
                        late[s] += 1
                        if at < horizon_h:
                            left = leave if leave < horizon_h else nan
                            if not (left < from_h):
                                edge_visit(s, at, at, left, from_h, until_h, horizon_h, at_edge)
                            if leg_of[s] >= 0:
                                span[noted], span_begin_h[noted], span_end_h[noted] = leg_of[s], at, leave
                                noted += 1
                    at = leave
            leaving = False
            for k in range(closes_from[s], closes_from[s + 1]):
                o = closes[k]
                begin = begun[i, slot[o]]
                if begin == begin:
                    begun[i, slot[o]] = nan
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
    i, n, later, latest = c.inbox[q], 0, -1, np.int64(0)
    earliest = np.int64(max(since_h, 0.0) * GRID_PER_H) << ID_BITS
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
    c.inbox[q] = later
    sorted_into(n, earliest, latest, other, line, bucket)
    return n


@written_in
def sorted_into(n, earliest, latest, source, out, bucket):
    """The first `n` of `source`, between two numbers, in order in `out`: by bucket, then by insertion."""
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
            bucket[((source[k] - earliest) >> shift) + 1] += 1
        for b in range(buckets):
            bucket[b + 1] += bucket[b]
        for k in range(n):
            b = (source[k] - earliest) >> shift
            out[bucket[b]] = source[k]
            bucket[b] += 1
        for k in range(1, n):
            x = out[k]
            before = k - 1
            while before >= 0 and out[before] > x:
                out[before + 1] = out[before]
                before -= 1
            out[before + 1] = x
