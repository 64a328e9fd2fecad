"""The parts of a table of years: what measures cost by year, and what the savings of simulated years come to.

What `cash_flows.py` puts together for the stated values and `drawn_worth.py` for each draw of the inputs.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core.errors import CorridorError
from corridor_sim.core.units import H_PER_YEAR, FloatArray
from corridor_sim.model.scenario import Scenario
from corridor_sim.results.comparison import Comparison
from corridor_sim.results.measures import Measure
from corridor_sim.results.results import Results
from corridor_sim.results.savings import INDICATORS, PARTS, RELEASED, Rows, saved_usd

if TYPE_CHECKING:
    from corridor_sim.model.flows import Flow
    from corridor_sim.model.improvements import Improvement


@dataclass(frozen=True, slots=True)
class YearsLayout:
    """How an appraisal lays its years out.

    Attributes
    ----------
    years : array, shape (year,)
    spent : mapping of calendar year to share of the capital
    building : simulated years of works, which count alone and as they are
    """

    years: FloatArray
    opening_year: int
    spent: Mapping[int, float]
    building: frozenset[int]
    optimism_bias: float
    discount_rate: float
    growth_after: float


def scenario_of(run: Results) -> Scenario:
    """The scenario of a run; CorridorError for a plan."""
    if not isinstance(run.scenario, Scenario):
        raise CorridorError("an appraisal reads costs and dates of a scenario; a plan has none")
    return run.scenario


def measures_of(
    base: Scenario,
    with_them: Scenario,
    drawn: tuple[Mapping[str, Improvement], Mapping[str, Improvement]] | None = None,
) -> tuple[Measure, ...]:
    """The improvements by which two scenarios differ, with their costs; `drawn` are those of a draw of the inputs.

    Raises
    ------
    CorridorError
        If there is none in the other scenario, or none of them has a price.
    """
    befores, afters = drawn or (base.improvements, with_them.improvements)
    found: list[Measure] = []
    for name in {**afters, **befores}:
        before, after = befores.get(name), afters.get(name)
        if before != after:
            found += _differing(name, before, after, base, with_them)
    if not any(name in with_them.improvements for name in (one.name for one in found)):
        raise CorridorError(f"{with_them.name} has no improvement that {base.name} has not: nothing to appraise")
    if not any(one.priced for one in found):
        names = ", ".join(one.name for one in found)
        raise CorridorError(f"no cost is stated for {names}; give capex_usd or opex_usd_year")
    return tuple(found)


def _differing(
    name: str, before: Improvement | None, after: Improvement | None, base: Scenario, with_them: Scenario
) -> list[Measure]:
    """What an improvement that differs costs, and what the one of its name in the base saves."""
    if before is None or after is None:
        one, scenario, sign = (after, with_them, 1.0) if after is not None else (before, base, -1.0)
        assert one is not None
        return [
            Measure(
                name, sign * one.capex_usd, sign * one.opex_usd_year, one.life_years, False, _country(one, scenario)
            )
        ]
    stated, country = _priced(before) or _priced(after), _country(after, with_them)
    if before.life_years == after.life_years or not _priced(before):
        capex, opex = after.capex_usd - before.capex_usd, after.opex_usd_year - before.opex_usd_year
        return [Measure(name, capex, opex, after.life_years, stated, country)]
    return [
        Measure(name, after.capex_usd, after.opex_usd_year, after.life_years, stated, country),
        Measure(f"{name} as in the base", -before.capex_usd, -before.opex_usd_year, before.life_years, stated, country),
    ]


def _priced(one: Improvement) -> bool:
    return one.capex_usd > 0 or one.opex_usd_year > 0


def _country(one: Improvement, scenario: Scenario) -> str:
    """Country of the post where an improvement stands; "" for a leg."""
    parts = one.path.split(".")
    if len(parts) < 2 or parts[0] not in ("checkpoints", "places"):
        return ""
    table: Mapping[str, Any] = scenario.checkpoints if parts[0] == "checkpoints" else scenario.places
    return str(table[parts[1]].country) if parts[1] in table else ""


def benefits_of(comparison: Comparison, other: int) -> tuple[dict[str, dict[str, FloatArray]], bool]:
    """What is saved a year by flow and part, each shape (replication,), and whether demand differs. [US$/year]"""
    base, with_them = comparison.base, comparison.runs[other]
    per_year = H_PER_YEAR / base.scope.window_h
    flows = scenario_of(base).flows
    if not any(flow.value_of_time_usd_h for flow in flows.values()):
        raise CorridorError("no flow has a value of time (value_of_time_usd_h): delay saved has no price")
    other_flows = scenario_of(with_them).flows
    if changed := [id for id in flows if id in other_flows and _hour(flows[id]) != _hour(other_flows[id])]:
        raise CorridorError(
            f"the value of time differs between base and other ({', '.join(changed)}): no saving of time"
        )
    served = [label.place for label in base.rows.select(RELEASED, kind="flow").labels]
    found, differs = saved_usd(_of_flows(base), _of_flows(with_them), served)
    yearly = {flow: {part: usd * per_year for part, usd in parts.items()} for flow, parts in found.items()}
    return yearly, differs


def _hour(flow: Flow) -> float:
    return float(flow.value_of_time_usd_h)


def _of_flows(run: Results) -> Rows:
    """The rows of the flows of a run, looked up once."""
    there = {
        (label.indicator, label.place, label.of): values
        for label, values in run.rows.select(INDICATORS, kind="flow", cargo_class="", hour=None, day=None)
    }
    return lambda indicator, flow, of: there.get((indicator, flow, of))


def total_cost(
    measures: Sequence[Measure], years: FloatArray, opening: int, spent: Mapping[int, float], bias: float
) -> FloatArray:
    """All costs by year, shape (year,). [US$]"""
    capex, opex, residual = costs_of(tuple(measures), years, opening, spent, bias)
    return np.asarray(capex + opex - residual)


def costs_of(
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


def spread_of(
    benefits: Mapping[int, tuple[dict[str, dict[str, FloatArray]], bool]],
    timeline: FloatArray,
    opening: int,
    growth: float,
    building: Collection[int],
) -> dict[str, dict[str, FloatArray]]:
    """Benefits by flow and part, each shape (replication, year); 0 in a simulated year in which a flow is not."""
    first = next(iter(benefits.values()))[0]
    nothing = np.zeros_like(next(iter(first.values()))[PARTS[0]])
    by_year = {year: flows for year, (flows, _) in benefits.items()}
    return {
        flow: {
            part: by_calendar(
                {year: flows.get(flow, {}).get(part, nothing) for year, flows in by_year.items()},
                timeline, opening, growth, building,
            )
            for part in PARTS
        }
        for flow in dict.fromkeys(flow for flows in by_year.values() for flow in flows)
    }  # fmt: skip


def by_calendar(
    simulated: Mapping[int, FloatArray],
    years: FloatArray,
    opening: int,
    growth: float,
    building: Collection[int] = (),
) -> FloatArray:
    """Benefits by calendar year, shape (replication, year): interpolated, then growing. [US$]

    None before opening, but in years of works (`building`), which count alone and as they are.
    """
    known = np.array(sorted(set(simulated) - set(building)), dtype=float)
    values = np.array([simulated[int(year)] for year in known])
    found = np.empty((values.shape[1], len(years)))
    for r in range(values.shape[1]):
        found[r] = np.interp(years, known, values[:, r])
    after = np.maximum(years - known[-1], 0.0)
    found = np.where(years >= opening, found * (1 + growth) ** after, 0.0)
    for year in building:
        found[:, years == year] = simulated[year][:, None]
    return np.asarray(found)
