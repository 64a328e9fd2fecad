"""Values of coded laws, one by one, for compiled loops: the same bits as `ServiceTime.of_words`.

Importing this needs numba. `plain` serves the laws that need nothing but their five numbers and takes no
array; `value` serves all.
"""

from __future__ import annotations

import math
from typing import Any

from numba import types

from corridor_sim.core.draws.scalar import (
    SALT_1,
    SALT_6,
    exp,
    exp_between,
    exponential,
    further,
    gamma_of,
    inside,
    log,
    normal,
    normal_below,
    on_grid,
    uniform,
    whole,
    word,
)
from corridor_sim.core.draws.words import FURTHER
from corridor_sim.core.machine_code import machine_code
from corridor_sim.model.service_times.codes import (
    CUT_LOGNORMAL,
    DETERMINISTIC,
    EMPIRICAL,
    EXPONENTIAL,
    GAMMA,
    LOGNORMAL,
    MIXTURE,
    PLAIN,
    SMALL_GAMMA,
    TRIANGULAR,
    UNIFORM,
)


@inside
def lognormal(seed, log_sd, median_h):  # type: ignore[no-untyped-def]
    """The value of a log-normal law, for a word. [h]

    No normal is beyond 14 and no `log_sd` beyond 5, so the limits of the exponential are far.
    """
    return exp_between(normal(seed) * log_sd) * median_h


@whole
def plain(kind, a, b, c, d, e, seed):  # type: ignore[no-untyped-def]
    """The value of a law of kind < `codes.PLAIN` with its five numbers, for a word. [h]"""
    if kind == LOGNORMAL:
        return lognormal(seed, a, b)
    if kind == GAMMA:
        return gamma_of(seed, a, b, d) * c
    if kind == EXPONENTIAL:
        return exponential(seed) * a
    if kind == DETERMINISTIC:
        return a
    if kind == UNIFORM:
        return uniform(seed) * a + b
    if kind == CUT_LOGNORMAL:
        return min(exp(normal_below(seed, c) * a) * b, d)
    if kind == SMALL_GAMMA:
        boost = exponential(further(seed, SALT_6)) / e
        return gamma_of(seed, a, b, d) * exp(boost) * c
    if kind == TRIANGULAR:
        u = uniform(seed)
        if u < (b - a) / d:
            return a + math.sqrt(u * (d * (b - a)))
        return c - math.sqrt((1.0 - u) * (d * (c - b)))
    # Weibull
    return exp(log(exponential(seed)) * a) * b


@whole
def value(kind, number, place, table, node, seed):  # type: ignore[no-untyped-def]
    """The value of a node of `coded.CodedLaws`, for a word. [h]"""
    while kind[node] == MIXTURE:
        u = uniform(seed)
        begin, edges = place[node, 0], place[node, 1]
        chosen = 0
        while chosen < edges and u >= table[begin + chosen]:
            chosen += 1
        node = place[node, 2] + chosen
        seed = further(seed, types.uint64(chosen + 1) * FURTHER)
    what = kind[node]
    if what < PLAIN:
        time_h = plain(what, number[node, 0], number[node, 1], number[node, 2], number[node, 3], number[node, 4], seed)
    else:
        u = uniform(seed)
        begin, length = place[node, 0], place[node, 1]
        if what == EMPIRICAL:
            time_h = table[begin + types.int64(u * length)]
        else:
            chosen = 0
            while chosen < length and u >= table[begin + chosen]:
                chosen += 1
            time_h = exponential(further(seed, SALT_1)) * table[begin + length + chosen]
    for k in range(place[node, 4]):
        time_h += table[place[node, 3] + k]
    return time_h


def _fill(kind, number, place, table, node, first, second, index, rounded, out):  # type: ignore[no-untyped-def]
    """Write the values of a node at some indices under some keys into `out`, on the clock grid if `rounded`."""
    if kind[node] < PLAIN and place[node, 4] == 0:
        what = kind[node]
        a, b, c, d, e = number[node, 0], number[node, 1], number[node, 2], number[node, 3], number[node, 4]
        for i in range(len(out)):
            time_h = plain(what, a, b, c, d, e, word(first[i], second[i], index[i]))
            out[i] = on_grid(time_h) if rounded else time_h
    else:
        for i in range(len(out)):
            time_h = value(kind, number, place, table, node, word(first[i], second[i], index[i]))
            out[i] = on_grid(time_h) if rounded else time_h


def _array(of: Any, axes: int = 1, *, written: bool = False) -> Any:
    return types.Array(of, axes, "A", readonly=not written, aligned=False)


WORDS, COUNTS, TIMES = _array(types.uint64), _array(types.int64), _array(types.float64)
fill = machine_code(
    types.void(
        COUNTS,
        _array(types.float64, 2),
        _array(types.int64, 2),
        TIMES,
        types.int64,
        WORDS,
        WORDS,
        WORDS,
        types.boolean,
        _array(types.float64, written=True),
    ),
    _fill,
)
"""`_fill` as machine code."""
