"""Waves of history matching: draws are taken anew from the part of the ranges that the observations leave.

The draws of a wave tell, by an emulator for each observation, where in the ranges it cannot be met. The next
wave draws from what is left, so that more of its draws survive; it is run, and judged by what it gives, not by
the emulators.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.units import FloatArray
from corridor_sim.statistics.emulators import emulate
from corridor_sim.statistics.history_matching import LIMIT, implausibility
from corridor_sim.statistics.scrambles import scrambled_points
from corridor_sim.study.observations import Observation

CANDIDATES = 64
"""Points that emulators look at, for each draw of a wave."""


@dataclass(frozen=True, slots=True)
class WaveValues:
    """What the draws of one wave give for one observation: points (draws, inputs), values (draws,), and their noise."""

    points: FloatArray
    values: FloatArray
    noise_sd: float


def next_points(
    judges: Sequence[Observation], seen: Sequence[Sequence[WaveValues]], draws: int, root: int, wave: int
) -> tuple[FloatArray, NDArray[np.int64], float]:
    """Points of the next wave, the scramble of each, and which share of the ranges is left.

    Parameters
    ----------
    judges : sequence of Observation
    seen : for each of them what all waves so far give
    draws : int
        At most so many points are found; fewer where the observations leave hardly anything.
    root : int
        Root entropy; the same gives the same points.
    wave : int
        Number of the next wave, from 2.
    """
    dimensions = seen[0][0].points.shape[1]
    fresh = int(np.random.SeedSequence(root, spawn_key=(0x3A7E, wave)).generate_state(1, np.uint64)[0])
    points, scramble = scrambled_points(CANDIDATES * draws, dimensions, fresh)
    left = np.ones(len(points), dtype=bool)
    for one, waves in zip(judges, seen, strict=True):
        values = np.concatenate([each.values for each in waves])
        if np.count_nonzero(~np.isnan(values)) < 8:
            continue
        emulator = emulate(np.concatenate([each.points for each in waves]), values)
        noise = float(np.hypot(waves[-1].noise_sd, emulator.sd))
        left &= implausibility(one.value, emulator(points), one.sd, noise, one.discrepancy_sd) <= LIMIT
    numbers = np.unique(scramble)
    share = draws // len(numbers)
    taken = np.concatenate([np.flatnonzero(left & (scramble == number))[:share] for number in numbers])
    return points[taken], scramble[taken], float(left.mean())
