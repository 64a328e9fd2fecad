"""How far is a simulation from what was observed: measures of fit.

GEH is for hourly vehicle flows only, not for waits or daily counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from corridor_sim.core.units import FloatArray


def geh(simulated: ArrayLike, observed: ArrayLike) -> FloatArray:
    """GEH statistic of hourly flows: sqrt(2 (s-o)^2 / (s+o)), 0 where both are 0.

    Target: below 5 in 85 % of the counts. Source: [fhwa2004], after the UK's Design Manual for Roads and Bridges.
    """
    s, o = np.asarray(simulated, dtype=float), np.asarray(observed, dtype=float)
    total = s + o
    return np.asarray(np.sqrt(np.divide(2.0 * (s - o) ** 2, total, out=np.zeros(np.shape(total)), where=total > 0)))


@dataclass(frozen=True, slots=True)
class Fit:
    """Measures of fit, simulated minus observed; NaN where one is not defined.

    `bias`, `variance` and `covariance` are Theil's shares of the mean squared
    error (sum 1; bias and variance should be small). `theil_u2` compares relative
    changes with those of the forecast "no change". `wmape` is the sum of absolute
    errors over the sum observed, defined where some observations are 0.
    """

    mean_error: float
    rmse: float
    rmspe_percent: float
    mape_percent: float
    wmape_percent: float
    theil_u1: float
    theil_u2: float
    bias: float
    variance: float
    covariance: float


def fit(simulated: ArrayLike, observed: ArrayLike) -> Fit:
    """All measures of fit at once. Source: [theil1961] [theil1966], with population standard deviations.

    Raises
    ------
    ValueError
        If the two differ in length or are empty.
    """
    s, o = np.asarray(simulated, dtype=float), np.asarray(observed, dtype=float)
    if s.shape != o.shape or s.ndim != 1 or not len(s):
        raise ValueError(f"need two equally long lists, got shapes {s.shape} and {o.shape}")
    error = s - o
    square = float((error**2).mean())
    rmse = math.sqrt(square)
    scale = math.sqrt(float((s**2).mean())) + math.sqrt(float((o**2).mean()))
    whole = (o != 0).all()
    u2 = math.nan
    if len(o) > 1 and (o[:-1] != 0).all():
        change = float((((o[1:] - o[:-1]) / o[:-1]) ** 2).sum())
        u2 = math.sqrt(float(((error[1:] / o[:-1]) ** 2).sum()) / change) if change > 0 else math.nan
    sd_s, sd_o = float(s.std()), float(o.std())
    covariance = float(((s - s.mean()) * (o - o.mean())).mean())
    return Fit(
        mean_error=float(error.mean()),
        rmse=rmse,
        rmspe_percent=100.0 * math.sqrt(float(((error / o) ** 2).mean())) if whole else math.nan,
        mape_percent=100.0 * float(np.abs(error / o).mean()) if whole else math.nan,
        wmape_percent=100.0 * float(np.abs(error).sum() / np.abs(o).sum()) if o.any() else math.nan,
        theil_u1=rmse / scale if scale > 0 else math.nan,
        theil_u2=u2,
        bias=float(error.mean()) ** 2 / square if square > 0 else math.nan,
        variance=(sd_s - sd_o) ** 2 / square if square > 0 else math.nan,
        covariance=2.0 * (sd_s * sd_o - covariance) / square if square > 0 else math.nan,
    )
