"""Does what begins at one instant end at a later one?"""

from __future__ import annotations

from typing import Any

from corridor_sim.core.errors import Problem, ScenarioError


def require_order(first: Any, last: Any, field: str = "until") -> None:
    """Raise ScenarioError unless `last` comes after `first` (either may be None)."""
    if first is None or last is None:
        return
    if (first.tzinfo is None) != (last.tzinfo is None):
        raise ScenarioError([Problem("must have an offset from UTC if the other instant has one", field, last)])
    if last <= first:
        raise ScenarioError([Problem("must be later than from", field, last, f"after {first}")])
