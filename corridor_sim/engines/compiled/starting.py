"""Machine code of the pass: what one replication of a block is given as it begins, and what it leaves of its queues."""
# mypy: ignore-errors

from __future__ import annotations

from math import inf, nan

import numpy as np

from corridor_sim.core.units import GRID_PER_H
from corridor_sim.engines.compiled.boarding import nobody_landed
from corridor_sim.engines.compiled.levels import longer
from corridor_sim.engines.compiled.parts import maker, nth, stage
from corridor_sim.engines.compiled.state import Draws, Sums


@maker
def draws_of(k, block):
    """Those of the k-th replication of a block."""
    begin, end = block.at[k], block.at[k + 1]
    return Draws(
        block.base[k],
        block.release_h[begin:end],
        block.route[begin:end],
        block.first[k],
        block.second[k],
        block.given_at[k],
        block.given,
        block.come_h[begin:end],
    )


@maker
def sums_of(k, held):
    """Where the k-th replication is counted."""
    return Sums(
        held.inner[k],
        held.at_edge[k],
        held.passed[k],
        held.passed_edge[k],
        held.net[k],
        held.days[k],
        held.waits[k],
        held.begun_days[k],
        held.ended_days[k],
        held.hours[k],
        held.hours_h[k],
        held.stays[min(k, len(held.stays) - 1)],
        held.near[k],
        held.late[k],
        held.served[k],
        held.astride[k],
        held.found[k],
    )


@stage
def set_back(many, goes_on, w, t, c):
    """The state as a replication of so many consignments begins; of those handed over, what they are in is there."""
    if not goes_on:
        for i in range(many):
            for k in range(c.begun.shape[1]):
                c.begun[i, k] = nan
    for q in range(len(c.inbox)):
        c.inbox[q] = -1
        c.now_h[q] = -inf
        c.piece[q] = t.queue_from[q]
        c.taken[q] = c.waiting[q] = 0
        for k in range(c.busy.shape[1]):
            c.busy[q, k] = -inf
        for k in range(c.head.shape[1]):
            c.head[q, k] = c.tail[q, k] = -1
    for k in range(len(c.level)):
        c.level[k] = 0
        c.since[k] = np.int64(np.rint(w.from_h * GRID_PER_H))
    for i in range(len(c.stands_h)):
        c.stands_h[i] = -inf
        for k in range(c.driven_h.shape[1]):
            c.driven_h[i, k] = 0.0
    nobody_landed(many, t, c)
    # Nobody has been handed over yet.
    for k in range(c.handed_h.shape[0]):
        for i in range(c.handed_h.shape[1]):
            c.handed_h[k, i] = nan


@maker
def put_by(number, c, spent, wide, level, since, held, size):
    """Keep the time at each level and where the queues stand, of one replication; the table is set back.

    Returns the times kept, with the levels of each replication up to the highest that there was, and how many.
    """
    lines, width = len(c.level), 1
    for k in range(lines):
        for upto in range(spent.shape[1], width, -1):
            if spent[k, upto - 1] != 0:
                width = upto
                break
    wide[number] = width
    if size + lines * width > len(held):
        held = longer(held, size, 2 * (size + lines * width))
    for k in range(lines):
        level[number, k], since[number, k] = c.level[k], c.since[k]
        for upto in range(width):
            held[size] = spent[k, upto]
            spent[k, upto] = 0
            size += 1
    return held, size


@maker
def listed(stays, ends, at, value, times, size):
    """List what occurs of the distributions of one replication, and set their counts back to 0.

    The entries of distribution n end at ``ends[at + n + 1]``. Returns values and how often they occur, and how many
    there are.
    """
    bins = stays.shape[1]
    whole = bins - bins % 16
    for n in range(stays.shape[0]):
        if size + bins > len(value):
            value, times = longer(value, size, 2 * (size + bins)), longer(times, size, 2 * (size + bins))
        row = stays[n]
        for begin in range(0, whole, 16):
            # Few of all values occur: sixteen are asked at once.
            some = np.int32(0)
            for b in range(begin, begin + 16):
                some |= row[nth(b)]
            if some != 0:
                for b in range(begin, begin + 16):
                    value[size], times[size] = b, row[nth(b)]
                    size += row[nth(b)] != 0
                    row[nth(b)] = 0
        for b in range(whole, bins):
            if row[b] != 0:
                value[size], times[size] = b, row[b]
                size += 1
                row[b] = 0
        ends[at + n + 1] = size
    return value, times, size
