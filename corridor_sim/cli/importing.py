"""``corridor-sim import``: flows, rosters and costs from tables into a scenario file."""

from __future__ import annotations

from pathlib import Path

import click

from corridor_sim.cli.commands import main
from corridor_sim.cli.group import folded
from corridor_sim.cli.output import deliver, refuse_unwritable


@main.command("import")
@click.argument("files", metavar="TABLE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--base", required=True, help="The scenario that the tables are laid over: a file or a packaged name.")
@click.option("--table", default="", help="Which table a CSV file is (flows, rosters, costs), if its name is another.")
@click.option("--delimiter", help="Between the cells of CSV files; if not given it must be plain from the file.")
@click.option("--decimal", type=click.Choice([".", ","]), help="Before decimals in CSV files; the same.")
@click.option("--name", help="Of the scenario; the name of the output if not given.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="A .toml file; - is standard output.")
@click.option("--overwrite", is_flag=True, help="Overwrite the output if it exists.")
def import_(
    files: tuple[Path, ...],
    base: str,
    table: str,
    delimiter: str | None,
    decimal: str | None,
    name: str | None,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Lay flows, rosters and costs of tables over a scenario.

    TABLE is a workbook (.xlsx, .ods) with sheets flows, rosters, costs, or a CSV file of such a name. What comes is a
    scenario file that extends the base. Every cell that is wrong is named. Columns source, status and note are of the
    values of a row; per_day.low, per_day.high, per_day.range_reason, per_day.source and such are of one. A new value
    without a source is assumed, and is told.
    """
    from corridor_sim.files.input_tables import laid_over, overlay_of, read_tables
    from corridor_sim.files.packaged import is_called
    from corridor_sim.files.scenario_files import load_scenario

    if output is not None and output != Path("-") and output.suffix.lower() != ".toml":
        raise click.UsageError(f"-o {output}: import writes .toml")
    refuse_unwritable(overwrite, output)
    sign = "\t" if delimiter == "\\t" else delimiter
    tables = read_tables(*files, table=table, delimiter=sign, decimal=decimal)
    laid_over(load_scenario(base), tables)
    is_packaged = is_called(base)
    folder = Path.cwd() if output is None or output == Path("-") else output.resolve().parent
    if not is_packaged and not Path(base).resolve().is_relative_to(folder):
        raise click.UsageError(f"a scenario extends files of its own folder: write to {Path(base).resolve().parent}")
    extends = base if is_packaged else Path(base).resolve().relative_to(folder).as_posix()
    stem = output.stem if output is not None and output != Path("-") else files[0].stem
    deliver(overlay_of(tables, extends, name or stem), output, overwrite)
    for told in tables.warnings:
        click.echo(folded(f"corridor-sim: warning: {told}"), err=True)
