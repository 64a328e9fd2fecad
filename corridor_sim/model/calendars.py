"""Hours and numbers by local time, weekday and season: ``"Mon-Fri 08:00-20:00"``, ``{ "Apr-Sep Mon-Fri 06:00" = 4 }``.

Times of day are local to the post. A window may run over midnight; it belongs to the day on
which it begins. A number holds from its time on until the next one, over midnight too.
To add a way of writing hours, add it to `line_of`; for days see `days.py`.
"""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.local_time import UTC, LocalTime
from corridor_sim.core.units import H_PER_DAY, H_PER_WEEK, FloatArray, distinct
from corridor_sim.model.days import MONTHS, WEEKDAYS, Days, IntArray, Named, named, words_of
from corridor_sim.model.field_types import LaneCount, TableOf, TupleOf

MOST_LINES = 100
"""Most lines of opening hours of one stage."""
_CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)")
_FORM = (
    "as in 'Mon-Fri 08:00-20:00', 'Sat,Sun 22:00-06:00', 'Apr-Sep 08:00-24:00' or 'Apr 15-Sep 30 Mon 08:00-12:00'; "
    "weekdays Mon Tue Wed Thu Fri Sat Sun"
)
_ENTRY_FORM = "as in '06:00', 'Mon-Fri 06:00' or 'Apr-Sep Sat,Sun 22:00'"
_DAY = 24 * 60
_MONDAY = dt.date(2001, 1, 1)
"""A Monday with which a cycle of 28 years begins, in which every date falls on every weekday equally often."""


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """A value that changes at local times: `value[k]` from `minute[k]` on, minutes after midnight of the first date."""

    minute: IntArray
    value: FloatArray

    def at(self, minute: IntArray) -> FloatArray:
        """Values at some times; before the first one its value."""
        return np.asarray(self.value[np.maximum(np.searchsorted(self.minute, minute, side="right") - 1, 0)])


@dataclass(frozen=True, slots=True)
class Line:
    """A line of opening hours: on which days a window begins, and when it begins and ends, after midnight. [min]"""

    days: Named
    start: int
    end: int


def clock_h(text: str, end: bool = False) -> float:
    """Hours after midnight of a time such as ``08:30``; ``24:00`` only as an `end`. [h]

    Raises
    ------
    ScenarioError
        If it is no time of day.
    """
    return _minute(text, end) / 60


def _minute(text: str, end: bool = False) -> int:
    found = _CLOCK.fullmatch(text)
    minute = int(found[1]) * 60 + int(found[2]) if found else -1
    if not 0 <= minute < _DAY and not (end and minute == _DAY):
        raise ScenarioError([Problem("is not a time of day", value=text, allowed="00:00 to 23:59; 24:00 as an end")])
    return minute


def line_of(text: str) -> Line:
    """One line of opening hours.

    Raises
    ------
    ScenarioError
        If the line cannot be read, or begins where it ends.

    Examples
    --------
    >>> line_of("Apr-Sep Sat,Sun 22:00-06:00")
    Line(days=Named(weekdays=(5, 6), seasons=((401, 930),)), start=1320, end=1800)
    """
    days, _, times = text.rpartition(" ")
    if text != " ".join(text.split()) or times.count("-") != 1:
        raise ScenarioError([Problem("cannot be read as opening hours", value=text, allowed=_FORM)])
    which = named(days)
    first, last = times.split("-")
    start, end = _minute(first), _minute(last, end=True)
    if start == end:
        hint = "write '00:00-24:00' for the whole day, or leave the line out"
        raise ScenarioError([Problem("begins where it ends: empty, or 24 hours?", value=text, hint=hint)])
    return Line(which, start, end if end > start else end + _DAY)


def entry_of(text: str) -> tuple[Named, int]:
    """The days and the minute after midnight that a key of a roster names, as in ``"Mon-Fri 06:00"``.

    Raises
    ------
    ScenarioError
        If it cannot be read.
    """
    days, _, time = text.rpartition(" ")
    if text != " ".join(text.split()) or (days and not _CLOCK.fullmatch(time)):
        raise ScenarioError([Problem("is no time of a roster", value=text, allowed=_ENTRY_FORM)])
    return named(days), _minute(time)


def window_of(text: str) -> list[tuple[float, float]]:
    """Windows of the week that one line names, whatever its season: (from, until) in hours after Monday 00:00.

    The end may lie beyond the week's end (168 h) when the window runs over it.

    Raises
    ------
    ScenarioError
        If the line cannot be read.

    Examples
    --------
    >>> window_of("Sat,Sun 22:00-06:00")
    [(142.0, 150.0), (166.0, 174.0)]
    """
    line = line_of(text)
    return [(day * H_PER_DAY + line.start / 60, day * H_PER_DAY + line.end / 60) for day in line.days.weekdays]


