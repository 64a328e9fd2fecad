"""How loaded each element of a plan is on average, and everything that `check` reports.

The load of a station is the work that comes in an hour over the lane-hours that
are open; above 1 the queue grows as long as the run lasts, and the mean wait
measures the horizon.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.model.resolution import resolve
from corridor_sim.model.scenario import Scenario
from corridor_sim.plan.build import plan_of
from corridor_sim.plan.mechanisms import NEUTRAL, TAKES, Mechanism, Need
from corridor_sim.plan.names import file_path
from corridor_sim.plan.needs import needs_at
from corridor_sim.plan.plan import NO_LIMIT, Departures, FlowPlan, LimitedLeg, Plan, Quota, Station, Step, Variant
from corridor_sim.plan.timelines import combine

HIGH_LOAD = 0.95
COUNTED = frozenset(
    {
        Mechanism.LANES,
        Mechanism.DATED_LANES,
        Mechanism.HEADWAY,
        Mechanism.CLOSURES,
        Mechanism.DEPARTURES,
        Mechanism.CANCELLATIONS,
        Mechanism.ACCEPTANCE,
        Mechanism.ACCEPTANCE_HOURS,
        Mechanism.DURATION,
        Mechanism.DATED_DURATION,
        Mechanism.FACTOR,
        Mechanism.SHARE,
        Mechanism.RELIEF,
        Mechanism.ROUTES,
    }
)
"""What `loads` counts of the mechanisms that give or take lane-time; `check` names the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Mean demand and capacity of one element over the run. [consignments/day]"""

    element: str
    demand_per_day: float
    capacity_per_day: float

    @property
    def load(self) -> float:
        """Demand over capacity. [-]"""
        return self.demand_per_day / self.capacity_per_day if self.capacity_per_day > 0 else float("inf")


def loads(plan: Plan) -> list[Load]:
    """Load of every element that limits, in the order of the plan, where anything comes at all.

    Notes
    -----
    Means over the whole run: rates, shares and factors are taken at the instant
    of release, as if the way took no time; what a stage upstream cannot pass on is
    counted as demand downstream all the same.
    """
    days = plan.horizon_h / 24
    demand = np.zeros(len(plan.elements))
    work_h = np.zeros(len(plan.elements))
    for flow in plan.flows:
        for variant in flow.variants:
            for step in variant.steps:
                count, hours = _expected(plan, flow, variant, step)
                demand[step.element] += count
                work_h[step.element] += hours
    found = []
    for k, element in enumerate(plan.elements):
        if demand[k] == 0:
            continue
        capacity: float | None = None
        match element:
            case Station():
                open_h = element.lanes.integral(plan.horizon_h)
                capacity = open_h / (work_h[k] / demand[k]) if work_h[k] > 0 else None
            case Quota() if element.per_day.min() < NO_LIMIT:
                capacity = float(element.per_day[element.day_start_h < plan.horizon_h].mean()) * days
            case Departures() if len(element.places) and element.places.max() < NO_LIMIT:
                capacity = float(element.places.sum()) * (1 - element.cancel)
            case LimitedLeg() if element.headway_h is not None and element.headway_h.value.min() > 0:
                is_open = element.open or StepFunction.constant(1.0)
                capacity = combine(lambda h, o: o / h, element.headway_h, is_open).integral(plan.horizon_h)
        if capacity is not None:
            found.append(
                Load(element=element.id, demand_per_day=float(demand[k]) / days, capacity_per_day=capacity / days)
            )
    return found


def _expected(plan: Plan, flow: FlowPlan, variant: Variant, step: Step) -> tuple[float, float]:
    """Mean number of visits of a step in the run, and the lane-hours they need."""
    process, one = flow.arrivals, StepFunction.constant(1.0)
    if process is None:
        return 0.0, 0.0
    rate = process.rate
    if not process.process.follows_rate:
        rate = StepFunction.constant(process.expected_count(plan.horizon_h) / plan.horizon_h)
    visits = combine(lambda *values: np.prod(values, axis=0), rate, variant.share, step.share or one)
    count = visits.integral(plan.horizon_h)
    if not step.laws:
        return count, 0.0
    mean = StepFunction([from_h for from_h, _ in step.laws], [law.mean_h for _, law in step.laws])
    reliefs = [combine(lambda s, f=relief.factor: 1 - s * (1 - f), relief.share) for relief in step.reliefs]
    parts = [visits, mean, step.factor or one, *reliefs]
    return count, combine(lambda *values: np.prod(values, axis=0), *parts).integral(plan.horizon_h)


def load_problems(plan: Plan, kind: str) -> list[Problem]:
    """Overloaded elements (an error in a study of the steady state, else a warning), and what the load leaves out.

    What takes lane-time and is not counted is a warning of its own: the load is higher than
    it says. What gives lane-time is named where the load is told.
    """
    found = []
    not_counted = [
        sorted((need for need in needs if need.effect != NEUTRAL and need not in COUNTED), key=lambda need: need.words)
        for needs in needs_at(plan)
    ]
    elements = {element.id: (element, left) for element, left in zip(plan.elements, not_counted, strict=True)}
    for one in loads(plan):
        element, left = elements[one.element]
        path, hint = file_path(element), f"not counted: {_listed(left)}" if left else ""
        grows = one.demand_per_day - one.capacity_per_day
        figures = f"{one.demand_per_day:.0f} a day come, {one.capacity_per_day:.0f} a day can pass"
        if one.load >= 1:
            text = f"load {one.load:.2f}: {figures}; the queue grows by about {grows:.0f} a day"
            severity = "error" if kind == "steady" else "warning"
            found.append(Problem(text, path, hint=hint, severity=severity))
        elif one.load >= HIGH_LOAD:
            text = f"load {one.load:.2f}: {figures}; means need a long run to be precise"
            found.append(Problem(text, path, hint=hint, severity="warning"))
    for element, left in elements.values():
        if taking := [need for need in left if need.effect == TAKES]:
            text = f"the load does not count {_listed(taking)}"
            found.append(Problem(text, file_path(element), severity="warning"))
    return found


def _listed(needs: Iterable[Need]) -> str:
    return ", ".join(need.words for need in needs)


def check(scenario: Scenario) -> list[Problem]:
    """Everything to say of a scenario before it is run: errors, warnings and overload."""
    resolved = resolve(scenario)
    found = list(resolved.problems)
    if not resolved.errors:
        try:
            found += load_problems(plan_of(resolved), scenario.run.kind)
        except ScenarioError as error:
            found += error.problems
    return found
