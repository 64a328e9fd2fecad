"""From runs to the table of years of an appraisal: what measures cost, and what the delay they save is worth.

Costs and lives are those of the improvements in the scenario, benefits are what runs of the base and of the
scenario with the measures differ by. What follows from the table is in `appraisal.py`.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError, CorridorError
from corridor_sim.core.units import FloatArray
from corridor_sim.model.scenario import Scenario
from corridor_sim.results.appraisal import Appraisal
from corridor_sim.results.comparison import Comparison, without_behaviour
from corridor_sim.results.drawn_worth import drawn_worth
from corridor_sim.results.gains import NOT_STATED, Gain
from corridor_sim.results.measures import Measure
from corridor_sim.results.savings import PARTS
from corridor_sim.results.uncertain import Uncertainty
from corridor_sim.results.year_tables import (
    YearsLayout,
    benefits_of,
    costs_of,
    measures_of,
    scenario_of,
    spread_of,
    total_cost,
)

MOST_YEARS = 100
"""Longest period of operation that is appraised."""
WHOLE_YEAR_DAYS = 350.0
"""Counted days from which a window is taken for a year without a word."""


def appraise(
    comparisons: Comparison | Uncertainty | Mapping[int, Comparison] | Mapping[int, Uncertainty],
    *,
    discount_rate: float,
    years: int,
    opening_year: int | None = None,
    other: int = 1,
    growth_after: float = 0.0,
    phasing: Mapping[int, float] | None = None,
    optimism_bias: float = 0.0,
    discount_rates: tuple[float, float] | None = None,
    growths_after: tuple[float, float] | None = None,
) -> Appraisal:
    """Appraise the measures by which a scenario differs from the base, from runs of one or several years.

    Parameters
    ----------
    comparisons : Comparison or Uncertainty, or mapping of calendar year to one
        Benefits are simulated in these years and interpolated linearly between them; before the first they
        are its, after the last they grow by `growth_after` a year. A single comparison is of the year in
        which the middle of its counted window lies. A window shorter than a year is counted up to one. A year
        before the opening whose window holds `works` of a measure counts alone: the delay that they make is a cost.
        An Uncertainty (`cs.uncertainty` with ``indicators=cs.APPRAISAL_ROWS``) also gives the interval of the inputs:
        costs, lives and values of time are drawn with everything else; see `Appraisal.inputs`.
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
    discount_rates, growths_after : (low, high), optional
        Ranges that `discount_rate` and `growth_after` are drawn from too, where an Uncertainty is given.

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
    interval of an appraisal knows sampling noise only, that of its `inputs` what is drawn.

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
    rate = arguments.number("discount_rate", discount_rate, 0.0, 0.5)
    period = arguments.whole("years", years, 1, MOST_YEARS)
    growth = arguments.number("growth_after", growth_after, -0.5, 0.5)
    bias = arguments.number("optimism_bias", optimism_bias, 0.0, 10.0)
    by_year, sures = _by_year(comparisons)
    rates = _range("discount_rates", discount_rates, 0.0, 0.5, sures)
    growths = _range("growths_after", growths_after, -0.5, 0.5, sures)
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
    measures = measures_of(scenario_of(first_of_all.base), scenario_of(first_of_all.runs[other]))
    benefits = {year: benefits_of(comparison, other) for year, comparison in by_year.items()}
    building = {year for year, one in by_year.items() if year < opening and _works_in(one, other)}
    if building == set(by_year):
        raise CorridorError("every simulated year is one of works: simulate a year of operation too")
    timeline = np.arange(min(*spent, *building, opening), opening + period, dtype=float)
    capex, opex, residual = costs_of(measures, timeline, opening, spent, bias)
    saved = spread_of(benefits, timeline, opening, growth, building)
    spread = {flow: np.sum(list(parts.values()), axis=0) for flow, parts in saved.items()}
    total = np.sum(list(spread.values()), axis=0)
    half = any(differs for _, differs in benefits.values())
    run = by_year[max(by_year)].runs[other]
    layout = YearsLayout(timeline, opening, spent, frozenset(building), bias, rate, growth)
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
        gains=_gains(scenario_of(first_of_all.base), spread),
        country_costs_usd={
            country or NOT_STATED: total_cost(
                [one for one in measures if one.country == country], timeline, opening, spent, bias
            )
            for country in sorted(countries)
        },
        base_name=first_of_all.base.name,
        inputs=drawn_worth(sures, other, layout, rates, growths) if sures else None,
    )


def _opening(by_year: Mapping[int, Comparison], other: int) -> int:
    """The first simulated year that is none of works; the first of all if each is one."""
    return min((year for year, one in by_year.items() if not _works_in(one, other)), default=min(by_year))


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
    lives = [one.name for one in measures if one.capex_usd and one.life_years is None]
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
    base, scenario = scenario_of(comparison.base), scenario_of(comparison.runs[other])
    plan = comparison.base.plan
    start, end = (_naive(scenario_of(comparison.base).run.start_utc) + dt.timedelta(hours=hours)
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
    return int((scenario_of(comparison.base).run.start_utc + dt.timedelta(hours=middle_h)).year)


def _by_year(given: object) -> tuple[dict[int, Comparison], dict[int, Uncertainty]]:
    """Comparisons by year, and where draws were given these too."""
    what = "a Comparison, an Uncertainty or a table of them by year"
    if isinstance(given, Comparison | Uncertainty):
        one = given if isinstance(given, Comparison) else given.comparison
        table: Mapping[int, object] = {_year_of(one): given}
    else:
        arguments.instance("comparisons", given, Mapping, what)
        assert isinstance(given, Mapping)
        table = given
    if not table:
        raise ArgumentError("comparisons must hold at least one year")
    for year, value in table.items():
        arguments.whole("a year of comparisons", year, 1900, 3000)
        arguments.instance(f"comparisons[{year}]", value, (Comparison, Uncertainty), "a Comparison or an Uncertainty")
    sures = {year: value for year, value in sorted(table.items()) if isinstance(value, Uncertainty)}
    if sures and len(sures) < len(table):
        raise ArgumentError("comparisons must be a Comparison in every year, or an Uncertainty in every year")
    found = {year: value for year, value in sorted(table.items()) if isinstance(value, Comparison)}
    found |= {year: value.comparison for year, value in sures.items()}
    if len({comparison.base.replications for comparison in found.values()}) > 1:
        raise ArgumentError("comparisons must have the same replications in every year")
    return found, sures


def _range(
    name: str, given: tuple[float, float] | None, least: float, most: float, sures: Mapping[int, Uncertainty]
) -> tuple[float, float] | None:
    if given is None:
        return None
    if not sures:
        raise ArgumentError(f"{name} needs draws of the inputs: give an Uncertainty (cs.uncertainty)")
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise ArgumentError(f"{name} must be two numbers, low and high, got {given!r:.60}")
    low, high = (arguments.number(f"{name}[{k}]", one, least, most) for k, one in enumerate(given))
    if low > high:
        raise ArgumentError(f"{name} must be low and high, got {low:g} and {high:g}")
    return low, high


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
