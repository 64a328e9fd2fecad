"""How much of the spread is inputs and how much is chance: the variance of runs that share their random streams.

Draw d of the inputs runs with the streams of replications 1..R, and every draw uses the
same ones. So draws and replications are *crossed*: replication r is harder than others
for every draw. Then the nested split, which takes the spread within a draw for the noise
of that draw alone, takes the common part away from the inputs a second time. It is right
only where every draw has streams of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from corridor_sim.core.units import FloatArray


@dataclass(frozen=True, slots=True)
class VarianceParts:
    """Variance of one value (one draw, one replication) by where it comes from; unbiased, so a part may be below 0.

    Attributes
    ----------
    inputs
        Of the mean over streams, from draw to draw.
    replications
        Of the mean over draws, from stream to stream.
    interaction
        What is left: some streams are harder for some draws. NaN with one replication, where it
        cannot be told from the inputs and stands in `inputs`.
    draws, count
        Draws D and replications R that it was estimated from.
    """

    inputs: float
    replications: float
    interaction: float
    draws: int
    count: int

    @property
    def of_mean(self) -> float:
        """Variance of the mean over all draws and replications: a/D + b/R + ab/(DR), no part below 0.

        Draws that are spread evenly have a smaller one, so it is an upper bound for them.
        NaN with one replication.
        """
        a, b, ab = (max(part, 0.0) for part in (self.inputs, self.replications, self.interaction))
        if math.isnan(self.replications):
            return math.nan
        return a / self.draws + b / self.count + ab / (self.draws * self.count)

    @property
    def input_share(self) -> float:
        """Share of the inputs in the variance of one value, NaN where it does not vary or is not known."""
        a, b, ab = (max(part, 0.0) for part in (self.inputs, self.replications, self.interaction))
        total = a + b + ab
        return a / total if total > 0 else math.nan


def crossed_variance(values: ArrayLike) -> VarianceParts:
    """Split the variance of a table of draws by replications that share their streams.

    Parameters
    ----------
    values : array, shape (draws, replications)
        At least two draws.

    Returns
    -------
    VarianceParts
        Inputs (MS_draws - MS_interaction) / R, replications (MS_replications - MS_interaction) / D and
        interaction MS_interaction, by the two-way layout with one value a cell and random effects
        [searle1992]. With one replication, inputs is the plain variance over draws and the
        other two are NaN.

    Raises
    ------
    ValueError
        If there are fewer than two draws, or a value is missing.

    Examples
    --------
    >>> parts = crossed_variance([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    >>> parts.inputs, parts.replications, parts.interaction
    (4.0, 0.5, 0.0)
    """
    table = _table(values)
    draws, count = table.shape
    if count == 1:
        return VarianceParts(float(table.var(ddof=1)), math.nan, math.nan, draws, count)
    grand, by_draw, by_replication = table.mean(), table.mean(axis=1), table.mean(axis=0)
    of_draws = count * float(((by_draw - grand) ** 2).sum()) / (draws - 1)
    of_replications = draws * float(((by_replication - grand) ** 2).sum()) / (count - 1)
    rest = table - by_draw[:, None] - by_replication[None, :] + grand
    interaction = float((rest**2).sum()) / ((draws - 1) * (count - 1))
    return VarianceParts(
        inputs=(of_draws - interaction) / count,
        replications=(of_replications - interaction) / draws,
        interaction=interaction,
        draws=draws,
        count=count,
    )


def nested_variance(values: ArrayLike) -> VarianceParts:
    """The same split where every draw has random streams of its own: only then is it right.

    Replications are nested in draws: there is no common part, so `replications` is 0 and all the noise stands in
    `interaction`. On runs that share their streams `inputs` is too low by the variance of the
    replications over R.

    Raises
    ------
    ValueError
        If there are fewer than two draws or two replications, or a value is missing.
    """
    table = _table(values)
    draws, count = table.shape
    if count < 2:
        raise ValueError("the nested split needs at least two replications a draw")
    within = float(table.var(axis=1, ddof=1).mean())
    return VarianceParts(float(table.mean(axis=1).var(ddof=1)) - within / count, 0.0, within, draws, count)


def _table(values: ArrayLike) -> FloatArray:
    table = np.asarray(values, dtype=float)
    if table.ndim != 2 or table.shape[0] < 2 or table.shape[1] < 1:
        raise ValueError(f"needs values of at least two draws, shape (draws, replications), got shape {table.shape}")
    if np.isnan(table).any():
        raise ValueError(f"{int(np.isnan(table).sum())} of {table.size} values are missing")
    return table
