"""The command line: ``corridor-sim run | compare | check | verify | kinds | schema | plot | report``.

Thin: each command reads its files, calls the function of the same name and
prints. Data go to standard output, messages and progress to standard error.
Exit codes: 0 ok, 1 a run failed, 2 bad input or an engine that cannot do what was
asked of it by name, 130 interrupted. To add a command, add a function here.
"""

from __future__ import annotations

import contextlib
import errno
import inspect
import io
import sys
import tomllib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from corridor_sim.errors import CorridorError, CorridorWarning, MissingExtra, Problem, ScenarioError, SimulationError

if TYPE_CHECKING:
    from corridor_sim.model.scenario import Scenario
    from corridor_sim.results_frames import Results

Command = TypeVar("Command", bound=Callable[..., Any])

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
MAX_WORKERS = 256
PICTURES = (".png", ".svg", ".pdf")


class Commands(click.Group):
    """The commands, with every error told in one line and by its exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; errors become messages and exit codes unless --debug is given."""
        if ctx.params.get("debug"):
            return super().invoke(ctx)
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            _end(ctx, INTERRUPTED, "interrupted; nothing was written but what a --store already holds")
        except (SimulationError, MissingExtra) as error:
            _end(ctx, FAILED, str(error))
        except CorridorError as error:
            _end(ctx, BAD_INPUT, str(error))
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            _end(ctx, FAILED, f"{error.filename or 'a file'}: {error.strerror or error}")
        except MemoryError:
            _end(ctx, FAILED, "out of memory; use fewer --workers or a shorter horizon")
        except Exception as error:
            text = f"internal error: {type(error).__name__}: {error}; corridor-sim --debug shows where"
            _end(ctx, FAILED, text)


def _end(ctx: click.Context, code: int, message: str) -> None:
    click.echo(f"corridor-sim: {message}" if "\n" not in message else message, err=True)
    ctx.exit(code)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="corridor-sim", prog_name="corridor-sim")
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
def main(debug: bool) -> None:
    """Simulate freight on a border corridor and compare upgrades of its checkpoints.

    FILE is a scenario file (TOML) or the name of a packaged scenario; `corridor-sim kinds
    scenarios` lists them.
    """
    del debug


# ---------------------------------------------------------------- options that commands share


class _Setting(click.ParamType[tuple[str, Any]]):
    """``path=value``: the value is written as in a scenario file; what is no TOML value is text."""

    name = "path=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        if isinstance(value, tuple):
            return value
        path, equals, text = str(value).partition("=")
        if not equals or not path.strip():
            self.fail(f"{value!r} is not path=value, e.g. flows.flour.per_day=150", param, ctx)
        try:
            read = tomllib.loads(f"value = {text}")
        except ValueError:
            read = {"value": text}
        return path.strip(), read["value"] if list(read) == ["value"] else text


