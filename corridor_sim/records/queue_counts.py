"""Counts of a queue at instants: as they were observed, and as a run would have counted them."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError, CorridorError
from corridor_sim.core.units import FloatArray
from corridor_sim.files.packaged import is_called
from corridor_sim.files.sheets import COUNTS, WORKBOOKS, columns_of_workbook
from corridor_sim.model import csv_columns
from corridor_sim.model.arrivals import utc
from corridor_sim.records.visits import Records

PACKAGED = {"chop_zahony_2025": "data/chop_zahony/counts.csv"}
"""Packaged series by name."""
LONGEST_GAP_H = 3.0
"""Between two counts of a series; what lies in a longer gap is not known. Assumed."""


@dataclass(frozen=True, eq=False)
class QueueCounts:
    """How many vehicles were counted in a queue, and when.

    Attributes
    ----------
    start : datetime
        A midnight (UTC) from which hours are counted.
    time_h : array, shape (counts,)
        Increasing. [h]
    count : array, shape (counts,)
        Vehicles, >= 0.
    name : str

    Examples
    --------
    >>> import corridor_sim as cs
    >>> counts = cs.queue_counts("chop_zahony_2025")
    >>> counts.time_h.shape == counts.count.shape
    True
    """

    start: dt.datetime
    time_h: FloatArray
    count: FloatArray
    name: str = ""

    def __len__(self) -> int:
        return len(self.time_h)

    def __repr__(self) -> str:
        ends = f"{self.instant(self.time_h[0]):%Y-%m-%d %H:%M} to {self.instant(self.time_h[-1]):%Y-%m-%d %H:%M} UTC"
        return f"<{len(self)} counts{f' of {self.name}' if self.name else ''}, {ends}>"

    def instant(self, time_h: float) -> dt.datetime:
        """The date and time of an hour. [UTC]"""
        return self.start + dt.timedelta(hours=float(time_h))

    def hour(self, instant: dt.datetime) -> float:
        """The hour of a date and time, UTC without offset. [h]"""
        arguments.instance("the instant", instant, dt.datetime, "a date and time")
        return (utc(instant) - self.start).total_seconds() / 3600.0

    def between(self, since_h: float, until_h: float) -> QueueCounts:
        """The counts in (since_h, until_h]."""
        these = (self.time_h > since_h) & (self.time_h <= until_h)
        return QueueCounts(self.start, self.time_h[these], self.count[these], self.name)

    def at(self, time_h: FloatArray) -> FloatArray:
        """Counts at instants, on the straight line between those before and after; NaN in gaps and outside."""
        after = np.searchsorted(self.time_h, time_h, side="left")
        inside = (after > 0) & (after < len(self)) | np.isin(time_h, self.time_h)
        before, next_one = np.clip(after - 1, 0, len(self) - 1), np.clip(after, 0, len(self) - 1)
        gap = self.time_h[next_one] - self.time_h[before] > LONGEST_GAP_H
        known = inside & ~(gap & ~np.isin(time_h, self.time_h))
        return np.where(known, np.interp(time_h, self.time_h, self.count), np.nan)


def queue_counts(
    source: str | os.PathLike[str],
    *,
    time: str = "time_utc",
    count: str = "vehicles",
    delimiter: str = ",",
    decimal: str = ".",
) -> QueueCounts:
    """Read counts of a queue from a CSV file or the sheet ``counts`` of a workbook, or those of the package.

    Parameters
    ----------
    source : path of a CSV file or a workbook (.xlsx, .ods), or ``"chop_zahony_2025"``
    time, count : str
        Headers of the columns: date and time (UTC if it has no offset), and vehicles. A row without a count is one that
        was not counted; it is left out.
    delimiter, decimal : str
        The signs between cells and before decimals.

    Raises
    ------
    ScenarioError
        If the file cannot be read, a cell is no instant or no count, or the instants do not increase; every bad row.
    ArgumentError
        If there are fewer than two counts.

    Examples
    --------
    >>> queue_counts("chop_zahony_2025")
    <1072 counts of chop_zahony_2025, 2025-06-11 07:02 to 2025-07-25 22:02 UTC>
    """
    arguments.instance("source", source, (str, os.PathLike), "a path or the name of a packaged series")
    text = os.fspath(source)
    name = Path(text).name
    if text in PACKAGED:
        text, time, count = str(files("corridor_sim") / PACKAGED[text]), "time_utc", "vehicles"
        delimiter, decimal = ",", "."
        name = os.fspath(source)
    elif is_called(text):
        raise CorridorError(f"{text!r} is neither a file nor a packaged series ({', '.join(PACKAGED)})")
    csv_columns.require_signs(delimiter, decimal)
    if Path(text).suffix.lower() in WORKBOOKS:
        columns = columns_of_workbook(text, COUNTS, (time, count))
        rows, cells = columns[time], columns[count]
        decimal = "."
    else:
        rows = csv_columns.read_column(text, time, delimiter)
        cells = csv_columns.read_column(text, count, delimiter)
    instants: list[dt.datetime] = []
    values: list[float] = []
    bad: list[str] = []
    for (row, when), (_, cell) in zip(rows, cells, strict=True):
        if not cell:
            continue
        value = csv_columns.number(cell, decimal)
        if not (value >= 0 and value == int(value if np.isfinite(value) else -1)):
            hint = csv_columns.other_decimal(cell, decimal)
            bad.append(f"row {row}, column {count}: must be a whole number >= 0, got {cell!r}{hint}")
        try:
            instant = utc(dt.datetime.fromisoformat(when))
        except ValueError:
            bad.append(f"row {row}, column {time}: must be a date and time such as 2024-06-01 08:30, got {when!r}")
            continue
        if instants and instant <= instants[-1]:
            bad.append(f"row {row}, column {time}: must be later than the row before, got {when!r}")
        instants.append(instant)
        values.append(value)
    csv_columns.refuse_rows(text, bad, alone=True)
    if len(instants) < 2:
        raise ArgumentError(f"{text} must have at least two counts, has {len(instants)}")
    start = dt.datetime.combine(instants[0].date(), dt.time())
    hours = [(one - start).total_seconds() / 3600.0 for one in instants]
    return QueueCounts(start, np.array(hours), np.array(values), name)


def present(records: Records, post: str, direction: str, time_h: FloatArray) -> FloatArray:
    """Consignments at a post at instants: joined a stage of it and have not left the last that they joined.

    Parameters
    ----------
    records : Records
    post, direction : str
    time_h : array, shape (instants,)
        Hours of the run. [h]

    Returns
    -------
    array, shape (replication, instants)

    Raises
    ------
    CorridorError
        If the plan has no such post.
    """
    mine = [k for k, one in enumerate(records.plan.elements) if (one.post, one.direction) == (post, direction)]
    if not mine:
        raise CorridorError(f"no stage of {post} ({direction}) is on the way of any flow")
    found = np.zeros((len(records.replications), len(time_h)))
    for row in range(len(found)):
        for join_h, leave_h in _stays(records, mine, row):
            found[row] += np.searchsorted(np.sort(join_h), time_h, side="right")
            found[row] -= np.searchsorted(np.sort(leave_h[~np.isnan(leave_h)]), time_h, side="right")
    return found


def _stays(records: Records, elements: Iterable[int], row: int) -> Iterable[tuple[FloatArray, FloatArray]]:
    """Joining and leaving at each stage; what leaves one stage joins the next in the same instant."""
    for k in elements:
        visits = records.elements[k]
        there = (visits.flow[row] >= 0) & ~np.isnan(visits.join_h[row])
        yield visits.join_h[row][there], visits.leave_h[row][there]
