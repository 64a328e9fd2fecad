"""What may not be where elements form a cycle: zero-length services and yards that block each other."""

from __future__ import annotations

import itertools
from typing import Any

from corridor_sim.core.errors import Problem
from corridor_sim.plan.elements import Station
from corridor_sim.plan.names import file_path
from corridor_sim.plan.plan import Plan
from corridor_sim.plan.steps import Step


def cycle_problems(plan: Plan) -> list[Problem]:
    """Stations inside a cycle with a service that may take no time, or with a finite yard."""
    if not plan.cyclic:
        return []
    import networkx as nx

    graph = nx.DiGraph()
    for flow in plan.flows:
        for variant in flow.variants:
            nx.add_path(graph, [step.element for step in variant.steps])
    inside: dict[int, list[int]] = {}
    for part in nx.strongly_connected_components(graph):
        if len(part) > 1 or any(graph.has_edge(n, n) for n in part):
            inside.update({n: sorted(part) for n in part})
    found: dict[str, Problem] = {}
    for flow in plan.flows:
        for step in itertools.chain.from_iterable(variant.steps for variant in flow.variants):
            element = plan.elements[step.element]
            if step.element not in inside or not isinstance(element, Station):
                continue
            ring = " -> ".join(plan.elements[n].id for n in (*inside[step.element], inside[step.element][0]))
            if _may_take_no_time(step):
                text = f"a service that may take no time inside the cycle {ring} could go on for ever"
                found[element.id] = Problem(text, f"{file_path(element)}.service")
            if element.may_be_full:
                text = f"a yard inside the cycle {ring} may block itself"
                hint = "make the yard unlimited, or give each direction lanes of its own"
                found[f"{element.id} yard"] = Problem(text, f"{file_path(element)}.yard", element.yard, hint=hint)
    return list(found.values())


def _may_take_no_time(step: Step) -> bool:
    return not step.laws or any(_has_zero(law) for _, law in step.laws)


def _has_zero(law: Any) -> bool:
    """Whether a law gives 0 with a probability above 0: a fixed 0, alone, in a sample or in a mixture."""
    if law.mean_h == 0 or 0 in getattr(law, "values_h", ()):
        return True
    if getattr(law, "shift_h", 0.0) > 0:
        return False
    return any(_has_zero(part) for part in (*getattr(law, "laws", ()), *filter(None, [getattr(law, "law", None)])))
