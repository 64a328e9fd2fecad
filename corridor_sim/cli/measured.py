"""Commands that read measured data. To add one, add a function here."""

from __future__ import annotations

import datetime as dt
import warnings
from pathlib import Path
from typing import Any

import click

from corridor_sim.cli.commands import main
from corridor_sim.cli.formats import csv_of, is_toml
from corridor_sim.cli.options import (
    MAX_WORKERS,
    csv_options,
    format_option,
    output_options,
    picture_option,
    quiet_option,
)
from corridor_sim.cli.output import deliver, refuse_unwritable
from corridor_sim.cli.pictures import drawn, kind_of
from corridor_sim.core.errors import CorridorWarning


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--column", help="Header of the times; not needed where the file has one column.")
@click.option("--law", "laws", multiple=True, help="Only this law; repeatable. All that can be fitted if not given.")
@click.option("--censored", help="Header of a column that says which times were still going on (1, true, yes).")
@click.option("--upper", help="Header of upper bounds, where times are known between two; inf is still going on.")
@click.option("--unit", type=click.Choice(["h", "min", "s"]), default="h", show_default=True, help="Of the times.")
@click.option("--location", type=float, default=0.0, show_default=True, help="Least time that is possible. [unit]")
@click.option("--rounded-to", type=float, help="Step to which times were rounded. [unit]")
@csv_options
@click.option("--sheet", help="Of a workbook; not needed where it has one.")
@click.option("--source", default="", help="Source of the times, for the text that a scenario takes.")
@format_option
@picture_option
@output_options
def fit(
    file: Path,
    column: str | None,
    laws: tuple[str, ...],
    censored: str | None,
    upper: str | None,
    unit: str,
    location: float,
    rounded_to: float | None,
    delimiter: str,
    decimal: str,
    sheet: str | None,
    source: str,
    form: str,
    pictures: tuple[Path, ...],
    output: Path | None,
    overwrite: bool,
) -> None:
    """Fit laws to the measured times of a CSV file or a workbook (.xlsx, .ods).

    The nearest by AIC is first, and is printed as a table of a scenario file takes it.
    """
    from corridor_sim.report import tables
    from corridor_sim.study.law_fits import fit_law

    drawings = {path: kind_of(path, "fit") for path in pictures}
    refuse_unwritable(overwrite, output, *pictures)
    fits = fit_law(
        file,
        laws or None,
        column=column,
        censored=censored,
        upper=upper,
        unit=unit,
        location=location,
        rounded_to=rounded_to,
        delimiter="\t" if delimiter == "\\t" else delimiter,
        decimal=decimal,
        sheet=sheet,
    )
    frame, text = fits.table(), fits.to_toml(source=source)
    if is_toml(output):
        told = text
    elif form == "csv":
        told = csv_of(frame)
    elif form == "json":
        body = {"about": fits.about, "left_out": dict(fits.left_out), "toml": text}
        told = tables.to_json({**body, "laws": tables.records(frame)})
    else:
        rows = [
            [row.law, f"{row.above_best:.1f}", f"{row.weight:.2f}", f"{row.distance:.3f}", row.parameters]
            for row in frame.itertuples()
        ]
        heads = ["law", "AIC above the best", "weight", "distance", "parameters (95 %)"]
        left = "".join(f"{kind}: {why}\n" for kind, why in fits.left_out.items())
        told = f"{fits.about}\n\n{tables.to_text(heads, rows, 100)}{left}\n{text}"
    for path, kind in drawings.items():
        deliver(drawn(kind, fits, path, {}), path, overwrite)
    deliver(told, output, overwrite)


