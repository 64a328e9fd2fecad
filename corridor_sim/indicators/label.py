"""What one row of a table of indicators is about."""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Label:
    """What one row of a `Table` is about.

    Attributes
    ----------
    indicator, unit
        Name as registered and unit of the value (``"h"``, ``"1/day"``, ``"-"``).
    kind
        ``"stage"``, ``"post"``, ``"crossing"``, ``"leg"``, ``"flow"`` or ``"corridor"``.
    place
        Id of the stage, post, ...; ``"all"`` for the corridor as a whole.
    direction, cargo_class
        ``""`` where the row is about both or all.
    hour
        Local hour of the day, None if not by hour.
    day
        First day of the period, counted from the local date of the start; None if not by day.
    of
        What part it is (a channel, a component, a target), ``""`` for the whole.
    """

    indicator: str
    unit: str
    kind: str
    place: str
    direction: str = ""
    cargo_class: str = ""
    hour: int | None = None
    day: int | None = None
    of: str = ""

    def __str__(self) -> str:
        parts = [self.place, self.direction, self.cargo_class, self.of]
        if self.hour is not None:
            parts.append(f"{self.hour:02d}:00")
        if self.day is not None:
            parts.append(f"day {self.day}")
        return f"{self.indicator} [{self.unit}] " + " ".join(part for part in parts if part)


label_of = functools.lru_cache(maxsize=1 << 16)(Label)
"""A label by its fields; blocks, runs and the points of a sweep share those that are the same."""

COLUMNS = tuple(column.name for column in fields(Label))
