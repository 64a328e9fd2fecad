"""The commands. Thin: each reads its files, calls the function of the same name and hands over what comes.

To add a command, add a function here; those that read measured data are in `measured.py`.
"""

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
from corridor_sim.cli.formats import csv_of
from corridor_sim.cli.group import BAD_INPUT, Commands, folded
from corridor_sim.cli.kinds import all_kinds
from corridor_sim.cli.options import (
    dask_option,
    files_argument,
    format_option,
    ids_option,
    indicator_option,
    input_options,
    keep_going_option,
    output_options,
    picture_option,
    quiet_option,
    run_options,
    set_option,
    store_option,
    strict_option,
    workbook_format_option,
)
from corridor_sim.cli.output import (
    counted,
    deliver,
    figures_as,
    frame_as_text,
    points_as,
    problem_row,
    refuse_unwritable,
    reports_as,
    runs_as,
    sweep_as,
    workbook_of,
)
from corridor_sim.cli.pictures import (
    DPI,
    drawn,
    kind_of,
    needs_a_run,
    of_uncertainty,
    refuse_of_others,
    require_picture,
)
from corridor_sim.cli.running import (
    OF_OVERLOAD,
    asked_for,
    balanced,
    compare_all,
    files_of,
    print_warnings,
    progress_bar,
    read_scenarios,
    refuse_without_inputs,
    run_each,
    run_one,
    sweep_all,
    tell_left_out,
    uncertain_all,
)
from corridor_sim.core.errors import CorridorError, ScenarioError, SimulationError
from corridor_sim.core.limits import MAX_REPLICATIONS
from corridor_sim.core.plugins import import_modules, load_plugins


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="corridor-sim", prog_name="corridor-sim")
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
@click.option(
    "--import", "modules", metavar="MODULE", multiple=True, help="Import a module that registers kinds; repeatable."
)
def main(debug: bool, modules: tuple[str, ...]) -> None:
    """Simulate freight on a border corridor and compare upgrades of its checkpoints.

    FILE is a scenario file (TOML) or the name of a packaged scenario; `corridor-sim kinds
    scenarios` lists them.
    """
    del debug
    load_plugins()
    import_modules(modules)


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
    print_warnings(runs, settings, shown=form == "table" and output is None)


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
        text = frame_as_text(frame, columns if len(others) == 1 else ["scenario", *columns])
    else:
        text = (sure or comparison).describe(ids=ids).rstrip("\n") + "\n"
    for path, kind in drawings.items():
        deliver(drawn(kind, sure or comparison, path, {}), path, overwrite)
    deliver(text, output, overwrite)
    tell_left_out(left_out, failed)
    print_warnings(comparison.runs, settings, shown=form == "table" and output is None)


@main.command()
@click.argument("design", shell_complete=completion.designs)
@run_options
@indicator_option
@workbook_format_option
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
        told = workbook_of(found) if form == "xlsx" else sweep_as(form, found, rows, is_long)
        deliver(told, output, overwrite)
    if found.left_out:
        numbers = ", ".join(str(one.number) for one in found.left_out)
        click.echo(folded(f"corridor-sim: points left out, with errors: {numbers}"), err=True)
    tell_left_out([], found.failed)
    if found.left_out:
        sys.exit(BAD_INPUT)
    print_warnings(found.runs, settings, shown=form == "table" and output is None)


@main.command()
@files_argument
@set_option
@strict_option
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
def check(files: tuple[str, ...], settings: tuple[tuple[str, Any], ...], strict: bool, form: str) -> None:
    """Say what is wrong with scenario files.

    Everything at once, with file and line. Ends with 2 if there is an error; with --strict also if there is a warning.
    """
    from corridor_sim.files import scenario_files
    from corridor_sim.report import tables

    found = {file: scenario_files.check(file, dict(settings)) for file in files}
    problems = [problem for told in found.values() for problem in told]
    if form == "json":
        rows = [problem_row(file, problem) for file, told in found.items() for problem in told]
        click.echo(tables.to_json({"files": list(files), "problems": rows}), nl=False)
    else:
        for problem in problems:
            click.echo(str(problem))
    errors = sum(problem.severity == "error" for problem in problems)
    click.echo(counted(errors, len(problems) - errors, len(files)), err=True)
    if errors or (strict and problems):
        sys.exit(BAD_INPUT)


