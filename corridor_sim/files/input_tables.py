"""Flows, rosters and costs from tables (workbooks, CSV) laid over a scenario, every problem with file, sheet and cell.

To add a table, add a reader to `TABLES`: it turns rows into the tables of a scenario file and remembers the cells.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from corridor_sim.core import arguments
from corridor_sim.core.errors import CorridorWarning, Problem, ScenarioError, nearest
from corridor_sim.files.scenario_files import load_scenario
from corridor_sim.files.sheets import Cell, Sheet, number_of, read_csv, read_workbook
from corridor_sim.files.table_cells import InputTables
from corridor_sim.files.table_sources import OF_FIGURES, drop_old, fill_in_sources
from corridor_sim.model.base import Model
from corridor_sim.model.errors_in_words import keys_of
from corridor_sim.model.flows import Flow
from corridor_sim.model.improvements import Improvement
from corridor_sim.model.paths import all_stages
from corridor_sim.model.scenario import Scenario

LISTS = ("route", "modes", "holidays", "handled_at")
"""Fields of a flow that are lists: names with ``;`` between them."""
OF_COSTS = ("name", "capex_usd", "opex_usd_year", "life_years", "from", "until", "status", "source", "note")
"""Fields of an improvement that a table of costs may give."""
OF_ROSTERS = ("checkpoint", "direction", "stage", "staff_pool", "days", "from", "lanes", "members", *OF_FIGURES)
PathLike = str | os.PathLike[str]


def read_tables(
    *files: PathLike, table: str = "", delimiter: str | None = None, decimal: str | None = None
) -> InputTables:
    """What workbooks and CSV files say of flows, rosters and costs; see `import_tables`."""
    found = InputTables()
    sheets: list[Sheet] = []
    for file in files:
        path = Path(file)
        if path.suffix.lower() in (".csv", ".txt"):
            name = table or path.stem
            if name not in TABLES:
                hint = "name it so, or say table (--table)"
                raise ScenarioError(
                    [Problem(f"{name!r} is no table to read", file=str(path), allowed=", ".join(TABLES), hint=hint)]
                )
            sheets = [read_csv(path, name, delimiter, decimal)]
        else:
            sheets = read_workbook(path, tuple(TABLES))
        for sheet in sheets:
            found.problems += sheet.problems
            if not sheet.header:
                found.problems.append(sheet.problem("the sheet is empty: there is no header", "A1"))
                continue
            TABLES[sheet.name](sheet, found)
    if sheets and not found.data and not found.problems:
        found.problems.append(sheets[0].problem("there is no value in any row: nothing would change", "A2"))
    return found


def import_tables(
    base: Scenario | PathLike,
    *files: PathLike,
    table: str = "",
    delimiter: str | None = None,
    decimal: str | None = None,
) -> Scenario:
    """A scenario with flows, rosters and costs from workbooks or CSV files laid over it.

    Parameters
    ----------
    base : Scenario, path or name of a packaged scenario
    *files : path
        ``.xlsx`` or ``.ods`` with sheets ``flows``, ``rosters``, ``costs`` (others are not read), or ``.csv`` of that
        name.
    table : str
        Which of them a CSV file is, where its name does not say.
    delimiter, decimal : str, optional
        Of CSV files; if not given they must be plain from the file.

    Returns
    -------
    Scenario
        Columns of ``flows`` are ``id`` and the fields of a flow in a scenario file (``arrivals.kind`` for one
        inside), of ``costs`` ``improvement`` and fields of its costs; a row of ``rosters`` is a stage (``checkpoint``,
        ``direction``, ``stage``) or a ``staff_pool``, ``days``, a time ``from``, and ``lanes`` or ``members`` from then
        on. An empty cell leaves the value of the base; a roster replaces the one of the base. ``source``, ``status``
        and ``note`` are of the values of the row. What a value is and how far it may be off has columns beside it
        (``per_day.low``, ``.high``, ``.status``, ``.source``, ``.note``, ``.range_source``, ``.range_reason``,
        ``.exact``); in ``rosters`` they are columns of the row (``low``).

    Warns
    -----
    CorridorWarning
        Of new values without a source: each is assumed, with its cell as source.

    Raises
    ------
    ScenarioError
        With every problem: file, sheet, cell, value and what is allowed.
    MissingExtra
        If python-calamine is not installed, and a file is ``.xlsx``.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "flows.csv"
    ...     _ = file.write_text("id;per_day;source\\nflour;151,5;own count\\n", encoding="utf-8")
    ...     import_tables("teaching", file).flows["flour"].per_day
    151.5
    """
    for file in files:
        arguments.instance("files", file, (str, os.PathLike), "the path of a workbook or CSV file")
    scenario = base if isinstance(base, Scenario) else load_scenario(base)
    tables = read_tables(*files, table=table, delimiter=delimiter, decimal=decimal)
    made = laid_over(scenario, tables)
    for told in tables.warnings:
        warnings.warn(told, CorridorWarning, stacklevel=2)
    return made


def laid_over(scenario: Scenario, tables: InputTables) -> Scenario:
    """The scenario with tables laid over it, checked as a whole.

    Raises
    ------
    ScenarioError
        With every problem of the tables, or of the scenario that they make, at the cell where it stands.
    """
    from corridor_sim.model import resolution
    from corridor_sim.model.provenance import range_problems

    _leave_out_unknown(tables, scenario)
    data = scenario.to_data()
    drop_old(tables, data)
    try:
        made = _made(_merged(data, tables.data))
        unsaid = fill_in_sources(tables, scenario, made)
        made = _made(_merged(data, tables.data))
        errors = unsaid + [one for one in resolution.problems(made) if one.severity == "error"]
        errors += range_problems(made)
        if errors:
            raise ScenarioError(errors)
    except ScenarioError as error:
        found = [tables.located(_with_hint(problem)) for problem in error.problems]
        raise ScenarioError([*tables.problems, *(one for one in found if not _follows(one, tables.problems))]) from None
    if tables.problems:
        raise ScenarioError(tables.problems)
    return made


def _made(data: Mapping[str, Any]) -> Scenario:
    """The scenario that tables make; where values are wrong, wrong names are told with them."""
    from corridor_sim.model.readable import with_names

    try:
        return Scenario.model_validate(data)
    except ScenarioError as error:
        raise ScenarioError(with_names(data, error.problems)) from None


def _leave_out_unknown(tables: InputTables, base: Scenario) -> None:
    """Take costs and rosters of what the base has not out of the tables; each is a problem."""
    stages = {path.removeprefix("checkpoints."): stage for path, stage in all_stages(base)}
    wanted = {
        "improvements": ("improvement", list(base.improvements)),
        "checkpoints": ("stage", list(stages)),
        "staff_pools": ("staff pool", list(base.staff_pools)),
    }
    of_rosters = [path[:-1] for path in tables.removed]
    for path in [*(("improvements", id) for id in tables.data.get("improvements", {})), *of_rosters]:
        what, known = wanted[path[0]]
        name = ".".join(path[1:])
        if name not in known:
            problem = Problem(f"is no {what} of the base", ".".join(path), hint=nearest(name, known))
            tables.problems.append(tables.located(problem))
            table = tables.data
            for part in path[:-1]:
                table = table[part]
            del table[path[-1]]
    tables.removed = [path for path in tables.removed if ".".join(path[1:-1]) in wanted[path[0]][1]]


def _follows(problem: Problem, told: Sequence[Problem]) -> bool:
    """Whether a problem may only be there because of a cell that was told already: in its row, or its roster."""
    rows = {_row(one) for one in told}
    lacks_rows = problem.path.endswith("_by_hour") and any("rosters" in row for row in rows)
    return _row(problem) in rows or lacks_rows


def _row(problem: Problem) -> str:
    """File, sheet and row of a problem, without its column."""
    return re.sub(r"cell [A-Z]+(?=\d+$)", "cell ", problem.file)


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(base)
    for key, value in over.items():
        inner = found.get(key)
        found[key] = _merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return found


def _with_hint(problem: Problem) -> Problem:
    """A problem of a number that is kept as a text, or leaves the range of the base, with what to do."""
    if re.match("the range( of .*)? does not hold the value", problem.message):
        hint = "give the new range beside the value: columns NAME.low, NAME.high and NAME.range_reason"
        return replace(problem, hint=hint.replace("NAME.", "") if "_by_hour." in problem.path else hint)
    if isinstance(problem.value, str) and re.fullmatch(r"\s*[+-]?\d[\d\s.,  ]*\s*", problem.value):
        kind = "date" if "date" in problem.message else "number"
        return replace(problem, hint=f"the cell holds a text: make it a {kind}")
    return problem


# ---------------------------------------------------------------- the tables


def _flows(sheet: Sheet, found: InputTables) -> None:
    _of_ids(sheet, found, "id", "flows", Flow, [key for key in keys_of(Flow) if key != "figures"])


def _costs(sheet: Sheet, found: InputTables) -> None:
    _of_ids(sheet, found, "improvement", "improvements", Improvement, OF_COSTS)


def _of_ids(sheet: Sheet, found: InputTables, key: str, table: str, model: type[Model], known: Sequence[str]) -> None:
    """Rows of one id each: its fields, and what is said of single ones (``per_day.low``)."""
    columns = _columns(sheet, found, key, known, model)
    for row, cells in sheet.rows:
        id = _id(sheet, found, cells, key, row, table)
        if id is None:
            continue
        for column in columns:
            if column in cells:
                figure, _, of = column.rpartition(".")
                is_of_figure = bool(figure) and of in OF_FIGURES
                is_text = of not in ("low", "high") if is_of_figure else _is_text(model, column)
                value = _value(sheet, found, cells[column], column, is_text)
                place = sheet.place(cells[column].ref)
                if value is not None and is_of_figure:
                    found.put((table, id, "figures", figure, of), value, place)
                    found.places.setdefault(f"{table}.{id}.figures.{figure}", place)
                elif value is not None:
                    found.put((table, id, *column.split(".")), value, place)


def _rosters(sheet: Sheet, found: InputTables) -> None:
    columns = _columns(sheet, found, "from", OF_ROSTERS)
    if not {"lanes", "members"} & set(columns):
        found.problems.append(sheet.problem("a roster needs a column lanes or members", "A1"))
    for row, cells in sheet.rows:
        of_pool = "staff_pool" in cells
        needed = ("staff_pool", "from", "members") if of_pool else ("checkpoint", "direction", "stage", "from", "lanes")
        lacking = [name for name in needed if name not in cells]
        other = [name for name in ("checkpoint", "direction", "stage", "lanes") if of_pool and name in cells]
        if lacking or other:
            text = f"lacks {', '.join(lacking)}" if lacking else f"is of a staff pool and has {', '.join(other)}"
            found.problems.append(sheet.problem(f"this row {text}", f"A{row}"))
            continue
        names = [str(cells[name].value) for name in needed[: 1 if of_pool else 3]]
        path = ("staff_pools", *names, "members_by_hour") if of_pool else ("checkpoints", *names, "lanes_by_hour")
        time = _time_of_day(cells["from"].value)
        if time is None:
            text = "must be a time of day"
            found.problems.append(sheet.problem(text, cells["from"].ref, str(cells["from"].value), "00:00 to 23:59"))
            continue
        days = str(cells["days"].value) if "days" in cells else ""
        count = _value(sheet, found, cells[needed[-1]], needed[-1], False)
        key = f"{days} {time}".strip()
        joined = ".".join(path)
        if f"{joined}.{key}" in found.places:
            found.problems.append(sheet.problem(f"is there twice: {key}", cells["from"].ref))
        if path not in found.removed:
            found.removed.append(path)
            found.places[joined] = sheet.place(cells["from"].ref)
            found.places[".".join(path[:-1])] = sheet.place(cells[needed[0 if of_pool else 2]].ref)
        found.put((*path, key), count, sheet.place(cells[needed[-1]].ref))
        for of in OF_FIGURES:
            if of in cells:
                value = _value(sheet, found, cells[of], of, of not in ("low", "high"))
                figure = (*path[:-1], "figures", f"{path[-1]}.{key}")
                found.put((*figure, of), value, sheet.place(cells[of].ref))
                found.places.setdefault(".".join(figure), sheet.place(cells[of].ref))


TABLES: dict[str, Callable[[Sheet, InputTables], None]] = {"flows": _flows, "rosters": _rosters, "costs": _costs}
"""Readers by the name of the sheet."""


def _columns(
    sheet: Sheet, found: InputTables, key: str, known: Sequence[str], model: type[Model] | None = None
) -> list[str]:
    """Columns that are fields; a problem for each that is none, and if the key is not there.

    Only fields of a model have something inside or beside them: ``arrivals.kind``, ``per_day.low``.
    """
    if key not in sheet.header:
        first = next(iter(sheet.header.values()))
        hint = "the first row that is not empty is the header: take titles above it out"
        alike = [name for name in sheet.header if name.strip().casefold() == key]
        if alike:
            first, hint = sheet.header[alike[0]], f"write {key!r}, without blanks and in small letters"
        text = f"is the header: it has no column {key!r}"
        found.problems.append(sheet.problem(text, first, ", ".join(sheet.header), hint=hint))
        return []
    fields = []
    for name, ref in sheet.header.items():
        if name == key and key != "from":
            continue
        first, _, inside = name.partition(".")
        is_number = model is not None and _kinds(_field(model, first)) == {"number"}
        if first not in known or (inside and model is None):
            hint = nearest(name, known)
            found.problems.append(sheet.problem("is no column of this table", ref, name, ", ".join(known), hint))
        elif inside and is_number and inside not in OF_FIGURES:
            allowed = ", ".join(f"{first}.{of}" for of in OF_FIGURES)
            hint = nearest(name, allowed.split(", "))
            found.problems.append(sheet.problem("is no column of this table", ref, name, allowed, hint))
        else:
            fields.append(name)
    return fields


def _id(sheet: Sheet, found: InputTables, cells: Mapping[str, Cell], key: str, row: int, table: str) -> str | None:
    """The id of a row; None with a problem if there is none, or not a text, or one that is there already."""
    if key not in sheet.header:
        return None
    cell = cells.get(key)
    if cell is None or not isinstance(cell.value, str):
        ref = cell.ref if cell is not None else f"{re.sub(r'[0-9]', '', sheet.header[key])}{row}"
        value = None if cell is None else str(cell.value)
        found.problems.append(sheet.problem(f"must be a text: the {key} of the row", ref, value))
        return None
    if f"{table}.{cell.value}" in found.places:
        first = found.places[f"{table}.{cell.value}"]
        found.problems.append(sheet.problem(f"is there twice, first in {first}", cell.ref, cell.value))
        return None
    found.places[f"{table}.{cell.value}"] = sheet.place(cell.ref)
    return cell.value


def _value(sheet: Sheet, found: InputTables, cell: Cell, column: str, is_text: bool) -> Any:
    """The value of a cell as a scenario file has it; None with a problem where a kind of value has no meaning."""
    value = cell.value
    if isinstance(value, str) and column in LISTS:
        names = [part.strip() for part in value.split(";")]
        return value if column == "route" and value == "cheapest" else names
    if isinstance(value, str) and sheet.is_text and not is_text:
        read = number_of(value, sheet.decimal)
        return {"true": True, "false": False}.get(value, value) if read is None else read
    if isinstance(value, (dt.time, dt.timedelta)):
        found.problems.append(sheet.problem("is a time or a duration", cell.ref, str(value), "a number, text or date"))
        return None
    return value


def _is_text(model: type[Model], column: str) -> bool:
    """Whether a field takes texts and no numbers."""
    kinds = _kinds(_field(model, column)) if "." not in column else set()
    return bool(kinds & {"text"}) and not kinds & {"number"}


def _field(model: type[Model], key: str) -> Any:
    """What a field takes, by its key in a file."""
    return {str(one.validation_alias or name): one.annotation for name, one in model.model_fields.items()}.get(key)


def _kinds(annotation: Any) -> set[str]:
    if annotation is str or isinstance(annotation, str):
        return {"text"}
    if annotation in (int, float, bool):
        return {"number"}
    return set().union(*(_kinds(one) for one in get_args(annotation))) if get_args(annotation) else set()


def _time_of_day(value: Any) -> str | None:
    """Hours and minutes of a cell that is a time, or a text of one."""
    if isinstance(value, dt.time) and not (value.second or value.microsecond):
        return f"{value:%H:%M}"
    if isinstance(value, dt.timedelta) and value < dt.timedelta(days=1) and value.total_seconds() % 60 == 0:
        return f"{int(value.total_seconds()) // 3600:02d}:{int(value.total_seconds()) % 3600 // 60:02d}"
    return value if isinstance(value, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value) else None


def overlay_of(tables: InputTables, extends: str, name: str) -> str:
    """The tables as the text of a scenario file that extends another."""
    from corridor_sim.files.writer import dotted, to_toml

    head: dict[str, Any] = {"schema": 1, "name": name, "extends": extends}
    if tables.removed:
        head["remove"] = [dotted(path) for path in tables.removed]
    return to_toml({**head, **tables.data}, ("schema", "name", "extends", "remove"))
