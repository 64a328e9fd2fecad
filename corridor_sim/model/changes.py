"""Dated changes: what an improvement does, and the value of a field over time.

A change says which value (path), from when until when, what is done and by how
much. At any instant a value is what is set (or the base value), times every
factor, plus everything added or taken away (rule D28). Closing is no number:
what is closed by any change in force is closed, whatever its value is, and has
that value again when it opens. Nothing is edited in place.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from corridor_sim.core.errors import Problem
from corridor_sim.core.local_time import LocalTime
from corridor_sim.model.calendars import hours_after

Operation = Literal["set", "add", "multiply", "close"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One value changed from an instant (None = ever since) until another (None = for good).

    With `ramp_up_days` the effect grows in one step a day: on day k (from 0) of
    n it is (k + 1/2) / n of the whole, and whole lanes are rounded towards none.
    Without an offset of their own, instants are local to the post that the path
    names, UTC for anything else.

    ``close`` closes what the path names, a stage's or a leg's ``closed``; its value is True.
    """

    path: str
    operation: Operation
    value: Any
    from_: dt.datetime | None = None
    until: dt.datetime | None = None
    ramp_up_days: float = 0.0
    by: str = ""
    """Name of the improvement."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """A value for a stage's ``service``: `law` scaled to the mean `mean_h`."""

    law: Any
    mean_h: float


@dataclass(frozen=True, slots=True)
class ReliefTerms:
    """A value to add to a stage's ``reliefs``: a share of some classes (none named = all) is served in
    `factor` times the time; 0 skips the stage."""

    share: float
    factor: float
    cargo_classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OneStop:
    """A value for a crossing's ``one_stop``: where the controls of both states stand (rule S32).

    `hosts` are posts with the direction whose controls stand there; `stages` are passed once, by both states
    together, in `service_factor` times the time. The other controls come to the host too if they are `moved`.
    """

    hosts: frozenset[tuple[str, str]]
    stages: frozenset[str] = frozenset()
    service_factor: float = 1.0
    moved: bool = False

    @property
    def where(self) -> str:
        """The hosts in words: a post, or each with its direction."""
        posts = {post for post, _ in self.hosts}
        return ", ".join(sorted(posts if len(posts) == 1 else (f"{post} ({way})" for post, way in self.hosts)))


@dataclass(frozen=True, slots=True)
class DatedChange:
    """A change on the clock of the run."""

    change: Change
    from_h: float
    until_h: float

    def effect(self, time_h: float) -> float:
        """How much of the change is in force: 0 outside, 1 after the ramp."""
        if not self.from_h <= time_h < self.until_h:
            return 0.0
        steps = math.ceil(self.change.ramp_up_days)
        step = int((time_h - self.from_h) / 24) if steps and math.isfinite(self.from_h) else steps
        return 1.0 if step >= steps else (step + 0.5) / steps

    def edges(self) -> list[float]:
        """Instants at which the effect changes."""
        edges = [self.from_h, self.until_h]
        if math.isfinite(self.from_h):
            edges += [self.from_h + 24.0 * day for day in range(1, math.ceil(self.change.ramp_up_days) + 1)]
        return [edge for edge in edges if math.isfinite(edge) and edge <= self.until_h]


def on_clock(change: Change, start: dt.datetime, local: LocalTime) -> DatedChange:
    """The change with its instants in hours after `start`."""
    from_h = -math.inf if change.from_ is None else hours_after(change.from_, start, local)
    until_h = math.inf if change.until is None else hours_after(change.until, start, local)
    return DatedChange(change, from_h, until_h)


def value_at(base: Any, changes: Iterable[DatedChange], time_h: float) -> Any:
    """The value at one instant; only numbers can be added to, multiplied or ramped."""
    active = [(dated.change, dated.effect(time_h)) for dated in changes]
    value = base
    for change, effect in active:
        if change.operation == "set" and effect:
            ramped = effect < 1 and is_number(base) and is_number(change.value)
            value = base + effect * (change.value - base) if ramped else change.value
    for change, effect in active:
        if change.operation == "multiply" and effect:
            value = value * (1 + effect * (change.value - 1))
    for change, effect in active:
        if change.operation == "add" and effect:
            whole = isinstance(change.value, int)
            value = value + (math.trunc(effect * change.value) if whole else effect * change.value)
    return value


def pieces(base: Any, changes: Sequence[DatedChange], until_h: float) -> list[tuple[float, Any]]:
    """The value over [0, until_h] as (from hour, value), the first from 0.

    Notes
    -----
    ``value = (set, or base) * product(multiply) + sum(add)`` of what is in force.
    """
    edges = sorted({0.0, *(edge for dated in changes for edge in dated.edges() if 0 < edge <= until_h)})
    found: list[tuple[float, Any]] = []
    for edge in edges:
        value = value_at(base, changes, edge)
        if not found or found[-1][1] != value:
            found.append((edge, value))
    return found


def closed_windows(changes: Iterable[DatedChange]) -> list[tuple[float, float]]:
    """When what the changes are about is closed: disjoint windows [from, until) in order of time. [h]

    Examples
    --------
    >>> closed_windows([])
    []
    """
    found: list[tuple[float, float]] = []
    for from_h, until_h in sorted((one.from_h, one.until_h) for one in changes if one.change.operation == "close"):
        if found and from_h <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], until_h)
        else:
            found.append((from_h, until_h))
    return found


def conflicts(changes: Sequence[DatedChange]) -> list[Problem]:
    """Two changes that set the same value at the same time, each pair named."""
    found = []
    setting = [dated for dated in changes if dated.change.operation == "set"]
    for k, one in enumerate(setting):
        for other in setting[k + 1 :]:
            if one.change.path == other.change.path and max(one.from_h, other.from_h) < min(one.until_h, other.until_h):
                names = f"improvements {one.change.by!r} and {other.change.by!r}"
                hint = "give the first an `until`, or leave one of them out"
                found.append(Problem(f"is set by two {names} at the same time", one.change.path, hint=hint))
    return found


def stamped(changes: Iterable[Change], by: str) -> list[Change]:
    """The changes with the name of the improvement that makes them."""
    return [replace(change, by=by) for change in changes]


def is_number(value: Any) -> bool:
    """Whether a value is a number, which true and false are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
