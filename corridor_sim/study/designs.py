"""The points of a design or grid: which values each sets, and the scenarios that they make."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError, CorridorError, Problem, ScenarioError, nearest
from corridor_sim.core.streams import Rng, root_entropy
from corridor_sim.model.base import Model
from corridor_sim.model.designs import Design, Switch
from corridor_sim.model.values_by_path import set_values
from corridor_sim.plan.build import Planned
from corridor_sim.study.asked_run import planned, root_of

if TYPE_CHECKING:
    import pandas as pd

    from corridor_sim.model.scenario import Scenario

MOST_TOLD = 20
"""Problems that are told of the points of a design."""


@dataclass(frozen=True, slots=True)
class Point:
    """One point: its values as tables show them, those set by path, and the improvements that are off."""

    shown: Mapping[str, Any]
    values: Mapping[str, Any]
    off: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ", ".join(f"{name} = {value}" for name, value in self.shown.items())


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A point whose scenario is not allowed, and all that is wrong with it."""

    number: int
    point: Mapping[str, Any]
    problems: tuple[Problem, ...] = field(default=())


def points_of(design: Design, root: int) -> list[Point]:
    """The points of a design in their order; the same root gives the same points.

    A grid counts its last factor fastest. A whole number and a category take each of their values for an equal
    part of the way from 0 to 1, so that with as many points as values or more both ends are among them.
    """
    from corridor_sim.statistics.scrambles import latin_hypercube, scrambled_points

    factors = list(design.factors.values())
    if design.kind == "grid":
        rows: Iterable[Sequence[Any]] = itertools.product(*(factor.listed for factor in factors))
    else:
        count = design.points or 1
        shares = (
            scrambled_points(count, len(factors), root, scrambles=1)[0]
            if design.kind == "sobol"
            else latin_hypercube(count, len(factors), root)
        )
        rows = ([factor.at(float(x)) for factor, x in zip(factors, row, strict=True)] for row in shares)
    return [_point(design, row) for row in rows]


def _point(design: Design, row: Sequence[Any]) -> Point:
    chosen = list(zip(design.factors.items(), row, strict=True))
    off = [name for (_, factor), value in chosen if isinstance(factor, Switch) and not value for name in factor.of]
    values = {path: value for (_, factor), value in chosen if not isinstance(factor, Switch) for path in factor.of}
    return Point({name: factor.shown(value) for (name, factor), value in chosen}, values, tuple(off))


def design_points(design: Design, rng: Rng = None) -> pd.DataFrame:
    """The points of a design as a table, nothing is run: a line a point, a column a factor.

    Parameters
    ----------
    design : Design
    rng : int, SeedSequence, Generator, BitGenerator, optional
        By default the seed of the design; without one there, that of its base.

    Raises
    ------
    ScenarioError
        If the base is needed for its seed and cannot be read.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.design_points(cs.design("teaching_lanes")).columns.tolist()
    ['point', 'lanes', 'flour', 'second_scanner']
    """
    import pandas as pd

    arguments.instance("design", design, Design, "a design, as cs.design gives it")
    if rng is not None:
        root = root_entropy(rng)
    elif design.seed is not None or design.kind == "grid":
        root = design.seed or 0
    else:
        root = root_of(base_of(design).scenario, None)
    points = points_of(design, root)
    frame = pd.DataFrame([dict(point.shown) for point in points], columns=list(design.factors))
    frame.insert(0, "point", range(len(points)))
    return frame


def base_of(design: Design) -> Planned:
    """The scenario that a design names, with its plan."""
    if not design.base:
        raise ArgumentError("the design names no base; give the scenario first: sweep(scenario, design)")
    return planned(design.base)


