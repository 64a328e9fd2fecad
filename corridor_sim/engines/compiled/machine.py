"""One replication as machine code: each consignment walks until it meets a queue, queues come one by one.

Importing this needs numba. `replication` works through windows of time. In each window those
released, and then those served by one queue after the other in topological order, `walk` on through
delays until the next queue, the end of their journey or the end of the run; what happens is counted
on the spot. Each stage is one flat function: an array that crosses a call is counted by reference,
so no function that takes arrays is called for a single consignment, but those that are written
into the caller (`written_in`).

Consignments are numbered by flow, then by index, which is the order of rule D12. Sums of times on
the clock grid are exact in any order, so nothing shows how the work is cut.
"""
# mypy: ignore-errors

from __future__ import annotations

import hashlib
import inspect
import math
import sys
from math import inf, nan
from typing import Any

import numpy as np
from numba import njit
from numba.core.options import DefaultOptions

from corridor_sim.core import units
from corridor_sim.core.draws import elementary, scalar, variates, words, ziggurat
from corridor_sim.core.draws.scalar import bits_of, on_grid, uniform, word
from corridor_sim.core.units import GRID_PER_H
from corridor_sim.engines.compiled import codes
from corridor_sim.engines.compiled.codes import (
    ALL,
    AS_LAW,
    BY_CLASS,
    CONSTANT_LANES,
    CROSSING,
    DAILY,
    DATED_LANES,
    FIXED,
    FREE,
    HANDS_BACK,
    HOURS,
    ID_BITS,
    LEG,
    LIMITED_LEG,
    MOST_BUCKETS,
    PARKED,
    POST,
    RESERVED,
    SAILING,
    SINGLE_LANES,
    SLOT_BITS,
    SOME,
    TOO_FEW,
    TOO_LONG,
    TOO_MANY,
    URGENT_FIRST,
    WHEN_FULL,
)
from corridor_sim.engines.queues import loops
from corridor_sim.indicators import distributions
from corridor_sim.indicators.distributions import TimeCounts
from corridor_sim.model import service_times
from corridor_sim.model.service_times.codes import PLAIN
from corridor_sim.model.service_times.compiled import plain, value

PART = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
UNCOUNTED = {"_nrt": False} if hasattr(DefaultOptions, "_nrt") else {}
"""For parts that make no arrays: those handed on are not counted by reference, which takes as long as all the rest."""
stage = njit(**PART, **UNCOUNTED)
"""A part of `replication`: it has no form of its own for callers in Python, which would take longer to compile."""
maker = njit(**PART)
"""A part that makes arrays."""
written_in = njit(inline="always", error_model="numpy")

POINT = 1.0 / GRID_PER_H
SHIFT_H, DROPPED = TimeCounts.SHIFT_H, TimeCounts.DROPPED_BITS
ID = (1 << ID_BITS) - 1
MADE_OF = (
    sys.modules[__name__],
    *(codes, distributions, units, elementary, scalar, variates, words, ziggurat),
    *(service_times.codes, service_times.compiled),
    *(sys.modules[getattr(loops, name).__module__] for name in loops.__all__ if callable(getattr(loops, name))),
)
"""Modules whose functions or numbers are in the machine code."""
SOURCES = int(hashlib.sha256("".join(map(inspect.getsource, MADE_OF)).encode()).hexdigest()[:15], 16)
"""A number for their text."""


# ---------------------------------------------------------------- what is drawn, and what it is at an instant


@written_in
def function_at(k, at_h, function_from, from_h, value_of):
    """A step function at an instant."""
    low, high = function_from[k], function_from[k + 1]
    while high - low > 1:
        middle = (low + high) >> 1
        if from_h[middle] <= at_h:
            low = middle
        else:
            high = middle
    return value_of[low]


@stage
def drawn(column, j, node, given_at, given, first, second, kind, number, place, table):
    """The draw of a column for index `j`: a uniform, or a time on the grid."""
    found = 0.0
    if given_at[column] >= 0:
        found = given[given_at[column] + j]
    else:
        seed = word(first[column], second[column], np.uint64(j))
        law = node[column]
        if law < 0:
            found = uniform(seed)
        elif kind[law] < PLAIN and place[law, 4] == 0:
            found = on_grid(
                plain(kind[law], number[law, 0], number[law, 1], number[law, 2], number[law, 3], number[law, 4], seed)
            )
        else:
            found = on_grid(value(kind, number, place, table, law, seed))
    return found


