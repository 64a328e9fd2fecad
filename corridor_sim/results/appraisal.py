"""The appraisal of measures as a development bank lays it out: a table of years, and what follows from it.

Costs and benefits come from `cash_flows.py`: resource costs in constant prices; fees and
taxes are transfers and stay out. The base must be one that somebody could live
with (rule D38). Who gains is in `gains.py`, words and the bank's table in `annex.py`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core.errors import ArgumentError
from corridor_sim.core.units import FloatArray
from corridor_sim.results.accessors import Pictures, bound
from corridor_sim.results.exchanged import InWorkbooks
from corridor_sim.results.gains import Gain, benefits_by
from corridor_sim.results.measures import Measure
from corridor_sim.results.worth import interval_of

if TYPE_CHECKING:
    import pandas as pd

    from corridor_sim.results.drawn_worth import DrawnWorth

GROUPINGS = ("country", "class", "flow")
"""By what those who gain can be told apart."""


@dataclass(frozen=True, eq=False)
class Appraisal(InWorkbooks):
    """Costs and benefits by year, and the criteria that follow.

    Attributes
    ----------
    years : array, shape (year,)
        Calendar years; the last construction year is the one before `opening_year`.
    capex_usd, opex_usd, residual_usd : arrays, shape (year,)
        Resource costs; the residual value is a negative cost of the last year. [US$]
    benefits_usd : array, shape (replication, year)
        Value of waiting, travel time and transport saved; before the opening, what works cost those on the way. [US$]
    measures : tuple of Measure
    by_flow : mapping of flow to benefit in the first simulated year of operation, mean over replications. [US$/year]
    rule_of_half : bool
        Whether demand differs between base and other, so that new traffic counts half.
    benefit_parts : mapping of what is saved to array, shape (year,)
        The benefits by what is saved, mean over replications. [US$]
    gains : tuple of Gain
        The benefits by flow.
    country_costs_usd : mapping of country to array, shape (year,)
        All costs by the country of the post where the measure stands. [US$]
    inputs : DrawnWorth, optional
        The same in draws of the inputs, where `cs.appraise` was given an Uncertainty.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> base = cs.load_scenario("teaching").without_improvements()
    >>> lane = cs.AddLanes(at="checkpoints.northgate_b.entry.xray", lanes=1, capex_usd=1e6, life_years=15)
    >>> other = base.with_improvements(lane).replace(name="a scanner")
    >>> pair = cs.compare(base, other, replications=5, rng=1, workers=1)
    >>> found = cs.appraise(pair, discount_rate=0.06, years=15)
    >>> found.npv_usd[0] > 0
    True
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
    benefit_parts: Mapping[str, FloatArray] = field(default_factory=dict)
    gains: tuple[Gain, ...] = ()
    country_costs_usd: Mapping[str, FloatArray] = field(default_factory=dict)
    base_name: str = ""
    inputs: DrawnWorth | None = None

    def __repr__(self) -> str:
        span = f"{int(self.years[0])}-{int(self.years[-1])}"
        return f"<Appraisal of {self.name}, {span}: NPV US$ {self.npv_usd[0] / 1e6:,.2f} m>"

    def _repr_html_(self) -> str:
        return str(bound("first_screen")(self))

    @property
    def plot(self) -> Pictures:
        """``plot.cash_flows()`` and ``plot.switching()``."""
        pictures: Pictures = bound("plot")(self)
        return pictures

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
        return interval_of(
            self.present_usd(self.benefits_usd) - float(self.present_usd(self.costs_usd)), self.confidence
        )

    @property
    def benefit_cost_ratio(self) -> tuple[float, float, float]:
        """Present benefits over present costs: mean, low, high; NaN without costs."""
        cost = float(self.present_usd(self.costs_usd))
        if cost <= 0:
            return math.nan, math.nan, math.nan
        return interval_of(self.present_usd(self.benefits_usd) / cost, self.confidence)

    @property
    def eirr(self) -> tuple[float, float, float]:
        """Economic internal rate of return of the mean flows, and the interval of the replications' rates. [1/year]

        NaN where the flows have none, or more than one above 0.
        """
        from corridor_sim.statistics import internal_rate_of_return

        mean = internal_rate_of_return(self.net_usd)
        rates = np.array([internal_rate_of_return(one - self.costs_usd) for one in self.benefits_usd])
        if not np.isfinite(rates).all():
            return mean, math.nan, math.nan
        _, low, high = interval_of(rates, self.confidence)
        return mean, max(low, -1.0), high  # No more can be lost than all.

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
        """First calendar year at whose end the discounted flows are paid back; None if never.

        A renewal later in the period may take them below 0 again: `describe` says from when to when.
        """
        from corridor_sim.statistics import payback_year

        found = payback_year(self.net_usd, self.discount_rate)
        return None if found is None else int(self.years[found])

    @property
    def present_parts_usd(self) -> dict[str, float]:
        """Present value of benefits, of capital less its residual value, and of running cost. [US$]"""
        return {
            "benefits": float(self.present_usd(self.benefits_usd).mean()),
            "capital cost": float(self.present_usd(self.capex_usd - self.residual_usd)),
            "running cost": float(self.present_usd(self.opex_usd)),
        }

    @property
    def switching(self) -> dict[str, float]:
        """By what factor benefits, capital cost or running cost must change for a net present value of 0."""
        parts = self.present_parts_usd
        npv = parts["benefits"] - parts["capital cost"] - parts["running cost"]
        signs = {"benefits": 1.0, "capital cost": -1.0, "running cost": -1.0}
        return {what: 1 - signs[what] * npv / value if value > 0 else math.nan for what, value in parts.items()}

    @property
    def unpriced(self) -> tuple[str, ...]:
        """Measures without any cost: what is said of money leaves them out."""
        return tuple(one.name for one in self.measures if not one.priced)

    def gains_by(self, what: str) -> dict[str, tuple[float, float]]:
        """Who gains and who pays: (present benefit, present cost) by ``"country"``, ``"class"`` or ``"flow"``. [US$]

        The gain of a flow is booked half to the country at either end of it (assumed: how hauliers and shippers
        share it is not modelled). Costs are known by country alone: those of the posts where measures stand.

        Raises
        ------
        ArgumentError
            If `what` is none of the three.
        """
        if what not in GROUPINGS:
            raise ArgumentError(f"what must be one of {', '.join(GROUPINGS)}, got {what!r:.40}")
        gained = benefits_by(self.gains, what)
        paid = self.country_costs_usd if what == "country" else {}
        nothing = np.zeros(len(self.years))
        found = {
            name: (
                float(self.present_usd(gained.get(name, nothing))),
                float(self.present_usd(paid.get(name, nothing))),
            )
            for name in {**gained, **paid}
        }
        return dict(sorted(found.items(), key=lambda item: -item[1][0]))

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
                "discounted_usd": self.net_usd * self.factors,
            }
        )

    def annex(self) -> pd.DataFrame:
        """The table of a bank's annex: economic costs and benefits by year, their sums and present values. [US$]

        Columns ``year``, ``capital_cost``, ``running_cost``, ``residual_value`` (negative), ``total_cost``,
        one a part of the benefits, ``total_benefit``, ``net_benefit``. The last two rows are ``total`` and
        ``present value at 6 %``.
        """
        from corridor_sim.results.annex import annex_of

        return annex_of(self)

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
            "gains_usd": {
                what: {name: {"benefit": gain, "cost": cost} for name, (gain, cost) in self.gains_by(what).items()}
                for what in GROUPINGS[:2]
            },
            "rule_of_half": self.rule_of_half,
            "inputs": None if self.inputs is None else self.inputs.to_data(),
            "unpriced": list(self.unpriced),
            "notes": list(self.notes),
            "years": self.to_frame().to_dict("records"),
        }

    def describe(self, *, ids: bool = False) -> str:
        """The appraisal in words and its table, as for an annex; inputs and measures by name, by id with `ids`."""
        from corridor_sim.results.annex import told

        return told(self, ids=ids)

    def to_html(self, path: str | os.PathLike[str] | None = None, **options: Any) -> str:
        """One HTML page that needs nothing else; written to `path` if given."""
        return str(bound("to_html")(self, path, **options))

    @property
    def factors(self) -> FloatArray:
        """Discount factor of each year, 1 in the first, shape (year,)."""
        return np.asarray((1 + self.discount_rate) ** -(self.years - self.years[0]))

    def present_usd(self, flows: FloatArray) -> FloatArray:
        """Present value of flows by year (last axis) in the first year's money. [US$]"""
        return np.asarray((flows * self.factors).sum(axis=-1))
