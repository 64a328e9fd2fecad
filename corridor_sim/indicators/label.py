"""What one row of a table of indicators is about."""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from corridor_sim.core.units import FloatArray


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


Row = tuple[Label, FloatArray] | tuple[tuple[Label, ...], FloatArray]
"""A label and its values, shape (replication,), or several with theirs, shape (label, replication)."""

label_of = functools.lru_cache(maxsize=1 << 16)(Label)
"""A label by its fields; blocks, runs and the points of a sweep share those that are the same."""


@functools.lru_cache(maxsize=1 << 12)
def labels_of(
    names: tuple[tuple[str, str], ...], kind: str, place: str, direction: str, column: str, entries: tuple[Any, ...]
) -> tuple[Label, ...]:
    """Labels of a place by the entries of one column; for each entry one of each (indicator, unit) in turn.

    >>> [str(label) for label in labels_of((("wait_h", "h"),), "post", "samur", "", "hour", (0, 1))]
    ['wait_h [h] samur 00:00', 'wait_h [h] samur 01:00']
    """
    base = ("", None, None, "")
    found = []
    for entry in entries:
        more = dict(zip(("cargo_class", "hour", "day", "of"), base, strict=True)) | {column: entry}
        found += [label_of(name, unit, kind, place, direction, *more.values()) for name, unit in names]
    return tuple(found)


@functools.lru_cache(maxsize=1 << 12)
def labels_at(entries: tuple[tuple[str, str, str], ...], places: tuple[tuple[str, str, str], ...]) -> tuple[Label, ...]:
    """Labels of the same rows at several places; for each place one of each (indicator, unit, part) in turn.

    >>> [str(label) for label in labels_at((("co2_t", "t", "moving"),), (("flow", "north", ""), ("flow", "south", "")))]
    ['co2_t [t] north moving', 'co2_t [t] south moving']
    """
    return tuple(label_of(name, unit, *place, "", None, None, of) for place in places for name, unit, of in entries)


COLUMNS = tuple(column.name for column in fields(Label))


def by_column(labels: tuple[Label, ...]) -> tuple[tuple[Any, ...], ...]:
    """The columns of labels, as they travel between processes: label by label takes ten times as long.

    >>> by_column((Label("wait_h", "h", "post", "samur"),))[:4]
    (('wait_h',), ('h',), ('post',), ('samur',))
    """
    return tuple(zip(*map(attrgetter(*COLUMNS), labels), strict=True))


def from_columns(columns: tuple[tuple[Any, ...], ...]) -> tuple[Label, ...]:
    """The labels again; those that this process has are its own.

    >>> labels = (Label("wait_h", "h", "post", "samur"), Label("wait_h", "h", "post", "samur", hour=3))
    >>> from_columns(by_column(labels)) == labels
    True
    """
    return tuple(map(label_of, *columns)) if columns else ()
