"""Commands that read files and run nothing: errors, figures, differences, what can be named, schemas."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from corridor_sim.cli import completion
from corridor_sim.cli.commands import main
from corridor_sim.cli.formats import csv_of
from corridor_sim.cli.group import BAD_INPUT
from corridor_sim.cli.kinds import all_kinds
from corridor_sim.cli.options import (
    files_argument,
    format_option,
    ids_option,
    output_options,
    set_option,
    strict_option,
)
from corridor_sim.cli.output import (
    counted,
    deliver,
    figures_as,
    problem_row,
    refuse_unwritable,
)
from corridor_sim.core import cycle_search


@main.command()
@files_argument
@set_option
@strict_option
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
@cycle_search.put_off()
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
@click.argument("what", required=False, shell_complete=completion.kinds)
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
@cycle_search.put_off()
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
@click.option("--observations", is_flag=True, help="Of files of observations, which judge draws or the model.")
@click.option("--validation", is_flag=True, help="Of validation.toml of the packaged corridor.")
@click.option("--paths", is_flag=True, help="Of paths.toml of the packaged corridor.")
@output_options
def schema(output: Path | None, overwrite: bool, **kinds: bool) -> None:
    """Print the JSON Schema of scenario files, for editors and checks."""
    from corridor_sim.files import design_files, scenario_files, table_schemas
    from corridor_sim.files.schema import corridor_schema, upgrades_schema
    from corridor_sim.report import tables

    made: dict[str, Callable[[], dict[str, Any]]] = {
        "overlay": lambda: scenario_files.schema(overlay=True),
        "design": design_files.schema,
        "corridor": corridor_schema,
        "upgrades": upgrades_schema,
        "observations": table_schemas.observations_schema,
        "validation": table_schemas.observed_schema,
        "paths": table_schemas.paths_schema,
    }
    given = [name for name in made if kinds[name]]
    if len(given) > 1:
        told = " and ".join(f"--{name}" for name in given)
        raise click.UsageError(f"{told} exclude each other: each is of another kind of file")
    refuse_unwritable(overwrite, output)
    of = made[given[0]]() if given else scenario_files.schema()
    deliver(tables.to_json(of), output, overwrite)
