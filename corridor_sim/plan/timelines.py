"""Values over the time of the run: base values, calendars and dated changes as step functions.

The clock is hours after `run.start` in UTC; calendars are local to a post and
are shifted here. Nothing else in the flattening handles calendars.
"""

from __future__ import annotations

import datetime as dt
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from corridor_sim.core.local_time import LocalTime, OffsetPieces, day_starts, offset_at
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import H_PER_DAY, H_PER_WEEK, FloatArray, distinct
from corridor_sim.model.calendars import Steps, hours_after, number_steps, open_steps
from corridor_sim.model.changes import DatedChange, closed_windows, pieces, value_at
from corridor_sim.model.days import WEEKDAYS, Days
from corridor_sim.model.holidays import NOTHING_KEPT, KeptHolidays

ROUND_THE_CLOCK = ("00:00-24:00",)
ONE = StepFunction.constant(1.0)
"""All, or all the time; the one object of it, so that it can be told by `is`."""


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """The dates of a run at one place: its local time, its holidays, and the opening hours on them.

    `on_holidays` is None where hours hold on holidays as on other days.
    """

    local: LocalTime
    days: Days
    on_holidays: tuple[str, ...] | None = None


class RunClock:
    """The run's start and length; turns local calendars into step functions."""

    def __init__(self, start: dt.datetime, horizon_h: float) -> None:
        self.start, self.horizon_h = start, horizon_h

    def offset_pieces(self, local: LocalTime) -> OffsetPieces:
        """Local time minus UTC over the run as (from hour, offset), from two days before to two days after it. [h]"""
        return local.pieces(self.start, self.horizon_h)

    def offsets(self, local: LocalTime) -> StepFunction:
        """Local time minus UTC over the run. [h]"""
        return steps(self.offset_pieces(local))

    def local_h(self, utc_offset_h: float) -> float:
        """Hours after local Monday 00:00 at the start of the run. [h]"""
        since_midnight = self.start - dt.datetime.combine(self.start.date(), dt.time())
        hours = self.start.weekday() * H_PER_DAY + since_midnight / dt.timedelta(hours=1)
        return (hours + utc_offset_h) % H_PER_WEEK

    @functools.cached_property
    def days(self) -> Days:
        """Dates of the run, from two before that of its start (UTC) to three after that of its end."""
        return Days.of(self._first_date, math.ceil((self._clock_h + self.horizon_h) / H_PER_DAY) + 5)

    @property
    def _first_date(self) -> dt.date:
        return self.start.date() - dt.timedelta(days=2)

    @property
    def _clock_h(self) -> float:
        """Hours after midnight at the start, in UTC. [h]"""
        return (self.start - dt.datetime.combine(self.start.date(), dt.time())) / dt.timedelta(hours=1)

    def by_clock(self, shown: Steps, local: LocalTime) -> StepFunction:
        """A value by what the local clock shows, in minutes after midnight of the first of `days`, over the run."""
        if (shown.value == shown.value[0]).all():
            return StepFunction.constant(float(shown.value[0]))
        parts = []
        for from_h, offset in self._inside(self.offset_pieces(local)):
            instants = shown.minute / 60 - (2 * H_PER_DAY + self._clock_h + offset)
            first = max(int(np.searchsorted(instants, 0.0, side="right")) - 1, 0)
            last = max(int(np.searchsorted(instants, self.horizon_h)), first + 1)
            edges = np.maximum(instants[first:last], 0.0)
            parts.append((max(from_h, 0.0), StepFunction(edges, shown.value[first:last])))
        return switched(parts)

    def _inside(self, offsets: OffsetPieces) -> OffsetPieces:
        """Those pieces that hold somewhere in the run."""
        begun = [k for k, (from_h, _) in enumerate(offsets) if from_h <= 0]
        return tuple(piece for piece in offsets[begun[-1] :] if piece[0] < max(self.horizon_h, 1e-9))

    def observed(
        self, local: LocalTime, keeps: KeptHolidays = NOTHING_KEPT, hours: str | Sequence[str] = "usual"
    ) -> Observed:
        """The dates of the run at a place that keeps holidays, and what is open on them."""
        holiday_as = WEEKDAYS.index(hours) if isinstance(hours, str) and hours in WEEKDAYS else None
        days = self.days if keeps == NOTHING_KEPT else self.days.keeping(keeps.dates, keeps.worked, holiday_as)
        lines = () if hours == "closed" else None if isinstance(hours, str) else tuple(hours)
        return Observed(local, days, lines if days.holiday.any() else None)

    def open_hours(self, lines: Sequence[str] | None, at: Observed) -> StepFunction:
        """1 where opening hours are open, 0 elsewhere; 1 throughout for None where holidays change nothing."""
        if lines is None and at.on_holidays is None:
            return StepFunction.constant(1.0)
        return self.by_clock(open_steps(ROUND_THE_CLOCK if lines is None else lines, at.days, at.on_holidays), at.local)

    def roster(self, table: Mapping[str, float], at: Observed) -> StepFunction:
        """Numbers by local time, weekday and season."""
        return self.by_clock(number_steps(table, at.days), at.local)

    def on_holidays(self, factor: float, local: LocalTime, keeps: KeptHolidays) -> StepFunction:
        """`factor` while the clock shows the date of a holiday, 1 on other dates."""
        days = self.days.keeping(keeps.dates)
        shown = Steps(np.arange(len(days.date)) * 24 * 60, np.where(days.holiday, factor, 1.0))
        return self.by_clock(shown, local)

    def day_starts(self, local: LocalTime) -> FloatArray:
        """Instants at which local days begin: the first at or before 0, the last at or after the end.

        A day begins when the clock first shows its date: at the change itself where the clock skips midnight.
        """
        return day_starts(self.offset_pieces(local), self.local_h(0.0) % H_PER_DAY, self.horizon_h)

    def hour_starts(self, local: LocalTime) -> FloatArray:
        """Instants of the run at which the local clock shows a full hour, or is changed; the first at or before 0."""
        found: list[float] = []
        offsets = self._inside(self.offset_pieces(local))
        for k, (from_h, offset) in enumerate(offsets):
            until_h = offsets[k + 1][0] if k + 1 < len(offsets) else self.horizon_h
            hours = np.arange(-(self.local_h(offset) % 1.0), until_h, 1.0)
            found += [from_h] * (k > 0) + [float(hour) for hour in hours if k == 0 or hour > from_h]
        return np.array(found)

    def times_of_day(self, local: LocalTime, day_h: float, hours: FloatArray) -> FloatArray:
        """The hours of the run at which the local day that begins at `day_h` shows some hours. [h]"""
        pieces = self.offset_pieces(local)
        if not any(day_h - H_PER_DAY < from_h < day_h + 2 * H_PER_DAY for from_h, _ in pieces[1:]):
            return day_h + hours
        shown = self.start + dt.timedelta(hours=day_h + offset_at(pieces, day_h))
        midnight = dt.datetime.combine(shown.date(), dt.time())
        return np.array(
            [hours_after(midnight + dt.timedelta(hours=hour), self.start, local) for hour in hours.tolist()]
        )

    def values(self, base: Any, changes: Sequence[DatedChange]) -> list[tuple[float, Any]]:
        """A value over the run as (from hour, value), the first from 0."""
        return pieces(base, changes, self.horizon_h)

    def number(self, base: float, changes: Sequence[DatedChange]) -> StepFunction:
        """A number over the run."""
        return steps(self.values(base, changes))

    def opened(self, changes: Sequence[DatedChange], closed: Sequence[tuple[float, float]] = ()) -> StepFunction:
        """1 where nothing closes: no change in force, and none of the windows `closed`; 0 elsewhere."""
        windows = [*closed_windows(changes), *closed]
        edges = sorted({0.0, *(edge for window in windows for edge in window if 0 < edge < self.horizon_h)})
        return StepFunction(edges, [float(not any(start <= edge < end for start, end in windows)) for edge in edges])

    def changed(self, base: StepFunction, changes: Sequence[DatedChange]) -> StepFunction:
        """A base that already moves in time, with changes made to it."""
        if not changes:
            return base
        edges = {0.0, *base.from_h, *(edge for dated in changes for edge in dated.edges())}
        inside = sorted(edge for edge in edges if 0 <= edge <= self.horizon_h)
        return StepFunction(inside, [value_at(_number(base.at(edge)), changes, edge) for edge in inside])


