"""Which format an output has: by ``--format``, by the ending of the file, and never by two that disagree.

To add a format that commands print, add it to the choices of `format_option` and its ending here. Formats
of ``export`` are in `exporting.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    import pandas as pd

ENDINGS = {".csv": "csv", ".json": "json", ".xlsx": "xlsx"}
"""Formats of the endings that name one."""
TEXT = ("", ".txt", ".text", ".md", ".log", ".out")
"""Endings of files that may hold any of the formats that are text."""
BY_EXPORT = "corridor-sim export writes it"
EXPORTED = ("run", "compare")
"""Commands whose runs ``export`` writes: not those of points, draws or pairs of their own."""
ELSEWHERE = {
    **dict.fromkeys((".nc", ".parquet", ".arrows", ".gpkg", ".geojson", ".xes"), BY_EXPORT),
    **dict.fromkeys((".html", ".htm"), "corridor-sim report writes it"),
    **dict.fromkeys((".png", ".svg", ".pdf"), "--picture and corridor-sim plot write it"),
    ".xls": "write .xlsx",
    ".ods": "write .xlsx",
}
"""Endings of what no `--format` writes."""
OWN = {"schema": (".json",), "equilibrium": (".toml",), "fit-study": (".toml",)}
"""Commands without `--format`, and the endings of what they write."""
FOUND = ("fit", "calibrate")
"""Commands that write what they found alone, as a scenario file has it, where their file ends in .toml."""
BINARY = ("xlsx",)
TABLES = ("records", "annex", "draws_table")
"""Options that write a CSV file besides."""
DECIMAL_COMMA = "corridor_sim.decimal_comma"


def settle(ctx: click.Context) -> None:
    """Set the format of a command by the ending of its file where none is given; a usage error where they disagree."""
    output = ctx.params.get("output")
    ending = output.suffix.lower() if isinstance(output, Path) and output != Path("-") else ""
    own = OWN.get(str(ctx.command.name))
    if own is not None and ending not in (*own, *TEXT):
        raise click.UsageError(f"-o {output}: {ctx.command.name} writes {own[0]}, no {ending} file", ctx)
    option = _format_option(ctx)
    if option is None or own is not None or ctx.command.name == "export":  # which has formats and endings of its own
        return
    choices, form = list(option.type.choices), ctx.params["form"]  # type: ignore[attr-defined]
    is_given = ctx.get_parameter_source("form") != ParameterSource.DEFAULT
    if ending == ".toml" and ctx.command.name in FOUND:
        if is_given:
            text = f"-o {output} says toml, --format says {form}: leave --format out, or name another file"
            raise click.UsageError(text, ctx)
        return
    if ending in ELSEWHERE:
        text = f"-o {output}: this command does not write {ending} ({', '.join(choices)})"
        if ELSEWHERE[ending] != BY_EXPORT or ctx.command.name in EXPORTED:
            text += f"; {ELSEWHERE[ending]}"
        raise click.UsageError(text, ctx)
    of_ending = ENDINGS.get(ending)
    if of_ending is None and ending not in TEXT:
        known = [name for name, one in ENDINGS.items() if one in choices]
        text = f"-o {output}: no format of {ctx.command.name} ends in {ending}; it writes {', '.join((*known, '.txt'))}"
        raise click.UsageError(text, ctx)
    if of_ending is not None and of_ending not in choices:
        text = f"-o {output}: this command does not write {of_ending} (formats: {', '.join(choices)})"
        raise click.UsageError(text, ctx)
    if of_ending is not None and not is_given:
        form = ctx.params["form"] = of_ending
    if of_ending is not None and form != of_ending:
        text = f"-o {output} says {of_ending}, --format says {form}: leave --format out, or name another file"
        raise click.UsageError(text, ctx)
    if form in BINARY and of_ending != form:
        told = "no file" if output is None or output == Path("-") else str(output)
        raise click.UsageError(f"--format {form} needs -o FILE.{form}, got {told}", ctx)
    if ctx.meta.get(DECIMAL_COMMA) and form != "csv" and not any(ctx.params.get(name) for name in TABLES):
        raise click.UsageError("--decimal-comma is of CSV: give --format csv, or -o FILE.csv", ctx)


def is_toml(output: Path | None) -> bool:
    """Whether a file takes what was found alone, not the tables beside it."""
    return output is not None and output.suffix.lower() == ".toml"


def _format_option(ctx: click.Context) -> click.Parameter | None:
    """The option of a command that says its format, if it is settled here."""
    if "output" not in ctx.params or ctx.params.get("form") is None:
        return None
    return next((one for one in ctx.command.params if one.name == "form" and isinstance(one.type, click.Choice)), None)


def csv_of(frame: pd.DataFrame) -> str:
    """A frame as CSV, with the decimal sign that the command was asked for."""
    from corridor_sim.report import tables

    return tables.to_csv(frame, decimal_comma=asked_for_comma())


def asked_for_comma() -> bool:
    """Whether ``--decimal-comma`` was given to the command that runs."""
    ctx = click.get_current_context(silent=True)
    return ctx is not None and bool(ctx.meta.get(DECIMAL_COMMA))


def remember_comma(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Callback of ``--decimal-comma``: every table of the command is written so."""
    del param
    ctx.meta[DECIMAL_COMMA] = bool(value)
    return value
