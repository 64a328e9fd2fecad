"""Commands that choose: the best of several scenarios, the upgrades to build with a budget."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from corridor_sim.cli import completion
from corridor_sim.cli.commands import main
from corridor_sim.cli.formats import csv_of
from corridor_sim.cli.options import (
    MAX_WORKERS,
    format_option,
    ids_option,
    output_options,
    picture_option,
    quiet_option,
    run_options,
    set_option,
    store_option,
    strict_option,
)
from corridor_sim.cli.output import deliver, refuse_unwritable
from corridor_sim.cli.pictures import drawn, kind_of
from corridor_sim.cli.running import as_asked, read_scenarios, refuse_both_judges, without_warnings


@main.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, shell_complete=completion.scenarios)
@click.option("--indicator", required=True, help="The row to judge by; `kinds indicators` lists them.")
@click.option("--delta", required=True, help="Difference that does not matter, in the unit of the row: '0.5 h'.")
@click.option("--alpha", type=click.FloatRange(0, 0.5, min_open=True), default=0.05, show_default=True)
@click.option("--maximise", is_flag=True, help="Larger is better.")
@click.option("--method", type=click.Choice(["kn", "rinott", "ocba"]), default="kn", show_default=True)
@click.option("--independent", is_flag=True, help="A stream of its own for each scenario; rinott and ocba need it.")
@click.option("--budget", type=click.IntRange(min=1), help="Runs of all scenarios together, for ocba.")
@click.option("--most", type=click.IntRange(min=2), default=1000, show_default=True, help="Replications of a scenario.")
@click.option("--inputs", type=click.IntRange(min=2), help="Draw the inputs so often (a power of two) and compare.")
@click.option("--observed", is_flag=True, help="With --inputs: leave out draws that the packaged counts rule out.")
@click.option("--observations", metavar="FILE", help="With --inputs: leave out draws that this TOML file rules out.")
@click.option("--waves", type=click.IntRange(min=1), default=1, show_default=True, help="Of draws, as in compare.")
@click.option("--at", multiple=True, help="Only the part that this crossing or post hangs on; repeatable.")
@click.option("--kind", help="Kind of the row: stage, post, crossing, flow, corridor.")
@click.option("--place", help="Place of the row.")
@click.option("--direction", help="Direction of the row.")
@store_option
@run_options
@format_option
@ids_option
@output_options
def select(
    files: tuple[str, ...],
    ids: bool,
    indicator: str,
    delta: str,
    independent: bool,
    inputs: int | None,
    observed: bool,
    observations: str | None,
    waves: int,
    at: tuple[str, ...],
    kind: str | None,
    place: str | None,
    direction: str | None,
    form: str,
    output: Path | None,
    overwrite: bool,
    alpha: float,
    maximise: bool,
    method: str,
    budget: int | None,
    most: int,
    store: Path | None,
    **settings: Any,
) -> None:
    """The best of several scenarios by one indicator, with no more runs than it takes to say so.

    -n is the number of replications of the first stage, with --inputs that of each draw.
    """
    from corridor_sim.report import tables
    from corridor_sim.study.selecting import select as selected

    refuse_unwritable(overwrite, output)
    _refuse_judges(inputs, observed, observations, waves)
    judged: dict[str, Any] = {}
    if observed or observations:
        judged = {"observations": "packaged" if observed else observations, "waves": waves}
    given = read_scenarios(files, settings)
    named = {"kind": kind, "place": place, "direction": direction}
    where = {column: value for column, value in named.items() if value is not None}
    with as_asked(settings) as how:
        replications = how.pop("replications")
        more = (
            {}
            if replications is None
            else {"first": replications}
            if inputs is None
            else {"replications": replications}
        )
        found = selected(
            given,
            indicator,
            delta=delta,
            alpha=alpha,
            maximise=maximise,
            method=method,
            common=not independent,
            most=most,
            budget=budget,
            draws=inputs,
            at=at,
            store=store,
            where=where or None,
            **how | more | judged,
        )
    if form == "table":
        text = found.describe(ids=ids) + "\n"
    elif form == "csv":
        text = csv_of(found.table())
    else:
        text = tables.to_json(found.to_data())
    deliver(text, output, overwrite)


def _refuse_judges(inputs: int | None, observed: bool, observations: str | None, waves: int = 1) -> None:
    """Refuse observations without draws, or from two places, and waves without any."""
    if (observed or observations) and inputs is None:
        raise click.UsageError(f"--{'observed' if observed else 'observations'} needs --inputs")
    refuse_both_judges(observed, observations, waves)


@contextmanager
def _kept(wrong: list[str]) -> Iterator[None]:
    """Put what is refused within behind what is wrong, to be told together."""
    try:
        yield
    except click.UsageError as error:
        wrong.append(error.message)


def _money(parts: tuple[str, ...]) -> float | dict[int, float]:
    """One number, or YEAR=MONEY of several years."""
    try:
        if len(parts) == 1 and "=" not in parts[0]:
            return float(parts[0])
        listed = [(int(year), float(money)) for year, _, money in (part.partition("=") for part in parts)]
    except ValueError:
        text = f"--budget: {' '.join(parts)!r} is neither a number of US$ nor YEAR=US$, as 2026=5e6"
        raise click.UsageError(text) from None
    years = [year for year, _ in listed]
    if twice := sorted({year for year in years if years.count(year) > 1}):
        raise click.UsageError(f"--budget: {', '.join(map(str, twice))} is given twice")
    return dict(listed)


@main.command()
@click.argument("base", metavar="BASE", shell_complete=completion.scenarios)
@click.argument("upgrades", metavar="UPGRADES")
@click.option("--budget", multiple=True, required=True, help="Capital in US$, or YEAR=US$; repeatable.")
@click.option("--delta", required=True, help="Difference that does not matter, in the unit of the objective: '500 h'.")
@click.option("--objective", default="delay_truck_h", show_default=True, help="A row to make small, or npv_usd.")
@click.option("--alpha", type=click.FloatRange(0, 0.5, min_open=True), default=0.05, show_default=True)
@click.option("--at", multiple=True, help="Only the part that this crossing or post hangs on; repeatable.")
@click.option("--discount-rate", type=click.FloatRange(0, 0.5), help="With npv_usd: real, a year.")
@click.option("--years", type=click.IntRange(1, 100), help="With npv_usd: full years of operation.")
@click.option(
    "--screening", type=click.IntRange(min=1), default=3, show_default=True, help="Replications of a first look."
)
@click.option("--finalists", type=click.IntRange(min=1), default=6, show_default=True, help="Sets compared at the end.")
@click.option(
    "--inputs",
    type=click.IntRange(min=2),
    help="Draw the inputs so often (a power of two, 64 or more at the alpha of 0.05): regret.",
)
@click.option("--observed", is_flag=True, help="With --inputs: leave out draws that the packaged counts rule out.")
@click.option("--observations", metavar="FILE", help="With --inputs: leave out draws that this TOML file rules out.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of all random streams; the file's seed if not given.")
@click.option("--workers", type=click.IntRange(1, MAX_WORKERS), help="Processes; all cores if not given.")
@click.option("--horizon-days", type=click.FloatRange(min=0, min_open=True), help="Another length of the run.")
@click.option("--waves", type=click.IntRange(min=1), default=1, show_default=True, help="Of draws, as in compare.")
@click.option("--kind", help="Kind of the row of the objective: stage, post, crossing, flow, corridor.")
@click.option("--place", help="Place of that row.")
@click.option("--direction", help="Direction of that row.")
@click.option(
    "--draws-table",
    type=click.Path(path_type=Path),
    help="With --inputs: a CSV file, a line a set and draw: inputs, what it comes to, what it saves, its regret.",
)
@click.option(
    "--store",
    type=click.Path(path_type=Path),
    help="Folder that keeps what every set and draw came to; a search that was stopped goes on, others find it.",
)
@set_option
@strict_option
@quiet_option
@format_option
@ids_option
@picture_option
@output_options
def portfolio(
    base: str,
    ids: bool,
    upgrades: str,
    budget: tuple[str, ...],
    discount_rate: float | None,
    years: int | None,
    inputs: int | None,
    observed: bool,
    observations: str | None,
    seed: int | None,
    workers: int | None,
    waves: int,
    kind: str | None,
    place: str | None,
    direction: str | None,
    draws_table: Path | None,
    store: Path | None,
    form: str,
    pictures: tuple[Path, ...],
    output: Path | None,
    overwrite: bool,
    delta: str,
    objective: str,
    alpha: float,
    at: tuple[str, ...],
    screening: int,
    finalists: int,
    **settings: Any,
) -> None:
    """Which of UPGRADES to build on BASE with a budget, and in which year.

    UPGRADES is a file of improvements with their costs, or a packaged list (samur_astara_2026_2030).
    """
    from corridor_sim.report import tables
    from corridor_sim.study.portfolio import portfolio as found_for

    drawings = {path: kind_of(path, "portfolio") for path in pictures}
    refuse_unwritable(overwrite, output, draws_table, *pictures)
    wrong: list[str] = []
    with _kept(wrong):
        money = _money(budget)
    with _kept(wrong):
        _refuse_judges(inputs, observed, observations)
    with _kept(wrong):
        refuse_both_judges(False, "packaged" if observed else observations, waves)
    if draws_table is not None and inputs is None:
        wrong.append("--draws-table needs --inputs")
    if wrong:
        raise click.UsageError("\n".join(wrong))
    named = {"kind": kind, "place": place, "direction": direction}
    where = {column: value for column, value in named.items() if value is not None}
    (given,) = read_scenarios((base,), settings)
    how = {"discount_rate": discount_rate, "years": years}
    appraisal = {name: value for name, value in how.items() if value is not None}
    with without_warnings(settings["quiet"]):
        found = found_for(
            given,
            upgrades,
            budget_usd=money,
            delta=delta,
            objective=objective,
            alpha=alpha,
            at=at,
            appraisal=appraisal or None,
            screening=screening,
            finalists=finalists,
            draws=inputs,
            observations="packaged" if observed else observations,
            waves=waves,
            where=where or None,
            rng=seed,
            workers=workers,
            store=store,
        )
    if form == "table":
        text = found.describe(ids=ids) + "\n"
    elif form == "csv":
        text = csv_of(found.table())
    else:
        text = tables.to_json(found.to_data())
    for path, picture in drawings.items():
        deliver(drawn(picture, found, path, {}), path, overwrite)
    if draws_table is not None:
        deliver(csv_of(found.draws_table()), draws_table, overwrite)
    deliver(text, output, overwrite)
