"""Commands for what people and money answer: an equilibrium of choice, an appraisal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from corridor_sim.cli import completion
from corridor_sim.cli.appraising import (
    behaving,
    behaviour_of,
    calendar_years,
    crossings_by_flow,
    refuse_unpriced,
    refuse_without_draws,
    simulated,
)
from corridor_sim.cli.commands import main
from corridor_sim.cli.formats import csv_of
from corridor_sim.cli.options import (
    ids_option,
    output_options,
    picture_option,
    run_options,
    store_option,
    workbook_format_option,
)
from corridor_sim.cli.output import (
    deliver,
    refuse_unwritable,
    workbook_of,
)
from corridor_sim.cli.pictures import (
    drawn,
    kind_of,
)
from corridor_sim.cli.running import (
    balanced,
    read_scenarios,
)
from corridor_sim.core.limits import MAX_REPLICATIONS


@main.command()
@click.argument("file", metavar="FILE", shell_complete=completion.scenarios)
@click.option(
    "--scale-usd",
    type=click.FloatRange(min=0, min_open=True),
    help="Scale of the logit: at this difference of cost one crossing is taken e times as often as the other.",
)
@click.option(
    "--choices",
    is_flag=True,
    help="Let cargo choose among the flows of the scenario's choice sets too: branch, or road, rail and ship. "
    "Without --scale-usd crossings are not chosen among.",
)
@click.option(
    "--averaging",
    type=click.Choice(["self-regulated", "1/k", "adapted"]),
    default="self-regulated",
    show_default=True,
    help="Rule of the step from what is to what would be chosen.",
)
@click.option(
    "--target",
    type=click.FloatRange(min=1e-6, max=0.5),
    default=0.01,
    show_default=True,
    help="It ends when a smaller share of the consignments would choose otherwise.",
)
@click.option("--most", type=click.IntRange(1, 1000), default=40, show_default=True, help="Runs at most for a start.")
@click.option(
    "--starts",
    type=click.IntRange(1, 10),
    default=2,
    show_default=True,
    help="2 or more try whether it is unique.",
)
@ids_option
@run_options
@output_options
def equilibrium(
    file: str,
    ids: bool,
    scale_usd: float | None,
    choices: bool,
    averaging: str,
    target: float,
    most: int,
    starts: int,
    output: Path | None,
    overwrite: bool,
    **settings: Any,
) -> None:
    """Shares over crossings, or over branches and modes, at which hardly anybody would choose another.

    With --scale-usd for flows with shares over two or more crossings, with --choices for choice sets.
    With -o the scenario with these shares is written.
    """
    from corridor_sim.files.scenario_files import dumps

    refuse_unwritable(overwrite, output)
    (planned,) = read_scenarios((file,), settings)
    if scale_usd is None and not choices:
        raise click.UsageError("give --scale-usd, --choices, or both")
    asked = {"scale_usd": scale_usd, "choices": choices, "averaging": averaging}
    found = balanced(planned, settings, **asked, target=target, most=most, starts=starts)
    click.echo(found.describe(ids=ids), err=output is not None and str(output) == "-")
    if output is not None:
        deliver(dumps(found.scenario), output, overwrite)
    if not found.reached:
        sys.exit(1)


_RANGES = {"discount_rates": "discount_range", "growths_after": "growth_range"}
"""Names of what is drawn in an appraisal, and of their options."""


@main.command()
@click.argument("base", metavar="BASE", shell_complete=completion.scenarios)
@click.argument("other", metavar="OTHER", shell_complete=completion.scenarios)
@click.option(
    "--discount-rate",
    type=click.FloatRange(min=0, max=0.5),
    required=True,
    help="Real, a year: 0.06 for 6 %. There is no default.",
)
@click.option("--years", type=click.IntRange(1, 100), required=True, help="Full years of operation.")
@click.option("--opening-year", type=int, help="First full year of operation; that of the run if not given.")
@click.option("--growth-after", type=click.FloatRange(-0.5, 0.5), default=0.0, help="Growth of the benefits a year.")
@click.option("--optimism-bias", type=click.FloatRange(0, 10), default=0.0, help="Uplift of the capital: 0.2 for 20 %.")
@click.option(
    "--scale-usd",
    type=click.FloatRange(min=0, min_open=True),
    help="Let flows choose among crossings of one border in both scenarios first, as `equilibrium` does, with this "
    "scale of the logit.",
)
@click.option(
    "--choose",
    multiple=True,
    metavar="FLOW=CROSSING[,CROSSING]",
    callback=crossings_by_flow,
    help="With --scale-usd: who chooses among what; repeatable. Without it every flow with shares over several "
    "crossings, with --elasticity those that pass where BASE is overloaded.",
)
@click.option(
    "--elasticity",
    type=click.FloatRange(-10, 0),
    help="With --scale-usd: of demand to the cost of the journey, as -0.5. Needs --elasticity-source.",
)
@click.option("--elasticity-source", metavar="TEXT", help="Where the elasticity is from, or 'assumed' and why.")
@click.option(
    "--reference-year",
    type=click.IntRange(1900, 3000),
    help="Demand is that of the files at the cost of BASE in this year; at that of BASE itself if not given.",
)
@click.option(
    "--simulate",
    metavar="YEAR,YEAR...",
    callback=calendar_years,
    help="Simulate both in these calendar years, with the growth that flows state; between them benefits are "
    "interpolated. Without it the year of the run alone.",
)
@click.option(
    "--inputs",
    type=click.IntRange(2, MAX_REPLICATIONS),
    metavar="N",
    help="Also draw every figure that has a range so often (a power of two), costs and values of time among them: "
    "intervals of the inputs beside those of sampling noise.",
)
@click.option(
    "--discount-range", nargs=2, type=click.FloatRange(0, 0.5), help="With --inputs: draw the discount rate too."
)
@click.option(
    "--growth-range", nargs=2, type=click.FloatRange(-0.5, 0.5), help="With --inputs: draw --growth-after too."
)
@click.option(
    "--annex", type=click.Path(path_type=Path), help="Also write the table of a bank's annex to this CSV file."
)
@click.option(
    "--report", "page", type=click.Path(path_type=Path), help="Also write the appraisal as one HTML page to this file."
)
@picture_option
@store_option
@run_options
@workbook_format_option
@ids_option
@output_options
def appraise(
    base: str,
    ids: bool,
    other: str,
    scale_usd: float | None,
    choose: dict[str, list[str]],
    elasticity: float | None,
    elasticity_source: str | None,
    reference_year: int | None,
    simulate: tuple[int, ...],
    inputs: int | None,
    annex: Path | None,
    page: Path | None,
    store: Path | None,
    pictures: tuple[Path, ...],
    form: str,
    output: Path | None,
    overwrite: bool,
    quiet: bool,
    **settings: Any,
) -> None:
    """Is OTHER worth its money against BASE: net present value, EIRR, and a table of years.

    Costs and lives are those of the improvements that OTHER has and BASE has not; what BASE alone has is saved.
    Pictures: cash_flows.png, switching.png.
    """
    from corridor_sim.report import tables
    from corridor_sim.results.cash_flows import appraise as appraised

    how = {
        name: settings.pop(name) for name in ("discount_rate", "years", "opening_year", "growth_after", "optimism_bias")
    }
    how |= {name: settings.pop(option) for name, option in _RANGES.items()}
    settings["quiet"] = quiet
    behaviour = behaviour_of(scale_usd, choose, elasticity, elasticity_source, reference_year)
    if behaviour is not None and store is not None:
        raise click.UsageError("--store keeps nothing with --scale-usd, whose runs depend on each other: leave one out")
    refuse_without_draws(inputs, how)
    drawings = {path: kind_of(path, "appraise") for path in pictures}
    also = [one for one in (annex, page) if one is not None]
    refuse_unwritable(overwrite, output, *also, *pictures)
    planned = read_scenarios((base, other), settings)
    refuse_unpriced(planned)
    if behaviour is not None:
        found = behaving(planned, settings, simulate, behaviour, inputs, how)
    else:
        found = appraised(simulated(planned, settings, simulate, inputs, store=store), **how)
    for path, kind in drawings.items():
        deliver(drawn(kind, found, path, {}), path, overwrite)
    if page is not None:
        deliver(found.to_html(), page, overwrite)
    if annex is not None:
        deliver(csv_of(found.annex()), annex, overwrite)
    if form == "table":
        deliver(found.describe(ids=ids) + "\n", output, overwrite)
    elif form == "xlsx":
        deliver(workbook_of(found), output, overwrite)
    elif form == "csv":
        deliver(csv_of(found.to_frame()), output, overwrite)
    else:
        deliver(tables.to_json(found.to_data()), output, overwrite)
