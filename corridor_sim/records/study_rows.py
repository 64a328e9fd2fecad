"""A time release study read from its table: every fault of every row with its line, nothing repaired.

Times that are missing in the middle, out of order, before or after the study, or that the clock shows twice or never;
words that are no agency, channel or flow; consignments that are there twice.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from corridor_sim.core.errors import Problem, ScenarioError, nearest
from corridor_sim.files.reading import shown
from corridor_sim.files.sheets import WORKBOOKS, read_workbook
from corridor_sim.model.csv_columns import text_of
from corridor_sim.records.release_study import ReleaseStudy
from corridor_sim.records.study_columns import StudyColumns, study_columns
from corridor_sim.records.study_faults import together

_HOUR = dt.timedelta(hours=1)
ISO = "ISO"
"""Times as ISO 8601 has them, in a list of forms."""
_OFFSET = re.compile(r"(?P<time>.*\d)\s*(?P<offset>[+-]\d\d:\d\d|Z)")
"""A time and the offset of its clock, as ISO 8601 has it."""


@dataclass
class _Row:
    """What is known of one consignment, with the lines it stands in."""

    line: int
    channel: str = ""
    flow: str = ""
    times: dict[str, dt.datetime] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    agency: dict[str, str] = field(default_factory=dict)
    misspelt: set[str] = field(default_factory=set)
    """Which of channel and flow are there with a word that nothing has."""


def read_release_study(
    columns: str | os.PathLike[str] | StudyColumns, *, csv_path: str | os.PathLike[str] | None = None
) -> ReleaseStudy:
    r"""Read the table of a time release study.

    Parameters
    ----------
    columns : path of a TOML file, or StudyColumns
        Which columns there are and what they mean; `docs/time-release.md` has one.
    csv_path : path, optional
        Another table with the same columns.

    Returns
    -------
    ReleaseStudy

    Raises
    ------
    ScenarioError
        With every fault of the table, each with its line; nothing is repaired.

    Notes
    -----
    Where `until` is given, what is missing at the end of a row had not happened by then; without it each consignment
    must have all its events.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> rows = "id,came,gone\na,2026-05-11 00:30,2026-05-11 01:30\nb,2026-05-11 02:00,2026-05-11 02:30\n"
    >>> head = 'name = "study"\ncsv = "rows.csv"\nconsignment = "id"\nutc_offset_h = 4.0\n'
    >>> size = (folder / "rows.csv").write_text(rows)
    >>> size = (folder / "study.toml").write_text(head + "[events.came]\n[events.gone]\n")
    >>> study = cs.read_release_study(folder / "study.toml")
    >>> study.consignments[:2]
    ('a', 'b')
    """
    folder = Path(".")
    if not isinstance(columns, StudyColumns):
        folder = Path(columns).parent
        columns = study_columns(columns)
    path = Path(csv_path) if csv_path is not None else folder / columns.csv
    name = shown(path)
    problems: list[Problem] = []
    rows = dict(_rows(columns, str(path), name, problems))
    if not rows and not problems:
        problems.append(Problem("has no rows below its header", file=name))
    since, until = _end(columns, columns.since, "since"), _end(columns, columns.until, "until")
    came_until = _end(columns, columns.arrivals_until, "arrivals_until")
    for number, row in rows.items():
        problems += [
            Problem(f"consignment {number}: {text}", file=name, line=line)
            for line, text in _faults(columns, row, since, until, came_until)
        ]
    if problems:
        raise ScenarioError(together(problems))
    return _study(columns, rows, since, until, came_until)


def _end(columns: StudyColumns, local: dt.datetime | None, name: str) -> dt.datetime | None:
    if local is None:
        return None
    instant, fault = _instant(columns, local)
    if instant is None:
        raise ScenarioError([Problem(fault, name, str(local))])
    return instant


def _instant(columns: StudyColumns, local: dt.datetime) -> tuple[dt.datetime | None, str]:
    """The instant in UTC, or what is wrong with the time."""
    if local.tzinfo is not None:
        return local.astimezone(dt.UTC).replace(tzinfo=None), ""
    found = columns.local_time.occurrences(local)
    if len(found) == 1:
        return found[0], ""
    if not found:
        return None, f"{local:%Y-%m-%d %H:%M} does not exist: the clock of {columns.zone} skips it"
    offsets = " or ".join(_offset(local - instant) for instant in found)
    text = (
        f"{local:%Y-%m-%d %H:%M} comes twice on the clock of {columns.zone}; write its offset ({offsets}) to say which"
    )
    return None, text


def _offset(offset: dt.timedelta) -> str:
    """An offset as ISO 8601 has it (``+03:30``)."""
    sign, minutes = ("-" if offset < dt.timedelta() else "+"), abs(round(offset.total_seconds() / 60.0))
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"


# ---------------------------------------------------------------- rows


def _rows(columns: StudyColumns, path: str, name: str, problems: list[Problem]) -> Iterator[tuple[str, _Row]]:
    read = _by_event if columns.rows == "event" else _by_consignment
    cells = (_of_workbook if path.lower().endswith(WORKBOOKS) else _of_csv)(columns, path, name, problems)
    if cells is None:
        return
    if columns.missing:
        cells = [
            (line, {key: "" if text in columns.missing else text for key, text in row.items()}) for line, row in cells
        ]
    found: list[Problem] = []
    yield from read(columns, cells, found).items()
    problems += [replace(one, file=name) for one in found]


def _of_csv(
    columns: StudyColumns, path: str, name: str, problems: list[Problem]
) -> list[tuple[int, dict[str, str]]] | None:
    """Lines of a CSV file with their cells by header; None where it cannot be read."""
    wanted = _headers(columns)
    try:
        reader = csv.reader(io.StringIO(text_of(path), newline=""), delimiter=columns.delimiter, strict=True)
        header = [one.strip() for one in next(reader, [])]
        other = (
            [sign for sign in (";", ",", "\t", "|") if sign != columns.delimiter and sign in header[0]]
            if header
            else []
        )
        if len(header) == 1 and len(wanted) > 1 and other:
            hint = f"set delimiter = {json.dumps(other[0])}"
            problems.append(Problem("has one column", value=header[0], file=name, line=1, hint=hint))
            return None
        if _lack(wanted, header, name, problems):
            return None
        cells: list[tuple[int, dict[str, str]]] = []
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(header):
                text = f"has {len(row)} cells, the header {len(header)}"
                problems.append(Problem(text, file=name, line=reader.line_num))
                continue
            cells.append((reader.line_num, {key: cell.strip() for key, cell in zip(header, row, strict=True)}))
    except csv.Error as error:
        problems.append(Problem(f"is not CSV: {error}", file=name, line=reader.line_num))
        return None
    except ScenarioError as error:
        problems += [replace(one, file=name, path="") for one in error.problems]
        return None
    return cells


def _of_workbook(
    columns: StudyColumns, path: str, name: str, problems: list[Problem]
) -> list[tuple[int, dict[str, str]]] | None:
    """Rows of a sheet with their cells by header, as a CSV file would have them."""
    try:
        (sheet,) = read_workbook(Path(path), (columns.sheet,))
    except ScenarioError as error:
        problems += [replace(one, path="") for one in error.problems]
        return None
    problems += sheet.problems
    if _lack(_headers(columns), list(sheet.header), name, problems):
        return None

    # A workbook holds midnight as it holds a date alone; it is a time where others of its column are.
    timed = {key for _, row in sheet.rows for key, cell in row.items() if isinstance(cell.value, dt.datetime)}

    def text(key: str, value: Any) -> str:
        if key in timed and isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            value = dt.datetime.combine(value, dt.time())
        if isinstance(value, dt.datetime):
            near = value + dt.timedelta(microseconds=500)  # a workbook keeps fractions of a day: to the millisecond
            near = near.replace(microsecond=near.microsecond // 1000 * 1000)
            form = columns.time_format[0] if columns.time_format else ISO
            return near.isoformat(" ") if form == ISO else near.strftime(form)
        return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()

    return [
        (row, {key: text(key, cells[key].value) if key in cells else "" for key in sheet.header})
        for row, cells in sheet.rows
    ]


def _lack(wanted: list[str], header: list[str], name: str, problems: list[Problem]) -> bool:
    """Whether headers are missing or there twice; each is a problem."""
    lost = [one for one in wanted if header.count(one) != 1]
    for one in lost:
        text = "is there more than once" if one in header else "is no column"
        listed = ", ".join(header[:20]) or "an empty file"
        problems.append(Problem(f"column {one!r} {text}", file=name, line=1, allowed=listed, hint=nearest(one, header)))
    return bool(lost)


def _headers(columns: StudyColumns) -> list[str]:
    wanted = [columns.consignment, columns.channel, columns.flow]
    if columns.rows == "event":
        wanted += [columns.event, columns.time, columns.agency]
    else:
        for name, event in columns.events.items():
            wanted += [event.column or name, event.agency_column]
    return [one for one in dict.fromkeys(wanted) if one]


def _by_consignment(
    columns: StudyColumns, cells: Iterable[tuple[int, Mapping[str, str]]], problems: list[Problem]
) -> dict[str, _Row]:
    rows: dict[str, _Row] = {}
    for line, cell in cells:
        number = cell[columns.consignment]
        if not number:
            problems.append(Problem(f"column {columns.consignment!r} is empty", line=line))
            continue
        if number in rows:
            text = f"consignment {number} is there twice, first in line {rows[number].line}"
            problems.append(Problem(text, line=line))
            continue
        row = rows[number] = _Row(line)
        _words(columns, row, cell, line, problems)
        for name, event in columns.events.items():
            _take(columns, row, name, cell[event.column or name], line, problems)
            whose = cell[event.agency_column] if event.agency_column else event.agency
            if name in row.times or event.agency:
                _whose(columns, row, name, whose, line, problems)
    return rows


def _by_event(
    columns: StudyColumns, cells: Iterable[tuple[int, Mapping[str, str]]], problems: list[Problem]
) -> dict[str, _Row]:
    rows: dict[str, _Row] = {}
    words = {event.word or name: name for name, event in columns.events.items()}
    for line, cell in cells:
        number, word = cell[columns.consignment], cell[columns.event]
        if not number:
            problems.append(Problem(f"column {columns.consignment!r} is empty", line=line))
            continue
        if word not in words:
            text = f"consignment {number}: {word!r} is no event"
            problems.append(Problem(text, allowed=", ".join(words), hint=nearest(word, words), line=line))
            continue
        name = words[word]
        row = rows.setdefault(number, _Row(line))
        if name in row.lines:
            text = f"consignment {number}: {name} is there twice, first in line {row.lines[name]}"
            problems.append(Problem(text, line=line))
            continue
        row.lines[name] = line
        _words(columns, row, cell, line, problems)
        if not cell[columns.time]:
            problems.append(Problem(f"consignment {number}: {name} has no time", line=line))
        _take(columns, row, name, cell[columns.time], line, problems)
        event = columns.events[name]
        _whose(columns, row, name, cell[columns.agency] if columns.agency else event.agency, line, problems)
    return rows


def _words(columns: StudyColumns, row: _Row, cell: Mapping[str, str], line: int, problems: list[Problem]) -> None:
    """Channel and flow of a row."""
    number = cell[columns.consignment]
    for what, header, known in (
        ("channel", columns.channel, columns.channels),
        ("flow", columns.flow, columns.flows),
    ):
        word = cell[header] if header else ""
        if not word:
            continue
        if word not in known:
            text = f"consignment {number}: {word!r} is no {what}"
            problems.append(Problem(text, allowed=", ".join(known), hint=nearest(word, known), line=line))
            row.misspelt.add(what)
        elif getattr(row, what) not in ("", word):
            problems.append(Problem(f"consignment {number}: its {what} was {getattr(row, what)} before", line=line))
        else:
            setattr(row, what, word)


def _whose(columns: StudyColumns, row: _Row, event: str, word: str, line: int, problems: list[Problem]) -> None:
    known = columns.agencies
    if known and word and word not in known:
        hint = nearest(word, known)
        problems.append(Problem(f"{event}: {word!r} is no agency", allowed=", ".join(known), hint=hint, line=line))
    elif known and not word and (columns.agency or columns.events[event].agency_column):
        problems.append(Problem(f"{event}: the agency is missing", allowed=", ".join(known), line=line))
    row.agency[event] = word


def _take(columns: StudyColumns, row: _Row, event: str, cell: str, line: int, problems: list[Problem]) -> None:
    """The time of an event, if there is one."""
    row.lines[event] = line
    if not cell:
        return
    read = _read(cell, columns.time_format or (ISO,))
    if len(read) != 1:
        forms = " or ".join(_shown(form) for form in columns.time_format or (ISO,))
        text = f"{event}: must be {forms}, got {cell!r}"
        if read:
            text = f"{event}: {cell!r} may be {' or '.join(f'{one:%Y-%m-%d %H:%M}' for one in read)}, by {forms}"
        problems.append(Problem(text, line=line))
        row.times[event] = dt.datetime.min
        return
    (local,) = read
    instant, fault = _instant(columns, local)
    if instant is None:
        problems.append(Problem(f"{event}: {fault}", line=line))
    row.times[event] = dt.datetime.min if instant is None else instant


def _read(cell: str, forms: Iterable[str]) -> list[dt.datetime]:
    """What a time may be by some forms, each reading once; none where it has none of them."""
    found: list[dt.datetime] = []
    for form in forms:
        try:
            one = _as_written(cell, form)
        except ValueError:
            continue
        found += [one] * (one not in found)
    return found


def _as_written(cell: str, form: str) -> dt.datetime:
    """A time in a form of the study, with or without an offset behind it; ValueError for another."""
    if form == ISO:
        if len(cell) <= len("2026-06-01"):
            raise ValueError("a date without a time")
        return dt.datetime.fromisoformat(cell)
    found = _OFFSET.fullmatch(cell)
    if found is not None and "%z" not in form:
        return dt.datetime.strptime(found["time"] + found["offset"], form + "%z")
    return dt.datetime.strptime(cell, form)


def _shown(form: str) -> str:
    return "a date and time such as 2026-06-01 08:30" if form == ISO else f"a time as in {form}"


# ---------------------------------------------------------------- what a row as a whole says


def _faults(
    columns: StudyColumns,
    row: _Row,
    since: dt.datetime | None,
    until: dt.datetime | None,
    came_until: dt.datetime | None,
) -> Iterator[tuple[int, str]]:
    """Lines and words of what does not fit together in the times of one consignment."""
    had = [name for name in columns.events if name in row.times]
    first, last = next(iter(columns.events)), had[-1] if had else ""
    if first not in row.times:
        yield row.line, f"{first} is missing"
        return
    unnamed = columns.channel and not row.channel and "channel" not in row.misspelt
    if unnamed and (until is None or columns.released in row.times):
        yield row.line, "the channel is missing"
    if columns.flow and not row.flow and "flow" not in row.misspelt:
        yield row.line, "the flow is missing"
    known = columns.channels if columns.channel and not row.channel else (row.channel,)
    order = list(columns.events)
    for name in order:
        needs = {columns.needs(name, channel) for channel in known}
        line = row.lines.get(name, row.line)
        if name in row.times:
            if needs == {False}:
                yield line, f"{name} is not of channel {row.channel or 'none'}, and has a time"
        elif needs == {True} and order.index(name) < order.index(last):
            if columns.events[name].gaps:
                continue
            yield line, f"{name} is missing, and {last} is there"
        elif needs == {True} and until is None:
            yield line, f"{name} is missing; say with until when the study ended if it had not happened by then"
    sound = [name for name in had if row.times[name] != dt.datetime.min]
    for before, after in itertools.pairwise(sound):
        if row.times[after] < row.times[before]:
            late = (row.times[before] - row.times[after]) / _HOUR * 60.0
            yield row.lines.get(after, row.line), f"{after} is {late:g} min before {before}"
    for name in sound:
        if until is not None and row.times[name] > until:
            yield row.lines.get(name, row.line), f"{name} is after the end of the study"
    if since is not None and first in sound and row.times[first] < since:
        yield row.lines.get(first, row.line), f"{first} is before the study began"
    if came_until is not None and first in sound and row.times[first] >= came_until:
        yield row.lines.get(first, row.line), f"{first} is after the end of the arrivals"


def _study(
    columns: StudyColumns,
    rows: Mapping[str, _Row],
    since: dt.datetime | None,
    until: dt.datetime | None,
    came_until: dt.datetime | None,
) -> ReleaseStudy:
    first = next(iter(columns.events))
    earliest = min(row.times[first] for row in rows.values())
    start = dt.datetime.combine(min(earliest, since or earliest).date(), dt.time())

    def hour(instant: dt.datetime | None, otherwise: float) -> float:
        return otherwise if instant is None else (instant - start) / _HOUR

    times = np.array([[hour(row.times.get(name), np.nan) for name in columns.events] for row in rows.values()])
    agency = np.array([[row.agency.get(name, "") for name in columns.events] for row in rows.values()], dtype=object)
    rounded = columns.rounded_to_min / 60.0
    notes = []
    on_minutes = all(not one.second and not one.microsecond for row in rows.values() for one in row.times.values())
    if not rounded and on_minutes:
        rounded = 1.0 / 60.0
        notes.append("all times are whole minutes: taken as rounded to 1 min")
    study = ReleaseStudy(
        columns,
        start,
        tuple(rows),
        times,
        np.array([row.channel for row in rows.values()], dtype=object),
        np.array([row.flow for row in rows.values()], dtype=object),
        agency,
        hour(since, -np.inf),
        hour(until, np.inf),
        rounded,
        tuple(notes),
        hour(came_until, np.inf),
    )
    for name, lost in zip(study.events, study.unwritten.sum(axis=0), strict=True):
        if lost:
            notes.append(f"{name} was not written down for {lost}: their times to it and from it are left out")
    if still := int(study.open.sum()):
        notes.append(f"{still} had not been released by the end of the study")
    return replace(study, notes=tuple(notes))
