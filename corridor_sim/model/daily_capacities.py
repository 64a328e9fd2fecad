"""What the lanes of a stage pass a day: one published figure of two inputs, their number and the time in a lane.

A stage that states both has the product as a derived figure, `trucks_per_day`. Its range binds the two: lanes are drawn
from their range, and the time from that part of its own range in which the product stays inside what is published.
Where the time has no range, the number of lanes is cut likewise.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from corridor_sim.core.errors import Problem
from corridor_sim.core.units import H_PER_WEEK
from corridor_sim.model.calendars import lane_h_per_week
from corridor_sim.model.paths import all_stages
from corridor_sim.model.ranges import SLACK
from corridor_sim.model.service_times.base import mean_parameter

if TYPE_CHECKING:
    from corridor_sim.model.corridor import Corridor
    from corridor_sim.model.stages import Stage

DERIVED = "trucks_per_day"
"""Name of the figure, that of the field by which a stage states it instead of a mean time."""


@dataclass(frozen=True, slots=True)
class BoundCapacity:
    """Lanes and time of one stage that are bound by the range of what they pass a day."""

    path: str
    """Of the figure: ``checkpoints.samur_az.exit.lanes.trucks_per_day``."""
    low: float
    high: float
    time: str
    """Path of the mean time in a lane."""
    time_h: float
    lanes: tuple[tuple[str, float, float], ...]
    """Path of each number of lanes, the hours a day in which it is the one that holds, and its value."""

    def lane_h(self, values: Mapping[str, Any]) -> float:
        """Lane-hours a day with these values, by path; what is not among them is as stated. [h]"""
        return math.fsum(hours * values.get(path, stated) for path, hours, stated in self.lanes)

    def times_h(self, values: Mapping[str, Any]) -> tuple[float, float]:
        """The least and the most time in a lane with which these lanes pass what is published. [h]"""
        lane_h = self.lane_h(values)
        return lane_h / self.high, lane_h / self.low

    def lanes_within(self, values: Mapping[str, Any]) -> tuple[float, float]:
        """The least and the most lanes with which this time passes what is published, of a stage with one number."""
        ((_, hours, _),) = self.lanes
        time_h = values.get(self.time, self.time_h)
        return self.low * time_h / hours * (1 - SLACK), self.high * time_h / hours * (1 + SLACK)


def bound_capacities(corridor: Corridor, rows: Iterable[Any]) -> list[BoundCapacity]:
    """The bound stages of a corridor; `rows` are its figures (`provenance.FigureRow`), with their ranges."""
    ranged = {row.path: row for row in rows if row.derived and row.low is not None and row.high is not None}
    if not ranged:
        return []
    found = []
    for path, stage in all_stages(corridor):
        row = ranged.get(f"{path}.{DERIVED}")
        if row is not None:
            time = f"{path}.service.{mean_parameter(stage.service)}"
            found.append(BoundCapacity(row.path, row.low, row.high, time, stage.cycle_h, tuple(_lanes(path, stage))))
    return found


def _lanes(path: str, stage: Stage) -> list[tuple[str, float, float]]:
    """Numbers of lanes of a stage with the hours of a usual day in which each holds."""
    if not stage.lanes_by_hour:
        assert isinstance(stage.lanes, int)
        return [(f"{path}.lanes", stage.open_h_per_day, stage.lanes)]
    found = []
    for key, lanes in stage.lanes_by_hour.items():
        alone = {other: 1.0 if other == key else 0.0 for other in stage.lanes_by_hour}
        hours = lane_h_per_week(stage.opening_hours, alone) / H_PER_WEEK * 24
        found.append((f"{path}.lanes_by_hour.{key}", hours, float(lanes)))
    return found


def contradictions(corridor: Any, rows: Iterable[Any]) -> list[Problem]:
    """Ranges of what a stage passes a day that its lanes and their time cannot keep, one problem each."""
    known = {row.path: row for row in rows}
    found = []
    for bound in bound_capacities(corridor, known.values()):
        least, most = ({path: _end(known.get(path), stated, k) for path, _, stated in bound.lanes} for k in (0, 1))
        time = known.get(bound.time)
        shortest, longest = (_end(time, bound.time_h, k) for k in (0, 1))
        if shortest == longest:
            if len(bound.lanes) == 1 or least == most:
                continue  # The stated value fits, so lanes that do are there.
            text = f"needs a range of {bound.time}: with lanes by the hour it is the time that is drawn to fit"
            found.append(Problem(text, bound.path))
            continue
        few, many = bound.lane_h(least), bound.lane_h(most)
        slack = 1 + SLACK
        wrong = []
        if few * slack < bound.low * shortest:
            wrong.append(f"the fewest lanes ({few / 24:g}) pass at most {few / shortest:.4g}")
        if many > bound.high * longest * slack:
            wrong.append(f"the most lanes ({many / 24:g}) pass at least {many / longest:.4g}")
        if wrong:
            text = (
                f"contradicts the ranges of lanes and time: with {shortest:g} to {longest:g} h in a lane "
                f"{' and '.join(wrong)} a day, outside {bound.low:g} to {bound.high:g}"
            )
            hint = f"narrow the range of lanes, or widen that of {bound.time.rsplit('.', 1)[1]} or of {DERIVED}"
            found.append(Problem(text, bound.path, hint=hint))
    return found


def _end(row: Any, stated: float, which: int) -> float:
    """The low or the high end of a figure, as it is drawn; its value where it has no range."""
    if row is None or not row.ranged:
        return stated
    if row.alternatives:
        return float((min, max)[which](row.alternatives))
    end = float((row.low, row.high)[which])
    return float((math.ceil, math.floor)[which](end)) if row.whole else end
