"""Commands that simulate: one scenario or several, a comparison, the points of a design."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from corridor_sim.cli import completion
from corridor_sim.cli.commands import main
from corridor_sim.cli.formats import csv_of
from corridor_sim.cli.group import BAD_INPUT, folded
from corridor_sim.cli.options import (
    dask_option,
    files_argument,
    ids_option,
    indicator_option,
    input_options,
    keep_going_option,
    output_options,
    picture_option,
    run_options,
    store_option,
    workbook_format_option,
)
from corridor_sim.cli.output import (
    deliver,
    frame_as_text,
    points_as,
    refuse_unwritable,
    runs_as,
    sweep_as,
    workbook_of,
)
from corridor_sim.cli.pictures import (
    drawn,
    kind_of,
)
from corridor_sim.cli.running import (
    OF_OVERLOAD,
    asked_for,
    compare_all,
    files_of,
    print_warnings,
    read_scenarios,
    refuse_without_inputs,
    run_each,
    run_one,
    sweep_all,
    tell_left_out,
    uncertain_all,
)
from corridor_sim.core.errors import CorridorError, SimulationError


@main.command()
@files_argument
@run_options
@indicator_option
@workbook_format_option
@ids_option
@click.option("--per-replication", is_flag=True, help="CSV or JSON with a row for every replication.")
@click.option("--records", type=click.Path(path_type=Path), help="Write every visit to this CSV file (small runs).")
@store_option
@dask_option
@keep_going_option
@picture_option
@output_options
def run(
    files: tuple[str, ...],
    form: str,
    ids: bool,
    indicators: tuple[str, ...],
    per_replication: bool,
    records: Path | None,
    store: Path | None,
    keep_going: bool,
    pictures: tuple[Path, ...],
    output: Path | None,
    overwrite: bool,
    **settings: Any,
) -> None:
    """Simulate scenarios and print the results.

    Every mean has its 95 % interval. FILE is a scenario file, the name of a packaged scenario, or a folder: all
    scenario files in it.
    """
    files = files_of(files)
    if form == "xlsx" and (len(files) > 1 or indicators or per_replication):
        text = "a workbook is of one FILE with every table: leave out --indicator and --per-replication"
        raise click.UsageError(f"{text}; `compare` and `export` write several together")
    if per_replication and form == "table":
        raise click.UsageError("--per-replication needs --format csv or json")
    if records is not None and len(files) > 1:
        raise click.UsageError("--records takes one FILE")
    if records is not None and store is not None:
        raise click.UsageError("--records cannot be given together with --store")
    if pictures and len(files) > 1:
        raise click.UsageError("--picture takes one FILE; `compare` and `plot` draw several together")
    drawings = {path: kind_of(path) for path in pictures}
    refuse_unwritable(overwrite, output, records, *pictures)
    left_out: list[str] = []
    failed: list[SimulationError] = []
    scenarios = read_scenarios(files, settings, left_out if keep_going else None)
    if not scenarios:
        tell_left_out(left_out, failed)
    kinds, rows = asked_for(indicators, scenarios[0].plan)

    if len(files) == 1:
        runs = [run_one(scenarios[0], settings, indicators=kinds, records=records is not None, store=store)]
    else:
        runs = run_each(scenarios, settings, failed if keep_going else None, indicators=kinds, store=store)
    if records is not None:
        deliver(csv_of(runs[0].visits()), records, overwrite)
    for path, kind in drawings.items():
        deliver(drawn(kind, runs[0], path, {}), path, overwrite)
    if runs and form == "xlsx":
        deliver(workbook_of(runs[0]), output, overwrite)
    elif runs:
        deliver(runs_as(form, runs, rows, per_replication, ids), output, overwrite)
    tell_left_out(left_out, failed)
    print_warnings(runs, settings, ids, shown=form == "table" and output is None)


@main.command()
@click.argument("base", shell_complete=completion.scenarios)
@click.argument("others", metavar="OTHER...", nargs=-1, required=True, shell_complete=completion.scenarios)
@input_options
@run_options
@indicator_option
@workbook_format_option
@ids_option
@store_option
@dask_option
@keep_going_option
@picture_option
@output_options
def compare(
    base: str,
    others: tuple[str, ...],
    form: str,
    ids: bool,
    indicators: tuple[str, ...],
    store: Path | None,
    keep_going: bool,
    pictures: tuple[Path, ...],
    output: Path | None,
    overwrite: bool,
    **settings: Any,
) -> None:
    """Compare scenarios with BASE on common random numbers.

    With --inputs every row also has the interval of the inputs: what it may be where figures are known only by a range.
    """
    from corridor_sim.report import tables
    from corridor_sim.results.called import Called

    drawings = {path: kind_of(path) for path in pictures}
    refuse_unwritable(overwrite, output, *pictures)
    refuse_without_inputs(settings, drawings.values())
    left_out: list[str] = []
    failed: list[CorridorError] = []
    first = read_scenarios((base,), settings)
    scenarios = first + read_scenarios(others, settings, left_out if keep_going else None)
    if len(scenarios) < 2:
        tell_left_out(left_out, failed)
    _, rows = asked_for(indicators, scenarios[0].plan)
    sure = None if settings["inputs"] is None else uncertain_all(scenarios, settings, indicators=rows, store=store)
    if sure is None:
        comparison = compare_all(scenarios, settings, failed if keep_going else None, store=store)
    else:
        comparison = sure.comparison
    if len(comparison.runs) < 2:
        tell_left_out(left_out, failed)
    frame = comparison.table(rows) if sure is None else sure.table(rows)
    text: str | bytes
    if frame.empty and sure is None:
        frame = comparison.table(rows, by_time=True)
    if form == "csv":
        text = csv_of(frame)
    elif form == "xlsx":
        text = workbook_of(comparison, {} if sure is None else {"with inputs": frame})
    elif form == "json":
        about = [run.about() for run in comparison.runs]
        body = {"runs": about, "inputs": comparison.inputs_diff(ids=True), "interval": frame.attrs["interval"]}
        body |= {} if sure is None else {"draws": sure.about()}
        text = tables.to_json({**body, "differences": tables.records(frame)})
    elif rows:
        columns = ["base", "other", "difference", "low", "high"]
        columns += ["verdict"] if sure is None else ["inputs_low", "inputs_high", "sign_holds"]
        text = frame_as_text(
            frame, columns if len(others) == 1 else ["scenario", *columns], Called(comparison.runs[-1], ids).row
        )
    else:
        text = (sure or comparison).describe(ids=ids).rstrip("\n") + "\n"
    for path, kind in drawings.items():
        deliver(drawn(kind, sure or comparison, path, {}), path, overwrite)
    deliver(text, output, overwrite)
    tell_left_out(left_out, failed)
    print_warnings(comparison.runs, settings, ids, shown=form == "table" and output is None)


@main.command()
@click.argument("design", shell_complete=completion.designs)
@run_options
@indicator_option
@workbook_format_option
@ids_option
@click.option("--long", "is_long", is_flag=True, help="CSV with a line for every point and indicator.")
@click.option("--points", "only_points", is_flag=True, help="Only list the points; nothing is run.")
@store_option
@dask_option
@keep_going_option
@picture_option
@output_options
def sweep(
    design: str,
    form: str,
    ids: bool,
    indicators: tuple[str, ...],
    is_long: bool,
    only_points: bool,
    store: Path | None,
    keep_going: bool,
    pictures: tuple[Path, ...],
    output: Path | None,
    overwrite: bool,
    **settings: Any,
) -> None:
    """Run a scenario at the points of a design.

    DESIGN is a design file (TOML) or the name of a packaged design; `corridor-sim kinds designs` lists them. It names
    the scenario and what is varied: a grid, a Latin hypercube or a Sobol sequence of numbers, whole numbers,
    categories and improvements on or off. CSV has a line a point: its values, and every mean with its 95 % interval.
    """
    from corridor_sim.files.design_files import design as read_design
    from corridor_sim.model.scenario import Scenario

    if is_long and form != "csv":
        raise click.UsageError("--long needs --format csv")
    if pictures and only_points:
        raise click.UsageError("--picture shows runs, --points runs nothing")
    if only_points and form == "xlsx":
        raise click.UsageError("--points has one table: --format csv")
    drawings = {path: kind_of(path, "sweep") for path in pictures}
    refuse_unwritable(overwrite, output, *pictures)
    varied = read_design(design)
    if settings["seed"] is not None:
        varied = varied.replace(seed=settings["seed"])
    base = read_scenarios((varied.base,), settings)[0]
    if only_points:
        assert isinstance(base.scenario, Scenario)
        deliver(points_as(form, varied, base.scenario), output, overwrite)
        return
    _, rows = asked_for(indicators, base.plan)
    # Where a stage is overloaded a wait means nothing: that is reckoned whatever is asked for.
    kinds, _ = asked_for((*indicators, *OF_OVERLOAD) if indicators else (), base.plan)
    found = sweep_all(base, varied, settings, keep_going=keep_going, indicators=kinds, store=store)
    for one in found.left_out:
        click.echo("\n".join(folded(str(problem)) for problem in one.problems), err=True)
    if found.runs:
        for path, kind in drawings.items():
            deliver(drawn(kind, found, path, {}), path, overwrite)
        told = workbook_of(found) if form == "xlsx" else sweep_as(form, found, rows, is_long, ids)
        deliver(told, output, overwrite)
    if found.left_out:
        numbers = ", ".join(str(one.number) for one in found.left_out)
        click.echo(folded(f"corridor-sim: points left out, with errors: {numbers}"), err=True)
    tell_left_out([], found.failed)
    if found.left_out:
        sys.exit(BAD_INPUT)
    print_warnings(found.runs, settings, ids, shown=form == "table" and output is None)
