"""A leg that vehicles of one direction at a time are on (rule S28): a single track, a narrow bridge."""

from __future__ import annotations

from collections import deque
from math import inf

from corridor_sim.engines.event.clock import EventClock
from corridor_sim.engines.event.element import line_up
from corridor_sim.engines.event.itinerary import Visit, by_turn
from corridor_sim.engines.event.legs import LimitedLegElement
from corridor_sim.plan.elements import LimitedLeg, SingleTrackPlan


class SingleTrackElement(LimitedLegElement):
    """Two queues, one for each direction; who comes first in the run sets the direction."""

    def __init__(self, clock: EventClock, index: int, leg: LimitedLeg, terms: SingleTrackPlan) -> None:
        super().__init__(clock, index, leg)
        self._switch_h, self._convoy = terms.switch_h, inf if terms.convoy is None else terms.convoy
        self._queues: tuple[deque[Visit], deque[Visit]] = (deque(), deque())
        self._way: int | None = None
        self._in_a_row = 0
        self._turning = False
        """Whether the direction is another one, and vehicles of the former one are still on the leg."""

    def settle(self, now: float) -> None:
        """Let in as many as may enter now, in the direction that is set; change it where the others are due."""
        for way, queue in enumerate(self._queues):
            came = [visit for visit in self._arrived if _way(visit) == way]
            if came:
                line_up(queue, came)
        self._arrived.clear()
        while any(self._queues):
            if self._way is None:
                self._way = min((0, 1), key=self._turn_of)
            own, other = self._queues[self._way], self._queues[1 - self._way]
            if other and (not own or self._in_a_row >= self._convoy):
                self._way, self._in_a_row, self._turning = 1 - self._way, 0, True
                own, other = other, own
            if self._turning:
                if self._inside:
                    return
                self._turning, self._free_h = False, now + self._switch_h
            if not self._may_enter(now):
                return
            if other:
                self._in_a_row += 1
            self._enter(own.popleft(), now)

    def _turn_of(self, way: int) -> tuple[float, float, float]:
        """Queue order of the first who waits in one direction."""
        queue = self._queues[way]
        return by_turn(queue[0]) if queue else (inf, inf, inf)

    def let_go(self, visit: Visit, now: float) -> None:
        """Free the place on the leg."""
        super().let_go(visit, now)
        if any(self._queues):
            self.clock.touch(self)


def _way(visit: Visit) -> int:
    """Number of the direction in which a visit passes the leg."""
    return int(visit.consignment.steps[visit.step].opposite)