def open_steps(lines: Iterable[str], days: Days, on_holidays: Iterable[str] | None = None) -> Steps:
    """1 where one of the lines is open and 0 elsewhere, over some dates.

    Where `on_holidays` is given its windows begin on holidays, and those of `lines` on other dates.
    """
    starts, ends = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    usual = ~days.holiday if on_holidays is not None else np.ones(len(days.weekday), dtype=bool)
    for text, when in [*((text, usual) for text in lines), *((text, days.holiday) for text in on_holidays or ())]:
        line = line_of(text)
        midnights = np.flatnonzero(line.days.among(days) & when) * _DAY
        starts.append(midnights + line.start)
        ends.append(midnights + line.end)
    begun, over = np.sort(np.concatenate(starts)), np.sort(np.concatenate(ends))
    edges = distinct(np.concatenate([[0], begun, over]))
    depth = np.searchsorted(begun, edges, side="right") - np.searchsorted(over, edges, side="right")
    return Steps(edges, (depth > 0).astype(np.float64))


def number_steps(table: Mapping[str, float], days: Days) -> Steps:
    """The numbers of a roster over some dates; before the first entry of the first date, the first number.

    Examples
    --------
    >>> week = Days.of(dt.date(2024, 1, 5), 3)  # from Friday to Sunday
    >>> number_steps({"Mon-Fri 06:00": 4, "Mon-Fri 22:00": 2, "Sat,Sun 00:00": 1}, week)
    Steps(minute=array([ 360, 1320, 1440, 2880]), value=array([4., 2., 1., 1.]))
    """
    minutes, values = [], []
    for text, value in table.items():
        which, minute = entry_of(text)
        at = np.flatnonzero(which.among(days)) * _DAY + minute
        minutes.append(at)
        values.append(np.full(len(at), float(value)))
    minute_, value_ = np.concatenate(minutes), np.concatenate(values)
    order = np.argsort(minute_, kind="stable")
    return Steps(minute_[order], value_[order])


