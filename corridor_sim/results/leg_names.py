"""What a leg is called that has no name of its own: the two ends of it, as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ARROWS = {">": "→", "<": "←", "<>": "↔", "": "–"}
"""Between the ends of a leg: forward is the way in which it is written."""


def leg_called(scenario: Any, leg: str, way: str = "") -> str:
    """A leg by its name, else by its ends in the direction of travel; "" if the scenario has no such leg.

    Parameters
    ----------
    scenario : Scenario, Corridor or anything
    leg : str
        Id of the leg.
    way : {">", "<", "<>", ""}
        Forward, backward, both ways at once, or no direction.

    Notes
    -----
    Legs with the same ends are told apart by mode, and by id where that is the same too.

    Examples
    --------
    >>> from corridor_sim import load_scenario
    >>> border = load_scenario("teaching")
    >>> leg_called(border, "bridge", ">"), leg_called(border, "bridge", "<"), leg_called(border, "tunnel")
    ('Northgate A → Northgate B', 'Northgate B → Northgate A', '')
    """
    legs: Mapping[str, Any] = getattr(scenario, "legs", None) or {}
    one = legs.get(leg)
    if one is None:
        return ""
    if one.name and one.name != leg:
        return f"{one.name} {ARROWS[way]}" if way else str(one.name)
    ends = [_end_called(scenario, id) for id in (one.from_, one.to)]
    if way == "<":
        ends.reverse()
    words = f"{ends[0]} {ARROWS['>' if way == '<' else way]} {ends[1]}"
    same = [other for other in legs.values() if {other.from_, other.to} == {one.from_, one.to}]
    if len(same) == 1:
        return words
    alone = sum(other.mode == one.mode for other in same) == 1
    return f"{words}, {one.mode}" if alone else f"{words}, {leg.replace('_', ' ')}"


def _end_called(scenario: Any, id: str) -> str:
    """A place, or a post with its country where its name does not end in it."""
    end = scenario.places.get(id) or scenario.checkpoints.get(id)
    name = str(end.name or id.replace("_", " "))
    country = "" if id in scenario.places else str(end.country or "")
    return name if not country or name.casefold().split()[-1:] == [country.casefold()] else f"{name} {country}"
