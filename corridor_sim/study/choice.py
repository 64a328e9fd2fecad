"""What a way over each crossing costs a consignment, and how many then choose it.

The generalised cost of a crossing for a flow is that of the cheapest road over it
(distance, travel, posts without a queue; `model/routes.py`) plus the value of time
times the mean wait at its two posts, as a run counted it. A crossing that nobody
took has nobody waiting.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.table import Table
from corridor_sim.model import resolution
from corridor_sim.model.dated_routes import state_at
from corridor_sim.model.routes import NoRoute, State, border_of, cheapest, edge_cost
from corridor_sim.model.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Alternative:
    """One crossing that a flow may take: its cost without waiting, and the posts and directions where it waits."""

    crossing: str
    unqueued_usd: float
    """Generalised cost a consignment without any queue. [US$]"""
    waits_at: tuple[tuple[str, str], ...]
    """(post, direction) along the way over the crossing."""


@dataclass(frozen=True, slots=True)
class Chooser:
    """A flow that chooses among crossings of one border."""

    flow: str
    cargo_class: str
    value_of_time_usd_h: float
    per_day: float
    """Consignments a day before growth, profile and improvements. [1/day]"""
    alternatives: tuple[Alternative, ...]
    shares: tuple[float, ...]
    """Shares in the scenario; equal where it says none."""

    @property
    def crossings(self) -> tuple[str, ...]:
        """The crossings in order."""
        return tuple(one.crossing for one in self.alternatives)

    def costs_usd(self, table: Table) -> FloatArray:
        """Generalised cost of each crossing with the mean waits of a run, shape (alternative,). [US$]"""
        return np.array(
            [
                one.unqueued_usd
                + self.value_of_time_usd_h * sum(wait_h(table, at, self.cargo_class) for at in one.waits_at)
                for one in self.alternatives
            ]
        )


def choosers(
    scenario: Scenario, alternatives: Mapping[str, Sequence[str]] | None = None, elastic: Collection[str] = ()
) -> list[Chooser]:
    """The flows that choose: those named, or all that have shares over two or more crossings.

    One crossing is enough for a flow of `elastic`, which chooses whether to come at all. Routes and dated values are
    those at the beginning of the counted window.

    Raises
    ------
    ScenarioError
        If a flow or crossing is not there, a flow has no value of time or a fixed route, crossings
        are of different borders, or there is no way over one of them; all problems at once.
    """
    asked = alternatives if alternatives is not None else _listed(scenario)
    resolved = resolution.resolve(scenario)
    if resolved.errors:
        raise ScenarioError(resolved.errors)
    state = state_at(scenario, resolved.changes, scenario.run.warm_up_h)
    problems: list[Problem] = []
    found = []
    for id, crossings in asked.items():
        wrong = _problems(scenario, id, crossings, 1 if id in elastic else 2)
        problems += wrong
        if wrong:
            continue
        try:
            ways = tuple(_alternative(scenario, id, state, crossing) for crossing in crossings)
        except NoRoute as error:
            problems.append(error.problem)
            continue
        flow = scenario.flows[id]
        shares = _shares(scenario, id, crossings)
        found.append(Chooser(id, flow.cargo_class, flow.value_of_time_usd_h, flow.mean_per_day, ways, shares))
    if not asked:
        hint = "name them: alternatives={flow: [crossings]}"
        problems.append(Problem("no flow has shares over two or more crossings", "flows", hint=hint))
    if problems:
        raise ScenarioError(problems)
    return found


def logit(costs_usd: FloatArray, scale_usd: float) -> FloatArray:
    """Shares of a multinomial logit: proportional to exp(-cost / scale). [ortuzar2011]

    Parameters
    ----------
    costs_usd : shape (alternative,)
    scale_usd : float
        Difference of cost at which one way is taken e times as often as the other. [US$]

    Examples
    --------
    >>> logit(np.array([100.0, 100.0 + 50.0 * np.log(3.0)]), 50.0).round(9).tolist()
    [0.75, 0.25]
    """
    weights = np.exp((costs_usd.min() - costs_usd) / scale_usd)
    return np.asarray(weights / weights.sum())


def composite_usd(costs_usd: FloatArray, scale_usd: float) -> float:
    """Cost of having the choice: -scale x ln(sum of exp(-cost / scale)), below the least of them. [US$]

    >>> round(composite_usd(np.array([100.0, 100.0]), 50.0), 6) == round(100.0 - 50.0 * math.log(2.0), 6)
    True
    """
    least = float(costs_usd.min())
    return least - scale_usd * math.log(float(np.exp((least - costs_usd) / scale_usd).sum()))


def wait_h(table: Table, at: tuple[str, str], cargo_class: str) -> float:
    """Mean wait at a post in one direction: of the class where it has a row of its own, else of all. [h]"""
    for name in (cargo_class, ""):
        rows = table.select("wait_h", kind="post", place=at[0], direction=at[1], cargo_class=name, hour=None, of="")
        values = rows.values[np.isfinite(rows.values)]
        if values.size:
            return float(values.mean())
    return 0.0


def _listed(scenario: Scenario) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for id, flow in scenario.flows.items():
        by_border: dict[frozenset[str], list[str]] = {}
        for entry in flow.crossing_shares.values():
            for crossing in entry.shares:
                here = by_border.setdefault(border_of(scenario, crossing), [])
                if crossing not in here:
                    here.append(crossing)
        several = [crossings for crossings in by_border.values() if len(crossings) > 1]
        if several:
            found[id] = several[0]
    return found


def _problems(scenario: Scenario, id: str, crossings: Sequence[str], least: int) -> list[Problem]:
    if id not in scenario.flows:
        return [Problem("is no flow of this scenario", f"flows.{id}", allowed=", ".join(sorted(scenario.flows)))]
    flow = scenario.flows[id]
    found = []
    if flow.route != "cheapest":
        found.append(Problem("a flow that chooses needs route = 'cheapest'", f"flows.{id}.route"))
    if flow.value_of_time_usd_h == 0:
        found.append(
            Problem("a flow that chooses needs a value of time", f"flows.{id}.value_of_time_usd_h", 0.0, "> 0")
        )
    known = sorted(scenario.crossings)
    strange = [one for one in crossings if one not in known]
    found += [Problem("is no crossing", f"alternatives.{id}", one, ", ".join(known)) for one in strange]
    if len(set(crossings)) < least or len(set(crossings)) < len(crossings):
        found.append(Problem("needs two or more different crossings", f"alternatives.{id}", list(crossings)))
    if not strange and len({border_of(scenario, one) for one in crossings}) > 1:
        found.append(Problem("names crossings of different borders", f"alternatives.{id}", list(crossings)))
    return found


def _alternative(scenario: Scenario, id: str, state: State, crossing: str) -> Alternative:
    flow = scenario.flows[id]
    border = border_of(scenario, crossing)
    others = [one for one in scenario.crossings if one != crossing and border_of(scenario, one) == border]
    hops = cheapest(scenario, id, state, (crossing,), others)
    cost = math.fsum(edge_cost(scenario, flow, state, hop.start, hop.end, hop.leg) for hop in hops)
    over = next(
        hop for hop in hops if scenario.legs[hop.leg].border and scenario.checkpoints[hop.start].crossing == crossing
    )
    return Alternative(crossing, cost, ((over.start, "exit"), (over.end, "entry")))


def _shares(scenario: Scenario, id: str, crossings: Sequence[str]) -> tuple[float, ...]:
    """Shares of the first entry that names these crossings; equal shares where there is none."""
    for entry in scenario.flows[id].crossing_shares.values():
        given = [entry.shares.get(crossing, 0.0) for crossing in crossings]
        if (total := math.fsum(given)) > 0:
            return tuple(one / total for one in given)
    return tuple(1 / len(crossings) for _ in crossings)
