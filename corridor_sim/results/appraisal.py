"""The appraisal of measures as a development bank lays it out: a table of years, and what follows from it.

Costs and benefits come from `cash_flows.py`: resource costs in constant prices; fees and
taxes are transfers and stay out. The base must be one that somebody could live
with (rule D38).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core.units import FloatArray
from corridor_sim.results.worth import interval_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Measure:
    """An improvement that the other scenario has and the base has not, with its cost."""

    name: str
    capex_usd: float
    opex_usd_year: float
    life_years: float | None

    @property
    def priced(self) -> bool:
        """Whether any cost is stated."""
        return self.capex_usd > 0 or self.opex_usd_year > 0


@dataclass(frozen=True, eq=False)
class Appraisal:
    """Costs and benefits by year, and the criteria that follow.

    Attributes
    ----------
    years : array, shape (year,)
        Calendar years; the last construction year is the one before `opening_year`.
    capex_usd, opex_usd, residual_usd : arrays, shape (year,)
        Resource costs; the residual value is a negative cost of the last year. [US$]
    benefits_usd : array, shape (replication, year)
        Value of the delay saved. [US$]
    measures : tuple of Measure
    by_flow : mapping of flow to benefit in the first simulated year, mean over replications. [US$/year]
    rule_of_half : bool
        Whether demand differs between base and other, so that new traffic counts half.
    """

    name: str
    years: FloatArray
    opening_year: int
    capex_usd: FloatArray
    opex_usd: FloatArray
    residual_usd: FloatArray
    benefits_usd: FloatArray
    discount_rate: float
    confidence: float
    measures: tuple[Measure, ...]
    by_flow: Mapping[str, float]
    rule_of_half: bool
    optimism_bias: float
    notes: tuple[str, ...]

    @property
    def costs_usd(self) -> FloatArray:
        """All resource costs by year, shape (year,). [US$]"""
        return self.capex_usd + self.opex_usd - self.residual_usd

    @property
    def net_usd(self) -> FloatArray:
        """Benefits less costs, mean over replications, shape (year,). [US$]"""
        return np.asarray(self.benefits_usd.mean(axis=0) - self.costs_usd)

    @property
    def npv_usd(self) -> tuple[float, float, float]:
        """Net present value in the first year's money: mean and interval over replications (noise only). [US$]"""
        return interval_of(self._present(self.benefits_usd) - float(self._present(self.costs_usd)), self.confidence)

    @property
    def benefit_cost_ratio(self) -> tuple[float, float, float]:
        """Present benefits over present costs: mean, low, high; NaN without costs."""
        cost = float(self._present(self.costs_usd))
        if cost <= 0:
            return math.nan, math.nan, math.nan
        return interval_of(self._present(self.benefits_usd) / cost, self.confidence)

    @property
    def eirr(self) -> tuple[float, float, float]:
        """Economic internal rate of return of the mean flows, and the interval of the replications' rates. [1/year]

        NaN where the flows change sign more than once or never.
        """
        from corridor_sim.statistics import internal_rate_of_return

        mean = internal_rate_of_return(self.net_usd)
        rates = np.array([internal_rate_of_return(one - self.costs_usd) for one in self.benefits_usd])
        if not np.isfinite(rates).all():
            return mean, math.nan, math.nan
        _, low, high = interval_of(rates, self.confidence)
        return mean, low, high

    @property
    def first_year_return(self) -> float:
        """Net benefit of the opening year over the capital spent until then, carried to it; below the rate: wait."""
        at = int(np.searchsorted(self.years, self.opening_year))
        spent = self.capex_usd[:at]
        carried = float((spent * (1 + self.discount_rate) ** (self.opening_year - self.years[:at] - 1)).sum())
        if carried <= 0:
            return math.nan
        return float((self.benefits_usd[:, at].mean() - self.opex_usd[at]) / carried)

    @property
    def payback_year(self) -> int | None:
        """First calendar year at whose end the discounted flows are paid back; None if never."""
        from corridor_sim.statistics import payback_year

        found = payback_year(self.net_usd, self.discount_rate)
        return None if found is None else int(self.years[found])

    @property
    def switching(self) -> dict[str, float]:
        """By what factor benefits, capital cost or running cost must change for a net present value of 0."""
        benefit = float(self._present(self.benefits_usd).mean())
        parts = {
            "benefits": benefit,
            "capital cost": float(self._present(self.capex_usd - self.residual_usd)),
            "running cost": float(self._present(self.opex_usd)),
        }
        npv = benefit - parts["capital cost"] - parts["running cost"]
        signs = {"benefits": 1.0, "capital cost": -1.0, "running cost": -1.0}
        return {what: 1 - signs[what] * npv / value if value > 0 else math.nan for what, value in parts.items()}

    @property
    def unpriced(self) -> tuple[str, ...]:
        """Measures without any cost: what is said of money leaves them out."""
        return tuple(one.name for one in self.measures if not one.priced)

    def to_frame(self) -> pd.DataFrame:
        """One row a year: capital, running cost, residual value, benefits, net flow, discounted net flow. [US$]"""
        import pandas as pd

        return pd.DataFrame(
            {
                "year": self.years.astype(int),
                "capex_usd": self.capex_usd,
                "opex_usd": self.opex_usd,
                "residual_usd": self.residual_usd,
                "benefits_usd": self.benefits_usd.mean(axis=0),
                "net_usd": self.net_usd,
                "discounted_usd": self.net_usd * self._factors,
            }
        )

    def to_data(self) -> dict[str, Any]:
        """Criteria, measures and the table of years as plain values; intervals are (mean, low, high)."""
        return {
            "name": self.name,
            "discount_rate": self.discount_rate,
            "npv_usd": list(self.npv_usd),
            "benefit_cost_ratio": list(self.benefit_cost_ratio),
            "eirr": list(self.eirr),
            "first_year_return": self.first_year_return,
            "payback_year": self.payback_year,
            "switching": self.switching,
            "benefit_usd_year_by_flow": dict(self.by_flow),
            "rule_of_half": self.rule_of_half,
            "unpriced": list(self.unpriced),
            "notes": list(self.notes),
            "years": self.to_frame().to_dict("records"),
        }

    def describe(self) -> str:
        """The appraisal in words and its table, as for an annex."""
        npv, ratio, rate = self.npv_usd, self.benefit_cost_ratio, self.eirr
        span = f"{int(self.years[0])}-{int(self.years[-1])}"
        lines = [
            f"Appraisal of {self.name}, {span}, {self.discount_rate:.1%} a year real",
            f"  net present value   US$ {_m(npv[0])} m ({_m(npv[1])} to {_m(npv[2])}, sampling noise only)",
            f"  benefit-cost ratio  {ratio[0]:.2f} ({ratio[1]:.2f} to {ratio[2]:.2f})",
            f"  EIRR                {rate[0]:.1%}"
            + (f" ({rate[1]:.1%} to {rate[2]:.1%})" if rate[1] == rate[1] else ""),
        ]
        first = self.first_year_return
        if first == first:
            advice = "not below" if first >= self.discount_rate else "below"
            lines.append(f"  first-year return   {first:.1%}, {advice} the discount rate")
        paid = self.payback_year
        lines.append(f"  paid back           {'never in these years' if paid is None else f'in {paid}'}, discounted")
        for what, factor in self.switching.items():
            if factor == factor:
                lines.append(f"  worth nothing if    {what} x {factor:.2f}")
        if self.unpriced:
            lines.append(f"  WITHOUT the cost of {', '.join(self.unpriced)}: no cost is stated for them")
        lines += [f"  {note}" for note in self.notes]
        lines.append("")
        lines.append(
            f"  {'year':>6s}{'capital':>10s}{'running':>10s}{'residual':>10s}{'benefits':>10s}{'net':>10s}  [US$ m]"
        )
        columns = (self.capex_usd, self.opex_usd, self.residual_usd, self.benefits_usd.mean(axis=0), self.net_usd)
        for year, *parts in zip(self.years, *columns, strict=True):
            lines.append(f"  {int(year):6d}" + "".join(f"{_m(float(part)):>10s}" for part in parts))
        return "\n".join(lines)

    @property
    def _factors(self) -> FloatArray:
        return np.asarray((1 + self.discount_rate) ** -(self.years - self.years[0]))

    def _present(self, flows: FloatArray) -> FloatArray:
        """Present value of flows by year (last axis) in the first year's money."""
        return np.asarray((flows * self._factors).sum(axis=-1))


def _m(usd: float) -> str:
    """Millions of US$, to ten thousand."""
    return f"{usd / 1e6:,.2f}"
