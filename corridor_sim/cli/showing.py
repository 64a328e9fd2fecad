"""Commands that draw a picture and write a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from corridor_sim.cli import completion
from corridor_sim.cli.commands import main
from corridor_sim.cli.options import (
    files_argument,
    input_options,
    run_options,
)
from corridor_sim.cli.output import (
    deliver,
    refuse_unwritable,
)
from corridor_sim.cli.pictures import (
    DPI,
    drawn,
    needs_a_run,
    of_uncertainty,
    refuse_of_others,
    require_picture,
)
from corridor_sim.cli.running import (
    compare_all,
    print_warnings,
    read_scenarios,
    refuse_without_inputs,
    run_one,
    uncertain_all,
)


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
@click.option("--other", type=click.IntRange(min=1), help="For a map of differences: which scenario, from 1 on.")
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
    other: int | None,
    dpi: int,
    **settings: Any,
) -> None:
    """Draw a picture of one scenario or of several."""
    given = {"flow": flow, "post": post, "direction": direction, "other": other}
    options = {name: value for name, value in given.items() if value is not None}
    require_picture(output, kind, options)
    refuse_of_others(kind)
    if of_uncertainty(kind):
        raise click.UsageError(f"the picture {kind} needs draws of the inputs: compare --inputs N --picture {kind}.png")
    if other is not None and other >= len(files):
        raise click.UsageError(f"--other {other} is the number of a scenario after the first; {len(files)} given")
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
