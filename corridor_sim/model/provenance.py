"""Where each figure of a corridor comes from: value, status, source and range, table by table.

A figure has the status and source of `figures`, else of its own table, else of
the table around it; its range is that of `figures`, else of the `ranges` of the corridor.
To leave a field out (it is no figure), see `NO_FIGURES`.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from corridor_sim.core.errors import Problem, ScenarioError, nearest
from corridor_sim.model.base import Figure, Model, Sourced
from corridor_sim.model.daily_capacities import contradictions
from corridor_sim.model.field_types import FrozenDict
from corridor_sim.model.range_domains import Field, domain_problems
from corridor_sim.model.ranges import Range, RangeIndex, holds

NO_FIGURES = frozenset(
    {
        *("lat", "lon", "utc_offset_h", "seed", "replications", "schema_version", "schema", "staff_per_service"),
        *("horizon_days", "horizon_h", "warm_up_days", "warm_up_h", "cool_down_days", "cool_down_h"),
    }
)
"""Numbers that say where and how, not how much."""
_NOT_INSIDE = frozenset({"status", "source", "note", "figures", "ranges", "sources"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureRow:
    """One figure with where it comes from and how far it may be off; `status` is "" where none is given."""

    path: str
    """By which it is set: ``checkpoints.samur_az.exit.lanes.lanes``."""
    value: float
    status: str = ""
    source: str = ""
    low: float | None = None
    high: float | None = None
    alternatives: tuple[float, ...] = ()
    group: str = ""
    """Figures of one group move together; "" where it moves alone."""
    opposite: bool = False
    """Moves against its group."""
    whole: bool = False
    """Takes whole numbers only."""
    derived: bool = False
    """Follows from other figures, which its range binds together (`daily_capacities`)."""
    range_source: str = ""
    range_reason: str = ""
    exact: str = ""
    """Why it has no range."""
    note: str = ""

    @property
    def ranged(self) -> bool:
        """Whether it has a range or alternatives."""
        return self.low is not None or bool(self.alternatives)

    @property
    def range_status(self) -> str:
        """Where the range stands: ``sourced``, ``assumed``, ``exact`` (needs none) or "" (has none)."""
        if self.ranged:
            return "sourced" if self.range_source else "assumed"
        return "exact" if self.exact else ""


def figures_of(thing: Model, path: str = "") -> Iterator[FigureRow]:
    """Every figure of an object of the model and of what is inside it, in order.

    Figures that are left at their default are listed where they have a range.
    """
    ranges: Mapping[str, Range] = getattr(thing, "ranges", FrozenDict())
    index = RangeIndex(ranges)
    for row, stated, _ in _found(thing, path):
        ranged = _with_range(row, ranges, index.ids(row.path))
        if stated or ranged.alternatives or ranged.low != ranged.high or (row.derived and ranged.ranged):
            yield ranged


def _with_range(row: FigureRow, ranges: Mapping[str, Range], ids: Sequence[str]) -> FigureRow:
    """A row with the range that the corridor gives it, if its own table gives none."""
    if row.ranged or row.exact or not ids:
        return row
    one = ranges[ids[0]]
    low, high = one.ends(row.value)
    return FigureRow(  # not by `replace`, which takes three times as long: there are thousands
        path=row.path,
        value=row.value,
        status=row.status,
        source=row.source,
        low=low,
        high=high,
        alternatives=one.alternatives,
        group="" if one.apart or not one.ranged else one.group or ids[0],
        opposite=one.opposite,
        whole=row.whole,
        derived=row.derived,
        range_source=one.source,
        range_reason=one.reason,
        exact=one.exact,
        note=row.note,
    )


def range_problems(thing: Any, besides: Iterable[str] = ()) -> list[Problem]:
    """What is wrong with the ranges of a corridor or scenario, but for some paths: all of it.

    A range that does not hold its value, or reaches to one that its figure may not have; two ranges of one figure; a
    range of no figure; a source that is not known; a range of what a stage passes a day that its lanes and their time
    contradict.
    """
    ranges: Mapping[str, Range] = thing.ranges
    left_out, all_ranged = set(besides), []
    walked = _found(thing)
    rows = [row for row, *_ in walked]
    index = RangeIndex(ranges)
    named = [index.named(row.path) for row in rows]
    judged = [row for row in rows if row.path not in left_out]
    found = _unknown_names(thing, rows, judged, frozenset(itertools.chain.from_iterable(named)))
    for (row, _, field), pairs in zip(walked, named, strict=True):
        ids = [*dict.fromkeys(id for id, _ in pairs)]
        if row.path in left_out or (row.derived and _is_set(row.path.rpartition(".")[0], left_out)):
            continue
        if len(ids) > 1:
            text = f"has two ranges, {' and '.join(f'ranges.{id}' for id in ids)}"
            found.append(Problem(text, row.path))
        ranged = _with_range(row, ranges, ids)
        all_ranged.append((ranged, field))
        if ranged.ranged and not holds(ranged.value, ranged.low, ranged.high, ranged.alternatives):
            allowed = ", ".join(f"{one:g}" for one in ranged.alternatives) or f"{ranged.low:g} to {ranged.high:g}"
            where = f" of ranges.{ids[0]}" if not row.ranged and ids else ""
            found.append(Problem(f"the range{where} does not hold the value", row.path, row.value, allowed))
    wrong = {problem.path for problem in found}
    sound = [(row, field) for row, field in all_ranged if row.path not in wrong]
    return found + domain_problems(sound) + contradictions(thing, [row for row, _ in sound])


def range_names(thing: Any) -> list[Problem]:
    """Sources and figures that ranges name and that are not there."""
    rows = [row for row, *_ in _found(thing)]
    index = RangeIndex(thing.ranges)
    return _unknown_names(thing, rows, rows, frozenset(pair for row in rows for pair in index.named(row.path)))


def _unknown_names(
    thing: Any, rows: Sequence[FigureRow], judged: Sequence[FigureRow], known: frozenset[tuple[str, str]]
) -> list[Problem]:
    """What `ranges` name that is not there, and the sources that ranges of the `judged` rows name."""
    found = []
    for id, one in thing.ranges.items():
        for of in one.of:
            if "*" not in of and (id, of) not in known:
                hint = nearest(of, [row.path for row in rows])
                found.append(Problem("is not a figure of this corridor", f"ranges.{id}.of", of, hint=hint))
        if _is_unknown(one.source, thing.sources):
            hint = nearest(one.source, thing.sources)
            found.append(Problem("is not a known source", f"ranges.{id}.source", one.source, hint=hint))
    for row in judged:
        if _is_unknown(row.range_source, thing.sources):
            hint = nearest(row.range_source, thing.sources)
            found.append(Problem(f"is not a known source ({row.range_source!r})", row.path, hint=hint))
    return found


def _is_set(path: str, besides: Iterable[str]) -> bool:
    """Whether one of some paths is of this table, is in it or holds it."""
    return any(f"{one}.".startswith(f"{path}.") or path.startswith(f"{one}.") for one in besides)


def _is_unknown(source: str, known: Iterable[str]) -> bool:
    """Whether a source is written as ids, and one of them is not listed where sources are; words are no ids."""
    if not source:
        return False
    ids, named = set(known), source.split(", ")
    return bool(ids) and not any(" " in one for one in named) and not set(named) <= ids


def sound_figures(thing: Any) -> list[FigureRow]:
    """All figures of a corridor or scenario, ready to be drawn from their ranges.

    Raises
    ------
    ScenarioError
        With everything that is wrong with the ranges.
    """
    problems = range_problems(thing)
    if problems:
        raise ScenarioError(problems)
    return list(figures_of(thing))


_Told: TypeAlias = tuple[str, str, str]
"""Status, source and note."""
_Found: TypeAlias = list[tuple[FigureRow, bool, Field | None]]
"""Rows, whether each is stated (else it is left at its default), and the field that it stands in."""


def _found(thing: Model, path: str = "") -> _Found:
    found: _Found = []
    _walk(thing, path, ("", "", ""), found)
    return found


def _walk(thing: Model, path: str, around: _Told, found: _Found) -> None:
    """Put the rows of an object behind those found; `around` is what is said of the table around it."""
    status, source, note = around
    figures: Mapping[str, Figure] = {}
    if isinstance(thing, Sourced):
        # A table with a status or source of its own does not take over the other from the table around it.
        if thing.status is not None or thing.source:
            status, source, note = thing.status or "", thing.source, thing.note
        note = thing.note or note
        figures = thing.figures
    kind, values = type(thing), thing.__dict__
    for name, key, required, default in _asked(kind):
        value = values[name]
        if type(value) in _NO_NUMBERS:
            continue
        stated = required or value != default
        if not stated and not _is_number(value):
            continue
        # Shares stand in the table itself (`with_shares`).
        spread = key == "shares" and isinstance(value, Mapping)
        at = path if spread else f"{path}.{key}" if path else key
        first = len(found)
        _rows(value, at, _told(figures.get(key), status, source, note), (kind, name, ()), found)
        if figures or not stated:
            for n in range(first, len(found)):
                row, inside, field = found[n]
                row = _own(row, figures, row.path[len(path) + 1 :] if path else row.path)
                found[n] = row, stated and inside, field
    for key, value in thing.derived().items() if isinstance(thing, Sourced) else ():
        row = FigureRow(path=f"{path}.{key}", value=value, status="derived", source=source, note=note, derived=True)
        found.append((_own(row, figures, key), False, None))


_NO_NUMBERS = frozenset({type(None), str, bool, tuple})
"""Types of many values, in which there are no figures."""


@functools.cache
def _asked(kind: type[Model]) -> tuple[tuple[str, str, bool, Any], ...]:
    """Fields of a class that may hold figures: name, key in a file, whether it must be given, and its default."""
    fields = ((str(field.validation_alias or name), name, field) for name, field in kind.model_fields.items())
    return tuple(
        (name, key, field.is_required(), field.get_default(call_default_factory=True))
        for key, name, field in fields
        if key not in _NOT_INSIDE and key not in NO_FIGURES
    )


def _told(own: Figure | None, status: str, source: str, note: str) -> _Told:
    """Status, source and note of a field: its own, else those around it."""
    if own is None:
        return status, source, note
    if own.status is None and not own.source:
        return status, source, own.note or note
    return own.status or "", own.source, own.note


def _own(row: FigureRow, figures: Mapping[str, Figure], name: str) -> FigureRow:
    """A row with what `figures` says of just this figure."""
    own = figures.get(name)
    if own is None:
        return row
    status, source, note = _told(own, row.status, row.source, row.note)
    return FigureRow(
        path=row.path,
        value=row.value,
        status=status,
        source=source,
        low=own.low,
        high=own.high,
        alternatives=own.alternatives,
        group=own.group,
        opposite=own.opposite,
        whole=row.whole,
        derived=row.derived,
        range_source=own.range_source,
        range_reason=own.range_reason,
        exact=own.exact,
        note=note,
    )


def _rows(value: Any, path: str, told: _Told, field: Field, found: _Found) -> None:
    if isinstance(value, Model):
        _walk(value, path, told, found)
    elif isinstance(value, Mapping):
        kind, name, keys = field
        for key, item in value.items():
            _rows(item, f"{path}.{key}", told, (kind, name, (*keys, str(key))), found)
    elif _is_number(value):
        status, source, note = told
        whole = isinstance(value, int)
        row = FigureRow(path=path, value=float(value), status=status, source=source, note=note, whole=whole)
        found.append((row, True, field))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
