"""All releases of some streams of one flow over a whole run."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from corridor_sim.core.draws.words import Key
from corridor_sim.core.machine_code import compiled, earned
from corridor_sim.core.units import FloatArray, to_grid
from corridor_sim.model.arrivals import ArrivalPlan, Poisson
from corridor_sim.model.operational_time import pieces_of
from corridor_sim.records.visits import IntArray

TOGETHER = 32768
"""Releases drawn at once, so that they stay in the cache."""
SAVED = 15
"""What the compiled loop saves for each release. [ns, assumed from 8 against 23]"""


def whole_run(plan: ArrivalPlan, keys: Key, expected: float, horizon_h: float) -> tuple[FloatArray, IntArray]:
    """All releases not after the horizon, on the grid, and their number in each stream.

    Returns
    -------
    releases : array, shape (stream, consignment)
        Padded with inf. [h]
    number : array, shape (stream,)
    """
    count = len(keys.first)
    # Those of a Poisson process of its own kind only: a class derived from it may have other gaps.
    if type(plan.process) is Poisson and earned(SAVED * expected * count) and (loop := compiled(_loop)) is not None:
        # So seldom exceeded that drawing all again costs nothing.
        size = int(expected + 7 * math.sqrt(expected)) + 32
        releases, number = np.empty((count, size)), np.empty(count, dtype=np.int64)
        if loop(*keys, *pieces_of(plan.rate), horizon_h, releases, number):
            return releases[:, : int(number.max(initial=0))], number
    releases = _by_arrays(plan, keys, expected, horizon_h)
    number = np.asarray((releases < np.inf).sum(axis=1), dtype=np.int64)
    return releases[:, : int(number.max(initial=0))], number


def _by_arrays(plan: ArrivalPlan, keys: Key, expected: float, horizon_h: float) -> FloatArray:
    draw, count = plan.block_sampler(keys), len(keys.first)
    over = np.zeros(count, dtype=bool)
    margin = int(3 * math.sqrt(expected)) + 8
    size, parts = int(expected) + margin, []
    while len(which := np.flatnonzero(~over)):
        found = np.full((count, size), np.inf)
        together = max(1, TOGETHER // size)
        for first in range(0, len(which), together):
            some = which[first : first + together]
            found[some] = to_grid(draw(size, some))
        over[which] = found[which, -1] > horizon_h
        parts.append(found)
        size = margin
    release_h = np.concatenate([np.empty((count, 0)), *parts], axis=1) if len(parts) != 1 else parts[0]
    release_h[release_h > horizon_h] = np.inf
    return release_h


def _loop() -> Any:
    from corridor_sim.sampling.release_loop import released

    return released