def steps(parts: Sequence[tuple[float, float]]) -> StepFunction:
    """Pieces (from hour, value) as a step function."""
    if len(parts) == 1 and parts[0][0] == 0:
        return StepFunction.constant(parts[0][1])
    return StepFunction([from_h for from_h, _ in parts], [value for _, value in parts])


def combine(function: Callable[..., Any], *parts: StepFunction) -> StepFunction:
    """`function` of the values of several step functions, taken instant by instant."""
    edges = parts[0].from_h
    if all(len(part.from_h) == len(edges) and bool((part.from_h == edges).all()) for part in parts[1:]):
        return StepFunction(edges, np.asarray(function(*(part.value for part in parts)), dtype=float))
    edges = distinct(np.concatenate([part.from_h for part in parts]))
    return StepFunction(edges, np.asarray(function(*(part(edges) for part in parts)), dtype=float))


def product(*parts: StepFunction | None) -> StepFunction | None:
    """The product of those that are not None and not 1 throughout; None if there are none."""
    kept = [part for part in parts if part is not None and not is_one(part)]
    return combine(lambda *values: np.prod(values, axis=0), *kept) if kept else None


def switched(parts: Sequence[tuple[float, StepFunction]]) -> StepFunction:
    """One step function until the next begins."""
    instants: list[float] = []
    values: list[float] = []
    for k, (from_h, part) in enumerate(parts):
        until_h = parts[k + 1][0] if k + 1 < len(parts) else math.inf
        inside = [edge for edge in part.from_h if from_h < edge < until_h]
        instants += [from_h, *inside]
        values += [part.at(edge) for edge in (from_h, *inside)]
    return StepFunction(instants, values)


def is_one(part: StepFunction) -> bool:
    """Whether the function is 1 throughout."""
    return part.is_constant and part.value[0] == 1.0


def _number(value: float) -> float:
    return int(value) if value.is_integer() else value
