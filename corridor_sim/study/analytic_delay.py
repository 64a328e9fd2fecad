"""What queueing formulas say of the delay of a plan, without a run: a first look at what an upgrade may bring."""

from __future__ import annotations

import math
from typing import Any

from corridor_sim.core.units import H_PER_DAY
from corridor_sim.plan.elements import Station
from corridor_sim.plan.load import loads
from corridor_sim.plan.plan import Plan
from corridor_sim.statistics.theory import allen_cunneen

SPREAD = 1.0
"""Squared coefficients of variation of arrivals and of times of service (assumed: then it is Erlang C)."""
STEADY = 0.97
"""Load up to which a queue is taken to reach its steady state within a run (assumed)."""


def analytic_delay_h(plan: Plan) -> dict[str, float]:
    """Truck-hours of waiting in the counted window by element, from its mean load alone. [h]

    Erlang C with the correction of Allen and Cunneen [allen1990] up to a load of `STEADY`; above a load of 1 the
    backlog of a fluid queue is added, which grows as long as the run lasts. More load is never less delay. Means over
    the run: of hours, seasons and what a stage upstream holds back they know nothing, so a day with a queue and a
    night without look like a calm day.
    """
    found: dict[str, float] = {}
    elements: dict[str, Any] = {element.id: element for element in plan.elements}
    until_h = plan.counted_until_h
    window_h = until_h - plan.warm_up_h
    for one in loads(plan):
        rate, capacity = one.demand_per_day / H_PER_DAY, one.capacity_per_day / H_PER_DAY
        element = elements[one.element]
        lanes = 1
        if isinstance(element, Station):
            lanes = max(1, round(element.lanes.integral(plan.horizon_h) / plan.horizon_h))
        if capacity <= 0:
            found[one.element] = math.inf
            continue
        # What chance makes wait, and the backlog (rate - capacity) t of what comes over, summed over the window.
        steady = min(rate, STEADY * capacity)
        by_chance = steady * allen_cunneen(steady, lanes / capacity, lanes, SPREAD, SPREAD)
        backlog = 0.5 * max(rate - capacity, 0.0) * (until_h**2 - plan.warm_up_h**2)
        found[one.element] = by_chance * window_h + backlog
    return found
