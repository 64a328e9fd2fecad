"""Measured values from CSV files: one column, every bad cell reported with row and column.

The model knows no folders: the reader of a scenario file hands in how a file is
found (`csv_files`), so that a path can be relative to the scenario and kept
inside its folder. Add here what both laws and arrivals need of a table.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Literal

from corridor_sim.core.errors import Problem, ScenarioError, nearest
from corridor_sim.core.limits import MAX_VALUES

DELIMITERS = ",;\t|: "
"""Signs that may stand between the cells of a CSV file."""
DECIMALS = ".,"
"""Signs that may stand before the decimals of a number."""
Decimal = Literal[".", ","]
MAX_RAGGED = 10_000
"""Rows of another length than the header after which a file is read no further."""
SHOWN = 10
"""Bad rows named in one error; the rest are counted."""


def _from_folder(path: str) -> str:
    """The text of a file named from the current folder; ScenarioError if it cannot be read."""
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ScenarioError([Problem(f"cannot be read: {reason}", "csv", path)]) from None


_read_text: ContextVar[Callable[[str], str]] = ContextVar("csv_reader", default=_from_folder)


@contextmanager
def csv_files(read_text: Callable[[str], str]) -> Iterator[None]:
    """Within this block, paths of CSV files in a model are read by `read_text(path) -> text`.

    `read_text` raises ScenarioError for a path it does not accept.
    """
    token = _read_text.set(read_text)
    try:
        yield
    finally:
        _read_text.reset(token)


def text_of(path: str) -> str:
    """The whole text of a file, found as the other functions here find it. ScenarioError if it cannot be read."""
    return _read_text.get()(path)


def read_column(path: str, column: str, delimiter: str = ",") -> list[tuple[int, str]]:
    """The cells of one column with their row numbers, blank lines left out.

    Rows are counted as in a text editor for one-line rows: the header is row 1.

    Raises
    ------
    ScenarioError
        If the file cannot be read, has no such column, or has rows with more or
        fewer cells than the header.
    """
    reader = csv.reader(io.StringIO(_read_text.get()(path), newline=""), delimiter=delimiter, strict=True)
    cells: list[tuple[int, str]] = []
    ragged: list[str] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        if header.count(column) != 1:
            message = "is there more than once" if column in header else f"is not a column of {path}"
            raise ScenarioError(
                [Problem(message, "column", column, ", ".join(header[:20]), _other(header) or nearest(column, header))]
            )
        place = header.index(column)
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if len(cells) >= MAX_VALUES:
                raise ScenarioError([Problem(f"has more than {MAX_VALUES} rows", "csv", path)])
            if len(row) != len(header):
                if len(ragged) > MAX_RAGGED:
                    break
                ragged.append(f"row {reader.line_num} has {len(row)} cells, the header {len(header)}")
            else:
                cells.append((reader.line_num, row[place].strip()))
    except csv.Error as error:
        raise ScenarioError([Problem(f"row {reader.line_num} is not CSV: {error}", "csv", path)]) from None
    refuse_rows(path, ragged)
    return cells


def number_column(path: str, column: str, delimiter: str = ",", decimal: str = ".") -> list[float]:
    """A column of finite numbers >= 0 with one decimal sign. Raises ScenarioError naming bad rows."""
    values: list[float] = []
    bad: list[str] = []
    for row, cell in read_column(path, column, delimiter):
        value = number(cell, decimal)
        if math.isfinite(value) and value >= 0:
            values.append(value)
        else:
            hint = other_decimal(cell, decimal)
            bad.append(f"row {row}, column {column}: must be a finite number >= 0, got {cell!r}{hint}")
    refuse_rows(path, bad)
    return values


def instant_column(path: str, column: str, delimiter: str = ",", decimal: str = ".") -> list[float] | list[dt.datetime]:
    """A column of hours >= 0, or of dates and times in ISO form. Raises ScenarioError naming bad rows.

    The first cell says which of the two the column is.
    """
    cells = read_column(path, column, delimiter)
    if not cells or math.isfinite(number(cells[0][1], decimal)) or other_decimal(cells[0][1], decimal):
        return number_column(path, column, delimiter, decimal)
    instants: list[dt.datetime] = []
    bad: list[str] = []
    for row, cell in cells:
        try:
            instants.append(dt.datetime.fromisoformat(cell))
        except ValueError:
            bad.append(
                f"row {row}, column {column}: must be hours or a date and time such as 2024-06-01 08:30, got {cell!r}"
            )
    refuse_rows(path, bad)
    return instants


def number(cell: str, decimal: str = ".") -> float:
    """The number in a cell, NaN if it is none. ``1_000``, ``1 000`` and what has the other decimal sign are none.

    >>> number("1.5"), number("1,5", ","), number("1,5"), number("1.5", ",")
    (1.5, 1.5, nan, nan)
    """
    if decimal == ",":
        cell = "" if "." in cell else cell.replace(",", ".")
    try:
        return float(cell) if "_" not in cell else math.nan
    except ValueError:
        return math.nan


def other_decimal(cell: str, decimal: str) -> str:
    """What to say of a cell that is a number with the other decimal sign; empty for any other cell."""
    other = DECIMALS[1 - DECIMALS.index(decimal)]
    return f'; set decimal = "{other}"' if other in cell and math.isfinite(number(cell, other)) else ""


def require_signs(delimiter: Any, decimal: Any) -> None:
    """Raise ScenarioError unless the signs between cells and before decimals can be told apart."""
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter not in DELIMITERS:
        allowed = 'one of , ; | : a blank or a tab ("\\t")'
        raise ScenarioError([Problem("must be one character that separates cells", "delimiter", delimiter, allowed)])
    if not isinstance(decimal, str) or len(decimal) != 1 or decimal not in DECIMALS:
        raise ScenarioError([Problem("must be the sign before decimals", "decimal", decimal, '"." or ","')])
    if decimal == delimiter:
        hint = 'such files have delimiter = ";"'
        raise ScenarioError([Problem("must be another sign than delimiter", "decimal", decimal, hint=hint)])


def refuse_rows(path: str, bad: list[str], *, alone: bool = False) -> None:
    """Raise ScenarioError for the rows in `bad`, if any; the first few by name.

    A file that stands `alone` is the culprit itself; else it is named as the `csv` of the file that names it.
    """
    if bad:
        texts = bad[:SHOWN] + ([f"and {len(bad) - SHOWN} more rows"] if len(bad) > SHOWN else [])
        raise ScenarioError([Problem(text, file=path) if alone else Problem(text, "csv", path) for text in texts])


def _other(header: list[str]) -> str:
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        return "the cells are not separated by the delimiter; set delimiter"
    return ""


def fill(values: Any, field: str, read: Callable[[str, str, str, str], Sequence[Any]]) -> Any:
    """A table of a model with `field` read from its ``csv`` and ``column``, unless it is given."""
    if not isinstance(values, Mapping) or not values.get("csv") or field in values:
        return values
    path, column, delimiter = values["csv"], values.get("column"), values.get("delimiter", ",")
    decimal = values.get("decimal", ".")
    if not isinstance(path, str):
        raise ScenarioError([Problem("must be text", "csv", path)])
    if not isinstance(column, str) or not column:
        raise ScenarioError([Problem("is required with csv: the header of the column to read", "column")])
    require_signs(delimiter, decimal)
    return {**values, field: tuple(read(path, column, delimiter, decimal))}