def grid_points(grid: Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The points of a grid (all combinations), or the points given.

    Raises
    ------
    CorridorError
        If there are none, or the values of a path are not several.
    """
    if not isinstance(grid, Mapping):
        given = list(grid)
        for point in given:
            arguments.instance("a point of the grid", point, Mapping, "a table of a value by path")
        points = [dict(point) for point in given]
    else:
        single = [path for path, values in grid.items() if isinstance(values, str) or not isinstance(values, Iterable)]
        if single:
            named = ", ".join(f"{path} = {grid[path]!r}" for path in single)
            raise CorridorError(f"{named}: give a list of the values to run")
        values = [list(grid[path]) for path in grid]
        points = [dict(zip(grid, chosen, strict=True)) for chosen in itertools.product(*values)] if values else []
    if not points:
        raise CorridorError("the sweep has no points: give at least one value for each path")
    return points


def scenarios_of(
    base: Scenario, points: Sequence[Point], design: Design | None, left_out: list[LeftOut] | None
) -> dict[int, Planned]:
    """The scenario of each point with its plan, by its number; each is called after the base and its number.

    With `left_out`, points whose scenario is not allowed are added to it.

    Raises
    ------
    ScenarioError
        With every problem of every point, each told once; with `left_out` only if no point is left.
    """
    missing = [problem for name in _switched(design) if (problem := _unknown(name, base, design)) is not None]
    if missing:
        raise ScenarioError(missing)
    data = _parts_of(base)
    found: dict[int, Planned] = {}
    wrong: list[LeftOut] = []
    for number, point in enumerate(points):
        changed = dict(data)
        try:
            set_values(changed, point.values)
            changed["name"] = f"{base.name or 'run'} point {number}"
            if point.off:
                changed["improvements"] = {
                    name: one for name, one in changed.get("improvements", {}).items() if name not in point.off
                }
            found[number] = planned(type(base).model_validate(changed))
        except ScenarioError as error:
            wrong.append(LeftOut(number, point.shown, tuple(_placed(problem, design) for problem in error.problems)))
        except CorridorError as error:
            wrong.append(LeftOut(number, point.shown, (_placed(Problem(str(error)), design),)))
    if wrong and (left_out is None or not found):
        raise ScenarioError(told_once(wrong))
    if left_out is not None:
        left_out += wrong
    return found


def _switched(design: Design | None) -> list[str]:
    if design is None:
        return []
    return [name for factor in design.factors.values() if isinstance(factor, Switch) for name in factor.of]


def _unknown(name: str, base: Scenario, design: Design | None) -> Problem | None:
    """What to say of an improvement that the base does not have."""
    if name in base.improvements:
        return None
    known = ", ".join(base.improvements) or "it has none"
    problem = Problem(
        "is no improvement of the base", f"improvements.{name}", None, known, nearest(name, base.improvements)
    )
    return _placed(problem, design)


def _placed(problem: Problem, design: Design | None) -> Problem:
    """The problem with file and line of the factor that sets the value."""
    if design is None or problem.file:
        return problem
    file, line = design.place_of(problem.path)
    return replace(problem, file=file, line=line)


def told_once(wrong: Sequence[LeftOut]) -> list[Problem]:
    """The problems of several points, each once with the points that have it, at most `MOST_TOLD` of them."""
    points: dict[str, list[int]] = {}
    first: dict[str, Problem] = {}
    for one in wrong:
        for problem in one.problems:
            first.setdefault(str(problem), problem)
            points.setdefault(str(problem), []).append(one.number)
    found = []
    for text, problem in first.items():
        numbers = points[text]
        listed = ", ".join(map(str, numbers[:5])) + (f" and {len(numbers) - 5} more" if len(numbers) > 5 else "")
        where = f"at point{'s' if len(numbers) > 1 else ''} {listed}"
        found.append(replace(problem, hint=f"{problem.hint}; {where}" if problem.hint else where))
    if len(found) > MOST_TOLD:
        found = [*found[:MOST_TOLD], Problem(f"and {len(found) - MOST_TOLD} more")]
    return found


# ---------------------------------------------------------------- values by path


def with_values(scenario: Scenario, values: Mapping[str, Any], data: Mapping[str, Any] | None = None) -> Scenario:
    """The scenario with some fields, by dotted path, replaced; what they are in is validated again.

    Legs, flows, posts and other entries that no path leads into are those of the scenario, the same objects. `data` is
    its ``to_data()``, if it is at hand; it stays as it is.

    Raises
    ------
    ScenarioError
        If a path does not exist or a value is not allowed.
    """
    changed = dict(_parts_of(scenario) if data is None else data)
    set_values(changed, values)
    return type(scenario).model_validate(changed)


def _parts_of(scenario: Scenario) -> dict[str, Any]:
    """As ``to_data()``, but with legs, flows, ... as they are: what is not changed need not be validated again."""
    data = scenario.to_data()
    for name, info in type(scenario).model_fields.items():
        table, key = getattr(scenario, name), str(info.validation_alias or name)
        if key in data and isinstance(table, Mapping) and all(isinstance(one, Model) for one in table.values()):
            data[key] = dict(table)
    return data
