"""Machine code of the pass: the time that a queue had each length."""
# mypy: ignore-errors

from __future__ import annotations

import numpy as np

from corridor_sim.core.units import GRID_PER_H
from corridor_sim.engines.compiled.codes import SLOT_BITS
from corridor_sim.engines.compiled.parts import maker, nth
from corridor_sim.engines.compiled.walking import sorted_into


@maker
def wider(spent, width):
    """The same table with room for higher levels."""
    more = np.zeros((spent.shape[0], width), np.int64)
    for k in range(spent.shape[0]):
        for level in range(spent.shape[1]):
            if spent[k, level] != 0:
                more[k, level] = spent[k, level]
    return more


@maker
def levels(limit_h, events, event_line, held, groups, w, t, c, spent):
    """Time at each number waiting, from the events before an instant; the others are kept.

    Returns how many are, and the table of times, which grows with the longest queue. An event is its instant, then
    the place of its element in its group, then 0 (joins) or 1 (starts).
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
            spots[nth(event_line[k])] += 1
    for g in range(groups):
        spots[g + 1] += spots[g]
    # From the end of each group: what is sorted is read backwards.
    for k in range(held):
        if events[k] < limit:
            at = nth(event_line[k])
            spots[at] -= 1
            other[nth(spots[at])] = events[k]
        elif limit_h < w.until_h:
            events[later] = events[k]
            event_line[later] = event_line[k]
            later += 1
    width = spent.shape[1]
    for g in range(groups):
        low = spots[g]
        n = spots[g + 1] - low
        if n:
            earliest, latest = other[low], other[low]
            for k in range(low, low + n):
                earliest, latest = min(earliest, other[k]), max(latest, other[k])
            sorted_into(n, earliest, latest, other[low : low + n], line, bucket)
            together = group_line[g]
            whole = nth(together)
            for k in range(n):
                x = line[k]
                instant = max(x >> SLOT_BITS, begins)
                change = 1 - 2 * (x & 1)
                own = nth(group_lines[g, nth((x & ((1 << SLOT_BITS) - 1)) >> 1)])
                # That of the whole group is never the lower one.
                if level[whole if together >= 0 else own] + 1 >= width:
                    spent = wider(spent, 2 * width)
                    width = spent.shape[1]
                spent[own, nth(level[own])] += instant - since[own]
                since[own] = instant
                level[own] += change
                if together >= 0:
                    spent[whole, nth(level[whole])] += instant - since[whole]
                    since[whole] = instant
                    level[whole] += change
    return later, spent


@maker
def longer(values, many, size):
    """The first so many of some values, in an array with more room.

    One by one: a slice that is set may raise, and to compile what that would say takes seconds.
    """
    more = np.empty(size, values.dtype)
    for k in range(many):
        more[k] = values[k]
    return more
