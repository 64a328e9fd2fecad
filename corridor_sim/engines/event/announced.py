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

from math import inf
from typing import TYPE_CHECKING

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.plan.steps import PlanBalk

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


def next_opening_h(lanes: StepFunction, now: float, horizon_h: float) -> float:
    """The first instant after `now` and within the run at which a lane is open, inf if there is none. [h]"""
    later = lanes.from_h[(lanes.from_h > now) & (lanes.from_h <= horizon_h) & (lanes.value > 0)]
    return float(later[0]) if len(later) else inf
