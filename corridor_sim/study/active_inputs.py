"""Which ranged inputs can act on the rows that are asked about at all.

A price moves no wait, and a road that nobody asked about takes no truck there; but
both may move the route that is the cheapest. So inputs that look idle are tried: they are moved
all together, and if the plan stays the same to the bit they are idle. What an answer hangs
on is then looked for among the others alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from corridor_sim.core.errors import CorridorError
from corridor_sim.core.fingerprints import fingerprint
from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.table import Label
from corridor_sim.plan.plan import Plan
from corridor_sim.study.input_space import UNIFORM, InputSpace

MONEY = frozenset(
    {
        "cost_usd_tkm",
        "co2_g_tkm",
        "value_usd_t",
        "value_of_time_usd_h",
        "capex_usd",
        "opex_usd_year",
        "life_years",
        "benefit_growth",
    }
)
"""Fields that price what happens."""
PRICED = ("US$", "CO2", "kg", "tkm")
"""Units, or parts of them, of rows that prices go into."""
TRIALS = 3
"""Random points at which inputs that look idle are moved, beside all low and all high; assumed enough."""

Planner = Callable[[int, Mapping[str, Any]], Plan]
"""Plan of a scenario by number with some values set."""


def active_inputs(
    space: InputSpace, plans: Sequence[Plan], planner: Planner, labels: Iterable[Label], root: int, part: bool
) -> tuple[bool, ...]:
    """Whether each input may act on the rows.

    Parameters
    ----------
    plans : sequence of Plan
        At the stated values, one a scenario.
    planner : callable
        Makes the same plan with other values.
    labels : iterable of Label
        The rows.
    part : bool
        Whether the plans are parts: then tables that they do not hold look idle too.
    """
    priced = any(unit in label.unit for label in labels for unit in PRICED)
    known = _tables_of(plans)
    kinds: dict[str, list[int]] = {}
    for number, one in enumerate(space.inputs):
        reasons = {_looks_idle(path, priced, known if part else None) for path in one.paths}
        if "" not in reasons:
            kinds.setdefault(min(reasons), []).append(number)
    stated = [_seen(plan, priced) for plan in plans]
    every = sorted(number for numbers in kinds.values() for number in numbers)
    idle: set[int] = set()
    for numbers in [every, *kinds.values()] if len(kinds) > 1 else [every]:
        if numbers and not idle.issuperset(numbers) and _are_idle(space, numbers, stated, planner, priced, root):
            idle.update(numbers)
            if numbers is every:
                break
    return tuple(number not in idle for number in range(len(space)))


def _looks_idle(path: str, priced: bool, known: Mapping[str, frozenset[str]] | None) -> str:
    """Why a figure looks idle; "" if it does not."""
    table, _, rest = path.partition(".")
    if not priced and (rest.rpartition(".")[2] in MONEY or table == "factors"):
        return "money"
    if known is None or table not in known:
        return ""
    id, _, inside = rest.partition(".")
    direction = next((name for name in inside.split(".") if name in ("exit", "entry")), "")
    return table if id not in known[table] or (direction and f"{id} {direction}" not in known[table]) else ""


def _tables_of(plans: Sequence[Plan]) -> dict[str, frozenset[str]]:
    """Ids of flows, legs and checkpoints that plans hold, of checkpoints also with the direction."""
    flows = {flow.id for plan in plans for flow in plan.flows}
    passed = [(element.post, element.direction) for plan in plans for element in plan.elements if element.post]
    posts = {post for post, _ in passed} | {f"{post} {direction}" for post, direction in passed}
    posts |= {f"{post} {direction}" for post, both in passed if both == "both" for direction in ("exit", "entry")}
    legs = {
        element.id.removeprefix("leg:").partition(".")[0].rstrip("<>")
        for plan in plans
        for element in plan.elements
        if element.id.startswith("leg:")
    }
    return {"flows": frozenset(flows), "checkpoints": frozenset(posts), "legs": frozenset(legs)}


def _are_idle(
    space: InputSpace, numbers: Sequence[int], stated: Sequence[str], planner: Planner, priced: bool, root: int
) -> bool:
    rng = np.random.default_rng(np.random.SeedSequence(root, spawn_key=(0x1D1E,)))
    points = [np.zeros(len(space)), np.ones(len(space)), *rng.random((TRIALS, len(space)))]
    wanted = set(numbers)
    for point in points:
        for scenario, seen in enumerate(stated):
            values = _values(space, scenario, point, wanted)
            try:
                if values and _seen(planner(scenario, values), priced) != seen:
                    return False
            except CorridorError:
                return False
    return True


def _values(space: InputSpace, scenario: int, point: FloatArray, wanted: set[int]) -> dict[str, Any]:
    return {
        figure.path: figure.at(float(point[number]), UNIFORM)
        for number in wanted
        for figure in space.members[scenario][number]
    }


def _seen(plan: Plan, priced: bool) -> str:
    """What engines and rows see of a plan; without its prices if no row reads them."""
    if priced:
        return fingerprint(replace(plan, name=""))
    flows = tuple(
        replace(
            flow,
            value_usd_t=0.0,
            labels={},
            variants=tuple(
                replace(
                    variant,
                    spans=tuple(replace(span, cost_usd_tkm=0.0, co2_g_tkm=0.0) for span in variant.spans),
                )
                for variant in flow.variants
            ),
        )
        for flow in plan.flows
    )
    return fingerprint(replace(plan, name="", flows=flows))
