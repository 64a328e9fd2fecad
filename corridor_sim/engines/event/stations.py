"""The common station: first come first served, pooled lanes that change by date (rules S04, S07).

A station that needs anything else is a `FullStation`; this one pays for nothing
it does not use.
"""

from __future__ import annotations

from collections import deque

from corridor_sim.core.errors import SimulationError
from corridor_sim.engines.event.clock import ENDINGS, DatedValue, EventClock
from corridor_sim.engines.event.element import Element, line_up
from corridor_sim.engines.event.itinerary import Consignment, StepNow, Visit, service_from
from corridor_sim.plan.elements import Station
from corridor_sim.plan.mechanisms import Mechanism


def refuse_zero_in_cycle(id: str, consignment: Consignment, now: float) -> SimulationError:
    """The error for a zero-length service at a station of a cycle (rule D14)."""
    return SimulationError(
        f"{id}: the service of {consignment}, which starts at {now:g} h, takes no time, and the station lies on a "
        "cycle of stations; the order within one instant would not be defined"
    )


class PlainStation(Element):
    """First come first served, pooled lanes, services under way at closing run over."""

    DOES = frozenset(
        {
            Mechanism.LANES,
            Mechanism.DATED_LANES,
            Mechanism.FINISH,
            Mechanism.DURATION,
            Mechanism.DATED_DURATION,
            Mechanism.FACTOR,
            Mechanism.SHARE,
            Mechanism.RELIEF,
        }
    )
    """All that a station and the steps to it may need; with anything more it is a `FullStation`."""

    def __init__(self, clock: EventClock, index: int, station: Station, *, in_cycle: bool) -> None:
        super().__init__(clock, index, station.id)
        self._lanes = DatedValue(station.lanes, clock.now)
        self._in_cycle = in_cycle
        self._queue: deque[Visit] = deque()
        self._arrived: list[Visit] = []
        self._in_service = 0
        self._schedule = clock.env.schedule
        clock.touch_at(station.lanes.from_h.tolist(), [self])

    @property
    def waiting_now(self) -> int:
        """How many wait here as it has settled last."""
        return len(self._queue)

    def arrive(self, consignment: Consignment, step: StepNow, now: float) -> None:
        """Join the queue; no service starts before all who come at `now` have joined."""
        visit = Visit(consignment, now, step.duration(consignment.index, now), self.on_end)
        self.visits.append(visit)
        self._arrived.append(visit)
        if not self.touched:
            self.clock.touch(self)

    def settle(self, now: float) -> None:
        """Start as many as the open lanes take, in queue order."""
        queue = self._queue
        if self._arrived:
            line_up(queue, self._arrived)
        lanes = self._lanes.at(now)
        while queue and self._in_service < lanes:
            visit = queue.popleft()
            visit.start_h = now
            visit.service_h = service_from(visit, now)
            if self._in_cycle and visit.service_h == 0:
                raise refuse_zero_in_cycle(self.id, visit.consignment, now)
            self._in_service += 1
            if visit.service_h > 0:
                self._schedule(visit, ENDINGS, visit.service_h)
            else:
                self.end(visit, now)

    def let_go(self, visit: Visit, now: float) -> None:
        """Free the lane."""
        visit.leave_h = now
        self._in_service -= 1
        if self._queue and not self.touched:
            self.clock.touch(self)
