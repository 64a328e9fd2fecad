"""From runs to the table of years of an appraisal: what measures cost, and what the delay they save is worth.

Costs and lives are those of the improvements in the scenario, benefits are what runs of the base and of the
scenario with the measures differ by. What follows from the table is in `appraisal.py`.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError, CorridorError
from corridor_sim.core.units import H_PER_YEAR, FloatArray
from corridor_sim.model.scenario import Scenario
from corridor_sim.results.appraisal import Appraisal, Measure
from corridor_sim.results.comparison import Comparison, without_behaviour
from corridor_sim.results.gains import NOT_STATED, Gain
from corridor_sim.results.results import Results
from corridor_sim.results.savings import INDICATORS, PARTS, RELEASED, Rows, saved_usd

if TYPE_CHECKING:
    from corridor_sim.model.flows import Flow
    from corridor_sim.model.improvements import Improvement

MOST_YEARS = 100
"""Longest period of operation that is appraised."""
WHOLE_YEAR_DAYS = 350.0
"""Counted days from which a window is taken for a year without a word."""


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
        which the middle of its counted window lies. A window shorter than a year is counted up to one. A year
        before the opening whose window holds `works` of a measure counts alone: the delay that they make is a cost.
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
    An improvement of the base that the other scenario has no more saves its cost. Where demand differs
    between base and other (`cs.equilibrium` with an elasticity) the benefit of each flow is
    1/2 (n0 + n1) (c0 - c1) of consignments n and mean cost c, the rule of half [mackie2005]. Benefits are waiting,
    time in service and on the way, and cost of transport on the legs (`results/savings.py`). The
    interval knows sampling noise only.
    """
    rate = arguments.number("discount_rate", discount_rate, 0.0, 0.5)
    period = arguments.whole("years", years, 1, MOST_YEARS)
    growth = arguments.number("growth_after", growth_after, -0.5, 0.5)
    bias = arguments.number("optimism_bias", optimism_bias, 0.0, 10.0)
    by_year = _by_year(comparisons)
    for one in by_year.values():
        if not 1 <= other < len(one.runs):
            raise ArgumentError(f"other must be a number from 1 to {len(one.runs) - 1}, got {other}")
    opening = (
        _opening(by_year, other) if opening_year is None else arguments.whole("opening_year", opening_year, 1900, 3000)
    )
    spent = _phasing(phasing, opening)
    for year, comparison in by_year.items():
        if reason := without_behaviour(comparison.base):
            raise CorridorError(f"no appraisal of {year}: {reason}")
    first_of_all = next(iter(by_year.values()))
    measures = _measures(first_of_all, other)
    benefits = {year: _benefits(comparison, other) for year, comparison in by_year.items()}
    building = {year for year, one in by_year.items() if year < opening and _works_in(one, other)}
    if building == set(by_year):
        raise CorridorError("every simulated year is one of works: simulate a year of operation too")
    timeline = np.arange(min(*spent, *building, opening), opening + period, dtype=float)
    capex, opex, residual = _costs(measures, timeline, opening, spent, bias)
    saved = _spread(benefits, timeline, opening, growth, building)
    spread = {flow: np.sum(list(parts.values()), axis=0) for flow, parts in saved.items()}
    total = np.sum(list(spread.values()), axis=0)
    half = any(differs for _, differs in benefits.values())
    run = by_year[max(by_year)].runs[other]
    countries = {one.country for one in measures if one.priced}
    return Appraisal(
        name=run.name,
        years=timeline,
        opening_year=opening,
        capex_usd=capex,
        opex_usd=opex,
        residual_usd=residual,
        benefits_usd=total,
        discount_rate=rate,
        confidence=first_of_all.confidence,
        measures=measures,
        by_flow={
            flow: float(np.sum(list(parts.values()), axis=0).mean())
            for flow, parts in benefits[min(year for year in benefits if year not in building)][0].items()
        },
        rule_of_half=half,
        optimism_bias=bias,
        notes=tuple(_notes(by_year, other, measures, period, building, half)),
        benefit_parts={
            part: np.asarray(np.sum([parts[part] for parts in saved.values()], axis=0).mean(axis=0)) for part in PARTS
        },
        gains=_gains(_scenario(first_of_all.base), spread),
        country_costs_usd={
            country or NOT_STATED: _total_cost(
                [one for one in measures if one.country == country], timeline, opening, spent, bias
            )
            for country in sorted(countries)
        },
        base_name=first_of_all.base.name,
    )


def _opening(by_year: Mapping[int, Comparison], other: int) -> int:
    """The first simulated year that is none of works; the first of all if each is one."""
    return min((year for year, one in by_year.items() if not _works_in(one, other)), default=min(by_year))


