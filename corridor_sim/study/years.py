"""Other years: a scenario as it is in another calendar year, and comparisons simulated in several.

Demand grows as its flows state, dated measures are in force or not yet, seasons are those of the window. What
an appraisal interpolates between.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError, CorridorError
from corridor_sim.model.scenario import Scenario
from corridor_sim.results.comparison import Comparison
from corridor_sim.results.uncertain import Uncertainty
from corridor_sim.study.asked_run import Runnable, planned
from corridor_sim.study.run import compare
from corridor_sim.study.uncertainty import uncertainty


def in_year(scenario: Runnable, year: int) -> Scenario:
    """The scenario with its run moved by whole years, so that the middle of its counted window lies in `year`.

    Raises
    ------
    CorridorError
        If it has no dates: a plan.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> str(cs.in_year("year_2026_base", 2028).run.start_utc.date())
    '2027-12-22'
    """
    given = planned(scenario)
    one, plan = given.scenario, given.plan
    if not isinstance(one, Scenario):
        raise CorridorError("a plan has no dates: it cannot be moved to another year")
    arguments.whole("year", year, 1900, 3000)
    middle_h = (plan.warm_up_h + plan.counted_until_h) / 2
    shift = year - (one.run.start_utc + dt.timedelta(hours=middle_h)).year
    if not shift:
        return one
    return one.replace(run=one.run.replace(start=_moved(one.run.start, shift)))


def compare_years(base: Runnable, *others: Runnable, years: Iterable[int], **settings: Any) -> dict[int, Comparison]:
    """`compare` in several calendar years, for `appraise`.

    Parameters
    ----------
    base, *others : Scenario, path or name of a packaged scenario
    years : iterable of int
        Each scenario is run as it is in these (`in_year`).
    **settings
        As for `compare`.

    Returns
    -------
    dict of calendar year to Comparison

    Examples
    --------
    >>> import corridor_sim as cs
    >>> pair = "teaching", "teaching_priority_lane"
    >>> sorted(cs.compare_years(*pair, years=[2024, 2025], replications=5, rng=1, workers=1))
    [2024, 2025]
    """
    return {year: compare(*(in_year(one, year) for one in (base, *others)), **settings) for year in _years(years)}


def uncertainty_years(
    base: Runnable, *others: Runnable, years: Iterable[int], **settings: Any
) -> dict[int, Uncertainty]:
    """`uncertainty` in several calendar years with the same draws, for `appraise`; settings as for `uncertainty`.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> short = {"run.horizon_days": 5, "flows.flour.per_day": 100.0}
    >>> pair = [cs.load_scenario(name, short) for name in ("teaching", "teaching_priority_lane")]
    >>> found = cs.uncertainty_years(*pair, years=[2024, 2025], draws=8, replications=1, rng=1, workers=1)
    >>> sorted(found)
    [2024, 2025]
    """
    return {year: uncertainty(*(in_year(one, year) for one in (base, *others)), **settings) for year in _years(years)}


def _years(years: Iterable[int]) -> list[int]:
    arguments.instance("years", years, Iterable, "calendar years")
    found = sorted({arguments.whole("a year", year, 1900, 3000) for year in years})
    if not found:
        raise ArgumentError("years must hold at least one year")
    return found


def _moved(start: Any, shift: int) -> Any:
    """A date or time some years later; 28 February where there is no 29th."""
    try:
        return start.replace(year=start.year + shift)
    except ValueError:
        return start.replace(year=start.year + shift, day=28)