def _stacked(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


_files = click.argument("files", metavar="FILE...", nargs=-1, required=True)
_format = click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table")
_output = _stacked(
    click.option("--output", "-o", type=click.Path(path_type=Path), help="Write to this file, not to the terminal."),
    click.option("--overwrite", is_flag=True, help="Overwrite the output if it exists."),
)
_quiet = click.option("--quiet", "-q", is_flag=True, help="No progress and no warnings.")
_strict = click.option("--strict", is_flag=True, help="Take warnings for errors.")
_set = click.option(
    "--set", "settings", type=_Setting(), multiple=True, help="Change a value of the files; repeatable."
)
_run_settings = _stacked(
    click.option("--replications", "-n", type=click.IntRange(min=1), help="How many; the file's number if not given."),
    click.option("--seed", type=click.IntRange(min=0), help="Root of all chance; the file's seed if not given."),
    click.option("--engine", type=click.Choice(["auto", "event", "batch"]), default="auto", show_default=True),
    click.option(
        "--workers",
        type=click.IntRange(1, MAX_WORKERS),
        help="Processes; 1 stays in this one. If not given, long runs use all cores. Results do not depend on it.",
    ),
    click.option("--horizon-days", type=click.FloatRange(min=0, min_open=True), help="Another length of the run."),
    _set,
    _strict,
    _quiet,
)
_indicators = click.option(
    "--indicator", "indicators", multiple=True, help="Only this indicator; repeatable. `kinds indicators` lists them."
)


# ---------------------------------------------------------------- commands


@main.command()
@_files
@_run_settings
@_indicators
@_format
@click.option("--per-replication", is_flag=True, help="CSV or JSON with a row for every replication.")
@click.option("--records", type=click.Path(path_type=Path), help="Write every visit to this CSV file (small runs).")
@click.option("--store", type=click.Path(path_type=Path), help="Folder that keeps finished blocks; a rerun goes on.")
@_output
def run(
    files: tuple[str, ...],
    form: str,
    indicators: tuple[str, ...],
    per_replication: bool,
    records: Path | None,
    store: Path | None,
    output: Path | None,
    overwrite: bool,
    **settings: Any,
) -> None:
    """Simulate scenarios and print what came of it.

    Every mean has its 95 % interval. FILE is a scenario file or the name of a packaged scenario.
    """
    if per_replication and form == "table":
        raise click.UsageError("--per-replication needs --format csv or json")
    if records is not None and len(files) > 1:
        raise click.UsageError("--records takes one FILE")
    if records is not None and store is not None:
        raise click.UsageError("--records cannot be given together with --store")
    _writable(overwrite, output, records)
    scenarios = _scenarios(files, settings)
    kinds = _known_indicators(indicators)
    from corridor_sim import tables

    runs = []
    for scenario in scenarios:
        folder = store if store is None or len(files) == 1 else store / scenario.name
        if folder is not None:
            folder.parent.mkdir(parents=True, exist_ok=True)
        runs.append(_run(scenario, settings, indicators=kinds, records=records is not None, store=folder))
    if records is not None:
        _deliver(tables.to_csv(runs[0].visits()), records, overwrite)
    _deliver(_runs_as(form, runs, kinds, per_replication), output, overwrite)
    _after(runs, settings, shown=form == "table" and output is None)


@main.command()
@click.argument("base")
@click.argument("others", metavar="OTHER...", nargs=-1, required=True)
@_run_settings
@_indicators
@_format
@_output
def compare(
    base: str,
    others: tuple[str, ...],
    form: str,
    indicators: tuple[str, ...],
    output: Path | None,
    overwrite: bool,
    **settings: Any,
) -> None:
    """Compare scenarios with BASE on common random numbers."""
    from corridor_sim import tables

    _writable(overwrite, output)
    scenarios = _scenarios((base, *others), settings)
    kinds = _known_indicators(indicators)
    comparison = _compare(scenarios, settings)
    frame = comparison.table(kinds)
    if form == "csv":
        text = tables.to_csv(frame)
    elif form == "json":
        about = [run.about() for run in comparison.runs]
        body = {"runs": about, "inputs": comparison.inputs_diff(), "interval": frame.attrs["interval"]}
        text = tables.to_json({**body, "differences": tables.records(frame)})
    elif kinds:
        columns = ["base", "other", "difference", "low", "high", "verdict"]
        text = _frame_as_text(frame, columns if len(others) == 1 else ["scenario", *columns])
    else:
        text = comparison.describe().rstrip("\n") + "\n"
    _deliver(text, output, overwrite)
    _after(comparison.runs, settings, shown=form == "table" and output is None)


@main.command()
@_files
@_set
@_strict
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
def check(files: tuple[str, ...], settings: tuple[tuple[str, Any], ...], strict: bool, form: str) -> None:
    """Say what is wrong with scenario files.

    Everything at once, with file and line. Ends with 2 if there is an error; with --strict also if there is a warning.
    """
    from corridor_sim import scenario_files, tables

    found = {file: scenario_files.check(file, dict(settings)) for file in files}
    problems = [problem for told in found.values() for problem in told]
    if form == "json":
        rows = [_problem_row(file, problem) for file, told in found.items() for problem in told]
        click.echo(tables.to_json({"files": list(files), "problems": rows}), nl=False)
    else:
        for problem in problems:
            click.echo(str(problem))
    errors = sum(problem.severity == "error" for problem in problems)
    click.echo(_counted(errors, len(problems) - errors, len(files)), err=True)
    if errors or (strict and problems):
        sys.exit(BAD_INPUT)


@main.command()
@click.argument("files", metavar="[FILE...]", nargs=-1, type=click.Path(path_type=Path))
@click.option("--engine", type=click.Choice(["event", "batch", "auto"]), default="event", show_default=True)
@click.option("--seed", type=click.IntRange(min=0), help="Root of the draws of stochastic cases.")
@click.option("--design", type=click.Choice(["quick", "full"]), default="quick", show_default=True)
@click.option("--only", multiple=True, help="Only this id, pattern (MMC-*) or section; repeatable.")
@click.option("--allow-partial", is_flag=True, help="Ends with 0 even if something could not be checked.")
@click.option("--verbose", "-v", is_flag=True, help="A line for every measure.")
@_format
@_output
@_quiet
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

    _writable(overwrite, output)
    options: dict[str, Any] = {"engine": engine, "design": design, "only": list(only) or None}
    if seed is not None:
        options["rng"] = seed
    reports = []
    for file in files or (None,):
        with _bar(quiet, "vector") as progress:
            try:
                reports.append(verified(file, progress=progress, **options))
            except ScenarioError:
                raise
            except ValueError as error:
                raise click.UsageError(str(error)) from None
    _deliver(_reports_as(form, reports, verbose), output, overwrite)
    sys.exit(max(report.exit_code(allow_partial) for report in reports))


@main.command()
@click.argument("what", required=False)
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
def kinds(what: str | None, form: str) -> None:
    """List what files and options can name.

    Laws, arrivals, legs, improvements, indicators, plots, packaged scenarios and corridors.
    """
    from corridor_sim import tables
    from corridor_sim.errors import nearest

    known = _kinds()
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
def schema(overlay: bool) -> None:
    """Print the JSON Schema of scenario files."""
    from corridor_sim import scenario_files, tables

    click.echo(tables.to_json(scenario_files.schema(overlay=overlay)), nl=False)


@main.command()
@_files
@click.option("--kind", required=True, help="Which picture; `kinds plots` lists them.")
@click.option("--output", "-o", type=click.Path(path_type=Path), required=True, help="A .png, .svg or .pdf file.")
@click.option("--overwrite", is_flag=True, help="Overwrite the output if it exists.")
@click.option("--flow", help="For pictures of one flow.")
@click.option("--post", help="For pictures of one post.")
@click.option("--direction", type=click.Choice(["exit", "entry"]))
@click.option("--dpi", type=click.IntRange(20, 1200), default=150, show_default=True)
@_run_settings
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
    from corridor_sim.plots import PLOTS

    if output.suffix.lower() not in PICTURES:
        raise click.UsageError(f"--output must end in {', '.join(PICTURES)}, got {output.name!r}")
    if kind not in PLOTS:
        raise click.UsageError(f"--kind: {PLOTS.problem(kind)}")
    given = {"flow": flow, "post": post, "direction": direction}
    options = {name: value for name, value in given.items() if value is not None}
    for name in options:
        if name not in inspect.signature(PLOTS[kind]).parameters:
            raise click.UsageError(f"--{name} has no meaning for the picture {kind!r}")
    _writable(overwrite, output)
    scenarios = _scenarios(files, settings)
    if PLOTS.example(kind).get("of") == "scenario":
        data: Any = scenarios[-1]
    else:
        data = _compare(scenarios, settings) if len(scenarios) > 1 else _run(scenarios[0], settings)
    try:
        axes = PLOTS[kind](data, **options)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    _deliver(_picture(axes, output.suffix.lower()[1:], dpi), output, overwrite)


@main.command()
@click.argument("base")
@click.argument("others", metavar="[OTHER...]", nargs=-1)
@_run_settings
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
    from corridor_sim.report import to_html

    if output.suffix.lower() not in (".html", ".htm"):
        raise click.UsageError(f"--output must end in .html, got {output.name!r}")
    _writable(overwrite, output)
    scenarios = _scenarios((base, *others), settings)
    data = _compare(scenarios, settings) if others else _run(scenarios[0], settings)
    _deliver(to_html(data, title=title, question=question), output, overwrite)
    _after(data.runs if others else [data], settings, shown=False)


# ---------------------------------------------------------------- before and after a run


def _scenarios(files: Sequence[str], settings: Mapping[str, Any]) -> list[Scenario]:
    """All scenarios, checked before anything runs; ScenarioError with every error of every file."""
    from corridor_sim import scenario_files

    overrides = dict(settings["settings"])
    if settings["horizon_days"] is not None:
        overrides |= {"run.horizon_h": None, "run.horizon_days": settings["horizon_days"]}
    scenarios, problems = [], []
    for file in files:
        scenario, told = scenario_files.examine(file, overrides)
        problems += told
        if scenario is not None:
            scenarios.append(scenario)
    errors = [problem for problem in problems if problem.severity == "error"]
    doubts = [problem for problem in problems if problem.severity == "warning"]
    if doubts and not settings["quiet"]:
        click.echo("\n".join(str(doubt) for doubt in doubts), err=True)
    if errors:
        raise ScenarioError(errors)
    if doubts and settings["strict"]:
        raise ScenarioError([Problem(f"{len(doubts)} warnings, taken for errors")])
    return scenarios


def _run(scenario: Scenario, settings: Mapping[str, Any], **more: Any) -> Results:
    from corridor_sim import study

    with _told(settings["quiet"]) as progress:
        return study.run(
            scenario,
            replications=settings["replications"],
            rng=settings["seed"],
            engine=settings["engine"],
            workers=settings["workers"],
            progress=progress,
            **more,
        )


def _compare(scenarios: Sequence[Scenario], settings: Mapping[str, Any]) -> Any:
    from corridor_sim import study

    with _told(settings["quiet"]) as progress:
        return study.compare(
            *scenarios,
            replications=settings["replications"],
            rng=settings["seed"],
            engine=settings["engine"],
            workers=settings["workers"],
            progress=progress,
        )


@contextlib.contextmanager
def _told(quiet: bool) -> Iterator[bool]:
    """Whether to show progress; doubts of a run are printed afterwards, not warned of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CorridorWarning)
        yield not quiet and sys.stderr.isatty()


@contextlib.contextmanager
def _bar(quiet: bool, unit: str) -> Iterator[Callable[[str, int, int], None] | None]:
    """A function that shows what is done now, and how many of all are; None where nobody looks."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    with tqdm(unit=unit, file=sys.stderr, leave=False) as bar:

        def tell(name: str, done: int, total: int) -> None:
            bar.total = total
            bar.set_postfix_str(name, refresh=False)
            bar.update(done - bar.n)

        yield tell


def _after(runs: Sequence[Results], settings: Mapping[str, Any], *, shown: bool) -> None:
    """Tell the doubts of runs, unless what was printed says them; with --strict end with 1 for them."""
    doubts = [(run.name, doubt) for run in runs for doubt in run.warnings]
    if doubts and not shown and not settings["quiet"]:
        click.echo("\n".join(f"{name}: warning: {doubt}" for name, doubt in doubts), err=True)
    if doubts and settings["strict"]:
        click.echo(f"corridor-sim: {len(doubts)} warnings, taken for errors", err=True)
        sys.exit(FAILED)


def _known_indicators(names: tuple[str, ...]) -> tuple[str, ...] | None:
    """The indicators named, all known; None for all."""
    if not names:
        return None
    from corridor_sim.errors import nearest
    from corridor_sim.indicators import INDICATORS

    for name in names:
        if name not in INDICATORS:
            hint = nearest(name, INDICATORS)
            text = f"no indicator {name!r}" + (f"; {hint}" if hint else "; `corridor-sim kinds indicators` lists them")
            raise click.UsageError(text)
    return names


# ---------------------------------------------------------------- output


def _writable(overwrite: bool, *paths: Path | None) -> None:
    """Refuse what could not be written, before anything is simulated."""
    from corridor_sim.files.writing import refuse_existing

    for path in paths:
        if path is not None:
            refuse_existing(path, overwrite=overwrite)


def _deliver(content: str | bytes, output: Path | None, overwrite: bool) -> None:
    if output is None:
        click.echo(content, nl=False)
        return
    from corridor_sim.files.writing import write

    write(content, output, overwrite=overwrite)
    click.echo(f"wrote {output}", err=True)


def _runs_as(form: str, runs: Sequence[Results], kinds: tuple[str, ...] | None, per_replication: bool) -> str:
    from corridor_sim import tables

    if form == "table":
        parts = []
        for run in runs:
            text = run.describe().rstrip("\n") + "\n"
            if kinds:
                text += "\n" + _frame_as_text(run.summary(kinds), ["mean", "low", "high", "n", "note"])
            parts.append(text)
        return "\n".join(parts)
    frames = [run.to_frame(kinds) if per_replication else run.summary(kinds) for run in runs]
    if form == "csv":
        import pandas as pd

        for run, frame in zip(runs, frames, strict=True):
            if "scenario" not in frame:
                frame.insert(0, "scenario", run.name)
        return tables.to_csv(pd.concat(frames, ignore_index=True))
    rows = [{**run.about(), "rows": tables.records(frame)} for run, frame in zip(runs, frames, strict=True)]
    return tables.to_json({"runs": rows})


def _frame_as_text(frame: Any, columns: Sequence[str]) -> str:
    """A summary or comparison for the terminal: what each row is about in one cell, then `columns`."""
    from corridor_sim import tables

    where = [c for c in ("place", "direction", "cargo_class", "of") if c in frame]
    about = [
        " ".join([f"{row['indicator']} [{row['unit']}]", *(str(row[c]) for c in where if row[c])])
        for row in frame.to_dict("records")
    ]
    rows = [[text, *values] for text, values in zip(about, frame[list(columns)].to_numpy().tolist(), strict=True)]
    kept = [k for k, name in enumerate(["", *columns]) if name != "note" or any(row[k] for row in rows)]
    head = [["", *columns][k] for k in kept]
    text = tables.to_text(head, [[row[k] for k in kept] for row in rows])
    return text + f"{frame.attrs.get('interval', '')}\n"


def _reports_as(form: str, reports: Sequence[Any], verbose: bool) -> str:
    """Reports of `verify`: texts one after another, one CSV table, or one JSON list (an object for one file)."""
    if form == "csv":
        texts = [report.to_csv() for report in reports]
        return "".join([texts[0], *(text.partition("\n")[2] for text in texts[1:])])
    if form == "json":
        texts = [report.to_json() for report in reports]
        return texts[0] + "\n" if len(texts) == 1 else "[" + ",\n".join(texts) + "]\n"
    return "\n".join(report.to_text(verbose) for report in reports)


def _picture(axes: Any, form: str, dpi: int) -> bytes:
    """The figure of `axes` as bytes; the same figure gives the same bytes."""
    import matplotlib as mpl

    figure = axes.figure
    buffer = io.BytesIO()
    metadata: dict[str, Any] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}[form]
    with mpl.rc_context({"svg.hashsalt": "corridor_sim"}):
        figure.savefig(buffer, format=form, dpi=dpi, metadata=metadata)
    return buffer.getvalue()


