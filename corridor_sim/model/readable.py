"""Which names point nowhere in tables whose values are wrong, so that both are told in one look?

What cannot be read is taken out of the tables, or filled in where an object needs it, until the rest is
a scenario. Its names are looked up; what may hang on a part that was taken out is not judged.
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.model import resolution
from corridor_sim.model.scenario import Scenario, classes_of, former_classes

ROUNDS = 12
"""What is wrong with an object is seen when its parts are right; so often is looked again."""
_FILLED: Mapping[str, Any] = {
    "schema": 1,
    "run": {"start": dt.date(2024, 1, 1), "horizon_days": 1.0},
    "start": dt.date(2024, 1, 1),
    "horizon_days": 1.0,
    "length_km": 1.0,
    "lanes": 1,
    "members": 1,
    "per_day": 1,
    "scale_usd_t": 1.0,
    "service": {"kind": "deterministic", "value_h": 1.0},
}
"""What stands in for a value that an object needs: it is not judged, its object and the names in it are."""


@dataclass
class _Lost:
    """What was taken out of the tables or filled in."""

    paths: set[str] = field(default_factory=set)
    filled: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    """Names of what was taken out whole: it may be what is named."""

    def touches(self, path: str) -> bool:
        """Whether a path is lost, in part or as a whole, or lies in what is lost."""
        return any(f"{path}.".startswith(f"{one}.") or one.startswith(f"{path}.") for one in self.paths)

    def has(self, table: str, end: str) -> bool:
        """Whether an object of a table is lost as a whole, or its field `end` is."""
        split = [one.split(".") for one in self.paths]
        return any(one[0] == table and (len(one) == 2 or one[2:3] == [end]) for one in split)


def with_names(data: Mapping[str, Any], problems: Sequence[Problem]) -> list[Problem]:
    """The problems of tables that are no scenario, and after them the names that point nowhere.

    Examples
    --------
    >>> data = {"run": {"start": "2024-01-01", "horizon_days": -1.0},
    ...         "places": {"mill": {}}, "flows": {"flour": {"origin": "mill", "destination": "mil", "per_day": 1.0}}}
    >>> try:
    ...     Scenario.model_validate(data)
    ... except ScenarioError as error:
    ...     print(*with_names(data, error.problems), sep="\\n")
    run.horizon_days = -1.0: must be a number > 0
    flows.flour.destination = 'mil': is not a known place or checkpoint (allowed: mill); did you mean 'mill'?
    """
    found = _readable(data, problems)
    if found is None:
        return list(problems)
    scenario, lost = found
    told = {(one.path, one.message) for one in problems}
    return [
        *problems,
        *(
            one
            for one in resolution.name_problems(scenario)
            if (one.path, one.message) not in told and not _may_hang_on(lost, one, scenario)
        ),
    ]


def _readable(data: Mapping[str, Any], problems: Sequence[Problem]) -> tuple[Scenario, _Lost] | None:
    """What of the tables is a scenario, and what is lost; None where that cannot be told."""
    tables = copy.deepcopy(dict(data))
    classes = classes_of(tables)
    lost = _Lost()
    for _ in range(ROUNDS):
        gone: set[str] = set()
        for problem in problems:
            if not any(f"{problem.path}.".startswith(f"{one}.") for one in gone):
                path = _taken_out(tables, problem.path, lost)
                if "." not in path and path not in _FILLED:  # a whole table: any name may be in it
                    return None
                gone.add(path)
        try:
            former = tables.get("former_classes", ())
            tables["former_classes"] = list(former_classes({*former, *classes}, classes_of(tables)))
            return Scenario.model_validate(tables), lost
        except ScenarioError as error:
            problems = error.problems
        except TypeError:  # classes that are no texts
            return None
    return None


def _taken_out(tables: dict[str, Any], path: str, lost: _Lost) -> str:
    """Path of what was filled in or taken out because a problem speaks of `path`; "" where nothing was."""
    steps, rest = _walk(tables, path.split("."))
    if len(rest) == 1 and rest[0] in _FILLED:
        inner = steps[-1][0][steps[-1][1]] if steps else tables
        if isinstance(inner, dict) and _filled(inner, rest[0], [*(key for _, key in steps), rest[0]], lost):
            return ".".join([*(key for _, key in steps), rest[0]])
    if not steps:
        return ""
    table, key = steps[-1]
    names = [name for _, name in steps]
    if not _filled(table, key, names, lost):
        lost.ids.add(key)
        del table[key]
        lost.paths.add(".".join(names))
    return ".".join(names)


def _filled(table: dict[str, Any], key: str, names: Sequence[str], lost: _Lost) -> bool:
    """Fill in what an object needs, once; whether that was done."""
    path = ".".join(names)
    given = _FILLED.get(key)
    is_object = isinstance(table.get(key), dict) and not isinstance(given, dict)
    if given is None or path in lost.filled or is_object:
        return False
    table[key] = copy.deepcopy(given)
    lost.filled.add(path)
    lost.paths.add(path)
    return True


def _walk(tables: dict[str, Any], parts: Sequence[str]) -> tuple[list[tuple[dict[str, Any], str]], list[str]]:
    """Tables with their keys along a path as far as there are tables, and the rest of it; ids may hold dots."""
    steps: list[tuple[dict[str, Any], str]] = []
    table: Any = tables
    at = 0
    while at < len(parts) and isinstance(table, dict):
        end = next((n for n in range(at + 1, len(parts) + 1) if ".".join(parts[at:n]) in table), None)
        if end is None:
            return steps, list(parts[at:])
        key = ".".join(parts[at:end])
        steps.append((table, key))
        table, at = table[key], end
    return steps, []


def _may_hang_on(lost: _Lost, problem: Problem, scenario: Scenario) -> bool:
    """Whether a name may be right once what is lost is mended."""
    named = str(problem.value) if problem.value is not None else ""
    text = f"{problem.message} {problem.allowed}"
    table, _, inner = problem.path.partition(".")
    if table == "improvements":
        improvement = scenario.improvements.get(inner.split(".")[0])
        if improvement is not None and improvement.path and lost.touches(improvement.path):
            return True
    return (
        lost.touches(problem.path)
        or named in lost.ids
        or (bool(named) and lost.touches(named))
        or any(f"{id!r}" in text for id in lost.ids)
        or ("crossing" in text and lost.has("checkpoints", "crossing"))
        or ("leg type" in text and lost.has("legs", "kind"))
        or ("cargo class" in text and lost.has("flows", "cargo_class"))
        or ("holidays" in problem.path and lost.touches("run"))
    )
