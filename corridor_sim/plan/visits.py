"""Who comes to an element, how often, and how long is it held?"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.plan.plan import FlowPlan, Plan
from corridor_sim.plan.saturated import Holds
from corridor_sim.plan.steps import Step, Variant
from corridor_sim.plan.timelines import ONE, combine


@dataclass(frozen=True, slots=True)
class User:
    """A flow at an element: the step it takes there, and how many of its consignments are expected to."""

    flow: int
    step: Step
    visits: float


def visit_rate(plan: Plan, flow: FlowPlan, variant: Variant, step: Step) -> StepFunction | None:
    """Expected visits of a step an hour, as if the way to it took no time; None where releases are given."""
    process = flow.arrivals
    if process is None:
        return None
    rate = process.rate
    if not process.process.follows_rate:
        rate = StepFunction.constant(process.expected_count(plan.horizon_h) / plan.horizon_h)
    goes = [combine(lambda s: 1 - s, share) for share in step.skipped_shares]
    return combine(lambda *values: np.prod(values, axis=0), rate, variant.share, step.needed_share or ONE, *goes)


def expected_visits(plan: Plan, flow: FlowPlan, variant: Variant, step: Step) -> float:
    """Mean number of visits of a step in the run."""
    rate = visit_rate(plan, flow, variant, step)
    return 0.0 if rate is None else rate.integral(plan.horizon_h)


def holds_over_time(users: Sequence[User]) -> Callable[[float], Holds]:
    """`holds_at` as a function of time, each time without a change worked out once."""
    since = sorted({at for user in users for at in user.step.changes_h})
    found: dict[int, Holds] = {}

    def at(at_h: float) -> Holds:
        piece = bisect.bisect_right(since, at_h)
        if piece not in found:
            found[piece] = holds_at(users, at_h)
        return found[piece]

    return at


def holds_at(users: Sequence[User], at_h: float) -> Holds:
    """The services that begin at an instant, in the proportion in which they are expected."""
    total = sum(user.visits for user in users)
    parts: list[tuple[float, float, Any]] = []
    for user in users:
        law = next((law for from_h, law in reversed(user.step.laws) if from_h <= at_h), user.step.laws[0][1])
        factor = 1.0 if user.step.factor is None else user.step.factor.at(at_h)
        branches = [(user.visits / total, factor)]
        for relief in (relief for relief in user.step.reliefs if relief.factor != 0):
            share = min(max(relief.share.at(at_h), 0.0), 1.0)
            branches = [
                branch
                for weight, times in branches
                for branch in ((weight * (1 - share), times), (weight * share, times * relief.factor))
                if branch[0] > 0
            ]
        parts += [(weight, times, law) for weight, times in branches]
    merged: dict[tuple[float, int], tuple[float, float, Any]] = {}
    for weight, times, law in parts:
        so_far = merged.get((times, id(law)), (0.0, times, law))
        merged[times, id(law)] = (so_far[0] + weight, times, law)
    return Holds(tuple(merged.values()))
