"""Values of a scenario's data by dotted path: setting them, and which paths lead nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from corridor_sim.core.errors import Problem, ScenarioError, nearest
from corridor_sim.model.base import Model
from corridor_sim.model.scenario import Scenario

_TABLES = ("entry", "exit", "improvements", "slots", "acceptance", "channels")
"""Tables that need not be there to have a value set in them."""
_UNKNOWN_KEY = "is not a known key"
"""What is said of a field that an object does not have (`errors_in_words`)."""


def set_values(data: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Set fields of a scenario's data, by dotted path; tables inside are copied, not changed.

    Raises
    ------
    ScenarioError
        If a path leads nowhere.
    """
    for path, value in values.items():
        at: Any = data
        *way, last = path.split(".")
        for key in way:
            if not isinstance(at, dict):
                raise ScenarioError([Problem(f"{key!r} is not in a table", path)])
            if key not in at and at is not data and key not in _TABLES:
                raise ScenarioError([Problem(f"there is no {key!r}", path, hint=nearest(key, at))])
            inside = at.get(key, {})
            if isinstance(inside, Model):
                inside = inside.to_data()
            at[key] = dict(inside) if isinstance(inside, dict) else inside
            at = at[key]
        if not isinstance(at, dict):
            raise ScenarioError([Problem(f"{last!r} is not in a table", path)])
        at[last] = value


def paths_to_nowhere(scenario: Scenario, paths: Iterable[str]) -> list[Problem]:
    """Those of some paths at which a scenario has no value and can have none; values are not judged.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> paths = ["flows.flour.per_day", "flows.flower.per_day", "flows.flour.per_dy"]
    >>> print(*paths_to_nowhere(cs.load_scenario("teaching"), paths), sep="\\n")
    flows.flower.per_day: there is no 'flower'; did you mean 'flour'?
    flows.flour.per_dy: is not a known key; did you mean 'per_day'?
    """
    found: list[Problem] = []
    for path in dict.fromkeys(paths):
        data = scenario.to_data()
        try:
            set_values(data, {path: None})
        except ScenarioError as error:
            found += error.problems
            continue
        try:
            type(scenario).model_validate(data)
        except ScenarioError as error:
            found += [one for one in error.problems if one.message == _UNKNOWN_KEY]
    return found
