"""What the event engine does, and what it refuses by name."""

from __future__ import annotations

from collections.abc import Iterator

from corridor_sim.plan.elements import Station
from corridor_sim.plan.mechanisms import Mechanism
from corridor_sim.plan.needs import needed, refused
from corridor_sim.plan.plan import Plan
from corridor_sim.plan.preemption import unsuited

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
        Mechanism.CROSSING,
        Mechanism.CANCELLATIONS,
        Mechanism.BOARDING_BY_CLASS,
        Mechanism.BOARDING_ORDER,
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

IDENTITY = frozenset({Mechanism.NAMED_LANES, Mechanism.LANE_OUTAGES, Mechanism.LANE_BREAKDOWNS})
"""With these each lane is one of its own."""


def refusals(plan: Plan) -> list[str]:
    """Mechanisms of a plan that this engine does not do, each with its place; empty if there are none.

    Examples
    --------
    >>> refusals(Plan(elements=(), flows=(), horizon_h=24.0))
    []
    """
    return [*refused(plan, DOES), *_combinations(plan)]


def _combinations(plan: Plan) -> Iterator[str]:
    """Lanes of their own identity are not counted, so none is one more; what a priority that interrupts needs."""
    for element in plan.elements:
        if isinstance(element, Station):
            yield from unsuited(element)
        if isinstance(element, Station) and element.extra_lanes is not None and IDENTITY & needed(element):
            yield f"lanes opened by the queue with lanes of their own identity at {element.id}"
