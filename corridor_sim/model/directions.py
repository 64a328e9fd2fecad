"""Which ways are there through a post? Out of its country, and into it."""

from __future__ import annotations

from typing import Any

from pydantic import AfterValidator

from corridor_sim.core.errors import Problem, ScenarioError, nearest

DIRECTIONS = ("exit", "entry")


def known_directions(table: Any) -> Any:
    """The table, if its keys are directions."""
    wrong = [key for key in table if key not in DIRECTIONS]
    if wrong:
        raise ScenarioError(
            [Problem("is not a direction", key, allowed="exit, entry", hint=nearest(key, DIRECTIONS)) for key in wrong]
        )
    return table


Directed = AfterValidator(known_directions)
"""A table by direction."""
