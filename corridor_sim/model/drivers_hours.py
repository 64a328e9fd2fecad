"""Drivers' hours: how long one may drive before a break, in a day and in a week, and how long one rests (rule S36)."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated, Literal, Self, get_args

from pydantic import model_validator

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.units import grid_point
from corridor_sim.model.base import Sourced
from corridor_sim.model.field_types import Positive, at_most

MAX_HOURS = 24.0 * 366
"""Longest time at the wheel before a rest, and longest rest. [h]"""
Hours = Annotated[Positive, at_most(MAX_HOURS)]
Preset = Literal["eu_561", "aetr", "eu_561_two_drivers"]

PRESETS: dict[str, tuple[tuple[float, float], ...]] = {
    # Regulation (EC) No 561/2006: Art. 7 (4.5 h, then 45 min), Art. 6(1) and 4(g) (9 h a day, 11 h of rest),
    # Art. 6(2) and 4(h) (56 h a week, 45 h of rest).
    "eu_561": ((4.5, 0.75), (9.0, 11.0), (56.0, 45.0)),
    # AETR (ECE/TRANS/SC.1/2006/2 and its amendment 6), Art. 6 to 8: the same figures.
    "aetr": ((4.5, 0.75), (9.0, 11.0), (56.0, 45.0)),
    # Two drivers: 9 h of rest for both (Art. 8(5)); each drives 9 h a day and 56 h a week, the break is taken beside
    # the one who drives (Art. 7 as amended by Regulation (EU) 2020/1054): 18 h and 112 h of the vehicle are derived.
    "eu_561_two_drivers": ((math.inf, math.inf), (18.0, 9.0), (112.0, 45.0)),
}
"""For each preset hours at the wheel before the rest and hours of the rest: the break, of a day, of a week. [h]"""

LEVELS = (
    ("drive_before_break_h", "break_h"),
    ("drive_per_day_h", "daily_rest_h"),
    ("drive_per_week_h", "weekly_rest_h"),
)
"""The fields of each kind of rest, from the shortest to the longest."""


class DriversHours(Sourced):
    """How long the drivers of a leg may be at the wheel, and how long they rest (rule S36).

    Give a `preset`, or numbers of your own, or both: a number beside a preset replaces its number.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.DriversHours(preset="eu_561").levels
    ((4.5, 0.75), (9.0, 11.0), (56.0, 45.0))
    >>> cs.DriversHours(preset="aetr", drive_per_day_h=10).levels[1]
    (10.0, 11.0)
    >>> cs.DriversHours(drive_per_day_h=9, daily_rest_h=11).levels[0]
    (inf, inf)
    """

    preset: Preset | None = None
    """Published figures: `eu_561` (Regulation (EC) No 561/2006), `aetr`, or `eu_561_two_drivers` in turn."""
    drive_before_break_h: Hours | None = None
    """At most so long at the wheel before a break. [h]"""
    break_h: Hours | None = None
    """Length of a break. [h]"""
    drive_per_day_h: Hours | None = None
    """At most so long at the wheel from one daily rest to the next. [h]"""
    daily_rest_h: Hours | None = None
    """Length of a daily rest. [h]"""
    drive_per_week_h: Hours | None = None
    """At most so long at the wheel from one weekly rest to the next. [h]"""
    weekly_rest_h: Hours | None = None
    """Length of a weekly rest. [h]"""
    waiting_is_rest: bool = True
    """Whether time between two legs (at a post, in its queue, on a ship) is a rest if it is as long as one; if not,
    only waiting for the leg itself is: for the end of a ban, an opening, a place."""

    @property
    def levels(self) -> tuple[tuple[float, float], ...]:
        """Hours at the wheel and hours of rest of each kind, on the clock grid; infinite where there is none. [h]"""
        given = PRESETS.get(self.preset or "", ((math.inf, math.inf),) * len(LEVELS))
        found = []
        for names, usual in zip(LEVELS, given, strict=True):
            own = (getattr(self, name) for name in names)
            found.append(tuple(grid_point(float(b if a is None else a)) for a, b in zip(own, usual, strict=True)))
        return tuple((drive_h, rest_h) for drive_h, rest_h in found)

    @model_validator(mode="after")
    def _longer_each(self) -> Self:
        problems: list[Problem] = []
        for names, hours in zip(LEVELS, self.levels, strict=True):
            for name, other, value, beside in zip(names, names[::-1], hours, hours[::-1], strict=True):
                if math.isinf(value) and not math.isinf(beside):
                    problems.append(Problem(f"is required with {other}", name))
        there = [(names, hours) for names, hours in zip(LEVELS, self.levels, strict=True) if not math.isinf(hours[0])]
        if not there and not problems:
            hint = f"one of {', '.join(get_args(Preset))}; or give drive_per_day_h and daily_rest_h"
            problems.append(Problem("is required", "preset", hint=hint))
        for (before, short), (after, long) in pairwise(there):
            for k in range(2):
                if not problems and not short[k] < long[k]:
                    problems.append(Problem(f"must be more than {before[k]} ({short[k]:g})", after[k], long[k]))
        if problems:
            raise ScenarioError(problems)
        return self
