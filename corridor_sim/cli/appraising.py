"""What an appraisal on the command line runs: one year or several, with choice of the crossing, or with draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from corridor_sim.cli.group import folded
from corridor_sim.cli.running import DRAWN, as_asked, balanced, compare_all, refuse_odd_draws

if TYPE_CHECKING:
    from corridor_sim.plan.build import Planned

MOST_SIMULATED = 20
"""Years that are simulated at most."""


def calendar_years(_: click.Context, __: click.Parameter, text: str | None) -> tuple[int, ...]:
    """The years of --simulate, in order; a usage error for what is no list of years."""
    if text is None:
        return ()
    years = [part.strip() for part in text.split(",")]
    if not all(year.isdigit() and 1900 <= int(year) <= 3000 for year in years) or len(years) > MOST_SIMULATED:
        raise click.BadParameter(f"{text!r} is no list of years such as 2026,2028,2030 (at most {MOST_SIMULATED})")
    return tuple(sorted({int(year) for year in years}))


def refuse_without_draws(scale_usd: float | None, inputs: int | None, how: Mapping[str, Any]) -> None:
    """Refuse what has no meaning together, before anything runs."""
    if inputs is None:
        for option, name in (("--discount-range", "discount_rates"), ("--growth-range", "growths_after")):
            if how[name] is not None:
                raise click.UsageError(f"{option} needs --inputs")
        return
    if scale_usd is not None:
        raise click.UsageError("--inputs with --scale-usd: who chooses is not searched for in each draw; leave one out")
    refuse_odd_draws(inputs)


def simulated(
    planned: Sequence[Planned],
    settings: Mapping[str, Any],
    years: Sequence[int],
    scale_usd: float | None,
    inputs: int | None,
    **more: Any,
) -> Any:
    """The comparison of two scenarios, or the draws of both, by year where years are asked for."""
    from corridor_sim.study.run import planned as planned_as
    from corridor_sim.study.years import in_year

    def of_year(pair: Sequence[Planned]) -> Any:
        if inputs is not None:
            return _drawn(pair, settings, inputs, **more)
        return compare_all(pair, settings, **more) if scale_usd is None else _chosen(pair, settings, scale_usd)

    if not years:
        return of_year(planned)
    return {year: of_year([planned_as(in_year(one.scenario, year)) for one in planned]) for year in years}


def _chosen(pair: Sequence[Planned], settings: Mapping[str, Any], scale_usd: float) -> Any:
    """Both with flows that choose among the crossings."""
    from corridor_sim.results.comparison import Comparison

    found = [balanced(one, settings, scale_usd=scale_usd, starts=1) for one in pair]
    for one in found:
        if not one.reached:
            click.echo(folded(f"corridor-sim: warning: {one.describe().splitlines()[0]}"), err=True)
    return Comparison(tuple(one.results for one in found))


def _own_replications(one: Planned) -> int | None:
    """Those that a scenario states."""
    return getattr(getattr(one.scenario, "run", None), "replications", None)


def _drawn(pair: Sequence[Planned], settings: Mapping[str, Any], draws: int, **more: Any) -> Any:
    """Both in many draws of their inputs; -n is then of each draw."""
    from corridor_sim.results.drawn_worth import APPRAISAL_ROWS
    from corridor_sim.study.uncertainty import uncertainty

    # At the stated values as many as without draws, and with -n enough for an interval of sampling noise.
    stated = None if settings["replications"] else _own_replications(pair[0])
    with as_asked(settings) as how:
        asked = {"replications": settings["replications"] or DRAWN, "stated_replications": stated}
        return uncertainty(*pair, draws=draws, priors=("uniform",), indicators=APPRAISAL_ROWS, **how | asked | more)
