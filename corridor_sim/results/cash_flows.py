"""From runs to the table of years of an appraisal: what measures cost, and what the delay they save is worth.

Costs and lives are those of the improvements in the scenario, benefits are what runs of the base and of the
scenario with the measures differ by. What follows from the table is in `appraisal.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError, CorridorError
from corridor_sim.core.units import H_PER_YEAR, FloatArray
from corridor_sim.model.scenario import Scenario
from corridor_sim.results.appraisal import Appraisal, Measure
from corridor_sim.results.comparison import Comparison, without_behaviour
from corridor_sim.results.results import Results

if TYPE_CHECKING:
    from corridor_sim.model.improvements import Improvement

MOST_YEARS = 100
"""Longest period of operation that is appraised."""


def appraise(
    comparisons: Comparison | Mapping[int, Comparison],
    *,
    discount_rate: float,
    years: int,
    opening_year: int | None = None,
    other: int = 1,
    growth_after: float = 0.0,
    phasing: Mapping[int, float] | None = None,
    optimism_bias: float = 0.0,
) -> Appraisal:
    """Appraise the measures by which a scenario differs from the base, from runs of one or several years.

    Parameters
    ----------
    comparisons : Comparison, or mapping of calendar year to Comparison
        Benefits are simulated in these years and interpolated linearly between them; before the first they
        are its, after the last they grow by `growth_after` a year. A single comparison is of the year in
        which its run begins. A window shorter than a year is counted up to one.
    discount_rate : float
        Real, a year; there is no default.
    years : int
        Full years of operation.
    opening_year : int, optional
        First full year of operation; the first simulated year if not given.
    other : int
        Number of the scenario in the comparisons.
    growth_after : float
        Growth of the benefits a year after the last simulated year.
    phasing : mapping of calendar year to share, optional
        When capital is spent; all in the year before opening if not given. Shares sum to 1.
    optimism_bias : float
        Uplift of the capital cost, 0.2 for 20 %.

    Returns
    -------
    Appraisal

    Raises
    ------
    CorridorError
        If the base of a year is overloaded and nobody in it can choose another crossing (rule D38), if no
        measure has a price, or the runs have no value of time.
    ArgumentError
        If an argument is out of its range.

    Notes
    -----
    A measure that wears out within the period is built again at the end of its life; what is left of its
    last life at the end is a residual value, straight-line [adb2017]. A life that is not stated is the period.
    An improvement of the base that the other scenario has no more saves no cost here. Where demand differs
    between base and other (`cs.equilibrium` with an elasticity) the benefit of each flow is
    1/2 (n0 + n1) (d0 - d1) of consignments n and mean cost of delay d, the rule of half [mackie2005]. The
    interval knows sampling noise only.
    """
    rate = arguments.number("discount_rate", discount_rate, 0.0, 0.5)
    period = arguments.whole("years", years, 1, MOST_YEARS)
    growth = arguments.number("growth_after", growth_after, -0.5, 0.5)
    bias = arguments.number("optimism_bias", optimism_bias, 0.0, 10.0)
    by_year = _by_year(comparisons)
    opening = min(by_year) if opening_year is None else arguments.whole("opening_year", opening_year, 1900, 3000)
    spent = _phasing(phasing, opening)
    for year, comparison in by_year.items():
        if reason := without_behaviour(comparison.base):
            raise CorridorError(f"no appraisal of {year}: {reason}")
    measures = _measures(next(iter(by_year.values())), other)
    benefits = {year: _benefits(comparison, other) for year, comparison in by_year.items()}
    timeline = np.arange(min(*spent, opening), opening + period, dtype=float)
    capex, opex, residual = _costs(measures, timeline, opening, spent, bias)
    total = {year: np.sum(list(flows.values()), axis=0) for year, (flows, _) in benefits.items()}
    half = any(differs for _, differs in benefits.values())
    notes = ["New traffic counts half (rule of half)."] if half else []
    lives = [one.name for one in measures if one.priced and one.life_years is None]
    if lives:
        notes.append(f"No life is stated for {', '.join(lives)}: taken for the {period} years (assumed).")
    first = benefits[min(benefits)][0]
    run = by_year[min(by_year)].runs[other]
    return Appraisal(
        name=run.name,
        years=timeline,
        opening_year=opening,
        capex_usd=capex,
        opex_usd=opex,
        residual_usd=residual,
        benefits_usd=_by_calendar(total, timeline, opening, growth),
        discount_rate=rate,
        confidence=next(iter(by_year.values())).confidence,
        measures=measures,
        by_flow={flow: float(values.mean()) for flow, values in first.items()},
        rule_of_half=half,
        optimism_bias=bias,
        notes=tuple(notes),
    )


def _by_year(comparisons: Comparison | Mapping[int, Comparison]) -> dict[int, Comparison]:
    if isinstance(comparisons, Comparison):
        return {_scenario(comparisons.base).run.start_utc.year: comparisons}
    arguments.instance("comparisons", comparisons, Mapping, "a Comparison or a table of them by year")
    if not comparisons:
        raise ArgumentError("comparisons must hold at least one year")
    for year, one in comparisons.items():
        arguments.whole("a year of comparisons", year, 1900, 3000)
        arguments.instance(f"comparisons[{year}]", one, Comparison, "a Comparison")
    if len({comparison.base.replications for comparison in comparisons.values()}) > 1:
        raise ArgumentError("comparisons must have the same replications in every year")
    return dict(sorted(comparisons.items()))


def _phasing(phasing: Mapping[int, float] | None, opening: int) -> dict[int, float]:
    if phasing is None:
        return {opening - 1: 1.0}
    spent = {
        arguments.whole("a year of phasing", year, 1900, opening - 1): arguments.number(f"phasing[{year}]", share, 0, 1)
        for year, share in phasing.items()
    }
    if abs(math.fsum(spent.values()) - 1) > 1e-9:
        raise ArgumentError(f"the shares of phasing must sum to 1, they sum to {math.fsum(spent.values()):g}")
    return spent


def _scenario(run: Results) -> Scenario:
    if not isinstance(run.scenario, Scenario):
        raise CorridorError("an appraisal reads costs and dates of a scenario; a plan has none")
    return run.scenario


def _measures(comparison: Comparison, other: int) -> tuple[Measure, ...]:
    if not 1 <= other < len(comparison.runs):
        raise ArgumentError(f"other must be a number from 1 to {len(comparison.runs) - 1}, got {other}")
    base, with_them = _scenario(comparison.base), _scenario(comparison.runs[other])
    found = []
    for name, improvement in with_them.improvements.items():
        before = base.improvements.get(name)
        if before == improvement:
            continue
        found.append(_measure(name, improvement, before))
    if not found:
        raise CorridorError(f"{with_them.name} has no improvement that {base.name} has not: nothing to appraise")
    if not any(one.priced for one in found):
        names = ", ".join(one.name for one in found)
        raise CorridorError(f"no cost is stated for {names}; give capex_usd or opex_usd_year")
    return tuple(found)


def _measure(name: str, improvement: Improvement, before: Improvement | None) -> Measure:
    """Cost of an improvement beyond that of the one of its name in the base."""
    capex = improvement.capex_usd - (before.capex_usd if before is not None else 0.0)
    opex = improvement.opex_usd_year - (before.opex_usd_year if before is not None else 0.0)
    return Measure(name, capex, opex, improvement.life_years)


def _benefits(comparison: Comparison, other: int) -> tuple[dict[str, FloatArray], bool]:
    """Value of the delay saved a year by flow, each shape (replication,), and whether demand differs."""
    base, with_them = comparison.base, comparison.runs[other]
    per_year = H_PER_YEAR / base.scope.window_h
    flows = _scenario(base).flows
    if not any(flow.value_of_time_usd_h for flow in flows.values()):
        raise CorridorError("no flow has a value of time (value_of_time_usd_h): delay saved has no price")
    found: dict[str, FloatArray] = {}
    differs = False
    for label, before_h in base.rows.select("delay_truck_h", kind="flow"):
        at = {"kind": "flow", "place": label.place}
        after_h = with_them.rows.row("delay_truck_h", **at)
        saved_h = before_h - after_h
        if not np.array_equal(base.rows.row("created", **at), with_them.rows.row("created", **at)):
            differs = True
            n0, n1 = (run.rows.row("finished", **at) for run in (base, with_them))
            with np.errstate(divide="ignore", invalid="ignore"):
                each_h = np.where(n0 > 0, before_h / n0, 0.0) - np.where(n1 > 0, after_h / n1, 0.0)
            saved_h = 0.5 * (n0 + n1) * each_h
        found[label.place] = np.asarray(saved_h * flows[label.place].value_of_time_usd_h * per_year)
    return found, differs


def _costs(
    measures: tuple[Measure, ...], years: FloatArray, opening: int, spent: Mapping[int, float], bias: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Capital, running cost and residual value by year, each shape (year,). [US$]"""
    capex, opex, residual = np.zeros(len(years)), np.zeros(len(years)), np.zeros(len(years))
    first, end = int(years[0]), int(years[-1])
    period = end - opening + 1
    for one in measures:
        cost = one.capex_usd * (1 + bias)
        life = float(period) if one.life_years is None else one.life_years
        for year, share in spent.items():
            capex[year - first] += share * cost
        # Built again in the last year of each life that ends before the period does.
        renewals = 0
        while (renewals + 1) * life < period - 1e-9:
            renewals += 1
            capex[min(int(opening - 1 + math.ceil(renewals * life - 1e-9)), end) - first] += cost
        residual[-1] += cost * ((renewals + 1) * life - period) / life
        opex[opening - first :] += one.opex_usd_year
    return capex, opex, residual


def _by_calendar(simulated: Mapping[int, FloatArray], years: FloatArray, opening: int, growth: float) -> FloatArray:
    """Benefits by calendar year, shape (replication, year): interpolated, then growing; none before opening. [US$]"""
    known = np.array(sorted(simulated), dtype=float)
    values = np.array([simulated[int(year)] for year in known])
    found = np.empty((values.shape[1], len(years)))
    for r in range(values.shape[1]):
        found[r] = np.interp(years, known, values[:, r])
    after = np.maximum(years - known[-1], 0.0)
    return np.asarray(np.where(years >= opening, found * (1 + growth) ** after, 0.0))
