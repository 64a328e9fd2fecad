"""The wait announced to a driver who reaches a post: what he weighs before he joins (balking).

**One stage**, with the lanes that he may use: ::

    time to opening + (waiting ahead + 1 - free lanes) x mean service / open lanes

* *Waiting ahead* are all who wait for any of these lanes and are not less urgent than he: in the
  queue, or on a lane or leg before it because the yard is full. One more service has to end
  before his start, his own place in the line. With free lanes enough the wait is 0.
* *Mean service* is the mean of what is planned for those ahead and for himself, each by his own
  class: mean of the law x factors in force now x what reliefs leave of it by their shares.
  Nobody knows what was drawn.
* *Open lanes* are those of the calendar, without lanes that are down; lanes reserved for others
  are not his. Staff is not looked at, nor closings to come.
* A *closed* stage opens at the next instant at which it has such a lane; that of an outage is
  taken as known. Then all its lanes are free but those that hold an interrupted service or
  one that waits for room beyond. With ``clear_queue`` only those who came after the closing
  are ahead. If it never opens in the run the wait is endless.

**The post** is the sum over its stages, each times the share of the class that needs it. What was
waited at one stage runs towards the opening of the next: two stages that open in 3 h make 3 h.
For M/M/c one stage's wait is the exact mean given the queue, (n + 1) / (c mu).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.plan.plan import PlanBalk, PlanOutage, Station

if TYPE_CHECKING:
    from corridor_sim.engines.event.itinerary import Consignment


def announced_wait_h(consignment: Consignment, balk: PlanBalk, now: float) -> float:
    """The wait announced at `now` to a consignment that reaches the post; inf if there is no end. [h]"""
    total_h = 0.0
    for number in balk.stages or (consignment.step,):
        step = consignment.steps[number]
        need = step.need(now)
        if need > 0:
            total_h += need * step.element.announced_h(consignment, step, now, total_h)
    return total_h


def usable_lanes(station: Station, outages: Sequence[PlanOutage]) -> list[StepFunction]:
    """Lanes open to each group of flows by date: the general group, then one a reservation.

    Examples
    --------
    >>> from corridor_sim.plan.plan import Reservation
    >>> three = StepFunction.constant(3)
    >>> kept = Reservation(flows=frozenset({1}), lanes=StepFunction([0.0, 5.0], [1, 0]))
    >>> down = PlanOutage(from_h=2.0, until_h=4.0)
    >>> general, own = usable_lanes(Station(id="A", lanes=three, reserved=(kept,)), [down])
    >>> general([0, 2, 4, 5]).tolist(), own([0, 2, 4, 5]).tolist()
    ([2.0, 0.0, 2.0, 3.0], [1.0, 0.0, 1.0, 3.0])
    """
    functions = [station.lanes, *(station.named or ()), *(kept.lanes for kept in station.reserved)]
    edges = np.unique(np.concatenate([*(f.from_h for f in functions), *([o.from_h, o.until_h] for o in outages)]))
    edges = edges[np.isfinite(edges)]
    if station.named is not None:
        is_open = np.array([lane(edges) > 0 for lane in station.named])
    else:
        is_open = station.lanes(edges) > np.arange(int(station.lanes.value.max()))[:, None]
    for outage in outages:
        while_down = (outage.from_h <= edges) & (edges < outage.until_h)
        if outage.lane is None:
            is_open[:, while_down] = False
        elif outage.lane <= len(is_open):
            is_open[outage.lane - 1, while_down] = False
    general = is_open.sum(axis=0).astype(float)
    kept_lanes = []
    for kept in station.reserved:
        kept_lanes.append(np.minimum(kept.lanes(edges), general))
        general = general - kept_lanes[-1]
    own = [
        # A reservation of no lanes binds nobody.
        np.where(kept.lanes(edges) > 0, lanes + general * kept.overflow, general)
        for kept, lanes in zip(station.reserved, kept_lanes, strict=True)
    ]
    return [StepFunction(edges, lanes) for lanes in (general, *own)]


def next_opening_h(lanes: StepFunction, now: float, horizon_h: float) -> float:
    """The first instant after `now` and within the run at which a lane is open, inf if there is none. [h]"""
    later = lanes.from_h[(lanes.from_h > now) & (lanes.from_h <= horizon_h) & (lanes.value > 0)]
    return float(later[0]) if len(later) else inf
