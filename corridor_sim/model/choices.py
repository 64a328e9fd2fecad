"""Choice sets: flows that carry the same cargo by different ways (branch or mode), and how like each other they are.

A run takes the flows as they are. `cs.equilibrium(..., choices=...)` lets the cargo choose among them.
"""

from __future__ import annotations

import math
from typing import Self

from pydantic import model_validator

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.model.base import Sourced
from corridor_sim.model.field_types import FrozenDict, NamesOf, Positive, TableOf


class Nest(Sourced):
    """Flows of a choice set that are closer to each other than to the rest: two crossings or ports of one branch."""

    flows: NamesOf
    """Flows of the choice set, two or more."""
    scale_usd_t: Positive
    """Difference of cost at which one is taken e times as often as another, at most that of the set. [US$/t]"""


class Choice(Sourced):
    """Flows among which the cargo of all of them may choose: by branch, or by road, rail and ship."""

    name: str = ""
    """What tables call the choice set; its id if not given."""
    flows: NamesOf
    """Flows that carry the same cargo by different ways, two or more."""
    scale_usd_t: Positive
    """Difference of generalised cost at which one way is taken e times as often as another. [US$/t]"""
    nests: TableOf[Nest] = FrozenDict()
    """Ways that are closer substitutes, by name; a way in none stands for itself."""
    constants_usd_t: TableOf[float] = FrozenDict()
    """By flow: cost that is in no other figure (papers, habit), often set so that shares are as observed. [US$/t]"""

    @model_validator(mode="after")
    def _nests_fit(self) -> Self:
        problems: list[Problem] = []
        if len(self.flows) < 2:
            problems.append(Problem("needs two or more flows", "flows", list(self.flows)))
        for flow, constant in self.constants_usd_t.items():
            if flow not in self.flows:
                text = "is no flow of the choice set"
                problems.append(Problem(text, f"constants_usd_t.{flow}", allowed=", ".join(self.flows)))
            if not math.isfinite(constant):
                problems.append(Problem("must be a number", f"constants_usd_t.{flow}", constant))
        seen: dict[str, str] = {}
        for name, nest in self.nests.items():
            at = f"nests.{name}"
            if len(nest.flows) < 2:
                problems.append(Problem("needs two or more flows", f"{at}.flows", list(nest.flows)))
            for flow in nest.flows:
                if flow not in self.flows:
                    problems.append(Problem("is no flow of the choice set", f"{at}.flows", flow, ", ".join(self.flows)))
                if flow in seen:
                    problems.append(Problem(f"is in the nest {seen[flow]!r} too", f"{at}.flows", flow))
                seen[flow] = name
            if nest.scale_usd_t > self.scale_usd_t:
                text = "must be at most the scale of the choice set, or its flows would be less alike than all"
                allowed = f"<= {self.scale_usd_t:g} US$/t"
                problems.append(Problem(text, f"{at}.scale_usd_t", nest.scale_usd_t, allowed))
        if problems:
            raise ScenarioError(problems)
        return self
