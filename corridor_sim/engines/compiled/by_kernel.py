"""Machine code of the pass: queues that are left to a kernel of the batch engine."""
# mypy: ignore-errors

from __future__ import annotations

from math import inf

import numpy as np

from corridor_sim.core.units import GRID_PER_H
from corridor_sim.engines.compiled.codes import (
    BY_CLASS,
    HANDS_BACK,
    HOURS,
    LIMITED_LEG,
    PARKED,
    RESERVED,
    SINGLE_LANES,
    SLOT_BITS,
    TOO_FEW,
    TOO_LONG,
    WHEN_FULL,
)
from corridor_sim.engines.compiled.counting import counted_visit
from corridor_sim.engines.compiled.drawing import lasting
from corridor_sim.engines.compiled.parts import ID, stage, written_in
from corridor_sim.engines.queues import loops
from corridor_sim.engines.queues.loops.first_come import NO_OVERRUN

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
def at_kernel(q, kind, until_h, arrival, service, starts, finishes, t, d, c):
    """Those lined up, with their services, through the kernel of a queue."""
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


@stage
def remember(q, source, target, at):
    """Copy what the kernel of a queue remembers."""
    for k in range(at.shape[1]):
        begin = at[q, k, 0]
        for place in range(begin, begin + at[q, k, 1] * at[q, k, 2]):
            target[place] = source[place]


@stage
def read(n, at_h, fits, service, w, t, d, c):
    """Durations of those lined up: at a change, of those who have not started by then (`fits`), or as they start.

    They come to `again_h[0]`; whether any is another than before.
    """
    line, join_of, step_of, route, starts, new = c.line, c.join_h, c.step_of, d.route, c.start_h, c.again_h[0]
    base, _, _, first, second, given_at, given, _ = d
    route_flow, step, step_h, horizon_h = t.route_flow, t.step, t.step_h, w.horizon_h
    found = False
    for k in range(n):
        i = line[k] & ID
        s, j = np.int64(step_of[i]), i - base[route_flow[route[i]]]
        join, start, read_h = join_of[i], starts[k], at_h
        new[k] = service[0, k]
        if fits:
            reads = start >= at_h and join < at_h
        else:
            reads, read_h = True, join
            if start <= horizon_h:
                read_h = start
        if reads:
            new[k] = lasting(s, j, read_h, step, step_h, given_at, given, first, second, t, d)
            found = found or new[k] != service[0, k]
    return found


@stage
def read_at_start(q, kind, n, until_h, arrival, service, starts, finishes, w, t, d, c):
    """`batch.reading.served`: services that change by date are read as they start."""
    line, join_of, new, not_before_h = c.line, c.join_h, c.again_h[0], c.again_h[1]
    fits = kind == HOURS and table(t.counts, t.counts_at, q, 1)[0, 0] == NO_OVERRUN
    for k in range(n):
        not_before_h[k] = join_of[line[k] & ID]
    p, earliest_h = t.changes_from[q], not_before_h[0]
    while p < t.changes_from[q + 1] and t.changes_h[p] <= earliest_h:
        p += 1
    # One turn a change where services have to fit, else until nothing changes.
    while p < t.changes_from[q + 1]:
        at_h = t.changes_h[p]
        found = read(n, at_h, fits, service, w, t, d, c)
        if fits or not found:
            p = p + 1 if fits else t.changes_from[q + 1]
        if not found:
            continue
        for k in range(n):
            if fits and starts[0, k] >= at_h and join_of[line[k] & ID] < at_h:
                not_before_h[k] = at_h
            service[0, k], arrival[0, k], starts[0, k], finishes[0, k] = new[k], not_before_h[k], inf, inf
        remember(q, c.kept_before, c.kept, c.kept_at)
        at_kernel(q, kind, until_h, arrival, service, starts, finishes, t, d, c)


@stage
def by_kernel(q, n, since_h, until_h, last, events, event_line, held, w, t, d, c, a):
    """As `served`, for those of the kinds that are left to a kernel."""
    line, join_of, behind, step_of, route = c.line, c.join_h, c.behind, c.step_of, d.route
    base, _, _, first, second, given_at, given, _ = d
    who, when_h, route_flow, step, step_h = c.who, c.when_h, t.route_flow, t.step, t.step_h
    kind = t.queue_kind[q]
    group, mark = t.queue_group[q], np.int64(t.queue_slot[q]) << 1
    arrival, service = c.arrival_h[:n].reshape(1, n), c.service_h[:n].reshape(1, n)
    starts, finishes = c.start_h[:n].reshape(1, n), c.finish_h[:n].reshape(1, n)
    last_change = t.changes_from[q + 1] - 1
    changes = n > 0 and last_change >= t.changes_from[q] and t.changes_h[last_change] > join_of[line[0] & ID]
    if changes:
        remember(q, c.kept, c.kept_before, c.kept_at)
    for k in range(n):
        i = line[k] & ID
        s, j = np.int64(step_of[i]), i - base[route_flow[route[i]]]
        arrival[0, k], starts[0, k], finishes[0, k] = join_of[i], inf, inf
        service[0, k] = lasting(s, j, join_of[i], step, step_h, given_at, given, first, second, t, d)
    at_kernel(q, kind, until_h, arrival, service, starts, finishes, t, d, c)
    if changes:
        read_at_start(q, kind, n, until_h, arrival, service, starts, finishes, w, t, d, c)
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
        counted_visit(s, q, join, start, leave, hold, service[0, k], w, t, c, a)
    return m, held
