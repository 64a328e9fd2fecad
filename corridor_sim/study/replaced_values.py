"""Values of improvements that replace a figure of the corridor, and on which side of it they lie.

A quota that is raised and the quota that it replaces may both be known by a range only, and so may the parameters of a
service law and of the law that takes its place. Drawn apart from each other, some draws would lower the quota. So an
improvement whose whole range lies on one side of the value that it replaces, as stated, lies on that side of it in
every draw: its law is cut at what the corridor has in that draw. A value without a range is the narrowest range. A
range that reaches over the replaced value says that either may happen, and is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from corridor_sim.core.errors import CorridorError
from corridor_sim.model.changes import Change
from corridor_sim.model.improvements.base import require_stage
from corridor_sim.model.paths import canonical
from corridor_sim.model.provenance import FigureRow, figures_of
from corridor_sim.model.service_times.base import CUT, MEANS, ServiceTime, states
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
        start = f"improvements.{id}"
        for row in figures_of(improvement, start):
            figure = known.get(row.path) or _exact(row)
            for path in _paths_set(scenario, improvement, row.path.removeprefix(f"{start}."), figure):
                replaced = known.get(path)
                side = 0 if replaced is None else _side(figure, replaced.value)
                if side:
                    found.append(Replaced(figure, path, side))
    return found


def _exact(row: FigureRow) -> Ranged:
    """A figure without a range, as one whose two ends are its value."""
    value = int(row.value) if row.whole else row.value
    return Ranged(row.path, value, row.value, row.value, whole=row.whole)


def _side(figure: Ranged, value: Any) -> int:
    """On which side of a value the range of a figure lies; 0 if on both."""
    return 1 if figure.low >= value else -1 if figure.high <= value else 0


def _paths_set(scenario: Any, improvement: Any, field: str, figure: Ranged) -> Iterator[str]:
    """Paths that take over the value of one field of an improvement, or of one parameter of a law that it sets."""
    head, _, inside = field.partition(".")
    given = getattr(improvement, head, None)
    try:
        if isinstance(given, ServiceTime):
            yield from _parameters_set(scenario, improvement, given, inside)
        elif not inside:
            yield from _numbers_set(scenario, improvement, field, figure)
    except CorridorError:  # What is wrong is told where the scenario is checked.
        return


def _numbers_set(scenario: Any, improvement: Any, field: str, figure: Ranged) -> Iterator[str]:
    """Paths that follow the field where it is changed."""
    other = next((end for end in (figure.low, figure.high) if end != figure.value), None)
    before = improvement.changes(scenario)
    after = before
    if other is not None:
        other = int(other) if figure.whole else other
        after = improvement.replace(**{field: other}).changes(scenario)
    for one, two in zip(before, after, strict=False):
        if one.operation == "set" and _is(one, figure.value) and _is(two, figure.value if other is None else other):
            yield canonical(scenario, one.path)


def _is(change: Change, value: Any) -> bool:
    return isinstance(change.value, (int, float)) and not isinstance(change.value, bool) and change.value == value


def _parameters_set(scenario: Any, improvement: Any, law: ServiceTime, parameter: str) -> Iterator[str]:
    """Paths of the parameter of laws whose place a law takes that is the same as one of its own."""
    for change in improvement.changes(scenario):
        if change.operation == "set" and change.value == law and change.path.endswith(".service"):
            name = same_parameter(require_stage(scenario, change.path.removesuffix(".service")).service, law, parameter)
            if name:
                yield f"{change.path}.{name}"


def same_parameter(before: Any, after: Any, name: str) -> str:
    """The parameter of one law that is the same as that of another; "" if none is.

    Laws of one kind have the same parameters; of two kinds only the mean, where both state it.

    Examples
    --------
    >>> from corridor_sim.model.service_times import Deterministic, Gamma, Lognormal
    >>> old, new = Gamma(mean_h=1.0, cv=0.5), Deterministic(value_h=0.5)
    >>> same_parameter(old, old, "cv"), same_parameter(old, new, "value_h")
    ('cv', 'mean_h')
    >>> same_parameter(old, Lognormal(median_h=1.0, sigma=0.5), "median_h")
    ''
    """
    head, _, inside = name.partition(".")
    if before is None or after is None:
        return ""
    if type(before) is type(after):
        if not inside:
            return head if states(before, head) else ""
        deeper = same_parameter(getattr(before, head, None), getattr(after, head, None), inside)
        return f"{head}.{deeper}" if deeper else ""
    if head not in MEANS or inside or states(before, CUT) or states(after, CUT):
        return ""
    return next((one for one in MEANS if states(before, one)), "")
