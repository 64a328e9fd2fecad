"""Departures with places (rules S12, S13) and daily acceptance."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from itertools import pairwise

from simpy import Event

from corridor_sim.core.errors import SimulationError
from corridor_sim.engines.event.clock import ENDINGS, DatedValue, EventClock, Happening
from corridor_sim.engines.event.element import Element, line_up
from corridor_sim.engines.event.itinerary import NOT_YET, Consignment, StepNow, Visit
from corridor_sim.plan.elements import Departures, Quota


class DeparturesElement(Element):
    """Ferries, trains, booked slots: by timetable, or whenever a load is full.

    Parameters
    ----------
    crossing_h
        One crossing a departure, None if the boat takes no time.
    cancelled
        Whether each departure of the timetable fails to run, None if all run.
    """

    def __init__(
        self,
        clock: EventClock,
        index: int,
        timetable: Departures,
        crossing_h: Sequence[float] | None,
        cancelled: Sequence[bool] | None,
    ) -> None:
        super().__init__(clock, index, timetable.id)
        self._full = timetable.when_full
        self._rank = timetable.priority
        self._boarding_order = timetable.landing == "boarding"
        self._crossing_h, self._cancelled = crossing_h, cancelled
        self._depart_h: list[float] = [] if self._full else timetable.depart_h.tolist()
        self._places: list[int] = [] if self._full else [int(n) for n in timetable.places]
        if any(later < earlier for earlier, later in pairwise(self._depart_h)):
            raise SimulationError(f"{self.id}: departures must be in order of time")
        self._next = bisect_left(self._depart_h, clock.now)
        self._queue: list[Visit] = []
        self._arrived: list[Visit] = []
        clock.touch_at(self._depart_h, [self])

    def arrive(self, consignment: Consignment, step: StepNow, now: float) -> None:  # noqa: ARG002
        """Wait for a departure."""
        visit = Visit(consignment, now, NOT_YET, self.on_end)
        self.visits.append(visit)
        self._arrived.append(visit)
        self.clock.touch(self)

    def settle(self, now: float) -> None:
        """Board and depart where a departure is due; all who joined up to `now` are there."""
        if self._arrived:
            line_up(self._queue, self._arrived)
        if self._full:
            while len(self._queue) >= self._full:
                self._depart(self._full, now)
                self._next += 1
            return
        while self._next < len(self._depart_h) and self._depart_h[self._next] <= now:
            if self._cancelled is None or not self._cancelled[self._next]:
                self._depart(self._places[self._next], now)
            self._next += 1

    def _depart(self, places: int, now: float) -> None:
        queue, rank = self._queue, self._rank
        if rank is not None and len(queue) > places:
            by_class = sorted(queue, key=lambda visit: rank[visit.consignment.flow.index])
            load, left = by_class[:places], set(by_class[places:])
            self._queue = [visit for visit in queue if visit in left]
        else:
            load, self._queue = queue[:places], queue[places:]
        if not load:
            return
        crossing_h = 0.0
        if self._crossing_h is not None:
            if self._next >= len(self._crossing_h):
                raise SimulationError(f"{self.id}: {len(self._crossing_h)} crossings were drawn, one more is needed")
            crossing_h = self._crossing_h[self._next]
        for visit in load:
            visit.start_h, visit.service_h = now, crossing_h

        def land(_: Event | None) -> None:
            for visit in load:
                if self._boarding_order:
                    visit.consignment.ready_h = visit.join_h
                self.end(visit, self.clock.now)

        if crossing_h > 0:
            self.clock.env.schedule(Happening([land]), ENDINGS, crossing_h)
        else:
            land(None)


class QuotaElement(Element):
    """At most so many pass in one local day, first come first served."""

    def __init__(self, clock: EventClock, index: int, quota: Quota) -> None:
        super().__init__(clock, index, quota.id)
        self._day_start_h: list[float] = quota.day_start_h.tolist()
        self._per_day: list[int] = quota.per_day.tolist()
        self._day = -1
        self._left = 0
        self._open = None if quota.open is None else DatedValue(quota.open, clock.now)
        self._queue: deque[Visit] = deque()
        self._arrived: list[Visit] = []
        openings = [] if quota.open is None else quota.open.from_h.tolist()
        clock.touch_at([*self._day_start_h, *openings], [self])

    @property
    def waiting_now(self) -> int:
        """How many wait here as it has settled last."""
        return len(self._queue)

    def arrive(self, consignment: Consignment, step: StepNow, now: float) -> None:  # noqa: ARG002
        """Wait for a day with room."""
        visit = Visit(consignment, now, 0.0, self.on_end)
        self.visits.append(visit)
        self._arrived.append(visit)
        self.clock.touch(self)

    def settle(self, now: float) -> None:
        """Let pass as many as the day still takes, while it is open; what a day leaves over is lost."""
        if self._arrived:
            line_up(self._queue, self._arrived)
        while self._day + 1 < len(self._day_start_h) and self._day_start_h[self._day + 1] <= now:
            self._day += 1
            self._left = self._per_day[self._day]
        if self._open is not None and not self._open.at(now):
            return
        while self._queue and self._left > 0:
            self._left -= 1
            visit = self._queue.popleft()
            visit.start_h = now
            self.end(visit, now)