@main.command()
@click.argument("counts")
@click.option("--time", default="time_utc", show_default=True, help="Header of the times of the counts.")
@click.option("--count", default="vehicles", show_default=True, help="Header of the counts.")
@csv_options
@click.option(
    "--origin",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]),
    help="Predict from here (UTC); nothing later is looked at. The last count if not given.",
)
@click.option("--days", type=click.FloatRange(0.1, 7.0), default=7.0, show_default=True, help="How far ahead.")
@click.option("--scores", is_flag=True, help="Predict from many origins instead, and hold it against what came.")
@click.option(
    "--every-hours",
    type=click.FloatRange(min=1.0),
    default=24.0,
    show_default=True,
    help="Between origins of --scores.",
)
@click.option("--draws", type=click.IntRange(2, 10_000), default=64, show_default=True, help="Weeks that may come.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the weeks and of the streams.")
@click.option("--workers", type=click.IntRange(1, MAX_WORKERS), help="Processes; all cores if not given.")
@quiet_option
@format_option
@picture_option
@output_options
def predict(
    counts: str,
    time: str,
    count: str,
    delimiter: str,
    decimal: str,
    origin: dt.datetime | None,
    days: float,
    scores: bool,
    every_hours: float,
    draws: int,
    seed: int | None,
    workers: int | None,
    quiet: bool,
    form: str,
    pictures: tuple[Path, ...],
    output: Path | None,
    overwrite: bool,
) -> None:
    """Predict the queue at Chop (Tysa) from its counts.

    COUNTS is a CSV file, or chop_zahony_2025 for the counts that come with the package. With --scores the
    simulated prediction stands beside "last value" and "hour-of-week mean".
    """
    from corridor_sim.records.queue_counts import queue_counts
    from corridor_sim.report import tables
    from corridor_sim.study.queue_prediction import predict_queue, rolling_scores

    drawings = {path: kind_of(path, "predict") for path in pictures}
    if scores and (pictures or origin is not None):
        raise click.UsageError("--scores goes over many origins: leave out --origin and --picture")
    refuse_unwritable(overwrite, output, *pictures)
    held = queue_counts(
        counts, time=time, count=count, delimiter="\t" if delimiter == "\\t" else delimiter, decimal=decimal
    )
    settings: dict[str, Any] = {"draws": draws, "rng": seed, "workers": workers, "progress": not quiet}
    if scores:
        frame = rolling_scores(held, every_h=every_hours, **settings).table()
    else:
        made = predict_queue(held, origin, horizon_h=24.0 * days, **settings)
        frame = made.table()
        for path, kind in drawings.items():
            deliver(drawn(kind, made, path, {"counts": held}), path, overwrite)
    if form == "csv":
        told = csv_of(frame)
    elif form == "json":
        told = tables.to_json({"about": repr(held), "rows": tables.records(frame)})
    else:
        rows = [[_cell(value, 2 if scores else 0) for value in row] for row in frame.itertuples(index=False)]
        told = tables.to_text([str(name).replace("_", " ") for name in frame], rows, 140)
    deliver(told, output, overwrite)


