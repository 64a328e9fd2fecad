"""What an appraisal on the command line runs: one year or several, with people who answer, or with draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from corridor_sim.cli.running import DRAWN, as_asked, compare_all, refuse_odd_draws

if TYPE_CHECKING:
    from corridor_sim.plan.build import Planned
    from corridor_sim.results.appraisal import Appraisal
    from corridor_sim.study.behaviour import Behaviour

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


def crossings_by_flow(__: click.Context, ___: click.Parameter, given: Sequence[str]) -> dict[str, list[str]]:
    """FLOW=CROSSING,CROSSING of --choose; a usage error for what is something else."""
    found: dict[str, list[str]] = {}
    for text in given:
        flow, _, crossings = text.partition("=")
        listed = [one.strip() for one in crossings.split(",") if one.strip()]
        if not flow.strip() or not listed:
            raise click.BadParameter(f"{text!r} is not FLOW=CROSSING[,CROSSING...], as north_fresh=samur,khanoba")
        if flow.strip() in found:
            raise click.BadParameter(f"{flow.strip()} is given twice")
        found[flow.strip()] = listed
    return found


def behaviour_of(
    scale_usd: float | None,
    choose: Mapping[str, Sequence[str]],
    elasticity: float | None,
    source: str | None,
    reference_year: int | None,
) -> Behaviour | None:
    """What the options say people do; None where they say nothing. A usage error for half of it."""
    from corridor_sim.study.behaviour import Behaviour

    if scale_usd is None:
        named = {"--choose": choose, "--elasticity": elasticity, "--elasticity-source": source}
        for option, value in {**named, "--reference-year": reference_year}.items():
            if value:
                raise click.UsageError(f"{option} needs --scale-usd, the scale of the logit of the choice")
        return None
    if elasticity and not source:
        raise click.UsageError("--elasticity needs --elasticity-source: where the figure is from, or 'assumed' and why")
    if not elasticity and (source or reference_year):
        raise click.UsageError("--elasticity-source and --reference-year need --elasticity")
    return Behaviour(scale_usd, choose or None, elasticity or 0.0, source or "", reference_year)


def refuse_unpriced(planned: Sequence[Planned]) -> None:
    """Refuse a pair without a measure, or without any cost, before anything runs."""
    from corridor_sim.model.scenario import Scenario
    from corridor_sim.results.year_tables import measures_of

    pair = [one.scenario for one in planned if isinstance(one.scenario, Scenario)]
    measures_of(pair[0], pair[1])


def refuse_without_draws(inputs: int | None, how: Mapping[str, Any]) -> None:
    """Refuse what has no meaning together, before anything runs."""
    if inputs is None:
        for option, name in (("--discount-range", "discount_rates"), ("--growth-range", "growths_after")):
            if how[name] is not None:
                raise click.UsageError(f"{option} needs --inputs")
        return
    refuse_odd_draws(inputs)


def simulated(
    planned: Sequence[Planned],
    settings: Mapping[str, Any],
    years: Sequence[int],
    inputs: int | None,
    **more: Any,
) -> Any:
    """The comparison of two scenarios, or the draws of both, by year where years are asked for."""
    from corridor_sim.study.asked_run import planned as planned_as
    from corridor_sim.study.years import in_year

    def of_year(pair: Sequence[Planned]) -> Any:
        if inputs is not None:
            return _drawn(pair, settings, inputs, **more)
        return compare_all(pair, settings, **more)

    if not years:
        return of_year(planned)
    return {year: of_year([planned_as(in_year(one.scenario, year)) for one in planned]) for year in years}


def behaving(
    planned: Sequence[Planned],
    settings: Mapping[str, Any],
    years: Sequence[int],
    behaviour: Behaviour,
    inputs: int | None,
    how: Mapping[str, Any],
) -> Appraisal:
    """The appraisal where people answer, with draws if asked for; -n is then of each draw."""
    from corridor_sim.study.behaving_draws import appraise_with_behaviour

    base, other = planned
    with as_asked(settings) as run_so:
        if inputs is not None:
            run_so |= {"draw_replications": settings["replications"] or DRAWN, "replications": _own_replications(base)}
        given = dict(how)
        own = {name: given.pop(name) for name in ("discount_rate", "years", "discount_rates", "growths_after")}
        return appraise_with_behaviour(
            base, other, behaviour=behaviour, simulate=years, draws=inputs, appraisal=given, **own, **run_so
        )


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
