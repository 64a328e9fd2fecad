"""Replications as machine code: each consignment walks until it meets a queue, queues come one by one.

Importing this needs numba. `replications` does those of a block one after the other in the same arrays;
`replication` works through windows of time. In each window those
released, and then those served by one queue after the other in topological order, `walk` on through
delays until the next queue, the end of their journey or the end of the run; what happens is counted
on the spot. The parts are in `PARTS`, and the modules below them.

Consignments are numbered by flow, then by index, which is the order of rule D12. Sums of times on
the clock grid are exact in any order, so nothing shows how the work is cut.
"""
# mypy: ignore-errors

from __future__ import annotations

import hashlib
import inspect
import sys
from math import inf
from typing import Any

import numpy as np
from numba import njit

from corridor_sim.core import units
from corridor_sim.core.draws import elementary, scalar, variates, words, ziggurat
from corridor_sim.engines.compiled import (
    announcing,
    boarding,
    codes,
    counting,
    drawing,
    full_lanes,
    full_legs,
    full_opening,
    full_queue,
    full_visits,
    heap,
    lining,
    parts,
    serving,
    starting,
    state,
    walking,
)
from corridor_sim.engines.compiled import by_kernel as kernel_part
from corridor_sim.engines.compiled import full as full_part
from corridor_sim.engines.compiled import levels as level_part
from corridor_sim.engines.compiled import together as together_part
from corridor_sim.engines.compiled.boarding import in_boarding_order, landed
from corridor_sim.engines.compiled.by_kernel import by_kernel
from corridor_sim.engines.compiled.codes import LIMITED_LEG, URGENT_FIRST
from corridor_sim.engines.compiled.counting import passages
from corridor_sim.engines.compiled.coupled import Coupled
from corridor_sim.engines.compiled.full_tables import Full
from corridor_sim.engines.compiled.levels import levels, longer
from corridor_sim.engines.compiled.lines import YardLines
from corridor_sim.engines.compiled.lining import through_line
from corridor_sim.engines.compiled.parts import POINT, maker
from corridor_sim.engines.compiled.serving import served, served_by_rank
from corridor_sim.engines.compiled.starting import draws_of, listed, put_by, set_back, sums_of
from corridor_sim.engines.compiled.state import BlockDraws, Draws, PassState, Sums
from corridor_sim.engines.compiled.tables import Tables, Window
from corridor_sim.engines.compiled.together import inside, lined_up_together, together
from corridor_sim.engines.compiled.walking import by_window, handed_over, lined_up, released, walk
from corridor_sim.engines.queues import loops
from corridor_sim.indicators import distributions
from corridor_sim.model import service_times

PARTS = (
    parts,
    drawing,
    counting,
    walking,
    serving,
    kernel_part,
    level_part,
    heap,
    boarding,
    lining,
    announcing,
    full_part,
    full_lanes,
    full_opening,
    full_queue,
    full_visits,
    full_legs,
    together_part,
    starting,
)
"""Modules that hold the parts."""
MADE_OF = (
    sys.modules[__name__],
    *PARTS,
    *(codes, state, distributions, units, elementary, scalar, variates, words, ziggurat),
    *(service_times.codes, service_times.compiled),
    *(sys.modules[getattr(loops, name).__module__] for name in loops.__all__ if callable(getattr(loops, name))),
)
"""Modules whose functions or numbers are in the machine code."""
GIVEN = (Window, Tables, BlockDraws, Draws, PassState, Sums, Coupled, Full, YardLines)
"""Classes of what it is given: the compiler keeps it under their names and fields."""


def name_of(texts, classes):
    """A name for some texts and for the names and fields of some classes: another one where anything is another."""
    told = (f"{one.__module__}.{one.__qualname__} {' '.join(one._fields)}" for one in classes)
    return hashlib.sha256("\n".join((*texts, *told)).encode()).hexdigest()[:15]


MOST_LEVELS = 1_000_000
"""Times at levels that are held before they are handed over."""