def _spread(
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
            part: _by_calendar(
                {year: flows.get(flow, {}).get(part, nothing) for year, flows in by_year.items()},
                timeline, opening, growth, building,
            )
            for part in PARTS
        }
        for flow in dict.fromkeys(flow for flows in by_year.values() for flow in flows)
    }  # fmt: skip


def _total_cost(
    measures: Sequence[Measure], years: FloatArray, opening: int, spent: Mapping[int, float], bias: float
) -> FloatArray:
    capex, opex, residual = _costs(tuple(measures), years, opening, spent, bias)
    return np.asarray(capex + opex - residual)


def _gains(scenario: Scenario, spread: Mapping[str, FloatArray]) -> tuple[Gain, ...]:

    def country(id: str) -> str:
        if id in scenario.places:
            return scenario.places[id].country
        return scenario.checkpoints[id].country if id in scenario.checkpoints else ""

    return tuple(
        Gain(
            flow,
            str(scenario.flows[flow].cargo_class),
            (country(scenario.flows[flow].origin), country(scenario.flows[flow].destination)),
            np.asarray(values.mean(axis=0)),
        )
        for flow, values in spread.items()
    )


def _notes(
    by_year: Mapping[int, Comparison],
    other: int,
    measures: Sequence[Measure],
    period: int,
    building: Collection[int],
    half: bool,
) -> list[str]:
    notes = ["New traffic counts half (rule of half)."] if half else []
    if saved := [one.name for one in measures if one.saved]:
        notes.append(f"Of the base alone, so its cost is saved: {', '.join(saved)}.")
    lives = [one.name for one in measures if one.priced and one.life_years is None]
    if lives:
        notes.append(f"No life is stated for {', '.join(lives)}: taken for the {period} years (assumed).")
    for year, one in by_year.items():
        if over := one.base.overloaded():
            notes.append(
                f"In {year} the base is overloaded although its flows can choose or leave ({', '.join(sorted(over))}): "
                "waits there still measure the length of the run, and so does the benefit."
            )
        if year in building:
            notes.append(f"{year} is a year of works: the delay that they make is in its benefits.")
        elif works := _works_in(one, other):
            notes.append(
                f"Works of {', '.join(works)} fall in the window of {year}, a year of operation: "
                "their delay is counted in every year like it."
            )
        days = one.base.scope.window_h / 24
        if days < WHOLE_YEAR_DAYS:
            notes.append(f"{days:g} counted days stand for the year {year}.")
    return notes


def _works_in(comparison: Comparison, other: int) -> list[str]:
    """Measures whose works overlap the counted window."""
    base, scenario = _scenario(comparison.base), _scenario(comparison.runs[other])
    plan = comparison.base.plan
    start, end = (_naive(_scenario(comparison.base).run.start_utc) + dt.timedelta(hours=hours)
                  for hours in (plan.warm_up_h, plan.counted_until_h))  # fmt: skip
    return [
        name
        for name, one in scenario.improvements.items()
        if one.works is not None
        and base.improvements.get(name) != one
        and _naive(one.works.from_) < end
        and _naive(one.works.until) > start
    ]


def _naive(when: dt.datetime | dt.date) -> dt.datetime:
    """An instant to the day, without its zone: good enough to tell whether works fall in a window."""
    if isinstance(when, dt.datetime):
        return when.replace(tzinfo=None)
    return dt.datetime.combine(when, dt.time())


def _year_of(comparison: Comparison) -> int:
    """The calendar year of the middle of the counted window."""
    plan = comparison.base.plan
    middle_h = (plan.warm_up_h + plan.counted_until_h) / 2
    return int((_scenario(comparison.base).run.start_utc + dt.timedelta(hours=middle_h)).year)


def _by_year(comparisons: Comparison | Mapping[int, Comparison]) -> dict[int, Comparison]:
    if isinstance(comparisons, Comparison):
        return {_year_of(comparisons): comparisons}
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
    base, with_them = _scenario(comparison.base), _scenario(comparison.runs[other])
    found: list[Measure] = []
    for name in {**with_them.improvements, **base.improvements}:
        before, after = base.improvements.get(name), with_them.improvements.get(name)
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
    if before.life_years == after.life_years:
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


def _benefits(comparison: Comparison, other: int) -> tuple[dict[str, dict[str, FloatArray]], bool]:
    """What is saved a year by flow and part, each shape (replication,), and whether demand differs. [US$/year]"""
    base, with_them = comparison.base, comparison.runs[other]
    per_year = H_PER_YEAR / base.scope.window_h
    flows = _scenario(base).flows
    if not any(flow.value_of_time_usd_h for flow in flows.values()):
        raise CorridorError("no flow has a value of time (value_of_time_usd_h): delay saved has no price")
    other_flows = _scenario(with_them).flows
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


def _by_calendar(
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
