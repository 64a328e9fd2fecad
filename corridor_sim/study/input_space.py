"""The inputs that are drawn: every figure with a range, and the value of each at a point of the unit cube.

One coordinate stands for one figure, or for all figures of a `group`, which move
together. The same point gives the same place in its range to a figure in every
scenario, also where the scenarios state different values of it. Lanes and their time that
are bound by what they pass a day (`daily_capacities`) have a coordinate each: that of the time stands
for its place in what is left of its range.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from corridor_sim.core.units import FloatArray
from corridor_sim.model.daily_capacities import BoundCapacity, bound_capacities
from corridor_sim.model.provenance import sound_figures
from corridor_sim.results.uncertain import DrawnInput

UNIFORM, TRIANGULAR = "uniform", "triangular"
PRIORS = (UNIFORM, TRIANGULAR)
"""How a value lies in its range where the figure states no law: anywhere alike, or most likely at the value stated."""


@dataclass(frozen=True, slots=True)
class Ranged:
    """One figure of one scenario that has a range, or alternatives."""

    path: str
    value: Any
    low: float = math.nan
    high: float = math.nan
    alternatives: tuple[Any, ...] = ()
    group: str = ""
    opposite: bool = False
    """At its low end where the rest of its group is at its high one."""
    whole: bool = False
    """Whether it takes whole numbers only."""
    sourced: bool = False

    def at(self, place: float, prior: str) -> Any:
        """The value at a place from 0 to 1 of its range.

        Whole numbers are the floor of a range that is one longer, so that each is as likely as the others.
        """
        if self.opposite:
            place = 1.0 - place
        if self.alternatives:
            return _one_of(self.alternatives, place)
        found = self._real(place, prior)
        return max(math.ceil(self.low), min(math.floor(self.high), math.floor(found))) if self.whole else found

    def beyond(self, bound: float, side: int, place: float, prior: str) -> Any:
        """The value at a place of the range cut at a bound: not below it (`side` 1), or not above it (-1).

        The law is the one of the range, given that the value is on that side. Where nothing of the range is,
        it is the bound itself, to the next whole number.

        Examples
        --------
        >>> quota = Ranged("quota", 360.0, 350.0, 400.0)
        >>> [quota.beyond(bound, 1, 0.5, "uniform") for bound in (250.0, 380.0, 400.0)]
        [375.0, 390.0, 400.0]
        """
        if self.opposite:
            place = 1.0 - place
        if self.alternatives:
            left = [one for one in self.alternatives if side * (one - bound) >= 0]
            return _one_of(left, place) if left else bound
        if self.whole:
            bound = math.ceil(bound) if side > 0 else math.floor(bound)
        below = self._share_below(bound + (self.whole and side < 0), prior)
        place = below + place * (1.0 - below) if side > 0 else place * below
        found = self._real(place, prior)
        found = max(math.ceil(self.low), min(math.floor(self.high), math.floor(found))) if self.whole else found
        return max(bound, found) if side > 0 else min(bound, found)

    def within(self, low: float, high: float, place: float, prior: str) -> Any:
        """The value at a place of the range cut at both ends: the law is the one of the range, given that it is inside.

        Examples
        --------
        >>> time_h = Ranged("time", 0.24, 0.2, 0.3)
        >>> [round(time_h.within(0.16, 0.24, place, "uniform"), 3) for place in (0.0, 0.5, 1.0)]
        [0.2, 0.22, 0.24]
        """
        if self.opposite:
            place = 1.0 - place
        if self.alternatives:
            return _one_of([one for one in self.alternatives if low <= one <= high], place)
        if self.whole:
            low, high = math.ceil(low), math.floor(high)
        below, until = self._share_below(low, prior), self._share_below(high + self.whole, prior)
        found = self._real(below + place * (until - below), prior)
        least, most = max(low, math.ceil(self.low) if self.whole else self.low), min(high, self.high)
        return max(least, min(math.floor(most), math.floor(found))) if self.whole else max(least, min(most, found))

    @property
    def _ends(self) -> tuple[float, float, float]:
        """Ends of the continuous law behind it, and its mode."""
        low, high = (math.ceil(self.low), math.floor(self.high) + 1.0) if self.whole else (self.low, self.high)
        return low, high, min(max(float(self.value) + 0.5 * self.whole, low), high)

    def _real(self, place: float, prior: str) -> float:
        low, high, mode = self._ends
        return low + place * (high - low) if prior == UNIFORM else triangular(place, low, mode, high)

    def _share_below(self, bound: float, prior: str) -> float:
        """Chance of a value below a bound: what `_real` is the inverse of."""
        low, high, mode = self._ends
        if not low < bound < high:
            return 0.0 if bound <= low else 1.0
        if prior == UNIFORM:
            return (bound - low) / (high - low)
        if bound <= mode:
            return (bound - low) ** 2 / ((high - low) * (mode - low))
        return 1.0 - (high - bound) ** 2 / ((high - low) * (high - mode))


def _one_of(values: Sequence[Any], place: float) -> Any:
    """One of some values, each as likely as the others."""
    return values[min(int(place * len(values)), len(values) - 1)]


def triangular(place: float, low: float, mode: float, high: float) -> float:
    """Quantile of the triangular law.

    Examples
    --------
    >>> [triangular(p, 0.0, 1.0, 2.0) for p in (0.0, 0.125, 0.5, 1.0)]
    [0.0, 0.5, 1.0, 2.0]
    """
    if high <= low:
        return low
    peak = (mode - low) / (high - low)
    if place <= peak:
        return low + math.sqrt(place * (high - low) * (mode - low))
    return high - math.sqrt((1.0 - place) * (high - low) * (high - mode))


@dataclass(frozen=True, slots=True)
class Replaced:
    """A value of an improvement (`by`), the ranged figure that it replaces (`path`), and its side of it.

    `side` is 1 where the improvement is never below what it replaces, -1 where it is never above.
    """

    by: Ranged
    path: str
    side: int


@dataclass(frozen=True, slots=True)
class InputSpace:
    """All coordinates, and of each scenario the figures that hang on them.

    `members` holds for each scenario, for each coordinate, its figures there: none where the scenario
    does not have the input.
    """

    inputs: tuple[DrawnInput, ...]
    members: tuple[tuple[tuple[Ranged, ...], ...], ...]
    replaced: tuple[tuple[Replaced, ...], ...] = ()
    """For each scenario the values of improvements that stay on their side of what they replace."""
    bound: tuple[tuple[BoundCapacity, ...], ...] = ()
    """For each scenario the lanes and times that are bound by what they pass a day."""

    @classmethod
    def of(
        cls,
        figures: Sequence[Sequence[Ranged]],
        replaced: Sequence[Sequence[Replaced]] = (),
        bound: Sequence[Sequence[BoundCapacity]] = (),
    ) -> InputSpace:
        """The space of the ranged figures of several scenarios; coordinates in order of their names.

        So that the same input has the same place whatever else is ranged, points are looked up by the
        order of names: another ranged figure moves the points of others.
        """
        found: dict[str, list[dict[str, Ranged]]] = {}
        for number, of_scenario in enumerate(figures):
            for figure in of_scenario:
                there = found.setdefault(figure.group or figure.path, [{} for _ in figures])
                there[number][figure.path] = figure
        names = sorted(found)
        inputs = []
        for name in names:
            everywhere: dict[str, Ranged] = {}
            for one in found[name]:
                for path, figure in one.items():
                    everywhere.setdefault(path, figure)
            first = everywhere[min(everywhere)]
            number_like = isinstance(first.value, (int, float)) and not isinstance(first.value, bool)
            inputs.append(
                DrawnInput(
                    name=name,
                    paths=tuple(sorted(everywhere)),
                    stated=float(first.value) if number_like else math.nan,
                    low=first.low,
                    high=first.high,
                    sourced=all(figure.sourced for figure in everywhere.values()),
                )
            )
        members = tuple(tuple(tuple(found[name][number].values()) for name in names) for number in range(len(figures)))
        return cls(tuple(inputs), members, tuple(map(tuple, replaced)), tuple(map(tuple, bound)))

    def __len__(self) -> int:
        return len(self.inputs)

    def values(self, scenario: int, point: FloatArray, prior: str) -> dict[str, Any]:
        """Values of the figures of one scenario at a point, by path."""
        found = {
            figure.path: (figure, float(place))
            for place, figures in zip(point, self.members[scenario], strict=True)
            for figure in figures
        }
        values = {path: figure.at(place, prior) for path, (figure, place) in found.items()}
        for pair in self.bound[scenario] if self.bound else ():
            if pair.time in found:
                figure, place = found[pair.time]
                values[pair.time] = figure.within(*pair.times_h(values), place, prior)
            elif len(pair.lanes) == 1 and pair.lanes[0][0] in found:
                path = pair.lanes[0][0]
                figure, place = found[path]
                values[path] = figure.within(*pair.lanes_within(values), place, prior)
        for one in self.replaced[scenario] if self.replaced else ():
            _, place = found.get(one.by.path, (one.by, 0.5))
            values[one.by.path] = one.by.beyond(values[one.path], one.side, place, prior)
        return values


def ranged_figures(scenario: Any) -> list[Ranged]:
    """Every figure of a scenario that has a range.

    Raises
    ------
    ScenarioError
        If a range is not sound: it does not hold its value, or a figure has two.
    """
    return [
        Ranged(
            path=row.path,
            value=int(row.value) if row.whole else row.value,
            low=min(row.alternatives) if row.low is None else row.low,
            high=max(row.alternatives) if row.high is None else row.high,
            alternatives=tuple(int(one) for one in row.alternatives) if row.whole else row.alternatives,
            group=row.group,
            opposite=row.opposite,
            whole=row.whole,
            sourced=row.range_status == "sourced",
        )
        for row in sound_figures(scenario)
        if not row.derived
        if row.alternatives or (row.low is not None and row.high is not None and row.low < row.high)
    ]


def bound_figures(scenario: Any) -> list[BoundCapacity]:
    """The lanes and times of a scenario that are bound by what they pass a day.

    Raises
    ------
    ScenarioError
        If a range is not sound.
    """
    return bound_capacities(scenario, sound_figures(scenario))