@main.command()
@click.argument("file")
@click.option(
    "--free",
    multiple=True,
    required=True,
    metavar="PATH[=LOW:HIGH]",
    help="A figure to find, in its own range or between LOW and HIGH; repeatable.",
)
@click.option("--observations", required=True, help='A TOML file of observations, or "packaged".')
@click.option("--draws", type=click.IntRange(2, 65536), default=32, show_default=True, help="Points of a wave.")
@click.option("--waves", type=click.IntRange(1, 10), default=2, show_default=True)
@click.option(
    "--replications", "-n", type=click.IntRange(2, 10_000), default=4, show_default=True, help="Of each point."
)
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the points and of the streams.")
@click.option("--workers", type=click.IntRange(1, MAX_WORKERS), help="Processes; all cores if not given.")
@quiet_option
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
@output_options
def calibrate(
    file: str,
    free: tuple[str, ...],
    observations: str,
    draws: int,
    waves: int,
    replications: int,
    seed: int | None,
    workers: int | None,
    quiet: bool,
    form: str,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Find values of figures with which a scenario gives what was observed.

    With intervals, and a check by the observations that are marked use = "validation".
    """
    from corridor_sim.report import tables
    from corridor_sim.study import calibration

    ends = [_ends(one) for one in free]
    if len({between is None for _, between in ends}) > 1:
        raise click.UsageError("--free: give LOW:HIGH for all figures or for none")
    named: Any = [path for path, _ in ends] if ends[0][1] is None else dict(ends)
    refuse_unwritable(overwrite, output)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CorridorWarning)
        made = calibration.calibrate(
            file,
            named,
            observations,
            draws=draws,
            waves=waves,
            replications=replications,
            rng=seed,
            workers=workers,
            progress=not quiet,
        )
    figures, checks = made.table(), made.checks()
    if is_toml(output):
        told = made.to_toml()
    elif form == "json":
        body = {"runs": made.found.runs, "warnings": list(made.warnings), "toml": made.to_toml()}
        told = tables.to_json({**body, "figures": tables.records(figures), "observations": tables.records(checks)})
    else:
        parts = []
        for frame in (figures, checks):
            rows = [
                [str(value) if isinstance(value, (str, bool)) else f"{value:.4g}" for value in row]
                for row in frame.itertuples(index=False)
            ]
            parts.append(tables.to_text([str(name).replace("_", " ") for name in frame], rows, 140))
        told = "\n".join([*parts, made.to_toml()])
    deliver(told, output, overwrite)
    for doubt in made.warnings:
        click.echo(f"warning: {doubt}", err=True)


@main.command()
@click.argument("file", required=False)
@click.option(
    "--observations",
    default="packaged",
    show_default=True,
    help='A TOML file of observations, or "packaged" for those of the packaged corridor with scenarios of their own.',
)
@click.option(
    "--draws",
    type=click.IntRange(2, 65536),
    default=64,
    show_default=True,
    help="Of every figure that has a range; a power of two.",
)
@click.option(
    "--replications", "-n", type=click.IntRange(1, 10_000), default=1, show_default=True, help="Of each draw."
)
@click.option("--prior", type=click.Choice(["uniform", "triangular"]), default="uniform", show_default=True)
@click.option(
    "--confidence",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.9,
    show_default=True,
    help="Of the intervals.",
)
@click.option(
    "--discrepancy", is_flag=True, help="Intervals hold what observations say that the model may be off, too."
)
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the points and of the streams.")
@click.option("--workers", type=click.IntRange(1, MAX_WORKERS), help="Processes; all cores if not given.")
@quiet_option
@format_option
@output_options
def validate(
    file: str | None,
    observations: str,
    seed: int | None,
    quiet: bool,
    form: str,
    output: Path | None,
    overwrite: bool,
    **settings: Any,
) -> None:
    """Hold the model against observations that it was not made from.

    Each observation marked use = "validation" gets a prediction interval; their coverage and scores stand beside the
    forecast "last value", misses first with their causes. FILE is the scenario that answers observations which name
    none of their own.
    """
    from corridor_sim.report import tables
    from corridor_sim.study.validation import validate as validated

    refuse_unwritable(overwrite, output)
    made = validated(file, observations, rng=seed, progress=not quiet, **settings)
    if form == "csv":
        told = csv_of(made.table())
    elif form == "json":
        unanswered = [{"observation": name, "why": why} for name, why in made.unanswered]
        told = tables.to_json({**made.about(), "rows": tables.records(made.table()), "unanswered": unanswered})
    else:
        told = made.describe()
    deliver(told, output, overwrite)


def _ends(text: str) -> tuple[str, tuple[float, float] | None]:
    """Path and ends of ``path=low:high``, or path and None."""
    path, equals, ends = text.partition("=")
    if not equals:
        return path.strip(), None
    low, colon, high = ends.partition(":")
    try:
        return path.strip(), (float(low), float(high if colon else "none"))
    except ValueError:
        raise click.UsageError(f"--free: {text!r} is not PATH=LOW:HIGH, e.g. flows.flour.per_day=80:140") from None


def _cell(value: Any, digits: int) -> str:
    """A text, a whole number, a number with some digits, or a date and time to the minute."""
    if isinstance(value, (str, int)):
        return str(value)
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, dt.datetime) else f"{value:.{digits}f}"
