"""Free delays and legs whose entry is limited (rules S18, S19)."""

from __future__ import annotations

from collections import deque
from math import inf

from corridor_sim.engines.event.clock import CALENDAR, ENDINGS, DatedValue, EventClock, Happening
from corridor_sim.engines.event.element import Element, line_up
from corridor_sim.engines.event.itinerary import Consignment, Driver, StepNow, Visit, service_from
from corridor_sim.plan.drivers_hours import rested
from corridor_sim.plan.elements import Delay, LimitedLeg


class DelayElement(Element):
    """Time without a queue: every consignment starts at once."""

    def __init__(self, clock: EventClock, index: int, delay: Delay) -> None:
        super().__init__(clock, index, delay.id)

    def arrive(self, consignment: Consignment, step: StepNow, now: float) -> None:
        """Start at once."""
        visit = Visit(consignment, now, step.duration(consignment.index, now), self.on_end)
        visit.start_h = now
        self.visits.append(visit)
        if visit.service_h > 0:
            self.clock.env.schedule(visit, ENDINGS, visit.service_h)
        else:
            self.end(visit, now)


class RestElement(DelayElement):
    """Where the drivers of a leg rest (rule S36); who has come over the leg is asked what he has driven."""

    limited = True

    def present(self, consignment: Consignment, step: StepNow, origin: Element, visit: Visit) -> None:
        """Rest as long as the hours ask for the leg that ends with `visit`."""
        now, plan, driver = self.clock.now, step.rest, consignment.driver
        assert plan is not None
        origin.let_go(visit, now)
        if driver is None:
            driver = consignment.driver = Driver()
        stands_from_h = driver.stands_from_h if plan.waiting_is_rest or plan.after > 1 else visit.join_h
        rest_h, driver.driven_h = rested(driver.driven_h, visit.start_h - stands_from_h, now - visit.start_h, plan)
        driver.stands_from_h = now + rest_h
        stay = Visit(consignment, now, rest_h, self.on_end)
        stay.start_h = now
        self.visits.append(stay)
        if rest_h > 0:
            self.clock.env.schedule(stay, ENDINGS, rest_h)
        else:
            self.end(stay, now)


class LimitedLegElement(Element):
    """A leg with a headway, closures, a vehicle limit or no overtaking."""

    def __init__(self, clock: EventClock, index: int, leg: LimitedLeg) -> None:
        super().__init__(clock, index, leg.id)
        start_h = clock.now
        self._headway = DatedValue(leg.headway_h, start_h) if leg.headway_h is not None else None
        self._open = DatedValue(leg.open, start_h) if leg.open is not None else None
        self._most = DatedValue(leg.max_vehicles, start_h) if leg.max_vehicles is not None else None
        self._no_overtaking = leg.no_overtaking
        self._queue: deque[Visit] = deque()
        self._arrived: list[Visit] = []
        self._inside = 0
        self._free_h = -inf
        self._woken_h = -inf
        self._last_exit_h = -inf
        for function in (leg.open, leg.max_vehicles):
            if function is not None:
                clock.touch_at(function.from_h.tolist(), [self])

    def arrive(self, consignment: Consignment, step: StepNow, now: float) -> None:
        """Line up at the entry."""
        if step.stands:
            consignment.driver = consignment.driver or Driver()
            consignment.driver.stands_from_h = now
        visit = Visit(consignment, now, step.duration(consignment.index, now), self.on_end)
        self.visits.append(visit)
        self._arrived.append(visit)
        self.clock.touch(self)

    def settle(self, now: float) -> None:
        """Let in as many as may enter now, in the order of joining."""
        queue = self._queue
        if self._arrived:
            line_up(queue, self._arrived)
        while queue and self._may_enter(now):
            self._enter(queue.popleft(), now)

    def _may_enter(self, now: float) -> bool:
        """Whether the leg is open, has a place, and the headway is over; if that is all that is missing, wake then."""
        if self._open is not None and not self._open.at(now):
            return False
        if self._most is not None and self._inside >= self._most.at(now):
            return False
        if now < self._free_h:
            self._wake(now)
            return False
        return True

    def _enter(self, visit: Visit, now: float) -> None:
        visit.start_h = now
        self._inside += 1
        if self._headway is not None:
            self._free_h = now + self._headway.at(now)
        visit.service_h = service_from(visit, now)
        exit_h = now + visit.service_h
        if self._no_overtaking:
            exit_h = self._last_exit_h = max(exit_h, self._last_exit_h)
        if exit_h > now:
            self.clock.env.schedule(visit, ENDINGS, exit_h - now)
        else:
            self.end(visit, now)

    def _wake(self, now: float) -> None:
        if self._woken_h != self._free_h:
            self._woken_h = self._free_h
            callbacks = [lambda _: self.clock.touch(self)]
            self.clock.env.schedule(Happening(callbacks), CALENDAR, self._free_h - now)

    def let_go(self, visit: Visit, now: float) -> None:
        """Free the place on the leg."""
        visit.leave_h = now
        self._inside -= 1
        if self._queue:
            self.clock.touch(self)
