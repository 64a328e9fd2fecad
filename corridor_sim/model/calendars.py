"""Hours of the week and of the day in words: ``"Mon-Fri 08:00-20:00"``, ``"08:00"``.

Times of day are local to the post. A window may run over midnight and over the
end of the week. To add a way of writing hours, add it to `window_of`.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator

from corridor_sim.core.errors import Problem, ScenarioError, nearest
from corridor_sim.core.local_time import UTC, LocalTime
from corridor_sim.core.units import H_PER_DAY, H_PER_WEEK
from corridor_sim.model.base import LaneCount, TableOf, TupleOf

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MOST_LINES = 100
"""Most lines of opening hours of one stage."""
_CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)")
_FORM = "as in 'Mon-Fri 08:00-20:00', 'Sat,Sun 22:00-06:00' or '08:00-24:00'; weekdays Mon Tue Wed Thu Fri Sat Sun"

Pieces = tuple[tuple[float, float], ...]
"""Pieces of a step function within one period: (from hour, value), the first from 0."""


def clock_h(text: str, end: bool = False) -> float:
    """Hours after midnight of a time such as ``08:30``; ``24:00`` only as an `end`. [h]

    Raises
    ------
    ScenarioError
        If it is no time of day.
    """
    found = _CLOCK.fullmatch(text)
    hour = int(found[1]) + int(found[2]) / 60 if found else -1.0
    if not 0 <= hour < H_PER_DAY and not (end and hour == H_PER_DAY):
        raise ScenarioError([Problem("is not a time of day", value=text, allowed="00:00 to 23:59; 24:00 as an end")])
    return hour


def _days_of(text: str) -> list[int]:
    """Numbers of the weekdays in ``Mon-Fri`` or ``Sat,Sun`` (Monday is 0)."""
    days: list[int] = []
    for part in text.split(","):
        ends = part.split("-")
        for name in ends:
            if name not in WEEKDAYS:
                raise ScenarioError(
                    [Problem("is not a weekday", value=name, allowed=_FORM, hint=nearest(name, WEEKDAYS))]
                )
        if len(ends) > 2:
            raise ScenarioError([Problem("is not a range of weekdays", value=part, allowed=_FORM)])
        first, last = WEEKDAYS.index(ends[0]), WEEKDAYS.index(ends[-1])
        days += [(first + k) % 7 for k in range((last - first) % 7 + 1)]
    return days


def window_of(text: str) -> list[tuple[float, float]]:
    """Windows of the week that one line of opening hours names: (from, until) in hours after Monday 00:00.

    The end may lie beyond the week's end (168 h) when the window runs over it.

    Raises
    ------
    ScenarioError
        If the line cannot be read, or begins where it ends.

    Examples
    --------
    >>> window_of("Sat,Sun 22:00-06:00")
    [(142.0, 150.0), (166.0, 174.0)]
    """
    words = text.split()
    if text != " ".join(words) or len(words) not in (1, 2) or words[-1].count("-") != 1:
        raise ScenarioError([Problem("cannot be read as opening hours", value=text, allowed=_FORM)])
    days = _days_of(words[0]) if len(words) == 2 else list(range(7))
    first, last = words[-1].split("-")
    start, end = clock_h(first), clock_h(last, end=True)
    if start == end:
        hint = "write '00:00-24:00' for the whole day, or leave the line out"
        raise ScenarioError([Problem("begins where it ends: empty, or 24 hours?", value=text, hint=hint)])
    length = (end - start) % H_PER_DAY or H_PER_DAY
    return [(day * H_PER_DAY + start, day * H_PER_DAY + start + length) for day in days]


def weekly_pieces(lines: Iterable[str]) -> Pieces:
    """1 where one of the lines is open and 0 elsewhere, as pieces of one week from Monday 00:00."""
    covered: list[tuple[float, float]] = []
    for line in lines:
        for start, end in window_of(line):
            covered += [(start, min(end, H_PER_WEEK))] + ([(0.0, end - H_PER_WEEK)] if end > H_PER_WEEK else [])
    edges = sorted({0.0, *(edge for window in covered for edge in window if edge < H_PER_WEEK)})
    return tuple((edge, float(any(start <= edge < end for start, end in covered))) for edge in edges)


def overlapping(lines: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of lines whose windows have time in common; they count as one window.

    Examples
    --------
    >>> overlapping(["Mon 08:00-12:00", "Mon-Tue 11:00-15:00", "Wed 08:00-12:00"])
    [('Mon 08:00-12:00', 'Mon-Tue 11:00-15:00')]
    """
    pairs = itertools.combinations(lines, 2)
    return [(a, b) for a, b in pairs if open_h_per_week([a]) + open_h_per_week([b]) > open_h_per_week([a, b]) + 1e-9]