@main.command()
@files_argument
@set_option
@click.option("--only", help="Only figures whose path fits, such as 'flows.*' or '*.acceptance.*'.")
@format_option
@output_options
def figures(
    files: tuple[str, ...],
    settings: tuple[tuple[str, Any], ...],
    only: str | None,
    form: str,
    output: Path | None,
    overwrite: bool,
) -> None:
    """List the figures of scenarios with status, source and range.

    And how many ranges have a source. The table has figures that are alike once, CSV and JSON have each.
    """
    from corridor_sim.files.scenario_files import load_scenario

    refuse_unwritable(overwrite, output)
    found = [load_scenario(file, dict(settings)) for file in files]
    deliver(figures_as(form, found, only), output, overwrite)


@main.command()
@click.argument("base", shell_complete=completion.scenarios)
@click.argument("other", shell_complete=completion.scenarios)
@set_option
@ids_option
@format_option
@output_options
def diff(
    base: str,
    other: str,
    settings: tuple[tuple[str, Any], ...],
    ids: bool,
    form: str,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Say what differs between the inputs of two scenarios; nothing is run.

    Each value before and after, with its unit; of an improvement what it does to each value, and when.
    """
    from corridor_sim.files.scenario_files import load_scenario
    from corridor_sim.report import input_list, tables

    refuse_unwritable(overwrite, output)
    first, second = (load_scenario(file, dict(settings)) for file in (base, other))
    if form == "table":
        text = input_list.text_of(first, second, ids=ids)
    elif form == "csv":
        text = csv_of(input_list.diff(first, second))
    else:
        text = tables.to_json(
            {"base": first.name, "other": second.name, "changes": tables.records(input_list.diff(first, second))}
        )
    deliver(text, output, overwrite)


@main.command()
@click.argument("files", metavar="[FILE...]", nargs=-1, type=click.Path(path_type=Path))
@click.option("--engine", type=click.Choice(["event", "batch", "auto"]), default="event", show_default=True)
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the random streams of stochastic cases.")
@click.option("--design", type=click.Choice(["quick", "full"]), default="quick", show_default=True)
@click.option("--only", multiple=True, help="Only this id, pattern (MMC-*) or section; repeatable.")
@click.option("--allow-partial", is_flag=True, help="Ends with 0 even if something could not be checked.")
@click.option("--verbose", "-v", is_flag=True, help="A line for every measure.")
@format_option
@output_options
@quiet_option
def verify(
    files: tuple[Path, ...],
    engine: str,
    seed: int | None,
    design: str,
    only: tuple[str, ...],
    allow_partial: bool,
    verbose: bool,
    form: str,
    output: Path | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Check engines and formulas against given answers.

    Without FILE, the packaged ones. Ends with 1 if an answer is missed, or if something due could not be checked.
    """
    from corridor_sim.verify import verify as verified

    refuse_unwritable(overwrite, output)
    options: dict[str, Any] = {"engine": engine, "design": design, "only": list(only) or None}
    if seed is not None:
        options["rng"] = seed
    reports = []
    for file in files or (None,):
        with progress_bar(quiet, "vector") as progress:
            try:
                reports.append(verified(file, progress=progress, **options))
            except ScenarioError:
                raise
            except ValueError as error:
                raise click.UsageError(str(error)) from None
    deliver(reports_as(form, reports, verbose), output, overwrite)
    sys.exit(max(report.exit_code(allow_partial) for report in reports))


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
@run_options
@output_options
def equilibrium(
    file: str,
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
    click.echo(found.describe(), err=output is not None and str(output) == "-")
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
@output_options
def appraise(
    base: str,
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
        deliver(found.describe() + "\n", output, overwrite)
    elif form == "xlsx":
        deliver(workbook_of(found), output, overwrite)
    elif form == "csv":
        deliver(csv_of(found.to_frame()), output, overwrite)
    else:
        deliver(tables.to_json(found.to_data()), output, overwrite)


@main.command()
@click.argument("what", required=False, shell_complete=completion.kinds)
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
def kinds(what: str | None, form: str) -> None:
    """List what files and options can name.

    Laws, arrivals, legs, improvements, indicators, plots, packaged scenarios and corridors.
    """
    from corridor_sim.core.errors import nearest
    from corridor_sim.report import tables

    known = all_kinds()
    if what is not None and what not in known:
        hint = nearest(what, known)
        raise click.UsageError(f"no kinds of {what!r}; known: {', '.join(known)}" + (f"; {hint}" if hint else ""))
    wanted = {what: known[what]} if what is not None else known
    rows = {name: [{"kind": kind, "about": about} for kind, about in read()] for name, read in wanted.items()}
    if form == "json":
        click.echo(tables.to_json(rows), nl=False)
        return
    for name, listed in rows.items():
        click.echo(f"{name}:")
        lines = tables.to_text(["kind", "about"], [[row["kind"], row["about"]] for row in listed], 78)
        click.echo("".join(f"  {line}\n" for line in lines.splitlines()[1:]))


@main.command()
@click.option("--overlay", is_flag=True, help="For files that extend another one: nothing is required.")
@click.option("--design", is_flag=True, help="Of design files, which `sweep` runs.")
@click.option("--corridor", is_flag=True, help="Of files of a corridor alone, without run settings.")
@click.option("--upgrades", is_flag=True, help="Of lists of upgrades, which `portfolio` chooses from.")
@output_options
def schema(overlay: bool, design: bool, corridor: bool, upgrades: bool, output: Path | None, overwrite: bool) -> None:
    """Print the JSON Schema of scenario files, for editors and checks."""
    from corridor_sim.files import design_files, scenario_files
    from corridor_sim.files.schema import corridor_schema, upgrades_schema
    from corridor_sim.report import tables

    asked = {"--overlay": overlay, "--design": design, "--corridor": corridor, "--upgrades": upgrades}
    given = [name for name, is_given in asked.items() if is_given]
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(given)} exclude each other: each is of another kind of file")
    refuse_unwritable(overwrite, output)
    made = {"--design": design_files.schema, "--corridor": corridor_schema, "--upgrades": upgrades_schema}
    of = made[given[0]]() if given and given[0] in made else scenario_files.schema(overlay=overlay)
    deliver(tables.to_json(of), output, overwrite)


@main.command()
@files_argument
@click.option(
    "--kind", required=True, help="Which picture; `kinds plots` lists them.", shell_complete=completion.pictures
)
@click.option("--output", "-o", type=click.Path(path_type=Path), required=True, help="A .png, .svg or .pdf file.")
@click.option("--overwrite", is_flag=True, help="Overwrite the output if it exists.")
@click.option("--flow", help="For pictures of one flow.")
@click.option("--post", help="For pictures of one post.")
@click.option("--direction", type=click.Choice(["exit", "entry"]))
@click.option("--dpi", type=click.IntRange(20, 1200), default=DPI, show_default=True)
@run_options
def plot(
    files: tuple[str, ...],
    kind: str,
    output: Path,
    overwrite: bool,
    flow: str | None,
    post: str | None,
    direction: str | None,
    dpi: int,
    **settings: Any,
) -> None:
    """Draw a picture of one scenario or of several."""
    given = {"flow": flow, "post": post, "direction": direction}
    options = {name: value for name, value in given.items() if value is not None}
    require_picture(output, kind, options)
    refuse_of_others(kind)
    if of_uncertainty(kind):
        raise click.UsageError(f"the picture {kind} needs draws of the inputs: compare --inputs N --picture {kind}.png")
    refuse_unwritable(overwrite, output)
    scenarios = read_scenarios(files, settings)
    if not needs_a_run(kind):
        data: Any = scenarios[-1].scenario
    else:
        data = compare_all(scenarios, settings) if len(scenarios) > 1 else run_one(scenarios[0], settings)
    deliver(drawn(kind, data, output, options, dpi), output, overwrite)


@main.command()
@click.argument("base", shell_complete=completion.scenarios)
@click.argument("others", metavar="[OTHER...]", nargs=-1, shell_complete=completion.scenarios)
@input_options
@run_options
@click.option("--title", help="Heading of the page, instead of one made from the names.")
@click.option("--question", help="What the page answers, instead of one made from the names.")
@click.option("--output", "-o", type=click.Path(path_type=Path), required=True, help="An .html file.")
@click.option("--overwrite", is_flag=True, help="Overwrite the output if it exists.")
def report(
    base: str,
    others: tuple[str, ...],
    title: str | None,
    question: str | None,
    output: Path,
    overwrite: bool,
    **settings: Any,
) -> None:
    """Write one HTML page about a run or a comparison.

    About BASE alone, or about the others compared with it. The page needs nothing else.
    """
    from corridor_sim.report.page import to_html

    if output.suffix.lower() not in (".html", ".htm"):
        raise click.UsageError(f"--output must end in .html, got {output.name!r}")
    refuse_unwritable(overwrite, output)
    refuse_without_inputs(settings)
    scenarios = read_scenarios((base, *others), settings)
    if settings["inputs"] is not None:
        data: Any = uncertain_all(scenarios, settings)
    else:
        data = compare_all(scenarios, settings) if others else run_one(scenarios[0], settings)
    deliver(to_html(data, title=title, question=question), output, overwrite)
    print_warnings(getattr(data, "runs", [data]), settings, shown=False)
