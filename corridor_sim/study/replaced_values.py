"""Values of improvements that replace a figure of the corridor, and on which side of it they lie.

A quota that is raised and the quota that it replaces may both be known by a range only. Drawn apart from each
other, some draws would lower it. So an improvement whose whole range lies on one side of
the value that it replaces, as stated, lies on that side of it in every draw: its law is cut at what the
corridor has in that draw. A range that reaches over the replaced value says that either may happen, and is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from corridor_sim.core.errors import CorridorError
from corridor_sim.model.changes import Change
from corridor_sim.model.paths import canonical
from corridor_sim.study.input_space import Ranged, Replaced


def replaced_values(scenario: Any, figures: Sequence[Ranged]) -> list[Replaced]:
    """All values of improvements that lie on one side of the ranged figure that they replace.

    Examples
    --------
    Acceptance of 350 to 400 trucks a day in the place of 230 to 400, stated as 250, is never below it.
    """
    known = {figure.path: figure for figure in figures}
    found = []
    for id, improvement in scenario.improvements.items():
        mine = {
            figure.path.removeprefix(f"improvements.{id}."): figure
            for path, figure in known.items()
            if path.startswith(f"improvements.{id}.")
        }
        for field, figure in mine.items():
            for path in _paths_set(scenario, improvement, field, figure):
                replaced = known.get(path)
                side = 0 if replaced is None else _side(figure, replaced.value)
                if side:
                    found.append(Replaced(figure.path, path, side))
    return found


def _side(figure: Ranged, value: Any) -> int:
    """On which side of a value the range of a figure lies; 0 if on both."""
    return 1 if figure.low >= value else -1 if figure.high <= value else 0


def _paths_set(scenario: Any, improvement: Any, field: str, figure: Ranged) -> Iterator[str]:
    """Paths that take over the value of one field of an improvement: they follow it where it is changed."""
    if "." in field:
        return
    other = next((end for end in (figure.low, figure.high) if end != figure.value), None)
    if other is None:
        return
    try:
        before = improvement.changes(scenario)
        after = improvement.replace(**{field: int(other) if figure.whole else other}).changes(scenario)
    except CorridorError:  # What is wrong is told where the scenario is checked.
        return
    for one, two in zip(before, after, strict=False):
        if one.operation == "set" and _is(one, figure.value) and _is(two, other):
            yield canonical(scenario, one.path)


def _is(change: Change, value: Any) -> bool:
    return isinstance(change.value, (int, float)) and not isinstance(change.value, bool) and change.value == value
