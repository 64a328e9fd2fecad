"""Ranges of many figures at once: which figures a range is of, and what they come to.

A figure has the range of its own table (`figures`), else that of the table `ranges` of the
corridor. One range of that table may be of many figures, named by patterns; they move together.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Self

from pydantic import model_validator

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.model.base import Model, range_faults
from corridor_sim.model.field_types import TupleOf

SLACK = 1e-9
"""A value this much outside its range, relative to it, is at the end of the range."""


class Range(Model):
    """How far some figures may be off together, and who says so.

    Give the two ends (`low`, `high`), or how often the value they are (`low_factor`, `high_factor`), or
    `alternatives`; and the `source` that gives them, or the `reason` why they are assumed. A range without
    ends is `exact`: these figures have none, and why.
    """

    of: TupleOf[str]
    """Paths of figures; ``*`` stands for any id or part of one: ``legs.rail_*.speed_kmh``."""
    low: float | None = None
    """Low end. [unit of the figures]"""
    high: float | None = None
    """High end. [unit of the figures]"""
    low_factor: float | None = None
    """Low end over the stated value. [-]"""
    high_factor: float | None = None
    """High end over the stated value. [-]"""
    alternatives: TupleOf[float] = ()
    """Values that contradict each other, the stated one among them. [unit of the figure]"""
    group: str = ""
    """Ranges of one group move together; by default each range is a group of its own."""
    apart: bool = False
    """Each figure for itself: no group."""
    opposite: bool = False
    """Moves against its group: at its low end where the others are at their high one."""
    source: str = ""
    """Id of the source that gives the range, or ids with commas between them where each gives an end."""
    reason: str = ""
    """Why this range, where it is assumed."""
    exact: str = ""
    """Why these figures have no range."""

    @model_validator(mode="after")
    def _one_range(self) -> Self:
        problems = range_faults(self, self.low, self.high, ("low", "high"))
        problems += range_faults(self, self.low_factor, self.high_factor, ("low_factor", "high_factor"))
        both = self.low is not None and self.low_factor is not None
        if both:
            problems.append(Problem("does not go with low and high", "low_factor", self.low_factor))
        if not self.of:
            problems.append(Problem("must name at least one figure", "of"))
        if not problems:
            problems += self._support()
        if problems:
            raise ScenarioError(problems)
        return self

    def _support(self) -> list[Problem]:
        if self.exact and self.ranged:
            return [Problem("does not go with a range", "exact", self.exact)]
        if not self.exact and not self.ranged:
            hint = "low and high, low_factor and high_factor, or alternatives; or exact, which says why there is none"
            return [Problem("a range needs two ends", "low", hint=hint)]
        if self.ranged and not self.source and not self.reason:
            hint = "source names who gives the range, reason says why it is assumed"
            return [Problem("a range needs a source or a reason", "reason", hint=hint)]
        if self.apart and self.group:
            return [Problem("does not go with a group", "apart", True)]
        return []

    @property
    def ranged(self) -> bool:
        """Whether there are two ends, or alternatives."""
        return self.low is not None or self.low_factor is not None or bool(self.alternatives)

    def ends(self, value: float) -> tuple[float | None, float | None]:
        """Low and high of a figure of this value; None where it has alternatives, or no range."""
        if self.low_factor is not None and self.high_factor is not None:
            low, high = sorted((self.low_factor * value, self.high_factor * value))
            return low, high
        return self.low, self.high

    def is_of(self, path: str) -> bool:
        """Whether a figure is one of these.

        >>> Range(of=["legs.rail_*.speed_kmh"], low=1.0, high=2.0, reason="made up").is_of("legs.rail_a.speed_kmh")
        True
        """
        parts = path.split(".")
        return any(_fits(parts, of.split(".")) for of in self.of)

    def names_nothing(self, paths: Iterable[str]) -> list[str]:
        """Those of its patterns that no path fits."""
        known = [path.split(".") for path in paths]
        return [of for of in self.of if not any(_fits(parts, of.split(".")) for parts in known)]


class _Node:
    """Where patterns stand after some parts: where a next part leads, and what ends here."""

    __slots__ = ("ends", "exact", "wild")

    def __init__(self) -> None:
        self.exact: dict[str, _Node] = {}
        self.wild: dict[str, _Node] = {}
        self.ends: list[tuple[tuple[bool, bool, int], str, str]] = []
        """Order, id and pattern of each range that ends here."""


class RangeIndex:
    """The ranges of a corridor, asked which of them are of a figure.

    Patterns are held part by part, and how far the parts of a table lead is kept: its next figure goes on from there.
    """

    def __init__(self, ranges: Mapping[str, Range]) -> None:
        root = _Node()
        self._reached: dict[str, list[_Node]] = {}
        for n, (id, of) in enumerate((id, of) for id, one in ranges.items() for of in one.of):
            parts = of.split(".")
            node = root
            for part in parts:
                node = (node.wild if "*" in part else node.exact).setdefault(part, _Node())
            node.ends.append((("*" in parts[0], "*" in parts[-1], n), id, of))
        self._root = root

    def named(self, path: str) -> list[tuple[str, str]]:
        """Id and pattern of the ranges of the figure at this path, as often as they name it.

        Those that write out its first part come first, then those that write out its last.
        """
        table, dot, last = path.rpartition(".")
        nodes = self._at(table) if dot else [self._root]
        ends = [end for node in _after(nodes, last) for end in node.ends]
        return [(id, of) for _, id, of in sorted(ends)]

    def _at(self, path: str) -> list[_Node]:
        """Where the parts of a table lead."""
        found = self._reached.get(path)
        if found is None:
            table, dot, last = path.rpartition(".")
            found = self._reached[path] = _after(self._at(table) if dot else [self._root], last)
        return found

    def ids(self, path: str) -> list[str]:
        """Ids of the ranges of the figure at this path, each once."""
        return list(dict.fromkeys(id for id, _ in self.named(path)))


def _after(nodes: Iterable[_Node], part: str) -> list[_Node]:
    """Where one part leads from some nodes."""
    found = []
    for node in nodes:
        if part in node.exact:
            found.append(node.exact[part])
        found += [next for of, next in node.wild.items() if of == "*" or _part_fits(part, of)]
    return found


def _fits(parts: list[str], pattern: list[str]) -> bool:
    """Whether a path is one that a pattern means, both in parts; ``*`` stays inside its part."""
    if len(parts) != len(pattern):
        return False
    for part, of in zip(parts, pattern, strict=True):
        if part != of and of != "*" and not ("*" in of and _part_fits(part, of)):
            return False
    return True


def _part_fits(part: str, of: str) -> bool:
    head, *middle, tail = of.split("*")
    at, end = len(head), len(part) - len(tail)
    if at > end or not part.startswith(head) or not part.endswith(tail):
        return False
    for piece in middle:
        found = part.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def holds(value: float, low: float | None, high: float | None, alternatives: Iterable[float]) -> bool:
    """Whether a range is one of this value.

    >>> holds(1.0, 0.5, 1.0, ()), holds(1.0, None, None, (2.0, 3.0))
    (True, False)
    """
    known = tuple(alternatives)
    if known:
        return any(math.isclose(value, one, rel_tol=SLACK) for one in known)
    if low is None or high is None:
        return True
    slack = SLACK * max(abs(low), abs(high))
    return low - slack <= value <= high + slack