@stage
def changed(s, j, time_h, duration, t, d):
    """A duration with the dated factor and the reliefs of a step."""
    whole = duration
    if t.factor[s] >= 0:
        duration = duration * function_at(t.factor[s], time_h, t.function_from, t.piece_h, t.piece_value)
    for k in range(t.relief_from[s], t.relief_from[s + 1]):
        share = function_at(t.relief_share[k], time_h, t.function_from, t.piece_h, t.piece_value)
        column = t.relief_column[k]
        seen = drawn(
            column,
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
        if seen < share:
            duration = duration * t.relief_factor[k]
    if duration != whole:
        duration = np.rint(duration * GRID_PER_H) / GRID_PER_H
    return duration


@stage
def unusual_duration(s, j, time_h, t, d):
    """The duration of a step with dated laws, a factor or reliefs. [h]"""
    duration = 0.0
    if t.step_law_from[s + 1] > t.step_law_from[s]:
        k = t.step_law_from[s]
        while k + 1 < t.step_law_from[s + 1] and t.law_h[k + 1] <= time_h:
            k += 1
        duration = drawn(
            t.law_column[k],
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
        duration = changed(s, j, time_h, duration, t, d)
    return duration


@stage
def unusual_taking(s, j, time_h, t, d):
    """Whether a step with a dated share, or with reliefs that pass it by, is taken."""
    goes = True
    if t.share[s] >= 0:
        seen = drawn(
            t.share_column[s],
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
        goes = seen < function_at(t.share[s], time_h, t.function_from, t.piece_h, t.piece_value)
    for k in range(t.relief_from[s], t.relief_from[s + 1]):
        if t.relief_factor[k] == 0.0:
            seen = drawn(
                t.relief_column[k],
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
            goes = goes and seen >= function_at(t.relief_share[k], time_h, t.function_from, t.piece_h, t.piece_value)
    return goes


@written_in
def lasting(s, j, at_h, how, fixed_h, column, given_at, given, simple, node, kind, number, first, second, t, d):
    """The duration of a step, joined at an instant; the quick ways are tried here, without a call. [h]"""
    hold = 0.0
    if how[s] == FIXED:
        hold = fixed_h[s]
    elif how[s] == AS_LAW and given_at[column[s]] >= 0:
        hold = given[given_at[column[s]] + j]
    elif how[s] == AS_LAW and simple[column[s]]:
        law, seed = node[column[s]], word(first[column[s]], second[column[s]], np.uint64(j))
        time_h = plain(kind[law], number[law, 0], number[law, 1], number[law, 2], number[law, 3], number[law, 4], seed)
        hold = on_grid(time_h)
    else:
        hold = unusual_duration(s, j, at_h, t, d)
    return hold


# ---------------------------------------------------------------- what is counted


@written_in
def edge_visit(s, join, start, leave, from_h, until_h, horizon_h, at_edge):
    """Count a visit that is not wholly within the counted window, nor over before it (`VisitSums._add_edge`)."""
    waiting, gone = start != start, leave == leave
    counted = join >= from_h and join < until_h
    begun = horizon_h if waiting else start
    ended = leave if gone else horizon_h
    join_in = min(max(join, from_h), until_h)
    begun_in = min(max(begun, from_h), until_h)
    ended_in = min(max(ended, from_h), until_h)
    if counted:
        at_edge[s, 0] += 1.0
        if not waiting:
            at_edge[s, 1] += 1.0
            at_edge[s, 4] += begun - join
        if gone:
            at_edge[s, 2] += 1.0
            at_edge[s, 5] += ended - begun
    if not waiting and start >= from_h and start < until_h:
        at_edge[s, 3] += 1.0
    at_edge[s, 6] += begun_in - join_in
    at_edge[s, 7] += ended_in - begun_in
    if waiting:
        at_edge[s, 8] += 1.0
        at_edge[s, 9] += begun - join


@written_in
def time_bin(time_h, first_bin):
    """`TimeCounts._bin`."""
    return (bits_of(time_h + SHIFT_H) >> DROPPED) - first_bin


@written_in
def seen(row, clock_h, join, start, from_h, until_h, horizon_h, first_bin, per_h, days, net, waits):
    """Count who joins by day, the queue at its marks, and the wait."""
    days[row, np.int64((join + clock_h) * (1.0 / 24.0))] += 1
    if start > join:
        before = np.int64(join * per_h)
        if start < horizon_h:
            then = np.int64(start * per_h)
            if before != then:
                net[row, before] += 1
                net[row, then] -= 1
            if join >= from_h and join < until_h:
                waits[row, time_bin(start - join, first_bin)] += 1
        else:
            net[row, before] += 1


@written_in
def visited(
    s,
    row,
    clock_h,
    join,
    start,
    leave,
    hold,
    from_h,
    until_h,
    horizon_h,
    first_bin,
    per_h,
    inner,
    at_edge,
    days,
    net,
    waits,
):
    """Count a visit to a queue: sums of the step, those who join by day, the queue at its marks, the wait."""
    if join < horizon_h:
        if join >= from_h and leave < until_h and leave < horizon_h:
            inner[s, 0] += 1.0
            inner[s, 1] += start - join
            inner[s, 2] += hold
        else:
            begun = start if start < horizon_h else nan
            left = leave if leave < horizon_h else nan
            if not (left < from_h):
                edge_visit(s, join, begun, left, from_h, until_h, horizon_h, at_edge)
        seen(row, clock_h, join, start, from_h, until_h, horizon_h, first_bin, per_h, days, net, waits)


@stage
def interruptible(s, q, join, start, leave, service, w, a, c):
    """As `visited` for the sums of the step, where what exceeds the service is interruption (`VisitSums._add_edge`)."""
    from_h, until_h, horizon_h, inner, at_edge = w.from_h, w.until_h, w.horizon_h, a.inner, a.at_edge
    if join >= from_h and leave < until_h and leave < horizon_h:
        inner[s, 0] += 1.0
        inner[s, 1] += start - join
        inner[s, 2] += service
        inner[s, 3] += leave - start - service
        return
    waiting, gone = not start < horizon_h, leave < horizon_h
    if gone and leave < from_h:
        return
    counted = join >= from_h and join < until_h
    begun = horizon_h if waiting else start
    ended = leave if gone else horizon_h
    stopped = max(ended - begun - service, 0.0)
    in_window = min(max(ended, from_h), until_h) - min(max(begun, from_h), until_h)
    if counted:
        at_edge[s, 0] += 1.0
        if not waiting:
            at_edge[s, 1] += 1.0
            at_edge[s, 4] += begun - join
        if gone:
            at_edge[s, 2] += 1.0
            at_edge[s, 5] += ended - begun - stopped
            at_edge[s, 10] += stopped
    if not waiting and start >= from_h and start < until_h:
        at_edge[s, 3] += 1.0
    at_edge[s, 6] += min(max(begun, from_h), until_h) - min(max(join, from_h), until_h)
    if waiting:
        at_edge[s, 7] += in_window
        at_edge[s, 8] += 1.0
        at_edge[s, 9] += begun - join
        return
    started, over = start < until_h, gone and leave <= until_h
    if started and not (gone and leave <= from_h) and not (start >= from_h and over):
        k = a.found[0]
        if k == len(a.astride):
            c.wrong[0], c.wrong[1], c.wrong[2] = TOO_MANY, q + 1, k
            return
        row = a.astride[k]
        row[0], row[1], row[2], row[3], row[4] = s, start, leave if gone else nan, service, in_window
        a.found[0] = k + 1
        return
    worked = service if started and start >= from_h and over else 0.0
    stopped = max(in_window - worked, 0.0)
    at_edge[s, 7] += in_window - stopped
    at_edge[s, 11] += stopped


@stage
def passages(many, w, t, c, a):
    """Count those passages of spans that a stage has noted, over or not (end NaN, or at the horizon or later)."""
    from_h, until_h, horizon_h, first_bin = w.from_h, w.until_h, w.horizon_h, w.first_bin
    span, begin_h, end_h = c.span, c.span_begin_h, c.span_end_h
    span_kind, span_stay, span_row, span_clock_h = t.span_kind, t.span_stay, t.span_row, t.span_clock_h
    limit_bin, limit_h = t.limit_bin, t.limit_h
    passed, edge, stays, near, hours, hours_h = a.passed, a.passed_edge, a.stays, a.near, a.hours, a.hours_h
    begun_days, ended_days = a.begun_days, a.ended_days
    for n in range(many):
        o, begin, end = span[n], begin_h[n], end_h[n]
        if not begin < horizon_h:
            continue
        gone = end < horizon_h
        counted = begin >= from_h and begin < until_h
        if counted and gone and end < until_h:
            passed[o, 0] += 1.0
            passed[o, 1] += end - begin
        else:
            edge[o, 0] += 1.0
            if counted:
                edge[o, 1] += 1.0
                if gone:
                    edge[o, 2] += 1.0
                    edge[o, 3] += end - begin
            if gone:
                if end >= from_h and end < until_h:
                    edge[o, 4] += 1.0
            else:
                edge[o, 5] += 1.0
                edge[o, 6] += horizon_h - begin
        kind = span_kind[o]
        if kind == LEG:
            continue
        if counted and gone:
            stay = end - begin
            b = time_bin(stay, first_bin)
            place = span_stay[o]
            stays[place, b] += 1
            if limit_bin[b]:
                k = 0
                while k < len(limit_h) and limit_h[k] < stay:
                    k += 1
                # Who exceeds every limit in this bin is in none: the next limit counts the whole bin.
                if k < len(limit_h) and time_bin(limit_h[k], first_bin) == b:
                    near[place, k] += 1
            if kind == CROSSING:
                hour = math.floor(begin + span_clock_h[o])
                hour -= 24.0 * math.floor((hour + 0.5) * (1.0 / 24.0))
                hours[span_row[o], np.int64(hour)] += 1.0
                hours_h[span_row[o], np.int64(hour)] += stay
        if kind == POST:
            begun_days[span_row[o], np.int64((begin + span_clock_h[o]) * (1.0 / 24.0))] += 1
            if gone:
                ended_days[span_row[o], np.int64((end + span_clock_h[o]) * (1.0 / 24.0))] += 1


# ---------------------------------------------------------------- the stages


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
                k = min(np.int64(come_h[i] / w.step_h), k)
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
    earliest = np.int64(since_h * GRID_PER_H) << ID_BITS
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


@stage
def served(q, n, until_h, last, events, event_line, held, w, t, d, c, a):
    """Those lined up at a queue, and those who wait there from before, are served and come to `c.who`.

    Returns how many, and the number of events of queue lengths.
    """
    from_h, window_end_h, horizon_h, first_bin, per_h = w.from_h, w.until_h, w.horizon_h, w.first_bin, w.marks_per_h
    line, busy, join_of, behind, step_of, route = c.line, c.busy, c.join_h, c.behind, c.step_of, d.route
    head, tail, piece_h, piece_value = c.head, c.tail, t.queue_h, t.queue_value
    net, waits, days, inner, at_edge = a.net, a.waits, a.days, a.inner, a.at_edge
    node, simple, law_kind, number = t.node, t.simple, t.law_kind, t.law_number
    base, _, _, first, second, given_at, given, _ = d
    who, when_h, route_flow, rank, until_of = c.who, c.when_h, t.route_flow, t.queue_rank, t.queue_until_h
    how, fixed_h, column, open_function = t.how, t.fixed_h, t.column, t.queue_open[q]
    function_from, function_h, function_value = t.function_from, t.piece_h, t.piece_value
    kind, size, row, clock_h = t.queue_kind[q], t.queue_lanes[q], t.queue_row[q], t.queue_clock_h[q]
    group, mark = t.queue_group[q], np.int64(t.queue_slot[q]) << 1
    p, final_piece = c.piece[q], t.queue_from[q + 1] - 1
    now, taken = c.now_h[q], c.taken[q]
    coming, m, waiting, lone = 0, 0, c.waiting[q], False
    while True:
        # Who is next, and when?
        if kind != URGENT_FIRST:
            if coming == n:
                break
            i = line[coming] & ID
            join = join_of[i]
            coming += 1
            if kind == CONSTANT_LANES:
                start = max(busy[q, 0], join)
            elif kind == DATED_LANES:
                start = inf
                while True:
                    lanes = piece_value[p]
                    start = inf
                    if lanes > 0:
                        start = max(max(busy[q, size - lanes], piece_h[p]), join)
                    if p == final_piece or start < piece_h[p + 1]:
                        break
                    p += 1
            elif kind == FREE:
                start = join
            else:
                # The first day that has not closed by then and has room
                while p <= final_piece and (until_of[p] <= join or taken >= piece_value[p]):
                    p += 1
                    taken = 0
                start = inf
                if p <= final_piece:
                    start = max(piece_h[p], join)
                    taken += 1
                    if open_function >= 0:
                        start = open_from(open_function, start, function_from, function_h, function_value)
            told = start > join and group >= 0
            if told:
                events[held] = (np.int64(join * GRID_PER_H) << SLOT_BITS) | mark
                event_line[held] = group
                held += 1
        else:
            earliest = now
            if waiting == 0:
                if coming == n:
                    break
                earliest = max(now, join_of[line[coming] & ID])
            start = inf
            while True:
                lanes = piece_value[p]
                start = inf
                if lanes > 0:
                    start = max(max(busy[q, size - lanes], piece_h[p]), earliest)
                if p == final_piece or start < piece_h[p + 1]:
                    break
                p += 1
            settled = start < until_h or (last and start < inf)
            by_h = start if settled else inf
            lone = waiting == 0
            arrived, earliest_h = 0, inf
            while coming < n:
                i = line[coming] & ID
                if join_of[i] > by_h:
                    break
                earliest_h = min(earliest_h, join_of[i])
                u = rank[q, route_flow[route[i]]]
                behind[i] = -1
                if head[q, u] < 0:
                    head[q, u] = i
                else:
                    behind[tail[q, u]] = i
                tail[q, u] = i
                arrived += 1
                coming += 1
            waiting += arrived
            # Who comes alone to a free lane does not wait.
            lone = lone and arrived == 1 and settled and earliest_h == start
            if not lone and group >= 0:
                for k in range(coming - arrived, coming):
                    joined = join_of[line[k] & ID]
                    events[held] = (np.int64(joined * GRID_PER_H) << SLOT_BITS) | mark
                    event_line[held] = group
                    held += 1
            if not settled:
                if not last or waiting == 0:
                    break
                start = inf
            u = 0
            while head[q, u] < 0:
                u += 1
            i = head[q, u]
            head[q, u] = behind[i]
            waiting -= 1
            join = join_of[i]
            told = not lone and group >= 0
        s = np.int64(step_of[i])
        if told and start < horizon_h:
            events[held] = (np.int64(start * GRID_PER_H) << SLOT_BITS) | mark | 1
            event_line[held] = group
            held += 1
        # How long does it hold its lane?
        hold = 0.0
        if kind == SAILING:
            hold = t.sailing_h[p] if start < inf else 0.0
        elif kind != DAILY:
            j = i - base[route_flow[route[i]]]
            hold = lasting(
                s, j, join, how, fixed_h, column, given_at, given, simple, node, law_kind, number, first, second, t, d
            )
        leave = start + hold
        if start < inf and kind <= URGENT_FIRST:
            lane = 1
            while lane < size and busy[q, lane] < leave:
                busy[q, lane - 1] = busy[q, lane]
                lane += 1
            busy[q, lane - 1] = leave
            now = start
        who[m] = i
        when_h[m] = leave
        m += 1
        visited(
            s,
            row,
            clock_h,
            join,
            start,
            leave,
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
        )
    c.now_h[q], c.piece[q], c.taken[q], c.waiting[q] = now, p, taken, waiting
    return m, held


# ---------------------------------------------------------------- queues that have a kernel elsewhere


limited_leg, pooled, parked, lanes, reserved = map(
    stage, (loops.limited_leg, loops.pooled, loops.parked, loops.lanes, loops.reserved)
)


@written_in
def table(flat, at, q, k):
    """Table k of a queue."""
    begin, rows, columns = at[q, k, 0], at[q, k, 1], at[q, k, 2]
    return flat[begin : begin + rows * columns].reshape(rows, columns)


@stage
def onto_leg(q, arrival, service, starts, finishes, t, c):
    """A leg with a headway, closures or a limit."""
    limited_leg(
        arrival,
        service,
        table(t.times, t.times_at, q, 0),
        table(t.times, t.times_at, q, 1),
        table(t.times, t.times_at, q, 2),
        table(t.counts, t.counts_at, q, 0),
        table(t.counts, t.counts_at, q, 1)[0, 0],
        table(c.kept, c.kept_at, q, 0),
        table(c.kept, c.kept_at, q, 1),
        table(c.kept, c.kept_at, q, 2),
        table(c.kept, c.kept_at, q, 3),
        starts,
        finishes,
    )


@stage
def within_hours(q, kind, arrival, service, starts, finishes, t, c):
    """Pooled lanes with any closing, and outages of the whole station."""
    begin_h, end_h = table(t.times, t.times_at, q, 3), table(t.times, t.times_at, q, 4)
    reading_h, longest_h = table(t.times, t.times_at, q, 5), table(t.times, t.times_at, q, 6)[0, 0]
    how, has_clock = table(t.counts, t.counts_at, q, 1)[0, 0], table(t.counts, t.counts_at, q, 2)[0, 0] != 0
    n = arrival.shape[1]
    for k in range(n):
        if service[0, k] > longest_h:
            c.wrong[0], c.wrong[1], c.wrong[2] = TOO_LONG, q + 1, service[0, k]
        if has_clock:
            arrival[0, k] = clock_shows(arrival[0, k], begin_h[0], end_h[0], reading_h[0])
    if kind == HOURS:
        pooled(
            arrival,
            service,
            table(t.times, t.times_at, q, 0),
            table(t.counts, t.counts_at, q, 0),
            table(t.times, t.times_at, q, 1),
            table(t.times, t.times_at, q, 2),
            how,
            table(c.kept, c.kept_at, q, 0),
            table(c.kept, c.kept_at, q, 1),
            starts,
            finishes,
        )
    else:
        parked(
            arrival,
            service,
            table(t.times, t.times_at, q, 0),
            table(t.counts, t.counts_at, q, 0),
            table(t.counts, t.counts_at, q, 3),
            how,
            table(c.kept, c.kept_at, q, 0),
            table(c.kept, c.kept_at, q, 1),
            starts,
            finishes,
        )
    if has_clock:
        for k in range(n):
            start = runs_on(starts[0, k], begin_h[0], end_h[0], reading_h[0])
            starts[0, k] = start
            finishes[0, k] = max(start, first_shows(finishes[0, k], begin_h[0], end_h[0], reading_h[0]))


@stage
def clock_shows(at_h, begin_h, end_h, reading_h):
    """`Clock.inside`."""
    if len(begin_h) == 0 or not at_h < inf:
        return inf
    stretch = np.searchsorted(begin_h, at_h, side="right") - 1
    if stretch < 0:
        return 0.0
    return reading_h[stretch] + (min(at_h, end_h[stretch]) - begin_h[stretch])


@stage
def runs_on(reading, begin_h, end_h, reading_h):
    """`Clock.outside_late`."""
    if len(begin_h) == 0 or not reading < inf:
        return inf
    stretch = np.searchsorted(reading_h, reading, side="right") - 1
    found = begin_h[stretch] + (reading - reading_h[stretch])
    return found if found < end_h[stretch] else inf


@stage
def first_shows(reading, begin_h, end_h, reading_h):
    """`Clock.outside_early`."""
    if len(begin_h) == 0 or not reading < inf:
        return inf
    stretch = max(np.searchsorted(reading_h, reading, side="left") - 1, 0)
    found = begin_h[stretch] + (reading - reading_h[stretch])
    return found if found <= end_h[stretch] else inf


@stage
def into_lanes(q, arrival, service, starts, finishes, t, c):
    """Lanes that open and fail one by one."""
    lanes(
        arrival,
        service,
        table(t.times, t.times_at, q, 0),
        table(t.counts, t.counts_at, q, 0),
        table(t.counts, t.counts_at, q, 1),
        table(t.times, t.times_at, q, 1),
        table(t.times, t.times_at, q, 2),
        table(t.counts, t.counts_at, q, 2)[0, 0],
        table(t.counts, t.counts_at, q, 3)[0, 0],
        table(c.kept, c.kept_at, q, 0),
        table(c.kept, c.kept_at, q, 1),
        starts,
        finishes,
    )


@stage
def into_kept_lanes(q, until_h, arrival, service, starts, finishes, t, d, c):
    """Lanes kept for some, for a time or with overflow; who starts later is left open."""
    n, line_of = arrival.shape[1], table(t.counts, t.counts_at, q, 4)
    of = c.other[:n].reshape(1, n)
    for k in range(n):
        of[0, k] = line_of[0, t.route_flow[d.route[c.line[k] & ID]]]
    reserved(
        arrival,
        service,
        of,
        table(t.times, t.times_at, q, 0),
        table(t.counts, t.counts_at, q, 0),
        table(t.counts, t.counts_at, q, 1),
        table(t.counts, t.counts_at, q, 2),
        table(t.counts, t.counts_at, q, 3)[0, 0],
        until_h,
        table(c.kept, c.kept_at, q, 0),
        table(c.kept, c.kept_at, q, 1),
        starts,
        c.behind_of[:n].reshape(1, n),
        table(c.scratch, c.scratch_at, q, 0),
        table(c.scratch, c.scratch_at, q, 1),
    )
    for k in range(n):
        finishes[0, k] = starts[0, k] + service[0, k]


@stage
def full_loads(q, arrival, service, starts, finishes, t, c):
    """A departure as soon as so many are there (`queues.when_full`)."""
    crossing_h, gone = table(t.times, t.times_at, q, 0), table(c.kept, c.kept_at, q, 0)
    load, drawn = table(t.counts, t.counts_at, q, 0)[0, 0], table(t.counts, t.counts_at, q, 1)[0, 0] != 0
    first = np.int64(max(gone[0, 0], 0.0))
    full = arrival.shape[1] // load
    for k in range(full * load):
        departure, start = first + k // load, arrival[0, (k // load + 1) * load - 1]
        service[0, k] = 0.0
        if drawn and departure < crossing_h.shape[1]:
            service[0, k] = crossing_h[0, departure]
        elif drawn:
            c.wrong[0], c.wrong[1], c.wrong[2] = TOO_FEW, q + 1, crossing_h.shape[1]
        starts[0, k], finishes[0, k] = start, start + service[0, k]
    gone[0, 0] = first + full


@stage
def by_class(q, until_h, arrival, service, starts, finishes, t, d, c):
    """A timetable at which the most urgent board first (`timetable_by_class`); later departures are left open."""
    depart_h, crossing_h = table(t.times, t.times_at, q, 0), table(t.times, t.times_at, q, 1)
    places, class_of = table(t.counts, t.counts_at, q, 0), table(t.counts, t.counts_at, q, 1)
    gone, ends, behind = table(c.kept, c.kept_at, q, 0), table(c.scratch, c.scratch_at, q, 0), c.behind_of
    p, coming, n = np.int64(max(gone[0, 0], 0.0)), 0, arrival.shape[1]
    for u in range(ends.shape[1]):
        ends[0, u] = -1
    while p < depart_h.shape[1] and depart_h[0, p] < until_h:
        while coming < n and arrival[0, coming] <= depart_h[0, p]:
            u = class_of[0, t.route_flow[d.route[c.line[coming] & ID]]]
            behind[coming] = -1
            if ends[0, u] < 0:
                ends[0, u] = coming
            else:
                behind[ends[1, u]] = coming
            ends[1, u] = coming
            coming += 1
        room, u = places[0, p], 0
        while room > 0 and u < ends.shape[1]:
            k = ends[0, u]
            if k < 0:
                u += 1
                continue
            ends[0, u] = behind[k]
            service[0, k] = crossing_h[0, p]
            starts[0, k], finishes[0, k] = depart_h[0, p], depart_h[0, p] + crossing_h[0, p]
            room -= 1
        p += 1
    gone[0, 0] = p


@stage
def by_kernel(q, n, since_h, until_h, last, events, event_line, held, w, t, d, c, a):
    """As `served`, for those of the kinds that are left to a kernel."""
    line, join_of, behind, step_of, route = c.line, c.join_h, c.behind, c.step_of, d.route
    node, simple, law_kind, number = t.node, t.simple, t.law_kind, t.law_number
    base, _, _, first, second, given_at, given, _ = d
    who, when_h, route_flow, how, fixed_h, column = c.who, c.when_h, t.route_flow, t.how, t.fixed_h, t.column
    kind, row, clock_h = t.queue_kind[q], t.queue_row[q], t.queue_clock_h[q]
    group, mark = t.queue_group[q], np.int64(t.queue_slot[q]) << 1
    arrival, service = c.arrival_h[:n].reshape(1, n), c.service_h[:n].reshape(1, n)
    starts, finishes = c.start_h[:n].reshape(1, n), c.finish_h[:n].reshape(1, n)
    for k in range(n):
        i = line[k] & ID
        s, j = np.int64(step_of[i]), i - base[route_flow[route[i]]]
        arrival[0, k], starts[0, k], finishes[0, k] = join_of[i], inf, inf
        service[0, k] = lasting(
            s, j, join_of[i], how, fixed_h, column, given_at, given, simple, node, law_kind, number, first, second, t, d
        )
    if kind == LIMITED_LEG:
        onto_leg(q, arrival, service, starts, finishes, t, c)
    elif kind in (HOURS, PARKED):
        within_hours(q, kind, arrival, service, starts, finishes, t, c)
    elif kind == SINGLE_LANES:
        into_lanes(q, arrival, service, starts, finishes, t, c)
    elif kind == RESERVED:
        into_kept_lanes(q, until_h, arrival, service, starts, finishes, t, d, c)
    elif kind == WHEN_FULL:
        full_loads(q, arrival, service, starts, finishes, t, c)
    elif kind == BY_CLASS:
        by_class(q, until_h, arrival, service, starts, finishes, t, d, c)
    m = 0
    for k in range(n):
        i = line[k] & ID
        s = np.int64(step_of[i])
        join, start, leave = join_of[i], starts[0, k], finishes[0, k]
        if start > join and group >= 0:
            if join >= since_h:
                events[held] = (np.int64(join * GRID_PER_H) << SLOT_BITS) | mark
                event_line[held] = group
                held += 1
            if start < w.horizon_h:
                events[held] = (np.int64(start * GRID_PER_H) << SLOT_BITS) | mark | 1
                event_line[held] = group
                held += 1
        if kind >= HANDS_BACK and not last and start == inf:
            behind[i] = c.inbox[q]
            c.inbox[q] = i
            continue
        hold = leave - start if kind == LIMITED_LEG else service[0, k]
        who[m] = i
        when_h[m] = leave
        m += 1
        if t.queue_stops[q]:
            if join < w.horizon_h:
                interruptible(s, q, join, start, leave, service[0, k], w, a, c)
                seen(
                    row,
                    clock_h,
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
                )
            continue
        visited(
            s,
            row,
            clock_h,
            join,
            start,
            leave,
            hold,
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
        )
    return m, held


# ---------------------------------------------------------------- the rest of a window


@written_in
def open_from(k, at_h, function_from, from_h, value_of):
    """The first instant from one on at which a step function is not 0. [h]"""
    piece, end = function_from[k], function_from[k + 1]
    while piece + 1 < end and from_h[piece + 1] <= at_h:
        piece += 1
    found = at_h
    if not value_of[piece] > 0:
        while piece < end and not value_of[piece] > 0:
            piece += 1
        found = from_h[piece] if piece < end else inf
    return found


@maker
def levels(limit_h, events, event_line, held, groups, w, t, c, spent):
    """Time at each number waiting, from the events before an instant; the others are kept. Returns how many are.

    An event is its instant, then the place of its element in its group, then 0 (joins) or 1 (starts).
    """
    spots, bucket, level, since = c.spots, c.bucket, c.level, c.since
    other, line = np.empty(held, np.int64), np.empty(held, np.int64)
    limit = np.int64(min(limit_h, w.until_h) * GRID_PER_H) << SLOT_BITS
    begins = np.int64(w.from_h * GRID_PER_H)
    for g in range(groups + 1):
        spots[g] = 0
    group_line, group_lines = t.group_line, t.group_lines
    later = 0
    for k in range(held):
        if events[k] < limit:
            spots[event_line[k] + 1] += 1
    for g in range(groups):
        spots[g + 1] += spots[g]
    for k in range(held):
        if events[k] < limit:
            g = event_line[k]
            other[spots[g]] = events[k]
            spots[g] += 1
        elif limit_h < w.until_h:
            events[later] = events[k]
            event_line[later] = event_line[k]
            later += 1
    low = 0
    for g in range(groups):
        n = spots[g] - low
        if n:
            earliest, latest = other[low], other[low]
            for k in range(low, low + n):
                earliest, latest = min(earliest, other[k]), max(latest, other[k])
            sorted_into(n, earliest, latest, other[low : low + n], line, bucket)
            together = group_line[g]
            for k in range(n):
                x = line[k]
                instant = max(x >> SLOT_BITS, begins)
                change = 1 - 2 * (x & 1)
                own = group_lines[g, (x & ((1 << SLOT_BITS) - 1)) >> 1]
                spent[own, level[own]] += instant - since[own]
                since[own] = instant
                level[own] += change
                if together >= 0:
                    spent[together, level[together]] += instant - since[together]
                    since[together] = instant
                    level[together] += change
        low = spots[g]
    return later


@maker
def wider(spent, width):
    """The same table with room for higher levels."""
    more = np.zeros((spent.shape[0], width), np.int64)
    for k in range(spent.shape[0]):
        for level in range(spent.shape[1]):
            if spent[k, level] != 0:
                more[k, level] = spent[k, level]
    return more


def _replication(w, t, d, c, a, kernels, sources=SOURCES):  # noqa: ARG001
    """One whole replication. Returns visits and the time at each number waiting.

    `kernels` is None where no queue is left to a kernel, else True: without them compiling takes half the time.
    `sources` does nothing here. The compiler looks at this file alone for changes; the default value is in the key
    of what it keeps.
    """
    flows, queues, groups = len(d.base) - 1, len(t.queue_kind), len(t.group_line)
    coming = d.base.copy()
    events, event_line = np.empty(4096, np.int64), np.empty(4096, np.int32)
    spent = np.zeros((max(len(c.level), 1), 64), np.int64)
    held, visits, since_h, until_h, last = np.int64(0), np.int64(0), 0.0, 0.0, False
    # Variables, since a constant would have a function compiled for it alone.
    come, leave = np.bool_(False), np.bool_(True)
    goes_on, number = len(d.come_h) > 0, np.int64(0)
    order, upto = by_window(w, d.come_h)
    while not last:
        until_h += w.step_h
        last = until_h > w.horizon_h
        if last:
            until_h = w.horizon_h + POINT
        if goes_on:
            m = handed_over(number, order, upto, d, c)
        else:
            m = released(until_h, w.horizon_h, flows, coming, d, c)
        number += 1
        more_visits, noted = walk(m, come, w, t, d, c, a)
        passages(noted, w, t, c, a)
        visits += more_visits
        for q in range(queues):
            n = lined_up(q, until_h, since_h, c)
            if n == 0 and (t.queue_kind[q] != URGENT_FIRST or c.waiting[q] == 0):
                continue
            room = held + 2 * (n + c.waiting[q])
            if room > len(events):
                more, more_line = np.empty(2 * room, np.int64), np.empty(2 * room, np.int32)
                more[:held], more_line[:held] = events[:held], event_line[:held]
                events, event_line = more, more_line
            if kernels is None:  # noqa: SIM114 (the compiler leaves out what stands below for None)
                m, held = served(q, n, until_h, last, events, event_line, held, w, t, d, c, a)
            elif t.queue_kind[q] < LIMITED_LEG:
                m, held = served(q, n, until_h, last, events, event_line, held, w, t, d, c, a)
            else:
                m, held = by_kernel(
                    q, n, since_h, inf if last else until_h, last, events, event_line, held, w, t, d, c, a
                )
            a.served[q] += m
            more_visits, noted = walk(m, leave, w, t, d, c, a)
            passages(noted, w, t, c, a)
            visits += m + more_visits
        highest = held + 1
        for k in range(len(c.level)):
            highest = max(highest, held + 1 + c.level[k])
        if highest >= spent.shape[1]:
            spent = wider(spent, 2 * highest)
        held = levels(inf if last else until_h, events, event_line, held, groups, w, t, c, spent)
        since_h = until_h
    return visits, spent


replication: Any = njit(error_model="numpy")(_replication)
IS_KEPT = True
"""Whether its machine code stays on disk for other processes."""
try:
    replication = njit(cache=True, error_model="numpy")(_replication)
except RuntimeError:  # nowhere to keep it: compile for this process alone
    IS_KEPT = False
