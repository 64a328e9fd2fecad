"""Machine code of the pass: what is drawn for a consignment, and how long a step lasts."""
# mypy: ignore-errors

from __future__ import annotations

import numpy as np

from corridor_sim.core.draws.scalar import exponential, on_grid, uniform, word
from corridor_sim.core.units import GRID_PER_H
from corridor_sim.engines.compiled.codes import (
    ALL,
    AS_LAW,
    COLUMN,
    FIXED,
    FIXED_H,
    HOW,
    LAW,
    NUMBERS,
    SHARE_COLUMN,
    SHARE_OF,
    SOME,
    TAKE,
)
from corridor_sim.engines.compiled.parts import nth, stage, written_in
from corridor_sim.model.service_times.codes import EXPONENTIAL, LOGNORMAL, PLAIN
from corridor_sim.model.service_times.compiled import lognormal, plain, value


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


@written_in
def draw_of(column, j, t, d):
    """`drawn` from the tables and draws of a replication."""
    return drawn(
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


@stage
def changed(s, j, time_h, duration, t, d):
    """A duration with the dated factor and the reliefs of a step."""
    whole = duration
    if t.factor[s] >= 0:
        duration = duration * function_at(t.factor[s], time_h, t.function_from, t.piece_h, t.piece_value)
    for k in range(t.relief_from[s], t.relief_from[s + 1]):
        if t.relief_factor[k] == 0.0:
            continue
        share = function_at(t.relief_share[k], time_h, t.function_from, t.piece_h, t.piece_value)
        column = t.relief_column[k]
        seen = draw_of(column, j, t, d)
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
        duration = draw_of(t.law_column[k], j, t, d)
        duration = changed(s, j, time_h, duration, t, d)
    return duration


@stage
def unusual_taking(s, j, time_h, t, d):
    """Whether a step with a dated share, or with reliefs that pass it by, is taken."""
    goes = True
    if t.share[s] >= 0:
        seen = draw_of(t.share_column[s], j, t, d)
        goes = seen < function_at(t.share[s], time_h, t.function_from, t.piece_h, t.piece_value)
    for k in range(t.relief_from[s], t.relief_from[s + 1]):
        if t.relief_factor[k] == 0.0:
            seen = draw_of(t.relief_column[k], j, t, d)
            goes = goes and seen >= function_at(t.relief_share[k], time_h, t.function_from, t.piece_h, t.piece_value)
    return goes


@stage
def taken(s, j, at_h, t, d):
    """Whether one takes a step that he comes to at an instant."""
    if t.step[s, TAKE] == SOME:
        return draw_of(t.step[s, SHARE_COLUMN], j, t, d) < t.step_h[s, SHARE_OF]
    return t.step[s, TAKE] == ALL or unusual_taking(s, j, at_h, t, d)


@written_in
def lasting(s, j, at_h, step, step_h, given_at, given, first, second, t, d):
    """The duration of a step that starts at an instant (D13); the quick ways are tried here, without a call. [h]"""
    hold, u = 0.0, nth(s)
    law = np.int64(step[u, LAW])
    if step[u, HOW] == FIXED:
        hold = step_h[u, FIXED_H]
    elif step[u, HOW] == AS_LAW and given_at[nth(step[u, COLUMN])] >= 0:
        hold = given[given_at[nth(step[u, COLUMN])] + j]
    elif law >= 0:
        column = nth(step[u, COLUMN])
        seed = word(first[column], second[column], np.uint64(j))
        if law == LOGNORMAL:
            time_h = lognormal(seed, step_h[u, NUMBERS], step_h[u, NUMBERS + 1])
        elif law == EXPONENTIAL:
            time_h = exponential(seed) * step_h[u, NUMBERS]
        else:
            time_h = plain(
                law,
                step_h[u, NUMBERS],
                step_h[u, NUMBERS + 1],
                step_h[u, NUMBERS + 2],
                step_h[u, NUMBERS + 3],
                step_h[u, NUMBERS + 4],
                seed,
            )
        hold = on_grid(time_h)
    else:
        hold = unusual_duration(np.int64(s), j, at_h, t, d)
    return hold
