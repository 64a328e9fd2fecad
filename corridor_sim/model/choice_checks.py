"""What does not fit between the choice sets of a scenario and its flows."""

from __future__ import annotations

import math
from collections.abc import Iterator

from corridor_sim.core.errors import Problem, nearest
from corridor_sim.model.scenario import Scenario


def problems(scenario: Scenario) -> Iterator[Problem]:
    """What does not fit between choice sets and the flows of a scenario."""
    taken: dict[str, str] = {}
    for id, choice in scenario.choices.items():
        at = f"choices.{id}.flows"
        if id in scenario.flows:
            yield Problem("is the name of a flow too", f"choices.{id}")
        total = 0.0
        for name in choice.flows:
            if name in taken:
                yield Problem(f"is in the choice set {taken[name]!r} too", at, name)
            taken[name] = id
            if name not in scenario.flows:
                yield Problem("is not a known flow", at, name, hint=nearest(name, scenario.flows))
                continue
            flow = scenario.flows[name]
            total += flow.mean_per_day * flow.load_t
            if flow.load_t == 0:
                yield Problem("carries no tonnes, which the choice is of", f"flows.{name}.load_t", flow.load_t, "> 0")
            if flow.value_of_time_usd_h == 0:
                yield Problem("chooses, and needs a value of time", f"flows.{name}.value_of_time_usd_h", 0.0, "> 0")
        if not math.isfinite(total) or (total == 0 and set(choice.flows) <= set(scenario.flows)):
            yield Problem("carry nothing between them", at, list(choice.flows))
