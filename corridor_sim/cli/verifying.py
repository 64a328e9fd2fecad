"""The command that checks engines and formulas against given answers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from corridor_sim.cli.commands import main
from corridor_sim.cli.options import (
    format_option,
    output_options,
    quiet_option,
)
from corridor_sim.cli.output import (
    deliver,
    refuse_unwritable,
    reports_as,
)
from corridor_sim.cli.running import (
    progress_bar,
)
from corridor_sim.core.errors import ScenarioError


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
