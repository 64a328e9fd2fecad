"""How loaded each element of a plan is on average, and everything that `check` reports.

The load is the work that comes over what the lanes can really do (`capacity.py`); above 1
the queue grows as long as the run lasts, and the mean wait measures the horizon.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import FloatArray
from corridor_sim.model.resolution import resolve
from corridor_sim.model.scenario import Scenario
from corridor_sim.plan.build import Planned, plan_of
from corridor_sim.plan.capacity import COUNTED, Accounts, CapacityPool
from corridor_sim.plan.elements import Station
from corridor_sim.plan.mechanisms import NEUTRAL, TAKES, Mechanism, Need
from corridor_sim.plan.names import file_path
from corridor_sim.plan.needs import needs_at
from corridor_sim.plan.plan import Plan
from corridor_sim.plan.steps import Step
from corridor_sim.plan.timelines import combine
from corridor_sim.plan.visits import visit_rate

HIGH_LOAD = 0.95
EVEN = 0.005
"""A load this near to 1 is 1.00 as printed: there is no steady state, and no saying which way the queue goes."""
WELL_UNDER = 0.9
"""Share of a load below which a station is not worked through (assumed; the drawn answer is good to about 1 %)."""
ROUNDING = 1e-9
"""Sums of the same numbers in another order differ by less than this share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Mean demand and capacity of one element, or of lanes of it, over the run. [consignments/day]

    `flows` names whose demand it is where that is not all who come; `reason` says why the
    capacity is an upper bound only, "" where it is what can pass.
    """

    element: str
    demand_per_day: float
    capacity_per_day: float
    flows: tuple[str, ...] = ()
    reason: str = ""

    @property
    def load(self) -> float:
        """Demand over capacity. [-]"""
        return self.demand_per_day / self.capacity_per_day if self.capacity_per_day > 0 else float("inf")


def loads(plan: Plan, at_least: float = 0.0) -> list[Load]:
    """Load of every element that limits, in the order of the plan, where anything comes at all.

    Where some flows have lanes of their own, the load is that of the scarcest lanes. Some of the elements
    with a load below `at_least` may be left out: those of which that is seen at a glance.

    Notes
    -----
    Means over the whole run: rates, shares and factors are taken at the instant
    of release, as if the way took no time; what a stage upstream cannot pass on is
    counted as demand downstream all the same. Between two changes of a service the lanes
    pass as many as they have lane-hours for, each at the mean service of those who come then.
    """
    periods = [_periods(changes_h, plan.horizon_h) for changes_h in plan.duration_changes_h()]
    visits = [np.zeros((len(edges_h) - 1, len(plan.flows))) for edges_h in periods]
    work_h = [np.zeros_like(one) for one in visits]
    for number, flow in enumerate(plan.flows):
        for variant in flow.variants:
            rates: dict[tuple[StepFunction | None, ...], StepFunction | None] = {}
            counts: dict[tuple[tuple[StepFunction | None, ...], bytes], FloatArray] = {}
            for step in variant.steps:
                needed = (step.needed_share, *step.skipped_shares)
                if needed not in rates:
                    rates[needed] = visit_rate(plan, flow, variant, step)
                rate, edges_h = rates[needed], periods[step.element]
                if rate is None:
                    continue
                key = needed, edges_h.tobytes()
                if key not in counts:
                    counts[key] = _integrals(rate, edges_h)
                count = counts[key]
                hours = _lane_hours(rate, count, step, edges_h)
                visits[step.element][:, number] += count
                work_h[step.element][:, number] += hours
    accounts, found = Accounts(plan), []
    for k in (k for k, one in enumerate(visits) if one.sum() > 0):
        if len(periods[k]) == 2 and _passes_at_a_glance(plan, k, float(work_h[k].sum()), at_least):
            continue
        account, of = accounts.of(k), (periods[k], visits[k], work_h[k])
        listed = [load for pool in account.pools if (load := _load(plan, k, pool, account.reason, *of))]
        if listed:
            found.append(max(listed, key=lambda one: one.load))
    return found


def _passes_at_a_glance(plan: Plan, element: int, work_h: float, load: float) -> bool:
    """Whether a station's work is well under what it can do at this load, without asking how openings end.

    Where services in progress are finished after closing, lanes serve their open hours or more: as long as
    somebody waits, every open lane works.
    """
    station = plan.elements[element]
    if not isinstance(station, Station) or station.closing not in ("finish", "clear_queue"):
        return False
    if station.reserved or station.staff_pool is not None or station.outages or station.breakdown is not None:
        return False
    # Lanes opened by the queue only add to them.
    return work_h < WELL_UNDER * load * station.lanes.integral(plan.horizon_h)


def expected_visits(plan: Plan) -> FloatArray:
    """Mean number of visits in the run of each element by each flow, shape (elements, flows)."""
    visits = np.zeros((len(plan.elements), len(plan.flows)))
    for number, flow in enumerate(plan.flows):
        for variant in flow.variants:
            for step in variant.steps:
                rate = visit_rate(plan, flow, variant, step)
                visits[step.element, number] += 0.0 if rate is None else rate.integral(plan.horizon_h)
    return visits


def _periods(changes_h: Iterable[float], horizon_h: float) -> FloatArray:
    """Edges of the periods of a run in each of which a service is one and the same. [h]"""
    return np.array([0.0, *(at for at in changes_h if 0 < at < horizon_h), horizon_h])


def _load(
    plan: Plan,
    element: int,
    pool: CapacityPool,
    reason: str,
    edges_h: FloatArray,
    visits: FloatArray,
    work_h: FloatArray,
) -> Load | None:
    """The load of one pool; None where there is no limit or nobody comes. Visits and lane-hours by period and flow."""
    mine = sorted(pool.flows)
    coming, work = visits[:, mine].sum(axis=1), work_h[:, mine].sum(axis=1)
    demand, days = float(coming.sum()), plan.horizon_h / 24
    offered = float(pool.between(edges_h).sum())
    if pool.lanes is not None:
        if demand == 0 or work.sum() == 0:
            return None
        # Where nobody comes there is no service to go by but that of the others; where it takes no time all pass.
        each_h = np.divide(work, coming, out=np.full_like(work, work.sum() / demand), where=coming > 0)
        passing = np.divide(pool.between(edges_h), each_h, out=coming.copy(), where=each_h > 0)
        offered = float(passing.sum())
    if demand == 0 or not np.isfinite(offered):
        return None
    some = tuple(plan.flows[f].id for f in mine) if demand < visits.sum() * (1 - ROUNDING) else ()
    return Load(
        element=plan.elements[element].id,
        demand_per_day=demand / days,
        capacity_per_day=offered / days,
        flows=some,
        reason=reason,
    )


def _lane_hours(visits: StepFunction, count: FloatArray, step: Step, edges_h: FloatArray) -> FloatArray:
    """Mean lane-hours that the visits of a step need in each period between the edges; `count` are the visits."""
    if not step.laws:
        return np.zeros_like(count)
    mean = StepFunction([from_h for from_h, _ in step.laws], [law.mean_h for _, law in step.laws])
    served = [relief for relief in step.reliefs if relief.factor]
    reliefs = [combine(lambda s, f=relief.factor: 1 - s * (1 - f), relief.share) for relief in served]
    each = [mean, *([] if step.factor is None else [step.factor]), *reliefs]
    if all(part.is_constant for part in each):
        return count * math.prod(float(part.value[0]) for part in each)
    return _integrals(combine(lambda *values: np.prod(values, axis=0), visits, *each), edges_h)


def _integrals(function: StepFunction, edges_h: FloatArray) -> FloatArray:
    return np.array([function.integral(until, since) for since, until in pairwise(edges_h.tolist())])


def load_problems(plan: Plan, kind: str) -> list[Problem]:
    """Overloaded elements (an error in a study of the steady state, else a warning), and what the load leaves out.

    What takes lane-time and is not counted is a warning of its own: the load is higher than
    it says. What gives lane-time is named where the load is told.
    """
    found, needed = [], needs_at(plan)
    not_counted = [
        sorted((need for need in needs if need.effect != NEUTRAL and need not in COUNTED), key=lambda need: need.words)
        for needs in needed
    ]
    elements = {element.id: (element, left) for element, left in zip(plan.elements, not_counted, strict=True)}
    left_early = {
        element.id for element, needs in zip(plan.elements, needed, strict=True) if Mechanism.PATIENCE in needs
    }
    for one in loads(plan, HIGH_LOAD):
        element, left = elements[one.element]
        path, hint = file_path(element), f"not counted: {_listed(left)}" if left else ""
        grows = one.demand_per_day - one.capacity_per_day
        most = "at most " if one.reason else ""
        whose = f" of {', '.join(one.flows)}" if one.flows else ""
        come, pass_ = _a_day(one.demand_per_day), _a_day(one.capacity_per_day)
        figures = f"{come} a day come{whose}, {most}{pass_} a day can pass"
        if one.reason:
            figures += f" (no planned capacity: {one.reason})"
        if abs(one.load - 1) <= EVEN:
            text = f"load 1.00: {figures}; there is no steady state, the queue wanders and grows with the run"
            if one.element in left_early:
                text = f"load 1.00: {figures}; the queue is held by those who leave it"
        elif one.load >= 1:
            text = f"load {one.load:.2f}: {figures}; the queue grows by about {_a_day(grows)} a day"
            if one.element in left_early:
                text = f"load {one.load:.2f}: {figures}; at least {_a_day(grows)} a day leave the queue"
        elif one.load >= HIGH_LOAD:
            text = f"load {one.load:.2f}: {figures}; means need a long run to be precise"
        else:
            continue
        steady = kind == "steady" and one.element not in left_early
        severity = "error" if steady and one.load >= 1 - EVEN else "warning"
        found.append(Problem(text, path, hint=hint, severity=severity))
    for element, left in elements.values():
        if taking := [need for need in left if need.effect == TAKES]:
            text = f"the load does not count {_listed(taking)}"
            found.append(Problem(text, file_path(element), severity="warning"))
    return found


def _a_day(number: float) -> str:
    """A number a day, whole from 10 on."""
    return f"{number:.0f}" if number >= 10 else f"{number:.2g}"


def _listed(needs: Iterable[Need]) -> str:
    return ", ".join(need.words for need in needs)


def check(scenario: Scenario) -> list[Problem]:
    """Everything to say of a scenario before it is run: errors, warnings and overload."""
    return examine(scenario)[1]


def examine(scenario: Scenario) -> tuple[Planned | None, list[Problem]]:
    """The scenario with its plan, and everything to say of it; no plan where it has an error that forbids one."""
    resolved = resolve(scenario)
    found = list(resolved.problems)
    if resolved.errors:
        return None, found
    try:
        plan = plan_of(resolved)
    except ScenarioError as error:
        return None, found + list(error.problems)
    return Planned(resolved.scenario, plan), found + load_problems(plan, scenario.run.kind)
