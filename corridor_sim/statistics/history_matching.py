"""Observations judge draws of the inputs: which draws cannot have given what was seen.

A draw is ruled out where an observation is too far from what the draw gives,
measured against everything that may lie between them: the error of the observation, the
noise of few replications, and how far the model may be off even with the right inputs
(its discrepancy), which has to be stated before. Nothing is weighted: draws that are not
ruled out are kept as they are [craig1997] [vernon2010].
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from corridor_sim.core.units import FloatArray

LIMIT = 3.0
"""Implausibility beyond which a draw is ruled out: by the three-sigma rule of [pukelsheim1994]."""
FEW = 10
"""Surviving draws below which an interval over them is not to be relied on; assumed."""


def implausibility(
    observed: float, simulated: ArrayLike, observation_sd: float, sampling_sd: ArrayLike, discrepancy_sd: float
) -> FloatArray:
    """Distance of each draw from an observation, in standard deviations of all that may lie between, shape (draws,).

    Parameters
    ----------
    simulated, sampling_sd : arrays, shape (draws,)
        Mean over replications and its standard error; NaN stays NaN: that draw says nothing.
    observation_sd, discrepancy_sd : float
        Of the observation; of the model at its best.

    Raises
    ------
    ValueError
        If a spread is negative, or all are 0.

    Examples
    --------
    >>> implausibility(10.0, [10.0, 15.0], observation_sd=3.0, sampling_sd=0.0, discrepancy_sd=4.0)
    array([0., 1.])
    """
    noise = np.asarray(sampling_sd, dtype=float)
    if observation_sd < 0 or discrepancy_sd < 0 or (noise < 0).any():
        raise ValueError("standard deviations must be >= 0")
    spread = np.sqrt(observation_sd**2 + discrepancy_sd**2 + noise**2)
    if (spread == 0).any():
        raise ValueError("observation, sampling and model are all taken for exact; state a discrepancy")
    return np.asarray(np.abs(np.asarray(simulated, dtype=float) - observed) / spread)


@dataclass(frozen=True, slots=True)
class Judged:
    """Draws judged by observations.

    Attributes
    ----------
    kept : array of bool, shape (draws,)
        Draws that no observation rules out.
    names
        Of the observations.
    ruled_out : array of bool, shape (observations, draws)
    """

    kept: NDArray[np.bool_]
    names: tuple[str, ...]
    ruled_out: NDArray[np.bool_]

    @property
    def effective(self) -> int:
        """Effective sample size: draws are kept or not, none is weighted, so it is their number."""
        return int(self.kept.sum())

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is to be said of the draws that are left."""
        draws, left = len(self.kept), self.effective
        if left == 0:
            worst = [name for name, out in zip(self.names, self.ruled_out, strict=True) if out.all()]
            by = f" {', '.join(worst)} alone rules out all;" if worst else ""
            told = "the model, its ranges or the stated discrepancy is wrong, or an observation is"
            return (f"no draw of {draws} survives the observations:{by} {told}",)
        if left == draws < FEW:
            return (f"all {draws} draws survive the observations, but {draws} are few: take more draws",)
        if left < FEW:
            return (f"only {left} of {draws} draws survive the observations: take more draws, or narrower ranges",)
        return ()

    def table(self) -> list[tuple[str, int, int]]:
        """For each observation: its name, how many draws it rules out, and how many it alone does."""
        times = self.ruled_out.sum(axis=0)
        alone = self.ruled_out & (times == 1)
        return [
            (name, int(out.sum()), int(only.sum()))
            for name, out, only in zip(self.names, self.ruled_out, alone, strict=True)
        ]


def judge(names: Sequence[str], implausibilities: Sequence[ArrayLike], limit: float = LIMIT) -> Judged:
    """Rule out every draw that is beyond `limit` for any observation.

    Parameters
    ----------
    names : sequence of str
    implausibilities : sequence of arrays, shape (draws,)
        One an observation; NaN does not rule out.

    Raises
    ------
    ValueError
        If there is no observation, or the lengths differ.
    """
    if not names or len(names) != len(implausibilities):
        raise ValueError(f"needs an implausibility for each observation, got {len(implausibilities)} for {len(names)}")
    table = np.array([np.asarray(one, dtype=float) for one in implausibilities])
    if table.ndim != 2 or not limit > 0 or math.isinf(limit):
        raise ValueError(f"needs draws for each observation and a limit > 0, got {table.shape} and {limit!r}")
    out = np.nan_to_num(table, nan=0.0) > limit
    return Judged(~out.any(axis=0), tuple(names), out)
