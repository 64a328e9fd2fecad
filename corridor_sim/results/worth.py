"""What is it worth: net present value, benefit-cost ratio and delay saved per US$, with intervals.

Benefits come as one value a replication (a paired difference), so the interval of
what follows from them is one over replications: sampling noise only. Rates and
values are given by the caller; nothing here has a hidden default.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np

from corridor_sim.core.errors import CorridorWarning
from corridor_sim.core.units import FloatArray
from corridor_sim.results.accessors import Pictures, bound

HIGH_RATE = 0.5
"""Discount rates above are taken for a slip of the unit. [1/year]"""


@dataclass(frozen=True, slots=True)
class Worth:
    """Worth of a scenario against the base, each (mean, low, high) over replications.

    `probability_positive` is the share of replications whose NPV is above 0.
    """

    npv_usd: tuple[float, float, float]
    benefit_cost_ratio: tuple[float, float, float]
    first_year_return: tuple[float, float, float]
    truck_h_saved_per_1000_usd: tuple[float, float, float]
    probability_positive: float
    replications: int
    npv_values_usd: FloatArray
    drawn_from: str = ""
    """Scenarios, period and replications, as pictures say them."""

    @property
    def plot(self) -> Pictures:
        """``plot.npv()``; matplotlib is imported only now."""
        pictures: Pictures = bound("plot")(self)
        return pictures

    def _repr_html_(self) -> str:
        return str(bound("first_screen")(self))


def annuity(rate: float, years: int, growth: float = 0.0) -> float:
    """Present value of 1 at the end of each of `years`, growing by `growth` a year after the first.

    >>> round(annuity(0.06, 20), 4)
    11.4699
    >>> annuity(0.0, 5)
    5.0
    """
    year = np.arange(1, years + 1)
    return float((((1.0 + growth) ** (year - 1)) / (1.0 + rate) ** year).sum())


def worth_of(
    saved_usd_year: FloatArray,
    saved_truck_h_year: FloatArray,
    *,
    discount_rate: float,
    capex_usd: float,
    opex_usd_year: float,
    life_years: int,
    benefit_growth: float = 0.0,
    confidence: float = 0.95,
) -> Worth:
    """Worth of yearly savings against a cost paid at the beginning and a running cost.

    Parameters
    ----------
    saved_usd_year, saved_truck_h_year : arrays, shape (replication,)
        Savings in the first year. [US$/year], [h/year]
    discount_rate : float
        Real, a year.
    capex_usd, opex_usd_year, life_years
        Cost and life; no residual value.
    benefit_growth : float
        Growth of the benefits a year after the first.

    Notes
    -----
    NPV = B a(g) - C - O a(0), BCR = B a(g) / (C + O a(0)), first-year return = (B - O) / C with
    annuities a over the life [usdot2023]. Truck-hours saved over
    the life are not discounted; cost is the present cost.

    Raises
    ------
    ValueError
        For a number that is not finite, a life below one year, a negative cost or a rate of -1 or less.
    """
    given = (discount_rate, capex_usd, opex_usd_year, life_years, benefit_growth)
    if not all(map(math.isfinite, given)):
        raise ValueError("rates, costs and life must be finite numbers")
    if life_years < 1 or capex_usd < 0 or opex_usd_year < 0 or discount_rate <= -1:
        raise ValueError("needs life_years >= 1, capex_usd >= 0, opex_usd_year >= 0 and discount_rate > -1")
    if discount_rate > HIGH_RATE:
        text = f"a discount rate of {discount_rate:g} is {discount_rate:.0%} a year; write 0.08 for 8 %"
        warnings.warn(text, CorridorWarning, stacklevel=3)
    benefits = saved_usd_year * annuity(discount_rate, life_years, benefit_growth)
    cost = capex_usd + opex_usd_year * annuity(discount_rate, life_years)
    hours = saved_truck_h_year * annuity(0.0, life_years, benefit_growth)
    npv = benefits - cost
    none = np.full(len(npv), np.nan)
    return Worth(
        npv_usd=interval_of(npv, confidence),
        benefit_cost_ratio=interval_of(benefits / cost if cost > 0 else none, confidence),
        first_year_return=interval_of(
            (saved_usd_year - opex_usd_year) / capex_usd if capex_usd > 0 else none, confidence
        ),
        truck_h_saved_per_1000_usd=interval_of(hours / cost * 1000.0 if cost > 0 else none, confidence),
        probability_positive=float((npv > 0).mean()),
        replications=len(npv),
        npv_values_usd=npv,
    )


def interval_of(values: FloatArray, confidence: float) -> tuple[float, float, float]:
    """Mean over replications and the ends of its interval."""
    from corridor_sim.statistics import mean_limits

    mean, low, high = mean_limits(values, confidence)
    return float(mean), float(low), float(high)
