"""Which element can follow which: read from the plan once, for all replications."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from corridor_sim.plan.needs import needs_at
from corridor_sim.plan.plan import FlowPlan, Plan
from corridor_sim.plan.steps import Step


class Wiring:
    """What follows from the plan alone: needs of elements, whose waits are announced, which stations lie on a cycle."""

    def __init__(self, plan: Plan) -> None:
        count = len(plan.elements)
        follows = np.zeros((count, count), dtype=bool)
        self.needs = needs_at(plan)
        self.announced: set[int] = set()
        """Stations whose wait somebody weighs before joining a post."""
        for flow in plan.flows:
            for variant in flow.variants:
                for k, step in enumerate(variant.steps):
                    for later in _possible_next(variant.steps, k):
                        follows[step.element, later.element] = True
                    if step.balk is not None:
                        self.announced.update(variant.steps[n].element for n in step.balk.stages or (k,))
                        self.announced.add(step.element)
            for before, balking in _balking(flow):
                for target in (balking.balk,) if balking.balk else ():
                    steps = flow.variants[target.variant].steps
                    for later in _possible_next(steps, target.at_step - 1):
                        for origin in before:
                            follows[origin.element, later.element] = True
        reach = follows.copy()
        if np.tril(follows).any():
            for k in range(count):
                reach |= reach[:, k : k + 1] & reach[k]
            self.in_cycle: list[bool] = np.diag(reach).tolist()
        else:
            self.in_cycle = [False] * count


def _possible_next(steps: Sequence[Step], k: int) -> list[Step]:
    """The steps that may be joined straight after step `k`."""
    found = []
    for step in steps[k + 1 :]:
        found.append(step)
        if not step.may_be_skipped:
            break
    return found


def _balking(flow: FlowPlan) -> list[tuple[list[Step], Step]]:
    """Steps that may be balked at, each with those that may come just before it."""
    found = []
    for variant in flow.variants:
        for k, step in enumerate(variant.steps):
            if step.balk is not None:
                before = [
                    other for j, other in enumerate(variant.steps[:k]) if step in _possible_next(variant.steps, j)
                ]
                found.append((before, step))
    return found
