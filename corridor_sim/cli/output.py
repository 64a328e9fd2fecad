"""What commands hand over: texts, tables and pictures, to the terminal or to a file."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corridor_sim.cli.formats import asked_for_comma, csv_of
from corridor_sim.core.errors import CorridorError, Problem

if TYPE_CHECKING:
    import pandas as pd

    from corridor_sim.model.designs import Design
    from corridor_sim.model.scenario import Scenario
    from corridor_sim.results.results import Results
    from corridor_sim.study.sweeps import Sweep


STANDARD_OUTPUT = Path("-")
"""What stands for standard output where a file is asked for."""


def refuse_unwritable(overwrite: bool, *paths: Path | None) -> None:
    """Refuse what could not be written, before anything is simulated."""
    from corridor_sim.files.writing import refuse_existing

    for path in paths:
        if path is not None and path != STANDARD_OUTPUT:
            refuse_existing(path, overwrite=overwrite)


def deliver(content: str | bytes, output: Path | None, overwrite: bool) -> None:
    """Print (also for ``-``), or write to `output`."""
    if output is None or output == STANDARD_OUTPUT:
        click.echo(content, nl=False)
        return
    from corridor_sim.files.writing import write

    write(content, output, overwrite=overwrite)
    click.echo(f"wrote {output}", err=True)


def workbook_of(source: Any, more: Mapping[str, pd.DataFrame] | None = None) -> bytes:
    """A result as an Excel workbook with every table of it, and `more` by name of the sheet."""
    from corridor_sim.exchange.workbooks import workbook_bytes

    return workbook_bytes(source, more)


def runs_as(
    form: str, runs: Sequence[Results], rows: tuple[str, ...] | None, per_replication: bool, ids: bool = False
) -> str:
    """Results of runs as text: in words, as one CSV table or as JSON; `rows` names the rows to show."""
    from corridor_sim.report import tables
    from corridor_sim.results.called import Called

    if form == "table":
        parts = []
        for run in runs:
            text = run.describe(ids=ids).rstrip("\n") + "\n"
            if rows:
                called = Called(run, ids).row
                text += "\n" + frame_as_text(_summary(run, rows), ["mean", "low", "high", "n", "note"], called)
            parts.append(text)
        return "\n".join(parts)
    frames = [run.to_frame(rows) if per_replication else _summary(run, rows) for run in runs]
    if form == "csv":
        import pandas as pd

        for run, frame in zip(runs, frames, strict=True):
            if "scenario" not in frame:
                frame.insert(0, "scenario", run.name)
        return csv_of(pd.concat(frames, ignore_index=True))
    told = [{**run.about(), "rows": tables.records(frame)} for run, frame in zip(runs, frames, strict=True)]
    return tables.to_json({"runs": told})


def _summary(run: Results, rows: tuple[str, ...] | None) -> Any:
    """Means over the whole run; by hour and day where the rows asked for are only so."""
    frame = run.summary(rows)
    return run.summary(rows, by_time=True) if frame.empty else frame


def _when(row: Mapping[str, Any]) -> list[str]:
    """Hour and day of a row that is about one."""
    there = {name: row[name] for name in ("hour", "day") if str(row.get(name)) not in ("None", "nan", "<NA>")}
    told = [f"{int(there['hour']):02d}:00"] if "hour" in there else []
    return told + ([str(row.get("date") or f"day {int(there['day'])}")] if "day" in there else [])


def frame_as_text(frame: Any, columns: Sequence[str], called: Callable[[Mapping[str, Any]], str]) -> str:
    """A summary or comparison for the terminal: what each row is about in one cell, then `columns`.

    `called` names what a row is about.
    """
    from corridor_sim.report import tables

    about = [
        " ".join(part for part in (f"{row['indicator']} [{row['unit']}]", called(row), *_when(row)) if part)
        for row in frame.to_dict("records")
    ]
    rows = [[text, *values] for text, values in zip(about, frame[list(columns)].to_numpy().tolist(), strict=True)]
    kept = [k for k, name in enumerate(["", *columns]) if name != "note" or any(row[k] for row in rows)]
    head = [["", *columns][k] for k in kept]
    text = tables.to_text(head, [[row[k] for k in kept] for row in rows])
    return text + f"{frame.attrs.get('interval', '')}\n"


SHOWN = 3
"""Rows of a sweep that fit beside its factors on a terminal."""


def points_as(form: str, design: Design, base: Scenario) -> str:
    """The points of a design as a table, CSV or JSON, nothing run."""
    from corridor_sim.report import tables
    from corridor_sim.study.designs import design_points

    frame = design_points(design, base.run.seed if design.seed is None else design.seed)
    if form == "csv":
        return csv_of(frame)
    if form == "json":
        return tables.to_json({"design": design.name, "base": base.name, "points": tables.records(frame)})
    return tables.to_text(list(frame.columns), frame.astype(object).to_numpy().tolist())


def sweep_as(form: str, found: Sweep, rows: tuple[str, ...] | None, is_long: bool, ids: bool = False) -> str:
    """A sweep as text: a line a point, CSV, or JSON; `rows` names the indicators to show."""
    from corridor_sim.report import tables

    if form == "csv":
        return csv_of(found.to_frame(rows) if is_long else found.table(rows))
    if form == "json":
        told = [
            {"point": number, "values": point, **run.about(), "rows": tables.records(_summary(run, rows))}
            for number, (point, run) in zip(found.numbers, found, strict=True)
        ]
        left = [
            {"point": one.number, "values": one.point, "problems": [str(p) for p in one.problems]}
            for one in found.left_out
        ]
        return tables.to_json(
            {"sweep": found.name, "points": told, "left_out": left, "failed": [str(e) for e in found.failed]}
        )
    return _sweep_text(found, rows, ids)


def _sweep_text(found: Sweep, rows: tuple[str, ...] | None, ids: bool) -> str:
    """A line a point: its values, and the rows that were asked for, else those that the points move most.

    Names of rows are long: they stand above, the table has their numbers.
    """
    from corridor_sim.core.rounding import estimate
    from corridor_sim.report import tables
    from corridor_sim.results.called import Called, in_words

    frame = found.table(rows)
    names: list[str] = list(frame.attrs["rows"])
    if rows is None:
        of_crossings = [name for name in names if name.startswith("tfi1 ")] or names
        spread = {name: frame[name].max() - frame[name].min() for name in of_crossings}
        shown = sorted(of_crossings, key=lambda name: -(spread[name] if spread[name] == spread[name] else -1.0))[:SHOWN]
    else:
        shown = names[:SHOWN]
    front = [column for column in frame.columns[: len(frame.columns) - 3 * len(names)] if column != "overloaded"]
    over = ["overloaded"] if "overloaded" in frame and frame["overloaded"].any() else []
    called = [Called(run, ids) for run in found.runs]
    cells = [
        [*(row[column] for column in front), *(estimate(row[name], row[f"{name} high"] - row[name]) for name in shown)]
        + ["; ".join(map(one.element, row[column].split("; "))) if row[column] else "" for column in over]
        for row, one in zip(frame.to_dict("records"), called, strict=True)
    ]
    names_of = found.words_of_rows(rows) if not ids else {}
    legend = [
        textwrap.fill(f"({k}) {names_of.get(name, name)}", 80, initial_indent="  ", subsequent_indent="      ")
        for k, name in enumerate(shown, 1)
    ]
    numbers = [f"({k})" for k in range(1, len(shown) + 1)]
    first = found.runs[0]
    several = "replication" if first.replications == 1 else "replications"
    head = f"{found.name}: {len(found)} points of {first.replications} {several}, seed {first.root}"
    named = front if ids else [in_words(name) for name in front]
    table = tables.to_text([*named, *numbers, *over], cells)
    text = "\n".join([head, *legend, table.rstrip("\n"), frame.attrs["interval"]]) + "\n"
    more = len(names) - len(shown)
    if more:
        text += f"{more} more rows: --indicator NAME, or --format csv for all of them\n"
    return text


def reports_as(form: str, reports: Sequence[Any], verbose: bool) -> str:
    """Reports of `verify`: texts one after another, one CSV table, or one JSON list (an object for one file)."""
    if form == "csv" and asked_for_comma():
        import pandas as pd

        return csv_of(pd.concat([pd.DataFrame(report.rows()) for report in reports], ignore_index=True))
    if form == "csv":
        texts = [report.to_csv() for report in reports]
        return "".join([texts[0], *(text.partition("\n")[2] for text in texts[1:])])
    if form == "json":
        texts = [report.to_json() for report in reports]
        return texts[0] + "\n" if len(texts) == 1 else "[" + ",\n".join(texts) + "]\n"
    return "\n".join(report.to_text(verbose) for report in reports)


def figures_as(form: str, scenarios: Sequence[Scenario], only: str | None) -> str:
    """Figures of scenarios as text: grouped, one CSV table, or JSON; `only` is a pattern of paths."""
    from fnmatch import fnmatchcase

    from corridor_sim.model.provenance import figures_of
    from corridor_sim.report import tables
    from corridor_sim.report.figure_list import COLUMNS, counts_of, record_of, text_of

    found = {
        scenario.name or "run": [row for row in figures_of(scenario) if only is None or fnmatchcase(row.path, only)]
        for scenario in scenarios
    }
    empty = [name for name, rows in found.items() if not rows]
    if empty:
        raise CorridorError(f"no figure of {', '.join(empty)} fits {only!r}")
    if form == "table":
        return "\n".join(text_of(name, rows) for name, rows in found.items())
    if form == "csv":
        import pandas as pd

        records = [{"scenario": name, **record_of(row)} for name, rows in found.items() for row in rows]
        return csv_of(pd.DataFrame(records, columns=["scenario", *COLUMNS]))
    told = [
        {"scenario": name, **counts_of(rows), "rows": [record_of(row) for row in rows]} for name, rows in found.items()
    ]
    return tables.to_json({"scenarios": told})


def problem_row(file: str, problem: Problem) -> dict[str, Any]:
    """A problem as a row of JSON."""
    names = ("severity", "file", "line", "path", "value", "message", "allowed", "hint")
    return ({"checked": file} if file else {}) | {name: getattr(problem, name) for name in names}


def counted(errors: int, warnings: int, files: int) -> str:
    """How much is wrong, in words."""

    def several(count: int, word: str) -> str:
        return f"{count} {word}" if count == 1 else f"{count or 'no'} {word}s"

    return f"{several(errors, 'error')}, {several(warnings, 'warning')} in {several(files, 'file')}"
