"""How cargo chooses among flows that carry it by different ways: a nested logit of generalised cost a tonne.

The cost of a way is fares, fees, handling and the value of the hours without a queue (`model/way_costs.py`), and the
value of the waits of a mean journey as a run counted them. Of a flow that itself chooses among crossings the cost of
having that choice counts (the logsum): crossings of one branch are closer substitutes than branches [ortuzar2011].
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from corridor_sim.core.errors import ArgumentError, Problem, ScenarioError
from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.table import Table
from corridor_sim.model import resolution
from corridor_sim.model.dated_routes import DatedRoute, state_at
from corridor_sim.model.scenario import Scenario
from corridor_sim.model.way_costs import WayCost, way_cost
from corridor_sim.study.choice import Chooser, composite_usd, logit, wait_h

DELAY = "delay_cost_usd"
"""Value of the waits, blocking and interruptions of a mean journey, by flow."""


@dataclass(frozen=True, slots=True)
class FlowWay:
    """One flow of a choice set: what a tonne of it costs without waiting."""

    flow: str
    load_t: float
    value_of_time_usd_h: float
    cost: WayCost
    constant_usd_t: float = 0.0
    """Cost that is in no other figure. [US$/t]"""
    crossings: Chooser | None = None
    """Its own choice among crossings, if it has one."""

    def cost_usd_t(self, table: Table, shares: Mapping[str, FloatArray], scale_usd: float | None) -> float:
        """Generalised cost with the waits of a run. [US$/t]"""
        waits_usd = _delay_usd(table, self.flow)
        one = self.crossings
        if one is None or scale_usd is None:
            if waits_usd is None:  # Nobody came: who would, waits for the next departure alone.
                waits_usd = self.value_of_time_usd_h * self.cost.timetable_h
            return self.constant_usd_t + (self.cost.unqueued_usd(self.value_of_time_usd_h) + waits_usd) / self.load_t
        costs = one.costs_usd(table)
        queued = [sum(wait_h(table, at, one.cargo_class) for at in way.waits_at) for way in one.alternatives]
        chosen_usd = one.value_of_time_usd_h * float(np.dot(shares[one.flow], queued))
        elsewhere_usd = max((waits_usd or 0.0) - chosen_usd, 0.0)
        beside_usd = self.cost.fees_usd + self.cost.handling_usd
        return self.constant_usd_t + (composite_usd(costs, scale_usd) + elsewhere_usd + beside_usd) / self.load_t


@dataclass(frozen=True, slots=True)
class WayChooser:
    """Cargo that chooses among the flows of a choice set."""

    name: str
    ways: tuple[FlowWay, ...]
    scale_usd_t: float
    nests: tuple[tuple[tuple[int, ...], float], ...]
    """Numbers of the ways of each nest, and its scale. [US$/t]"""
    tonnes_per_day: float
    """Of all flows together, before growth, profile and improvements. [t/day]"""
    shares: tuple[float, ...]
    """Shares of the tonnes in the scenario."""

    @property
    def flow(self) -> str:
        """The name under which its shares stand."""
        return self.name

    @property
    def flows(self) -> tuple[str, ...]:
        """The flows in order."""
        return tuple(way.flow for way in self.ways)

    def costs_usd_t(self, table: Table, shares: Mapping[str, FloatArray], scale_usd: float | None) -> FloatArray:
        """Generalised cost of each way with the waits of a run, shape (way,). [US$/t]"""
        return np.array([way.cost_usd_t(table, shares, scale_usd) for way in self.ways])

    def wanted(self, costs_usd_t: FloatArray) -> FloatArray:
        """Shares of the tonnes that a nested logit gives, shape (way,)."""
        return nested_logit(costs_usd_t, self.scale_usd_t, self.nests)[0]

    def composite_usd_t(self, costs_usd_t: FloatArray) -> float:
        """Cost of having the choice. [US$/t]"""
        return nested_logit(costs_usd_t, self.scale_usd_t, self.nests)[1]


def nested_logit(
    costs: FloatArray, scale: float, nests: Sequence[tuple[Sequence[int], float]] = ()
) -> tuple[FloatArray, float]:
    """Shares of a nested logit, and the cost of having the choice. [ortuzar2011]

    Parameters
    ----------
    costs : shape (way,)
    scale : float
        Scale between nests, in the unit of the costs.
    nests : sequence of (numbers of the ways, scale within)
        A way in none stands for itself.

    Examples
    --------
    Two equal ways in one nest of scale 0 would be one way: with half the scale each has 0.293, the third way 0.414.

    >>> shares, composite = nested_logit(np.zeros(3), 10.0, [((0, 1), 5.0)])
    >>> shares.round(3).tolist()
    [0.293, 0.293, 0.414]
    """
    inside = {k for members, _ in nests for k in members}
    groups = [*((tuple(members), own) for members, own in nests)]
    groups += [((k,), scale) for k in range(len(costs)) if k not in inside]
    upper = np.array([composite_usd(costs[list(members)], own) for members, own in groups])
    between = logit(upper, scale)
    shares = np.zeros(len(costs))
    for part, (members, own) in zip(between, groups, strict=True):
        shares[list(members)] = part * logit(costs[list(members)], own)
    return shares, composite_usd(upper, scale)


def way_choosers(
    scenario: Scenario, names: Sequence[str], crossing_choosers: Sequence[Chooser], scale_usd: float | None
) -> list[WayChooser]:
    """The choice sets of a scenario, with the costs of their ways at the beginning of the counted window.

    Raises
    ------
    ScenarioError
        If a choice set is not there, or does not fit to the flows: all problems at once.
    ArgumentError
        If crossings of a flow would be less alike than the ways of its choice set.
    """
    unknown = [name for name in names if name not in scenario.choices]
    if unknown:
        known = ", ".join(scenario.choices) or "none"
        raise ScenarioError(
            [Problem("is no choice set of this scenario", f"choices.{name}", allowed=known) for name in unknown]
        )
    resolved = resolution.resolve(scenario)
    if resolved.errors:
        raise ScenarioError(resolved.errors)
    state = state_at(resolved.scenario, resolved.changes, scenario.run.warm_up_h)
    own = {one.flow: one for one in crossing_choosers}
    found = []
    for name in names:
        choice = scenario.choices[name]
        level = dict.fromkeys(choice.flows, choice.scale_usd_t)
        level |= {id: nest.scale_usd_t for nest in choice.nests.values() for id in nest.flows}
        ways = []
        for id in choice.flows:
            flow = scenario.flows[id]
            route = _route(resolved.ways[id], state.time_h)
            cost = way_cost(resolved.scenario, id, state, route.hops)
            if id in own and scale_usd is not None and scale_usd > level[id] * flow.load_t:
                raise ArgumentError(
                    f"scale_usd must be at most {level[id] * flow.load_t:g} US$ for {id}, or its crossings would be "
                    f"less alike than the ways of {name}; got {scale_usd:g}"
                )
            ways.append(
                FlowWay(
                    id,
                    flow.load_t,
                    flow.value_of_time_usd_h,
                    cost,
                    float(choice.constants_usd_t.get(id, 0.0)),
                    own.get(id),
                )
            )
        tonnes = [scenario.flows[id].mean_per_day * scenario.flows[id].load_t for id in choice.flows]
        total = math.fsum(tonnes)
        nests = tuple(
            (tuple(choice.flows.index(id) for id in nest.flows), nest.scale_usd_t) for nest in choice.nests.values()
        )
        shares = tuple(one / total for one in tonnes)
        found.append(WayChooser(name, tuple(ways), choice.scale_usd_t, nests, total, shares))
    return found


def _route(ways: Sequence[DatedRoute], time_h: float) -> DatedRoute:
    """The itinerary with the largest share at one time."""

    def share(way: DatedRoute) -> float:
        return [part for from_h, part in way.share if from_h <= time_h][-1]

    return max(ways, key=share)


def _delay_usd(table: Table, flow: str) -> float | None:
    """Value of the waits of a mean journey; None where nobody came. [US$]"""
    rows = table.select(DELAY, kind="flow", place=flow)
    values = rows.values[np.isfinite(rows.values)]
    return float(values.mean()) if values.size else None