def _problem_row(file: str, problem: Problem) -> dict[str, Any]:
    names = ("severity", "file", "line", "path", "value", "message", "allowed", "hint")
    return {"checked": file, **{name: getattr(problem, name) for name in names}}


def _counted(errors: int, doubts: int, files: int) -> str:
    def several(count: int, word: str) -> str:
        return f"{count} {word}" if count == 1 else f"{count or 'no'} {word}s"

    return f"{several(errors, 'error')}, {several(doubts, 'warning')} in {several(files, 'file')}"


def _kinds() -> dict[str, Callable[[], list[tuple[str, str]]]]:
    """What `kinds` lists: name of the list, and what reads it."""

    def registered(module: str, name: str) -> Callable[[], list[tuple[str, str]]]:
        def read() -> list[tuple[str, str]]:
            import importlib

            registry = getattr(importlib.import_module(f"corridor_sim.{module}"), name)
            return [(kind, _first_line(made)) for kind, made in registry.items()]

        return read

    def packaged(name: str) -> Callable[[], list[tuple[str, str]]]:
        def read() -> list[tuple[str, str]]:
            from corridor_sim.files import packaged as files

            return [
                (kind, str(tomllib.loads(path.read_text(encoding="utf-8")).get("about", "")))
                for kind, path in getattr(files, name)().items()
            ]

        return read

    return {
        "laws": registered("model.service_times", "SERVICE_TIMES"),
        "arrivals": registered("model.arrivals", "ARRIVALS"),
        "legs": registered("model.legs", "LEGS"),
        "improvements": registered("model.improvements", "IMPROVEMENTS"),
        "indicators": registered("indicators", "INDICATORS"),
        "plots": registered("plots", "PLOTS"),
        "scenarios": packaged("scenario_files"),
        "corridors": packaged("corridor_files"),
    }


def _first_line(thing: Any) -> str:
    return (inspect.getdoc(thing) or "").partition("\n")[0]


if __name__ == "__main__":
    main(prog_name="corridor-sim")