def overlapping(lines: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of lines whose windows have time in common; they count as one window.

    Examples
    --------
    >>> overlapping(["Mon 08:00-12:00", "Mon-Tue 11:00-15:00", "Wed 08:00-12:00"])
    [('Mon 08:00-12:00', 'Mon-Tue 11:00-15:00')]
    >>> overlapping(["Apr-Sep 06:00-22:00", "Oct-Mar 08:00-20:00"])
    []
    """
    read = [(text, line_of(text), window_of(text)) for text in lines]
    if len(read) < 2:
        return []
    year = Days.of(dt.date(2000, 1, 1), 366).month_day

    def meet(one: list[tuple[float, float]], other: list[tuple[float, float]]) -> bool:
        shifts = (-H_PER_WEEK, 0.0, H_PER_WEEK)
        return any(max(a, c + w) < min(b, d + w) for a, b in one for c, d in other for w in shifts)

    def share_days(one: Named, other: Named) -> bool:
        return bool((one.in_season(year) & other.in_season(year)).any())

    pairs = itertools.combinations(read, 2)
    return [(a, b) for (a, x, v), (b, y, w) in pairs if meet(v, w) and share_days(x.days, y.days)]


def lanes_of_cycle(
    lines: Iterable[str] | None, by_hour: Mapping[str, float] | None, lanes: float = 1.0
) -> tuple[list[tuple[float, float]], float]:
    """Open lanes (from hour, value) from a Monday 00:00 on in one cycle, and its length: a week, or 28 years. [h]

    They are those of the roster, or `lanes`, while the hours are open. 28 years where seasons are named.

    Examples
    --------
    >>> lanes_of_cycle(["Mon 08:00-20:00"], None, 5)
    ([(0.0, 0.0), (8.0, 5.0), (20.0, 0.0)], 168.0)
    """
    found, length_h = _cycle(
        None if lines is None else tuple(lines), tuple(by_hour.items()) if by_hour else None, float(lanes)
    )
    return list(found), length_h


@functools.lru_cache(maxsize=256)
def _cycle(
    lines: tuple[str, ...] | None, by_hour: tuple[tuple[str, float], ...] | None, lanes: float
) -> tuple[tuple[tuple[float, float], ...], float]:
    texts = [*(lines or ()), *(text for text, _ in by_hour or ())]
    days = 28 * 1461 // 4 if any(map(_seasonal, texts)) else 7
    dates = Days.of(_MONDAY - dt.timedelta(days=1), days + 1)  # the day before has what runs on into the first
    is_open = Steps(np.zeros(1, np.int64), np.ones(1)) if lines is None else open_steps(lines, dates)
    number = number_steps(dict(by_hour), dates) if by_hour else Steps(np.zeros(1, np.int64), np.full(1, lanes))
    edges = distinct(np.concatenate([is_open.minute, number.minute, [_DAY]]))
    edges = edges[(edges >= _DAY) & (edges < (days + 1) * _DAY)]
    value = is_open.at(edges) * number.at(edges)
    kept = np.append(True, value[1:] != value[:-1])
    pieces = zip(((edges[kept] - _DAY) / 60).tolist(), value[kept].tolist(), strict=True)
    return tuple(pieces), days * H_PER_DAY


def _seasonal(text: str) -> bool:
    days, _, _ = text.rpartition(" ")
    return bool(named(days).seasons)


def open_h_per_week(lines: Iterable[str] | None) -> float:
    """Hours a week that the lines cover; 168 for None. [h]"""
    return lane_h_per_week(lines)


def lane_h_per_week(
    lines: Iterable[str] | None, by_hour: Mapping[str, float] | None = None, lanes: float = 1.0
) -> float:
    """Lane-hours a week that `lanes_of_cycle` offers, on average over the year where seasons are named. [h]"""
    found, length_h = lanes_of_cycle(lines, by_hour, lanes)
    pieces = [*found, (length_h, 0.0)]
    total = sum(value * (after - start) for (start, value), (after, _) in itertools.pairwise(pieces))
    return total if length_h == H_PER_WEEK else total * (H_PER_WEEK / length_h)


def hours_after(instant: dt.datetime, start: dt.datetime, local: LocalTime = UTC) -> float:
    """Hours from `start` (UTC) to an instant that is in `local` time unless it carries its own offset. [h]"""
    if start.tzinfo is not None:
        start = start.astimezone(dt.UTC).replace(tzinfo=None)
    if instant.tzinfo is not None:
        return (instant.astimezone(dt.UTC).replace(tzinfo=None) - start) / dt.timedelta(hours=1)
    if local.zone:
        return (local.utc(instant) - start) / dt.timedelta(hours=1)
    return (instant - start) / dt.timedelta(hours=1) - local.utc_offset_h


def readable(lines: tuple[str, ...]) -> tuple[str, ...]:
    """The lines, if each can be read; ScenarioError with all that cannot."""
    problems: list[Problem] = []
    for k, line in enumerate(lines[:MOST_LINES]):
        try:
            line_of(line)
        except ScenarioError as error:
            problems += [problem.at(str(k)) for problem in error.problems]
    if len(lines) > MOST_LINES:
        problems.append(Problem(f"has {len(lines)} lines; at most {MOST_LINES} are read"))
    if not lines:
        hint = "leave it out for round the clock, or set lanes = 0"
        problems.append(Problem("must name at least one window", hint=hint))
    if problems:
        raise ScenarioError(problems)
    return lines


def _roster_keys(table: Mapping[str, Any]) -> Mapping[str, Any]:
    problems: list[Problem] = []
    if not table:
        problems.append(Problem("must name at least one time of day", hint='as in { "08:00" = 6, "20:00" = 5 }'))
    if len(table) > MOST_LINES:
        problems.append(Problem(f"has {len(table)} times; at most {MOST_LINES} are read"))
    entries: dict[str, tuple[Named, int]] = {}
    for text in itertools.islice(table, MOST_LINES):
        try:
            entries[text] = entry_of(text)
        except ScenarioError as error:
            problems += [problem.at(text) for problem in error.problems]
    if not problems:
        problems = [*_named_twice(entries), *_not_named(entries)]
    if problems:
        raise ScenarioError(problems)
    return table


def _named_twice(entries: Mapping[str, tuple[Named, int]]) -> list[Problem]:
    """Entries that give one time of one day a second number."""
    year = Days.of(dt.date(2000, 1, 1), 366).month_day
    found = []
    for (one, (days, minute)), (text, (others, at)) in itertools.combinations(entries.items(), 2):
        both = [day for day in days.weekdays if day in others.weekdays]
        if minute == at and both and bool((days.in_season(year) & others.in_season(year)).any()):
            when = f"{words_of(Named(tuple(both)))} {at // 60:02}:{at % 60:02}"
            found.append(Problem(f"names a time that {one!r} names too: {when}", text, hint="name each time once"))
    return found


def _not_named(entries: Mapping[str, tuple[Named, int]]) -> list[Problem]:
    """Days for which no entry is given: nobody says whether the number of the day before holds or none."""
    year = Days.of(dt.date(2000, 1, 1), 366)
    named_ = np.zeros((7, 366), dtype=bool)
    for days, _ in entries.values():
        named_[list(days.weekdays)] |= days.in_season(year.month_day)
    if named_.all():
        return []
    missing = Named(tuple(np.flatnonzero(~named_.all(axis=1)).tolist()))
    first = int(year.month_day[~named_.all(axis=0)].min())
    some = bool(named_[list(missing.weekdays)].any())
    season = f" all year: none from {MONTHS[first // 100 - 1]} {first % 100} on" if some else ""
    example = f"{','.join(WEEKDAYS[day] for day in missing.weekdays)} 00:00"
    hint = f"every day needs an entry, as in {example!r} = 0 where it is closed"
    return [Problem(f"names no number on {words_of(missing)}{season}", hint=hint)]


Hours = Annotated[TupleOf[str], AfterValidator(readable)]
"""Lines of opening hours, local to the post; where they overlap they are one window."""
CountByHour = Annotated[TableOf[LaneCount], AfterValidator(_roster_keys)]
"""Whole numbers by local time from which they hold: ``{ "Mon-Fri 06:00" = 4, "Sat,Sun 00:00" = 1 }``.

Without weekdays an entry holds every day, without a season (``"Apr-Sep Mon-Fri 06:00"``) all year."""
