"""One draw of the inputs: every scenario with its values, planned, simulated and reduced to the rows that are kept."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from corridor_sim.core.errors import CorridorError, Problem, ScenarioError, SimulationError
from corridor_sim.core.units import FloatArray
from corridor_sim.indicators import Options
from corridor_sim.indicators.table import Label
from corridor_sim.model.resolution import Resolved, resolve
from corridor_sim.model.routes import Hop
from corridor_sim.model.values_by_path import set_values
from corridor_sim.plan.build import Planned, make_plan, plan_of
from corridor_sim.plan.part import part_of
from corridor_sim.plan.plan import Plan
from corridor_sim.study.asked_run import options_of
from corridor_sim.study.designs import with_values
from corridor_sim.study.observations import Observation, expected_per_day
from corridor_sim.study.run import run_those_that_can


@dataclass(frozen=True, slots=True)
class StatedPart:
    """The flows of a part, and the routes of all flows that it was found with."""

    flows: tuple[str, ...]
    routes: Mapping[str, tuple[tuple[Hop, ...], ...]]

    @classmethod
    def of(cls, scenario: Any, part: Plan) -> StatedPart:
        """The part of a scenario that a plan is."""
        return cls(tuple(flow.id for flow in part.flows), routes_of(resolve(scenario)))


def routes_of(resolved: Resolved) -> dict[str, tuple[tuple[Hop, ...], ...]]:
    """The hops of all routes of each flow."""
    return {flow: tuple(route.hops for route in routes) for flow, routes in resolved.ways.items()}


@dataclass(frozen=True, slots=True)
class Drawing:
    """What all draws share."""

    scenarios: tuple[Any, ...]
    labels: tuple[Label, ...]
    kinds: tuple[str, ...]
    replications: tuple[int, ...]
    root: int
    engine: str
    options: Options | None
    memory_gb: float
    store: str | None
    elements: tuple[tuple[str, ...], ...] = ()
    """For each scenario ids of the elements asked about; () where the whole corridor is."""
    parts: tuple[StatedPart, ...] = ()
    """For each scenario the part of it that is run, as it is at the stated values; () as before."""
    data: tuple[dict[str, Any], ...] = ()
    """The scenarios as data, that each draw sets its values in a copy of."""
    like: int = 1
    """How many draws there are: together they may be worth compiling for."""
    counts: tuple[Observation, ...] = ()
    """Counts of traffic that the base is held against."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One draw: what it is called, and the values of each scenario by path."""

    name: str
    values: tuple[Mapping[str, Any], ...]
    counts_only: bool = False
    """Whether only the counts of traffic are told, which takes no run; so it is where no row is kept."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Values (rows, scenarios, replications) of a draw, or the problems that forbid it."""

    values: FloatArray
    problems: tuple[Problem, ...] = ()
    counted: tuple[float, ...] = ()
    """What the base gives for each count."""


def simulate_draw(shared: Drawing, draw: Draw) -> Drawn:
    """Run all scenarios of a draw; runs in workers too.

    Raises
    ------
    SimulationError
        If a replication failed.
    """
    values = np.full((len(shared.labels), len(shared.scenarios), len(shared.replications)), np.nan)
    at = {label: k for k, label in enumerate(shared.labels)}
    if shared.store is not None and not os.path.isdir(shared.store):
        where = f"the folder {shared.store} is not there on {platform.node()}"
        raise SimulationError(f"{where}: machines of a cluster need a folder that all of them see")
    plans, options = [], []
    counted: tuple[float, ...] = ()
    for number, (scenario, chosen) in enumerate(zip(shared.scenarios, draw.values, strict=True)):
        # Of its own: another draw may be at work in another thread.
        data = dict(shared.data[number])
        try:
            set_values(data, chosen)
            changed = type(scenario).model_validate(data)
            if number == 0 and shared.counts:
                counted = expected_per_day(changed, shared.counts)
            if draw.counts_only or not shared.labels:
                return Drawn(values, counted=counted)
            plans.append(_plan(shared, number, changed))
        except ScenarioError as error:
            return Drawn(values, tuple(error.problems))
        except CorridorError as error:
            return Drawn(values, (Problem(str(error)),))
        options.append(shared.options or options_of(changed))
    # All at once: where the compiled pass runs the base, the others are worked through from where they differ.
    # Few replications, an overload: warnings of that are the business of the stated values.
    runs = run_those_that_can(
        [Planned(plan, plan) for plan in plans],
        shared.store,
        replications=shared.replications,
        rng=shared.root,
        engine=shared.engine,
        workers=1,
        indicators=shared.kinds,
        options=options,
        memory_gb=shared.memory_gb,
        among=shared.like,
        warn=False,
    )
    for number, results in enumerate(runs):
        assert results is not None
        for label, row in results.rows:
            if label in at:
                values[at[label], number] = row
    return Drawn(values, counted=counted)


def planned_with(shared: Drawing, number: int, values: Mapping[str, Any]) -> Plan:
    """The plan that is run of one scenario, with some values set; the scenario itself is left as it is.

    Raises
    ------
    CorridorError
        If a value is not allowed.
    """
    return _plan(shared, number, with_values(shared.scenarios[number], values))


def _plan(shared: Drawing, number: int, changed: Any) -> Plan:
    if not shared.elements:
        return make_plan(changed)
    resolved, stated = resolve(changed), shared.parts[number]
    # Flows outside the part stay outside as long as all routes are those of the stated values.
    same = not resolved.errors and routes_of(resolved) == stated.routes
    return asked_part(plan_of(resolved, stated.flows if same else None), shared.elements[number])


def asked_part(plan: Plan, elements: Sequence[str]) -> Plan:
    """The part of a plan that decides what happens at elements of these ids; all of it if there are none."""
    if not elements:
        return plan
    wanted = set(elements)
    return part_of(plan, [k for k, element in enumerate(plan.elements) if element.id in wanted])
