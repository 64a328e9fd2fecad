"""What a priority that interrupts services does not go together with (rule S35)."""

from __future__ import annotations

from collections.abc import Iterator

from corridor_sim.plan.elements import Station
from corridor_sim.plan.mechanisms import Mechanism
from corridor_sim.plan.needs import needed

UNSUITED = frozenset(
    {
        Mechanism.NAMED_LANES,
        Mechanism.LANE_OUTAGES,
        Mechanism.LANE_BREAKDOWNS,
        Mechanism.RESERVED_LANES,
        Mechanism.STAFF_POOL,
        Mechanism.GATE,
        Mechanism.NO_OVERRUN,
        Mechanism.OUTAGES_REQUEUE,
    }
)
"""Lanes must be alike and services free to stop: no engine does one of these beside it."""


def unsuited(station: Station) -> Iterator[str]:
    """What of a station does not go with its priority, in words with the place.

    Examples
    --------
    >>> from corridor_sim.core.step_functions import StepFunction
    >>> list(unsuited(Station(id="samur", lanes=StepFunction.constant(2), staff_pool="customs", preemption="resume")))
    ['priority that interrupts services with a staff pool at samur']
    """
    if station.preemption is not None:
        for need in sorted(UNSUITED & needed(station), key=lambda need: need.words):
            yield f"priority that interrupts services with {need.words} at {station.id}"
