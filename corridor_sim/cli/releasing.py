"""Commands about time release studies: what one says, and a scenario that is fitted to it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from corridor_sim.cli.commands import main
from corridor_sim.cli.options import format_option, output_options, run_options
from corridor_sim.cli.output import STANDARD_OUTPUT, deliver, refuse_unwritable
from corridor_sim.cli.running import read_scenarios, run_one


@main.command("release-times")
@click.argument("study", type=click.Path(path_type=Path))
@click.argument("scenario", required=False)
@click.option(
    "--by",
    type=click.Choice(["event", "channel", "agency", "hour", "weekday"]),
    multiple=True,
    help="With --format csv or json: only these rows; repeatable.",
)
@click.option(
    "--confidence",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Of the intervals.",
)
@run_options
@format_option
@output_options
def release_times(
    study: Path,
    scenario: str | None,
    by: tuple[str, ...],
    confidence: float,
    form: str,
    output: Path | None,
    overwrite: bool,
    **settings: Any,
) -> None:
    """Indicators of a time release study, and of SCENARIO beside them.

    STUDY is a TOML file that says what the columns of the study's table mean (docs/time-release.md has one).
    Every fault of the table is listed with its line. SCENARIO is a file or the name of a packaged scenario.
    """
    from corridor_sim.records.study_rows import read_release_study
    from corridor_sim.report import tables
    from corridor_sim.study.release_times import release_times as found_times

    if by and form == "table":
        raise click.UsageError("--by needs --format csv or json")
    refuse_unwritable(overwrite, output)
    read = read_release_study(study)
    results = None
    if scenario is not None:
        (planned,) = read_scenarios((scenario,), settings)
        results = run_one(planned, settings, records=True)
    found = found_times(read, results, confidence=confidence)
    if form == "table":
        told = found.describe()
    elif form == "csv":
        told = tables.to_csv(found.table(list(by) or None))
    else:
        frame = found.table(list(by) or None)
        body = {"study": found.name, "scenario": found.against, "interval": frame.attrs["interval"]}
        told = tables.to_json({**body, "notes": list(found.notes), "rows": tables.records(frame)})
    deliver(told, output, overwrite)


@main.command("fit-study")
@click.argument("study", type=click.Path(path_type=Path))
@click.argument("scenario")
@click.option(
    "--law", "laws", multiple=True, metavar="STAGE=KIND", help="Take this kind of law at a stage; repeatable."
)
@click.option(
    "--confidence",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Of the ranges.",
)
@click.option("--name", help="Of the scenario that is written; by default the name of its file.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write the fitted scenario to this file (TOML).")
@click.option("--overwrite", is_flag=True, help="Overwrite the output if it exists.")
def fit_study(
    study: Path,
    scenario: str,
    laws: tuple[str, ...],
    confidence: float,
    name: str | None,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Fit figures of SCENARIO to a time release study.

    Service laws, shares of channels, volume and hours, with ranges from the sample; what the study cannot say is named.
    With -o a file that extends SCENARIO is written.
    """
    from corridor_sim.files.packaged import is_called
    from corridor_sim.study.release_fits import fit_release_study

    wanted = dict(_law(one) for one in laws)
    refuse_unwritable(overwrite, output)
    fit = fit_release_study(study, scenario, laws=wanted or None, confidence=confidence)
    to_file = output is not None
    click.echo(fit.describe(), nl=False, err=output == STANDARD_OUTPUT)
    if not to_file or output is None:
        return
    packaged = is_called(scenario)
    folder = Path() if output == STANDARD_OUTPUT else output.parent
    extends = scenario if packaged else Path(os.path.relpath(scenario, folder or Path())).as_posix()
    own = name or ("" if output == STANDARD_OUTPUT else output.stem)
    deliver(fit.to_toml(own, extends), output, overwrite)


def _law(text: str) -> tuple[str, str]:
    stage, equals, kind = text.partition("=")
    if not equals:
        raise click.UsageError(f"--law: {text!r} is not STAGE=KIND, e.g. inspection=gamma")
    return stage.strip(), kind.strip()
