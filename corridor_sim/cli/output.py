"""What commands hand over: texts, tables and pictures, to the terminal or to a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corridor_sim.core.errors import CorridorError, Problem

if TYPE_CHECKING:
    from corridor_sim.model.scenario import Scenario
    from corridor_sim.results.results import Results


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


def runs_as(form: str, runs: Sequence[Results], rows: tuple[str, ...] | None, per_replication: bool) -> str:
    """Results of runs as text: in words, as one CSV table or as JSON; `rows` names the rows to show."""
    from corridor_sim.report import tables

    if form == "table":
        parts = []
        for run in runs:
            text = run.describe().rstrip("\n") + "\n"
            if rows:
                text += "\n" + frame_as_text(_summary(run, rows), ["mean", "low", "high", "n", "note"])
            parts.append(text)
        return "\n".join(parts)
    frames = [run.to_frame(rows) if per_replication else _summary(run, rows) for run in runs]
    if form == "csv":
        import pandas as pd

        for run, frame in zip(runs, frames, strict=True):
            if "scenario" not in frame:
                frame.insert(0, "scenario", run.name)
        return tables.to_csv(pd.concat(frames, ignore_index=True))
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


def frame_as_text(frame: Any, columns: Sequence[str]) -> str:
    """A summary or comparison for the terminal: what each row is about in one cell, then `columns`."""
    from corridor_sim.report import tables

    where = [c for c in ("place", "direction", "cargo_class", "of") if c in frame]
    about = [
        " ".join([f"{row['indicator']} [{row['unit']}]", *(str(row[c]) for c in where if row[c]), *_when(row)])
        for row in frame.to_dict("records")
    ]
    rows = [[text, *values] for text, values in zip(about, frame[list(columns)].to_numpy().tolist(), strict=True)]
    kept = [k for k, name in enumerate(["", *columns]) if name != "note" or any(row[k] for row in rows)]
    head = [["", *columns][k] for k in kept]
    text = tables.to_text(head, [[row[k] for k in kept] for row in rows])
    return text + f"{frame.attrs.get('interval', '')}\n"


def reports_as(form: str, reports: Sequence[Any], verbose: bool) -> str:
    """Reports of `verify`: texts one after another, one CSV table, or one JSON list (an object for one file)."""
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
        return tables.to_csv(pd.DataFrame(records, columns=["scenario", *COLUMNS]))
    told = [
        {"scenario": name, **counts_of(rows), "rows": [record_of(row) for row in rows]} for name, rows in found.items()
    ]
    return tables.to_json({"scenarios": told})


def problem_row(file: str, problem: Problem) -> dict[str, Any]:
    """A problem as a row of JSON."""
    names = ("severity", "file", "line", "path", "value", "message", "allowed", "hint")
    return {"checked": file, **{name: getattr(problem, name) for name in names}}


def counted(errors: int, warnings: int, files: int) -> str:
    """How much is wrong, in words."""

    def several(count: int, word: str) -> str:
        return f"{count} {word}" if count == 1 else f"{count or 'no'} {word}s"

    return f"{several(errors, 'error')}, {several(warnings, 'warning')} in {several(files, 'file')}"
