"""Queues that stand when a run begins: where, how many, who, and since when.

A run that begins in the middle of things begins with those who wait there already. They joined before
hour 0: nobody is served before it, and their wait is counted from their own joining.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.units import to_grid
from corridor_sim.model.arrivals import ArrivalPlan, Arrivals
from corridor_sim.model.base import Sourced
from corridor_sim.model.field_types import Count, NonNegative, TableOf, TupleOf, at_most
from corridor_sim.model.service_times import Draw

LONGEST_STAND_H = 8784.0
"""A year: nobody has waited longer. [h]"""
Before = Annotated[float, Field(le=0.0, ge=-LONGEST_STAND_H)]
"""Hours of the run, before its start. [h]"""


class InitialQueue(Sourced):
    """Consignments that wait at one place when the run begins, in the order in which they joined.

    Give `count` and `over_h` (they joined evenly over so many hours before the start), or `joined_h`.
    """

    at: str
    """Post and direction, or a stage of it: ``checkpoints.astara_ir.exit`` is the queue before the post,
    ``checkpoints.astara_ir.exit.xray`` the one before that stage."""
    flows: TableOf[NonNegative]
    """Whose consignments they are: weights by flow, in any unit. [-]"""
    count: Count | None = None
    """How many wait. [consignments]"""
    over_h: Annotated[NonNegative, at_most(LONGEST_STAND_H)] | None = None
    """The first joined so long before the start, the others evenly after it. [h]"""
    joined_h: TupleOf[Before] = ()
    """When each joined, in order: hours of the run, none after 0. [h]"""

    @model_validator(mode="after")
    def _how_many(self) -> Self:
        found: list[Problem] = []
        if not sum(self.flows.values()) > 0:
            found.append(Problem("must have a flow with a weight > 0", "flows"))
        if self.joined_h:
            names = [name for name in ("count", "over_h") if getattr(self, name) is not None]
            found += [Problem("does not go with joined_h", name, getattr(self, name)) for name in names]
            late = [k for k in range(1, len(self.joined_h)) if self.joined_h[k] < self.joined_h[k - 1]]
            if late:
                text = f"must not go back in time: number {late[0] + 1} is before number {late[0]}"
                found.append(Problem(text, f"joined_h.{late[0]}", self.joined_h[late[0]]))
        elif self.count is None:
            found.append(Problem("is required", "count", hint="or give joined_h"))
        elif self.over_h is None:
            found.append(Problem("is required", "over_h", hint="0 if they have only just joined; or give joined_h"))
        if found:
            raise ScenarioError(found)
        return self

    @property
    def times_h(self) -> tuple[float, ...]:
        """When each joined, in order: k-th of n at ``-over_h x (1 - k / n)`` where no times are given. [h]"""
        if self.joined_h:
            return self.joined_h
        n, over_h = self.count or 0, self.over_h or 0.0
        return tuple(to_grid([-over_h * (1.0 - k / n) for k in range(n)]).tolist())

    def times_by_flow(self) -> dict[str, tuple[float, ...]]:
        """When the consignments of each flow joined; flows without any are left out. [h]

        Each flow has its share of the number (largest remainders; ties to the first name), spread evenly along
        the queue: the k-th of m of a flow comes by its place ``(k + 1/2) / m``.

        Examples
        --------
        >>> queue = InitialQueue(at="checkpoints.p.exit", flows={"a": 1, "b": 2}, count=3, over_h=6.0)
        >>> queue.times_by_flow()
        {'a': (-4.0,), 'b': (-6.0, -2.0)}
        """
        times_h = self.times_h
        names = sorted(name for name, weight in self.flows.items() if weight > 0)
        total = math.fsum(self.flows[name] for name in names)
        shares = {name: len(times_h) * self.flows[name] / total for name in names}
        number = {name: math.floor(share) for name, share in shares.items()}
        left = len(times_h) - sum(number.values())
        for name in sorted(names, key=lambda name: (number[name] - shares[name], name))[:left]:
            number[name] += 1
        places = sorted(((k + 0.5) / number[name], name) for name in names for k in range(number[name]))
        found: dict[str, list[float]] = {name: [] for name in names if number[name]}
        for (_, name), at_h in zip(places, times_h, strict=True):
            found[name].append(at_h)
        return {name: tuple(times) for name, times in found.items()}


class Standing(Arrivals):
    """Releases of those who stand in a queue when the run begins: instants before hour 0, given. No kind of files."""

    kind: ClassVar[str] = "standing"
    follows_rate: ClassVar[bool] = False
    by_key: ClassVar[bool] = True
    times_h: tuple[float, ...]
    """Instants of joining, before hour 0. [h]"""

    def sampler(self, plan: ArrivalPlan, rng: Any) -> Draw:
        """The instants one after another, then inf."""
        del plan, rng
        rest = np.array(self.times_h)

        def draw(n: int) -> np.ndarray:
            nonlocal rest
            ready, rest = rest[:n], rest[n:]
            return np.append(ready, np.full(n - len(ready), np.inf))

        return draw

    def expected_count(self, plan: ArrivalPlan, since_h: float, until_h: float) -> float:
        """All of them, as at hour 0."""
        del plan
        return float(len(self.times_h)) if since_h <= 0 <= until_h else 0.0