@maker
def replication(w, t, d, c, a, kernels, coupled, full, lines, events, event_line, spent):
    """One whole replication. Returns visits, the room for events, and the time at each number waiting.

    `kernels` is None where no queue is left to a kernel, else True: without them compiling takes half the time.
    `coupled` is None where no queues are coupled, else a `Coupled`; `full` None or a `Full` of those among them;
    `lines` is None where no yard holds anybody up, else a `YardLines`.
    """
    flows, units, groups = len(d.base) - 1, len(t.queue_kind), len(t.group_line)
    if coupled is not None:
        units = len(coupled.order)
    coming = d.base.copy()
    # Who waits as the run begins joined before hour 0.
    held, visits, since_h, until_h, last = np.int64(0), np.int64(0), -inf, 0.0, False
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
        for unit in range(units):
            q = unit
            if coupled is not None:
                q = coupled.order[unit]
                if q < 0:
                    k = -1 - q
                    n = lined_up_together(k, until_h, since_h, c, coupled)
                    # Each may come to every queue of the group, or more than once to one, and each time join and start.
                    members = coupled.member_from[k + 1] - coupled.member_from[k]
                    room = held + 2 * max(members, coupled.most[k]) * (n + inside(k, c, coupled, full))
                    if room > len(events):
                        events, event_line = longer(events, held, 2 * room), longer(event_line, held, 2 * room)
                    more_visits, held = together(
                        k, n, until_h, last, leave, events, event_line, held, w, t, d, c, a, coupled, full
                    )
                    visits += more_visits
                    continue
            n = lined_up(q, until_h, since_h, c)
            if lines is not None:
                number_of_line = lines.of_queue[q]
                if number_of_line >= 0:
                    if t.queue_boarded[q]:
                        in_boarding_order(n, t, d, c)
                    members = lines.member_from[number_of_line + 1] - lines.member_from[number_of_line]
                    room = held + 2 * members * (n + lines.there[number_of_line])
                    if room > len(events):
                        events, event_line = longer(events, held, 2 * room), longer(event_line, held, 2 * room)
                    m, more_visits, held = through_line(
                        number_of_line, n, until_h, last, events, event_line, held, w, t, d, c, a, lines
                    )
                    visits += more_visits
                    more_visits, noted = walk(m, leave, w, t, d, c, a)
                    passages(noted, w, t, c, a)
                    visits += more_visits
                    continue
            if n == 0 and (t.queue_kind[q] != URGENT_FIRST or c.waiting[q] == 0):
                continue
            if t.queue_boarded[q]:
                in_boarding_order(n, t, d, c)
            room = held + 2 * (n + c.waiting[q]) + 1
            if room > len(events):
                events, event_line = longer(events, held, 2 * room), longer(event_line, held, 2 * room)
            m = n
            if t.queue_kind[q] == URGENT_FIRST:
                m, held = served_by_rank(q, n, until_h, last, events, event_line, held, w, t, d, c, a)
            elif kernels is None:  # noqa: SIM114 (the compiler leaves out what stands below for None)
                held = served(q, n, events, event_line, held, w, t, d, c, a)
            elif t.queue_kind[q] < LIMITED_LEG:
                held = served(q, n, events, event_line, held, w, t, d, c, a)
            else:
                m, held = by_kernel(
                    q, n, since_h, inf if last else until_h, last, events, event_line, held, w, t, d, c, a
                )
            a.served[q] += m
            if t.queue_lands[q]:
                landed(m, c)
            more_visits, noted = walk(m, leave, w, t, d, c, a)
            passages(noted, w, t, c, a)
            visits += m + more_visits
        held, spent = levels(inf if last else until_h, events, event_line, held, groups, w, t, c, spent)
        since_h = until_h
    return visits, events, event_line, spent


def _replications(
    w,
    t,
    block,
    first,
    upto,
    c,
    held,
    place,
    kernels,
    coupled,
    full,
    lines,
    lists,
):
    """Replications of a block from one up to another, counted in the sums that are held, from a place on.

    Returns how many were worked through (all, unless something went wrong or their levels take much room); of each
    its visits, the levels that its queues reached, how many wait at the end and since when; the time at each
    number waiting, one replication after the other; and if it `lists` the times of passages, which are counted in one
    place for all, where the entries of each distribution end, their values and how often they occur.
    """
    many, levels_of = upto - first, len(c.level)
    visits, wide = np.zeros(many, np.int64), np.zeros(many, np.int64)
    level, since = np.zeros((many, levels_of), np.int64), np.zeros((many, levels_of), np.int64)
    events, event_line = np.empty(4096, np.int64), np.empty(4096, np.int32)
    spent = np.zeros((max(levels_of, 1), 64), np.int64)
    kept, size, done = np.empty(1024, np.int64), 0, 0
    places = held.stays.shape[1] if lists else 0
    ends, value, times, entries = (
        np.zeros(many * places + 1, np.int64),
        np.empty(4096, np.int64),
        np.empty(4096, np.int32),
        0,
    )
    c.wrong[:] = 0.0
    while done < many and size < MOST_LEVELS and c.wrong[0] == 0.0:
        d, a = draws_of(first + done, block), sums_of(place + done, held)
        set_back(len(d.release_h), len(block.come_h) > 0, w, t, c)
        visits[done], events, event_line, spent = replication(
            w, t, d, c, a, kernels, coupled, full, lines, events, event_line, spent
        )
        kept, size = put_by(done, c, spent, wide, level, since, kept, size)
        if lists:
            value, times, entries = listed(a.stays, ends, done * places, value, times, entries)
        done += 1
    return done, visits, wide, level, since, kept, ends[: done * places + 1], value[:entries], times[:entries]


# The compiler looks at this file alone for changes, and cannot read what it has kept once a class that is named there
# is gone. So what it keeps has another name where anything that it is made of is another.
_replications.__qualname__ += f"_{name_of(map(inspect.getsource, MADE_OF), GIVEN)}"
replications: Any = njit(error_model="numpy")(_replications)
IS_KEPT = True
"""Whether its machine code stays on disk for other processes."""
try:
    replications = njit(cache=True, error_model="numpy")(_replications)
except RuntimeError:  # nowhere to keep it: compile for this process alone
    IS_KEPT = False
