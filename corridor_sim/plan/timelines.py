"""Values over the time of the run: base values, calendars and dated changes as step functions.

The clock is hours after `run.start` in UTC; calendars are local to a post and
are shifted here. Nothing else in the flattening handles calendars.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import H_PER_DAY, H_PER_WEEK, FloatArray
from corridor_sim.model.calendars import Pieces, daily_pieces, weekly_pieces
from corridor_sim.model.changes import DatedChange, closed_windows, pieces, value_at


class RunClock:
    """The run's start and length; turns local calendars into step functions."""

    def __init__(self, start: dt.datetime, horizon_h: float) -> None:
        self.start, self.horizon_h = start, horizon_h

    def local_h(self, utc_offset_h: float) -> float:
        """Hours after local Monday 00:00 at the start of the run. [h]"""
        since_midnight = self.start - dt.datetime.combine(self.start.date(), dt.time())
        hours = self.start.weekday() * H_PER_DAY + since_midnight / dt.timedelta(hours=1)
        return (hours + utc_offset_h) % H_PER_WEEK

    def periodic(self, parts: Pieces, period_h: float, utc_offset_h: float) -> StepFunction:
        """Pieces of a local day or week, repeated over the run."""
        if len(parts) == 1:
            return StepFunction.constant(parts[0][1])
        shift = self.local_h(utc_offset_h) % period_h
        cycles = math.ceil(self.horizon_h / period_h) + 2
        instants = [from_h - shift + k * period_h for k in range(cycles) for from_h, _ in parts]
        values = [value for _ in range(cycles) for _, value in parts]
        first = max(k for k, instant in enumerate(instants) if instant <= 0)
        kept = [k for k in range(first, len(instants)) if k == first or instants[k] < self.horizon_h]
        return StepFunction([max(instants[k], 0.0) for k in kept], [values[k] for k in kept])

    def weekly(self, lines: Sequence[str] | None, utc_offset_h: float) -> StepFunction:
        """1 where opening hours are open, 0 elsewhere; 1 throughout for None."""
        if lines is None:
            return StepFunction.constant(1.0)
        return self.periodic(weekly_pieces(lines), H_PER_WEEK, utc_offset_h)

    def daily(self, table: Mapping[str, float], utc_offset_h: float) -> StepFunction:
        """Values by local time of day."""
        return self.periodic(daily_pieces(table), H_PER_DAY, utc_offset_h)

    def day_starts(self, utc_offset_h: float) -> FloatArray:
        """Instants at which local days begin: the first at or before 0, the last at or after the end."""
        first = 0.0 - self.local_h(utc_offset_h) % H_PER_DAY
        return np.arange(first, self.horizon_h + H_PER_DAY, H_PER_DAY)

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
    return StepFunction([from_h for from_h, _ in parts], [value for _, value in parts])


def combine(function: Callable[..., Any], *parts: StepFunction) -> StepFunction:
    """`function` of the values of several step functions, taken instant by instant."""
    edges = np.unique(np.concatenate([part.from_h for part in parts]))
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
