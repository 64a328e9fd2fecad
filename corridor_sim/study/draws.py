"""One draw of the inputs: every scenario with its values, planned, simulated and reduced to the rows that are kept."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from corridor_sim.core.errors import CorridorError, CorridorWarning, Problem, ScenarioError
from corridor_sim.core.units import FloatArray
from corridor_sim.indicators import Options
from corridor_sim.indicators.table import Label
from corridor_sim.plan.build import make_plan
from corridor_sim.plan.part import part_of
from corridor_sim.plan.plan import Plan
from corridor_sim.study.run import options_of, run
from corridor_sim.study.store import Batch
from corridor_sim.study.sweeps import with_values


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


@dataclass(frozen=True, slots=True)
class Draw:
    """One draw: what it is called, and the values of each scenario by path."""

    name: str
    values: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """Values (rows, scenarios, replications) of a draw, or the problems that forbid it."""

    values: FloatArray
    problems: tuple[Problem, ...] = ()


def simulate_draw(shared: Drawing, draw: Draw) -> Drawn:
    """Run all scenarios of a draw; runs in workers too.

    Raises
    ------
    SimulationError
        If a replication failed.
    """
    values = np.full((len(shared.labels), len(shared.scenarios), len(shared.replications)), np.nan)
    at = {label: k for k, label in enumerate(shared.labels)}
    batch = None if shared.store is None else Batch(os.fspath(shared.store))
    for number, (scenario, chosen) in enumerate(zip(shared.scenarios, draw.values, strict=True)):
        try:
            changed = with_values(scenario, chosen)
            plan = asked_part(make_plan(changed), shared.elements[number] if shared.elements else ())
        except ScenarioError as error:
            return Drawn(values, tuple(error.problems))
        except CorridorError as error:
            return Drawn(values, (Problem(str(error)),))
        with warnings.catch_warnings():
            # Few replications, an overload: that is the business of the stated values.
            warnings.simplefilter("ignore", CorridorWarning)
            results = run(
                plan,
                replications=shared.replications,
                rng=shared.root,
                engine=shared.engine,
                workers=1,
                indicators=shared.kinds,
                options=shared.options or options_of(changed),
                memory_gb=shared.memory_gb,
                store=batch,
            )
        for label, row in results.rows:
            if label in at:
                values[at[label], number] = row
    return Drawn(values)


def asked_part(plan: Plan, elements: Sequence[str]) -> Plan:
    """The part of a plan that decides what happens at elements of these ids; all of it if there are none."""
    if not elements:
        return plan
    wanted = set(elements)
    return part_of(plan, [k for k, element in enumerate(plan.elements) if element.id in wanted])
