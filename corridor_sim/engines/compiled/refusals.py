"""What the compiled pass does, and what it refuses by name and place, found before any work.

A mechanism that the pass learns gets its line in `DOES`; only what it cannot do
together with another one needs code here.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator

from corridor_sim.core.machine_code import SWITCH
from corridor_sim.engines.compiled import codes
from corridor_sim.engines.compiled.coupling import coupling
from corridor_sim.engines.compiled.lines import unworkable_yards
from corridor_sim.indicators.base import Collector, Reducer
from corridor_sim.indicators.extra_lanes import ExtraLaneHours
from corridor_sim.indicators.queue_levels import QueueLevels
from corridor_sim.indicators.queue_marks import QueueMarks
from corridor_sim.indicators.shared_sums import SpanDays, SpanHours, SpanSums, StationDays, StayTimes, WaitTimes
from corridor_sim.indicators.visit_sums import VisitSums
from corridor_sim.plan.drivers_hours import limited_drives
from corridor_sim.plan.elements import Delay
from corridor_sim.plan.mechanisms import Mechanism
from corridor_sim.plan.needs import refused
from corridor_sim.plan.plan import Plan

DOES = frozenset(
    {
        Mechanism.LANES,
        Mechanism.DATED_LANES,
        Mechanism.FINISH,
        Mechanism.SUSPEND,
        Mechanism.RESTART,
        Mechanism.NO_OVERRUN,
        Mechanism.CLEAR_QUEUE,
        Mechanism.NAMED_LANES,
        Mechanism.OUTAGES,
        Mechanism.LANE_OUTAGES,
        Mechanism.BREAKDOWNS,
        Mechanism.LANE_BREAKDOWNS,
        Mechanism.OUTAGES_RESUME,
        Mechanism.OUTAGES_RESTART,
        Mechanism.OUTAGES_FINISH,
        Mechanism.OUTAGES_REQUEUE,
        Mechanism.PRIORITY,
        Mechanism.DATED_PRIORITY,
        Mechanism.PREEMPTION,
        Mechanism.PREEMPTION_RESTART,
        Mechanism.YARD,
        Mechanism.DATED_YARD,
        Mechanism.RESERVED_LANES,
        Mechanism.RESERVED_OVERFLOW,
        Mechanism.RESERVED_FOR_A_TIME,
        Mechanism.STAFF_POOL,
        Mechanism.EXTRA_LANES,
        Mechanism.GATE,
        Mechanism.DELAY,
        Mechanism.HEADWAY,
        Mechanism.CLOSURES,
        Mechanism.VEHICLE_LIMIT,
        Mechanism.NO_OVERTAKING,
        Mechanism.SINGLE_TRACK,
        Mechanism.DEPARTURES,
        Mechanism.WHEN_FULL,
        Mechanism.BOARDING_BY_CLASS,
        Mechanism.BOARDING_ORDER,
        Mechanism.CROSSING,
        Mechanism.CANCELLATIONS,
        Mechanism.ACCEPTANCE,
        Mechanism.ACCEPTANCE_HOURS,
        Mechanism.DURATION,
        Mechanism.DATED_DURATION,
        Mechanism.FACTOR,
        Mechanism.SHARE,
        Mechanism.RELIEF,
        Mechanism.BALKING,
        Mechanism.PATIENCE,
        Mechanism.DRIVERS_HOURS,
        Mechanism.ROUTES,
        Mechanism.CYCLES,
    }
)
"""Every mechanism of this engine, one by one: a new one is done when its line stands here."""

COUNTED = (
    VisitSums,
    SpanSums,
    QueueMarks,
    StationDays,
    SpanDays,
    SpanHours,
    StayTimes,
    WaitTimes,
    QueueLevels,
    ExtraLaneHours,
)
"""Reducers whose sums the pass fills itself."""

HOOKS = ("add_visits", "add_span", "add_chunk")


def refusals(plan: Plan) -> list[str]:
    """What the pass does not do, each with its place; empty if there is nothing.

    Examples
    --------
    >>> from corridor_sim.plan.plan import Plan
    >>> refusals(Plan(elements=(), flows=(), horizon_h=24.0))
    []
    """
    return list(dict.fromkeys([*refused(plan, DOES), *_combinations(plan), *_sizes(plan)]))


def in_time_order(plan: Plan) -> list[str]:
    """Elements that the pass works through in time order, by id: there is no kernel that serves them for themselves.

    Examples
    --------
    >>> from corridor_sim.plan.plan import Plan
    >>> in_time_order(Plan(elements=(), flows=(), horizon_h=24.0))
    []
    """
    found = coupling(plan)
    return [] if found is None else [plan.elements[k].id for k in sorted(k for group in found.groups for k in group)]


def _combinations(plan: Plan) -> Iterator[str]:
    yield from limited_drives(plan)
    yield from unworkable_yards(plan)
    found = coupling(plan)
    if found is not None:
        yield from found.refused
        if any(flow.standing_h for flow in plan.flows):
            yield "queues that stand at the start, in a plan with queues that are worked through together"


def _sizes(plan: Plan) -> Iterator[str]:
    if plan.horizon_h > codes.LONGEST_H:
        yield f"a run of more than {codes.LONGEST_H:g} h"
    expected = sum(flow.arrivals.expected_count(plan.horizon_h) for flow in plan.flows if flow.arrivals is not None)
    if expected > 0.9 * (1 << codes.ID_BITS):
        yield f"more than {0.9 * (1 << codes.ID_BITS):.2g} consignments in a replication"
    posts: dict[tuple[str, str], int] = {}
    for element in plan.elements:
        if isinstance(element, Delay) or not element.post:
            continue
        where = element.post, getattr(element, "direction", "")
        posts[where] = posts.get(where, 0) + 1
        if posts[where] == 1 << (codes.SLOT_BITS - 1):
            yield f"more than {(1 << (codes.SLOT_BITS - 1)) - 1} queues at post {element.post}"


def unavailable() -> str:
    """Why there is no compiled code, "" where there is. It does not import numba, which takes a while."""
    if os.environ.get(SWITCH) == "0":
        return f"its work with {SWITCH}=0"
    if importlib.util.find_spec("numba") is None:
        return "its work without numba (extra fast)"
    return ""


def not_counted(collector: Collector) -> list[str]:
    """Indicators that want to see visits or spans one by one, which the pass does not hand out, by name."""
    return [
        f"indicator {getattr(reducer, 'name', '') or type(reducer).__name__}, which takes what happened block by block"
        for reducer in collector.reducers
        if type(reducer) not in COUNTED
        and any(getattr(type(reducer), hook) is not getattr(Reducer, hook) for hook in HOOKS)
    ]
