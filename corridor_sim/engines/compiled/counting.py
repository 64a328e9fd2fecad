"""Machine code of the pass: what is counted of a visit and of a passage."""
# mypy: ignore-errors

from __future__ import annotations

import math
from math import nan

import numpy as np

from corridor_sim.core.draws.scalar import bits_of
from corridor_sim.engines.compiled.codes import CLOCK, CROSSING, KIND, LEG, POST, ROW, STAY, TOO_MANY
from corridor_sim.engines.compiled.parts import DROPPED, SHIFT_H, nth, stage, written_in


@written_in
def edge_visit(s, join, start, leave, from_h, until_h, horizon_h, at_edge):
    """Count a visit that is not wholly within the counted window, nor over before it (`VisitSums._add_edge`)."""
    waiting, gone = start != start, leave == leave
    counted = (join >= from_h or from_h <= 0.0) and join < until_h
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
def shift_h(clock, at_h, t):
    """What a local clock shows at an instant, less the hour of the run (`PostClock.shown_h`). [h]"""
    piece, end = t.clock_from[nth(clock)], t.clock_from[nth(clock + 1)]
    while piece + 1 < end and t.clock_begin_h[nth(piece + 1)] <= at_h:
        piece += 1
    return t.clock_shift_h[nth(piece)]


@written_in
def seen(row, clock, join, start, from_h, until_h, horizon_h, first_bin, per_h, days, net, waits, t):
    """Count who joins by day, the queue at its marks, and the wait."""
    since, here = max(join, 0.0), nth(row)
    days[here, nth(np.int64((since + shift_h(clock, since, t)) * (1.0 / 24.0)))] += 1
    before = nth(np.int64(since * per_h))
    if start < horizon_h:
        # Those who do not wait add 0: whether one waits nobody can foresee, and a wrong guess costs more than this.
        waits_here, then = np.int32(start > join), nth(np.int64(max(start, 0.0) * per_h))
        net[here, before] += waits_here
        net[here, then] -= waits_here
        if (join >= from_h or from_h <= 0.0) and join < until_h:
            waits[here, nth(time_bin(start - join, first_bin))] += waits_here
    elif start > join:
        net[here, before] += 1


@written_in
def visited(
    s,
    row,
    clock,
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
    t,
):
    """Count a visit to a queue: sums of the step, those who join by day, the queue at its marks, the wait."""
    if join < horizon_h:
        if join >= from_h and leave < until_h and leave < horizon_h:
            u = nth(s)
            inner[u, 0] += 1.0
            inner[u, 1] += start - join
            inner[u, 2] += hold
        else:
            begun = start if start < horizon_h else nan
            left = leave if leave < horizon_h else nan
            if not (left < from_h):
                edge_visit(s, join, begun, left, from_h, until_h, horizon_h, at_edge)
        seen(row, clock, join, start, from_h, until_h, horizon_h, first_bin, per_h, days, net, waits, t)


@written_in
def visited_at(s, q, join, start, leave, hold, w, t, a):
    """`visited` from the tables and sums of a replication."""
    visited(
        s,
        t.queue_row[q],
        t.queue_clock[q],
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
        t,
    )


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
    counted = (join >= from_h or from_h <= 0.0) and join < until_h
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
    noted, begin_h, end_h, span = c.span, c.span_begin_h, c.span_end_h, t.span
    limit_bin, limit_h = t.limit_bin, t.limit_h
    passed, edge, stays, near, hours, hours_h = a.passed, a.passed_edge, a.stays, a.near, a.hours, a.hours_h
    begun_days, ended_days = a.begun_days, a.ended_days
    for n in range(many):
        o, begin, end = nth(noted[n]), begin_h[n], end_h[n]
        if not begin < horizon_h:
            continue
        gone = end < horizon_h
        counted = (begin >= from_h or from_h <= 0.0) and begin < until_h
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
        kind, row, clock = span[o, KIND], nth(span[o, ROW]), np.int64(span[o, CLOCK])
        if kind == LEG:
            continue
        if counted and gone:
            stay = end - begin
            b, place = time_bin(stay, first_bin), nth(span[o, STAY])
            stays[place, nth(b)] += 1
            if limit_bin[nth(b)]:
                k = 0
                while k < len(limit_h) and limit_h[k] < stay:
                    k += 1
                # Who exceeds every limit in this bin is in none: the next limit counts the whole bin.
                if k < len(limit_h) and time_bin(limit_h[k], first_bin) == b:
                    near[place, nth(k)] += 1
            if kind == CROSSING:
                hour = math.floor(begin + shift_h(clock, begin, t))
                hour -= 24.0 * math.floor((hour + 0.5) * (1.0 / 24.0))
                at = nth(np.int64(hour))
                hours[row, at] += 1.0
                hours_h[row, at] += stay
        if kind == POST:
            since = max(begin, 0.0)
            begun_days[row, nth(np.int64((since + shift_h(clock, since, t)) * (1.0 / 24.0)))] += 1
            if gone:
                ended_days[row, nth(np.int64((end + shift_h(clock, end, t)) * (1.0 / 24.0)))] += 1


@written_in
def counted_visit(s, q, join, start, leave, hold, service, w, t, c, a):
    """Count a visit to a queue whose services may be interrupted, or to any other."""
    if not t.queue_stops[q]:
        visited_at(s, q, join, start, leave, hold, w, t, a)
    elif join < w.horizon_h:
        interruptible(s, q, join, start, leave, service, w, a, c)
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