def daily_pieces(table: Mapping[str, float]) -> Pieces:
    """Values that change at times of the day, as pieces of one day from 00:00."""
    pieces = sorted((clock_h(text), float(value)) for text, value in table.items())
    return tuple(pieces) if pieces[0][0] == 0 else ((0.0, pieces[-1][1]), *pieces)


def open_h_per_week(lines: Iterable[str] | None) -> float:
    """Hours a week that the lines cover; 168 for None. [h]"""
    if lines is None:
        return H_PER_WEEK
    pieces = (*weekly_pieces(lines), (H_PER_WEEK, 0.0))
    return sum(value * (after - start) for (start, value), (after, _) in itertools.pairwise(pieces))


def lanes_of_week(
    lines: Iterable[str] | None, by_hour: Mapping[str, float] | None, lanes: float = 1.0
) -> list[tuple[float, float]]:
    """Open lanes in one week from Monday 00:00: those of the day's hours, or `lanes`, while the week's hours are open.

    Examples
    --------
    >>> lanes_of_week(["Mon 08:00-20:00"], None, 5)
    [(0.0, 0.0), (8.0, 5.0), (20.0, 0.0)]
    """
    week = weekly_pieces(lines) if lines is not None else ((0.0, 1.0),)
    day = daily_pieces(by_hour) if by_hour else ((0.0, float(lanes)),)
    hours = [(n * H_PER_DAY + from_h, value) for n in range(7) for from_h, value in day]
    found: list[tuple[float, float]] = []
    for edge in sorted({edge for edge, _ in (*week, *hours)}):
        is_open = [value for from_h, value in week if from_h <= edge][-1]
        value = is_open * [number for from_h, number in hours if from_h <= edge][-1]
        if not found or found[-1][1] != value:
            found.append((edge, value))
    return found


def lane_h_per_week(
    lines: Iterable[str] | None, by_hour: Mapping[str, float] | None = None, lanes: float = 1.0
) -> float:
    """Lane-hours that `lanes_of_week` offers. [h]"""
    pieces = [*lanes_of_week(lines, by_hour, lanes), (H_PER_WEEK, 0.0)]
    return sum(value * (after - start) for (start, value), (after, _) in itertools.pairwise(pieces))


def hours_after(instant: dt.datetime, start: dt.datetime, local: LocalTime = UTC) -> float:
    """Hours from `start` (UTC) to an instant that is in `local` time unless it carries its own offset. [h]"""
    if start.tzinfo is not None:
        start = start.astimezone(dt.UTC).replace(tzinfo=None)
    if instant.tzinfo is not None:
        return (instant.astimezone(dt.UTC).replace(tzinfo=None) - start) / dt.timedelta(hours=1)
    if local.zone:
        return (local.utc(instant) - start) / dt.timedelta(hours=1)
    return (instant - start) / dt.timedelta(hours=1) - local.utc_offset_h


def _readable(lines: tuple[str, ...]) -> tuple[str, ...]:
    problems: list[Problem] = []
    for k, line in enumerate(lines[:MOST_LINES]):
        try:
            window_of(line)
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


def _clock_keys(table: Mapping[str, Any]) -> Mapping[str, Any]:
    problems: list[Problem] = []
    if not table:
        problems.append(Problem("must name at least one time of day", hint='as in { "08:00" = 6, "20:00" = 5 }'))
    for text in table:
        try:
            clock_h(text)
        except ScenarioError as error:
            problems += [problem.at(text) for problem in error.problems]
    if problems:
        raise ScenarioError(problems)
    return table


Hours = Annotated[TupleOf[str], AfterValidator(_readable)]
"""Lines of opening hours, local to the post; where they overlap they are one window."""
CountByHour = Annotated[TableOf[LaneCount], AfterValidator(_clock_keys)]
"""Whole numbers by local time of day from which they hold: ``{ "08:00" = 6, "20:00" = 5 }``."""
