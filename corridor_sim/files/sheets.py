"""Sheets of workbooks and CSV files as tables of cells, each with its place; nothing is silently repaired.

Cells with an error, formulas without a stored value, merged cells, hidden rows and columns are refused by name:
the reader of values gives an error as an empty cell, and shows nothing of the others, so the sheet's own XML is
looked at for them.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from corridor_sim.core.errors import MissingExtra, Problem, ScenarioError
from corridor_sim.files.open_document import Fault, letters, open_sheets
from corridor_sim.files.reading import MAX_CSV_BYTES, read_text, shown
from corridor_sim.model.csv_columns import number, require_signs

OPEN_DOCUMENT = ".ods"
WORKBOOKS = (".xlsx", ".xlsm", OPEN_DOCUMENT)
"""Endings of files that are read as workbooks."""
COUNTS = "counts"
"""The sheet of counts of a queue."""
MAX_BYTES = 200_000_000
"""Of a workbook, unpacked. [bytes]"""
_SPREADSHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
Value = str | float | int | bool | dt.datetime | dt.date | dt.time | dt.timedelta


@dataclass(frozen=True)
class Cell:
    """A value and where it stands (``B7``)."""

    value: Value
    ref: str


@dataclass(frozen=True)
class Sheet:
    """A header and rows of cells by header; empty cells are left out, empty rows too.

    Attributes
    ----------
    file, name : str
        The file as messages show it, and the sheet; for a CSV file the name of its table.
    header : dict of str to str
        Place of each header.
    rows : list of (int, dict of str to Cell)
        Number of the row as a spreadsheet counts it, and its cells.
    is_text : bool
        Whether cells are texts (CSV), so that numbers among them are yet to be read.
    decimal : str
    """

    file: str
    name: str
    header: dict[str, str]
    rows: list[tuple[int, dict[str, Cell]]]
    is_text: bool = False
    decimal: str = "."
    problems: list[Problem] = field(default_factory=list)

    def problem(self, message: str, ref: str, value: Any = None, allowed: str = "", hint: str = "") -> Problem:
        """A problem with the place of a cell."""
        return Problem(message, "", value, allowed, hint, file=self.place(ref))

    def place(self, ref: str) -> str:
        """File, sheet and cell, as messages show them."""
        return f"{self.file}, sheet {self.name}, cell {ref}" if not self.is_text else f"{self.file}, cell {ref}"


def read_workbook(path: Path, wanted: tuple[str, ...]) -> list[Sheet]:
    """The sheets of a workbook that are among `wanted`, with all that is wrong with their cells.

    Where none is named it is the only sheet.

    Raises
    ------
    ScenarioError
        If the file is no ``.xlsx`` or ``.ods`` workbook, or has none of the sheets or several to choose from.
    MissingExtra
        If python-calamine is not installed (extra ``excel``), which reads the values of ``.xlsx``.
    """
    file, ending = shown(path), path.suffix.lower()
    if ending not in WORKBOOKS:
        raise ScenarioError([Problem("is no .xlsx or .ods workbook", file=file, hint="save it as .xlsx or .ods")])
    if ending != OPEN_DOCUMENT:
        _require_calamine()
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(one.file_size for one in archive.infolist()) > MAX_BYTES:
                raise ScenarioError([Problem(f"has more than {MAX_BYTES / 1e6:g} MB unpacked", file=file)])
            if ending == OPEN_DOCUMENT:
                sheets = open_sheets(archive, wanted)
                _require_some(file, list(sheets), wanted)
                return [_sheet(file, name, one.values, one.faults) for name, one in sheets.items() if one is not None]
            parts = _sheet_parts(archive)
            found = _require_some(file, list(parts), wanted)
            faults = {name: list(_faults(archive, *parts[name])) for name in found}
        values = _values(path, found)
    except ScenarioError as error:
        raise ScenarioError(replace(one, file=file) for one in error.problems) from None
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, ElementTree.ParseError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ScenarioError([Problem(f"cannot be read as a workbook: {reason}", file=file)]) from None
    return [_sheet(file, name, values[name], faults[name]) for name in found]


def columns_of_workbook(path: str, sheet: str = "", headers: tuple[str, ...] = ()) -> dict[str, list[tuple[int, str]]]:
    """Columns of a sheet by header, as texts with the numbers of their rows: those that are asked for, else all.

    Raises
    ------
    ScenarioError
        If the sheet is not there, lacks a header, or something is wrong with a cell.
    """
    (found,) = read_workbook(Path(path), (sheet,) if sheet else ())
    problems = list(found.problems)
    told = ", ".join(found.header)
    lacking = [name for name in headers if name not in found.header]
    place = f"{found.file}, sheet {found.name}"
    problems += [Problem(f"has no column {name!r}", value=told, file=place) for name in lacking]
    if problems:
        raise ScenarioError(problems)
    return {
        name: [(row, str(cells[name].value) if name in cells else "") for row, cells in found.rows]
        for name in headers or found.header
    }


def _require_calamine() -> None:
    try:
        import python_calamine  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtra("reading an Excel workbook", "python-calamine", "excel") from error


def _values(path: Path, names: list[str]) -> dict[str, list[list[Any]]]:
    """Values of sheets of an Excel workbook. ValueError if it is none."""
    import python_calamine

    try:
        book = python_calamine.load_workbook(str(path))
        return {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in names}
    except python_calamine.CalamineError as error:
        raise ValueError(str(error)) from error


def _require_some(file: str, names: list[str], wanted: tuple[str, ...]) -> list[str]:
    """The sheets that are wanted; an error with what is there if there is none."""
    if not wanted and len(names) > 1:
        told = ", ".join(map(repr, names))
        raise ScenarioError([Problem("has several sheets", file=file, allowed=told, hint="say sheet (--sheet)")])
    found = [name for name in names if name in wanted or not wanted]
    if not found:
        text = f"has no sheet to read: it has {', '.join(names) or 'none'}"
        alike = {name.strip().casefold(): name for name in reversed(names)}
        named = [f"call {alike[name]!r} {name!r}" for name in wanted if name in alike]
        if COUNTS in names and COUNTS not in wanted:
            named.append(f"{COUNTS} are read by predict and queue_counts: they are no values of a scenario")
        raise ScenarioError([Problem(text, file=file, allowed=", ".join(wanted), hint=", ".join(named))])
    return found


def read_csv(path: Path, name: str, delimiter: str | None = None, decimal: str | None = None) -> Sheet:
    """A CSV file as a sheet; signs that are not given are found where they can be told, else refused.

    Raises
    ------
    ScenarioError
        If the file cannot be read, or its signs can be taken in two ways.
    """
    file, text = shown(path), read_text(path, MAX_CSV_BYTES)
    told = re.match(r"sep=([;,|\t])\r?(?=\n)", text)  # a line for Excel that some programs write first
    if told:
        delimiter, text = delimiter or told[1], text[told.end() :]
    delimiter, decimal = dialect_of(text, file, delimiter, decimal)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise ScenarioError([Problem(f"is not CSV: {error}", file=file)]) from None
    return _sheet(file, name, [[cell.strip() for cell in row] for row in rows], [], True, decimal)


_COMMA, _POINT = re.compile(r"[+-]?\d+,\d+"), re.compile(r"[+-]?\d+\.\d+")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")


def dialect_of(text: str, file: str, delimiter: str | None = None, decimal: str | None = None) -> tuple[str, str]:
    """The signs between cells and before decimals of a CSV text.

    The delimiter is the only one of ``; , tab |`` in the header. With a comma between cells the decimal sign is the
    point; else it is the one that the numbers have, if they tell: ``1,234`` alone may be a thousand or a little more
    than one.

    Raises
    ------
    ScenarioError
        If a sign was not given and there are two ways to take it.

    Examples
    --------
    >>> dialect_of("id;per_day\\nflour;80,5\\n", "flows.csv")
    (';', ',')
    """
    if delimiter is None:
        head = re.sub(r'"[^"]*"', "", text.split("\n", 1)[0])
        found = [sign for sign in (";", ",", "\t", "|") if sign in head]
        if len(found) > 1:
            told = " and ".join(map(repr, found))
            hint = "say delimiter (--delimiter)"
            raise ScenarioError(
                [Problem(f"has {told} in its header: which one is between cells?", file=file, hint=hint)]
            )
        delimiter = found[0] if found else ","
    if decimal is None and delimiter == ",":
        decimal = "."
    if decimal is None:
        cells = [cell.strip() for row in csv.reader(io.StringIO(text), delimiter=delimiter) for cell in row]
        signs = {
            sign: [cell for cell in cells if form.fullmatch(cell)] for sign, form in ((",", _COMMA), (".", _POINT))
        }
        sure = [sign for sign, those in signs.items() if any(not _THOUSANDS.fullmatch(cell) for cell in those)]
        seen = [sign for sign, those in signs.items() if those]
        if len(seen) > 1 or (seen and not sure):
            shown_cells = ", ".join(those[0] for those in signs.values() if those)
            text = f"has numbers that can be taken in two ways ({shown_cells})"
            raise ScenarioError([Problem(text, file=file, hint="say decimal (--decimal)")])
        decimal = seen[0] if seen else "."
    require_signs(delimiter, decimal)
    return delimiter, decimal


def number_of(cell: str, decimal: str) -> float | int | None:
    """The number of a text cell, whole ones as such; None if it is none."""
    value = number(cell, decimal)
    if not math.isfinite(value):
        return None
    return int(value) if value == int(value) and abs(value) < 2**53 else value


def _sheet(
    file: str,
    name: str,
    values: list[list[Any]],
    faults: list[Fault],
    is_text: bool = False,
    decimal: str = ".",
) -> Sheet:
    """Rows of values as a sheet; the first that is not empty is the header."""
    sheet = Sheet(file, name, {}, [], is_text, decimal)
    sheet.problems.extend(sheet.problem(text, ref, value, hint=hint) for text, ref, value, hint in faults)
    refs: list[tuple[int, str]] = []
    for row, cells in enumerate(values, start=1):
        there = {k: cell for k, cell in enumerate(cells) if cell not in ("", None)}
        if not there:
            continue
        if not sheet.header:
            for k, cell in there.items():
                ref = f"{letters(k)}{row}"
                if not isinstance(cell, str):
                    sheet.problems.append(sheet.problem("must be a text: the header of a column", ref, str(cell)))
                elif cell in sheet.header:
                    sheet.problems.append(sheet.problem(f"is there twice, also in {sheet.header[cell]}", ref, cell))
                else:
                    sheet.header[cell] = ref
                    refs.append((k, cell))
            continue
        columns = dict(refs)
        for k in set(there) - set(columns):
            sheet.problems.append(sheet.problem("has no header above it", f"{letters(k)}{row}", str(there[k])))
        sheet.rows.append(
            (row, {columns[k]: Cell(_plain(cell), f"{letters(k)}{row}") for k, cell in there.items() if k in columns})
        )
    return sheet


def _plain(value: Any) -> Value:
    """Whole numbers as such: a workbook has no others than floating ones."""
    if isinstance(value, float) and value == int(value) and abs(value) < 2**53:
        return int(value)
    plain: Value = value
    return plain


def _sheet_parts(archive: zipfile.ZipFile) -> dict[str, tuple[str, str]]:
    """Part of the archive and state of each sheet, by name."""
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {link.get("Id"): str(link.get("Target")) for link in links}
    found = {}
    for sheet in book.iter(f"{_SPREADSHEET}sheet"):
        target = targets.get(sheet.get(_RELATION), "")
        part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        found[str(sheet.get("name"))] = (part, sheet.get("state", "visible"))
    return found


def _faults(archive: zipfile.ZipFile, part: str, state: str) -> Iterator[Fault]:
    """What the values do not show: message, place, value and hint."""
    if state != "visible":
        yield "the sheet is hidden", "A1", None, "show it, or delete it"
    with archive.open(part) as stream:
        for _, element in ElementTree.iterparse(stream):
            tag = element.tag.removeprefix(_SPREADSHEET)
            if tag == "c":
                value, kind = element.findtext(f"{_SPREADSHEET}v"), element.get("t")
                is_empty = value is None or (not value and kind != "str")  # a formula may give an empty text
                if kind == "e":
                    yield "is an error of the spreadsheet", str(element.get("r")), value, "mend its formula"
                elif element.find(f"{_SPREADSHEET}f") is not None and is_empty:
                    hint = "open the file in a spreadsheet and save it"
                    yield "has a formula without a stored value", str(element.get("r")), None, hint
                elif value == "" and kind in (None, "n"):  # openpyxl writes infinity and NaN so
                    yield "is a number without a value", str(element.get("r")), None, "type it, or empty the cell"
            elif tag == "row":
                if element.get("hidden") in ("1", "true") and len(element):
                    yield "its row is hidden", f"A{element.get('r')}", None, "show the row, or delete it"
                element.clear()
            elif tag == "col" and element.get("hidden") in ("1", "true"):
                column = letters(int(str(element.get("min"))) - 1)
                yield "its column is hidden", f"{column}1", None, "show the column, or delete it"
            elif tag == "mergeCell":
                yield "cells are merged", str(element.get("ref")), None, "split them, a value in each"
