"""Sheets of OpenDocument spreadsheets (.ods), read by their own XML: values, and all that values do not show.

Readers of values give a cell with an error as an empty one and a duration as a text, and are silent of merged cells and
hidden rows; so `content.xml` is read here, by the standard library alone.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.limits import MAX_VALUES

_OFFICE, _STYLE, _TABLE, _TEXT = (
    f"{{urn:oasis:names:tc:opendocument:xmlns:{name}:1.0}}" for name in ("office", "style", "table", "text")
)
_KIND_OF_CALC = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}value-type"
_ERROR = re.compile(r"#(DIV/0!|N/A|NAME\?|NULL!|NUM!|REF!|VALUE!)|Err:\d+")
_DURATION = re.compile(r"(-?)P(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?")
_GROUPS = frozenset(f"{_TABLE}{name}" for name in ("table-row-group", "table-header-rows", "table-rows"))
MAX_CELLS = 5 * MAX_VALUES
"""Cells with a value of one sheet, those that stand for many alike counted one by one."""

Fault = tuple[str, str, Any, str]
"""What is wrong with a cell: message, place, value and hint."""


@dataclass
class OpenSheet:
    """A sheet: rows of values from A1 on, and what is wrong with its cells."""

    values: list[list[Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    hidden_columns: set[int] = field(default_factory=set)
    columns: int = 0
    """Columns that have been declared."""
    rows: int = 0
    cells: int = 0


def letters(column: int) -> str:
    """Name of a column, from 0: A, ..., Z, AA.

    >>> letters(1), letters(26)
    ('B', 'AA')
    """
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def open_sheets(archive: zipfile.ZipFile, wanted: tuple[str, ...]) -> dict[str, OpenSheet | None]:
    """Sheets of an OpenDocument spreadsheet in order; where some are wanted the others are not read and None.

    Raises
    ------
    ScenarioError
        If a sheet has more than `MAX_CELLS` values.
    """
    found: dict[str, OpenSheet | None] = {}
    hidden_styles: set[str | None] = set()
    above: list[ElementTree.Element] = []
    sheet: OpenSheet | None = None
    with archive.open("content.xml") as stream:
        for event, element in ElementTree.iterparse(stream, ("start", "end")):
            if event == "start":
                above.append(element)
                if element.tag == f"{_TABLE}table" and above[-2].tag == f"{_OFFICE}spreadsheet":
                    name = str(element.get(f"{_TABLE}name"))
                    sheet = found[name] = OpenSheet() if name in wanted or not wanted else None
                    if sheet is not None and element.get(f"{_TABLE}style-name") in hidden_styles:
                        sheet.faults.append(("the sheet is hidden", "A1", None, "show it, or delete it"))
                continue
            above.pop()
            if element.tag == f"{_STYLE}style":
                shown = element.find(f"{_STYLE}table-properties")
                if shown is not None and shown.get(f"{_TABLE}display") == "false":
                    hidden_styles.add(element.get(f"{_STYLE}name"))
            elif element.tag == f"{_TABLE}table-column" and sheet is not None:
                _column(sheet, element)
            elif element.tag == f"{_TABLE}table-row" and _is_of_sheet(above):
                if sheet is not None:
                    _row(sheet, element)
                element.clear()
            elif element.tag == f"{_TABLE}table" and len(above) and above[-1].tag == f"{_OFFICE}spreadsheet":
                sheet = None
                element.clear()
    return found


def _is_of_sheet(above: list[ElementTree.Element]) -> bool:
    """Whether a row is of a sheet, not of a table inside a cell or of changes that were recorded."""
    inner = len(above) - 1
    while above[inner].tag in _GROUPS:
        inner -= 1
    return above[inner].tag == f"{_TABLE}table" and above[inner - 1].tag == f"{_OFFICE}spreadsheet"


def _column(sheet: OpenSheet, element: ElementTree.Element) -> None:
    times = _times(element, "columns")
    if _is_hidden(element):
        sheet.hidden_columns.update(range(sheet.columns, min(sheet.columns + times, 1 << 14)))
    sheet.columns += times


def _row(sheet: OpenSheet, element: ElementTree.Element) -> None:
    """Take in a row, as often as it stands there."""
    times, first = _times(element, "rows"), sheet.rows
    cells: list[Any] = []
    place = 0
    for cell in element:
        if cell.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            continue
        repeated = _times(cell, "columns")
        value, fault = _value(cell)
        ref = f"{letters(place)}{first + 1}"
        if fault is not None:
            sheet.faults.append((fault[0], ref, fault[1], fault[2]))
        across, down = (int(cell.get(f"{_TABLE}number-{of}-spanned", 1)) for of in ("columns", "rows"))
        if across > 1 or down > 1:
            last = f"{letters(place + across - 1)}{first + down}"
            sheet.faults.append(("cells are merged", f"{ref}:{last}", None, "split them, a value in each"))
        if value != "":
            sheet.cells += repeated * times
            if sheet.cells > MAX_CELLS:
                raise ScenarioError([Problem(f"has more than {MAX_CELLS} cells with a value")])
            cells += [""] * (place - len(cells)) + [value] * repeated
        place += repeated
    sheet.rows += times
    if not cells:
        return
    if _is_hidden(element):
        sheet.faults.append(("its row is hidden", f"A{first + 1}", None, "show the row, or delete it"))
    for column in sorted(sheet.hidden_columns):
        if column < len(cells) and cells[column] != "":
            sheet.hidden_columns.discard(column)  # told once
            hint = "show the column, or delete it"
            sheet.faults.append(("its column is hidden", f"{letters(column)}1", None, hint))
    sheet.values.extend([] for _ in range(first - len(sheet.values)))
    sheet.values.extend(cells for _ in range(times))


def _times(element: ElementTree.Element, what: str) -> int:
    return int(element.get(f"{_TABLE}number-{what}-repeated", 1))


def _is_hidden(element: ElementTree.Element) -> bool:
    return element.get(f"{_TABLE}visibility", "visible") != "visible"  # collapse, or filter


def _value(cell: ElementTree.Element) -> tuple[Any, tuple[str, Any, str] | None]:
    """The value of a cell, "" if it is empty, and what is wrong with it."""
    kind, text = cell.get(f"{_OFFICE}value-type"), _text(cell)
    has_formula = cell.get(f"{_TABLE}formula") is not None
    if cell.get(_KIND_OF_CALC) == "error" or (has_formula and _ERROR.fullmatch(text)):
        return "", ("is an error of the spreadsheet", text, "mend its formula")
    if kind is None:  # a formula that gives an empty text has an empty text and no type
        if has_formula and cell.find(f"{_TEXT}p") is None:
            return "", ("has a formula without a stored value", None, "open the file in a spreadsheet and save it")
        return text, None
    if kind == "string":
        return cell.get(f"{_OFFICE}string-value", text), None
    names = {"boolean": "boolean-value", "date": "date-value", "time": "time-value"}
    raw = cell.get(_OFFICE + names.get(kind, "value"))
    try:
        if kind == "boolean":
            return {"true": True, "false": False}[str(raw)], None
        if kind == "date":
            return _instant(str(raw)), None
        if kind == "time":
            return _duration(str(raw)), None
        number = float(str(raw))  # float, percentage, currency
    except (ValueError, KeyError, OverflowError):
        number = math.nan
    if math.isfinite(number):
        return number, None
    shown = "number" if kind in ("float", "percentage", "currency") else kind
    return "", (f"is a {shown} without a value", raw or None, "type it, or empty the cell")


def _instant(text: str) -> dt.date | dt.datetime:
    return dt.datetime.fromisoformat(text) if "T" in text else dt.date.fromisoformat(text)


def _duration(text: str) -> dt.time | dt.timedelta:
    """A time of day, as a duration from midnight on is one in these files; or a longer one, or one below 0."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(text)
    sign, days, hours, minutes, seconds = found.groups()
    span = dt.timedelta(int(days or 0), float(seconds or 0), 0, 0, int(minutes or 0), int(hours or 0))
    if sign:
        return -span
    return (dt.datetime.min + span).time() if span < dt.timedelta(days=1) else span


def _text(cell: ElementTree.Element) -> str:
    """The text of a cell, a line a paragraph; remarks pinned to it are none of it."""
    return "\n".join("".join(_pieces(paragraph)) for paragraph in cell.findall(f"{_TEXT}p"))


def _pieces(element: ElementTree.Element) -> Iterator[str]:
    yield element.text or ""
    for inner in element:
        if inner.tag == f"{_TEXT}s":
            yield " " * int(inner.get(f"{_TEXT}c", 1))
        elif inner.tag in (f"{_TEXT}tab", f"{_TEXT}line-break"):
            yield "\t" if inner.tag == f"{_TEXT}tab" else "\n"
        elif inner.tag != f"{_OFFICE}annotation":
            yield from _pieces(inner)
        yield inner.tail or ""
