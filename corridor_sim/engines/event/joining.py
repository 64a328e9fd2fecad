"""Who comes to a station with everything, what is he told to wait, and who leaves its queue without being served?

`JoiningStation` holds what an arriving consignment meets: the yard, the queue, the lanes that are
open or taken. What is done with it from one instant to the next is in `full_station.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from heapq import heappush
from math import inf

from simpy import Event

from corridor_sim.core.errors import SimulationError
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.engines.event.announced import announced_wait_h, next_opening_h
from corridor_sim.engines.event.clock import CALENDAR, DatedValue, EventClock, Happening
from corridor_sim.engines.event.element import Element, forward
from corridor_sim.engines.event.extra_lanes import QueueOpenedLanes
from corridor_sim.engines.event.itinerary import Consignment, StepNow, Visit
from corridor_sim.engines.event.queueing import OpenIntervals, Outages, Reservations, StationQueue, StationVisit
from corridor_sim.engines.usable_lanes import usable_lanes
from corridor_sim.plan.elements import NEVER_REACHED, PlanOutage, Station
from corridor_sim.plan.steps import PatiencePlan, PlanBalk

Asking = tuple[float, int, Consignment, StepNow, Element, Visit]
"""Finish time and number of one that waits for room, with its step and where it stands."""


def places_by_date(station: Station) -> StepFunction:
    """Waiting places of the yard by date; unlimited is a number that is never reached."""
    dated = station.yard_changes or ((0.0, station.yard),)
    return StepFunction([from_h for from_h, _ in dated], [NEVER_REACHED if n is None else n for _, n in dated])


def _too_long(consignment: Consignment, balk: PlanBalk, now: float) -> bool:
    """Whether the wait announced at the post is above the threshold; asked once a post."""
    since = consignment.step if balk.since is None else balk.since
    if consignment.asked >= since:
        return False
    consignment.asked = consignment.step
    return announced_wait_h(consignment, balk, now) > balk.threshold_h


class JoiningStation(Element):
    """The queue side of a station with any mechanism."""

    def __init__(
        self,
        clock: EventClock,
        index: int,
        station: Station,
        *,
        flows: int,
        outages: Sequence[PlanOutage],
        announced: bool,
        identities: int,
    ) -> None:
        super().__init__(clock, index, station.id)
        start_h = clock.now
        self.plan = station
        self._yards = DatedValue(places_by_date(station), start_h)
        self.queue = StationQueue(1 + len(station.reserved), counted=announced)
        self._usable = usable_lanes(station, outages) if announced else []
        self.lanes = Reservations(station, flows, start_h)
        self.asking: list[Asking] = []
        self.inside: dict[StationVisit, None] = {}
        """Stays in service or interrupted, in the order of their starts; blocked ones are not in it."""
        self._ranks = list(station.rank_changes or ((-inf, station.rank),))[::-1]
        self._windows = OpenIntervals(station, start_h, clock.horizon_h) if station.closing == "no_overrun" else None
        self._read_again_h: set[float] = set()
        self._arrived: list[tuple[Consignment, StepNow]] = []
        self._presented: list[Asking] = []
        self._later: list[StationVisit] = []
        self._due: list[tuple[StationVisit, PatiencePlan]] = []
        """Those whose patience ends at this instant."""
        self._parked = 0
        self.extra = None if station.extra_lanes is None else QueueOpenedLanes(station.extra_lanes, start_h)
        self._calendar = DatedValue(station.lanes, start_h)
        self._outages = Outages([(outage.from_h, outage.until_h, outage.lane) for outage in outages], identities)
        self._closed = self._calendar.value == 0

    @property
    def _extra_usable(self) -> int:
        """Extra lanes that may start services; they are general lanes."""
        if self.extra is None or self._closed or self._outages.down(0):
            return 0
        return self.extra.open

    @property
    def waiting_now(self) -> int:
        """How many wait in line as it has settled last; not who was interrupted and has no lane."""
        return self.queue.waiting + len(self._later)

    def arrive(self, consignment: Consignment, step: StepNow, now: float) -> None:  # noqa: ARG002
        """Join; the stay begins once all who come at `now` are there."""
        self._arrived.append((consignment, step))
        self.clock.touch(self)

    def present(self, consignment: Consignment, step: StepNow, origin: Element, visit: Visit) -> None:
        """Ask for a place in the yard."""
        consignment.ready_h = None
        self._presented.append((visit.finish_h, consignment.number, consignment, step, origin, visit))
        self.clock.touch(self)

    def _take_in(self, now: float) -> None:
        arrived, self._arrived = self._arrived, []
        arrived.sort(key=lambda entry: (now if entry[0].ready_h is None else entry[0].ready_h, entry[0].number))
        for consignment, step in arrived:
            if step.balk is not None and _too_long(consignment, step.balk, now):
                consignment.switch(step.balk, now)
                forward(consignment, now)
            else:
                self._join(consignment, step, now)
        presented, self._presented = self._presented, []
        for entry in presented:
            _, _, consignment, step, origin, visit = entry
            if step.balk is not None and _too_long(consignment, step.balk, now):
                consignment.switch(step.balk, now)
                forward(consignment, now, origin, visit)
            else:
                heappush(self.asking, entry)

    def announced_h(self, consignment: Consignment, step: StepNow, now: float, after_h: float) -> float:
        """Wait announced at `now` to `consignment`, which would join `after_h` later; see `announced.py`. [h]"""
        flow = consignment.flow.index
        group, rank = self.lanes.group_of[flow], self._rank(flow, now)
        pools = self.lanes.pools_of(group)
        usable = self._usable[group]
        lanes, to_opening_h = usable.at(now) + self._extra_usable * (0 in pools), 0.0
        closed = self.plan.lanes.at(now) == 0
        taken = sum(self.lanes.used[pool] for pool in pools) + self._parked_for(pools)
        if not lanes:
            opening_h = next_opening_h(usable, now, self.clock.horizon_h)
            if opening_h == inf:
                return inf
            lanes, to_opening_h = usable.at(opening_h), max(0.0, opening_h - now - after_h)
            taken = self._in_lanes(pools) + self._parked_for(pools)
            if not (closed and self.plan.closing in ("suspend", "restart")):
                taken -= sum(stay.ending is not None and stay.pool in pools for stay in self.inside)
        cleared = closed and self.plan.closing == "clear_queue"
        ahead, mean_h = self._ahead(pools, rank, step, now, only_later=cleared)
        return to_opening_h + max(0.0, ahead + 1 - max(0.0, lanes - taken)) * mean_h / lanes

    def _ahead(
        self, pools: tuple[int, ...], rank: int, step: StepNow, now: float, *, only_later: bool
    ) -> tuple[int, float]:
        """How many wait ahead of one with `rank` who may use `pools`, and the mean service of them and its own."""
        kinds: dict[tuple[int, int, StepNow], int] = {}
        if self.queue.counts is not None and not only_later:
            kinds.update(self.queue.counts)
        outside = [stay.kind for stay in self._later]
        for consignment, its in [*self._arrived, *((entry[2], entry[3]) for entry in (*self.asking, *self._presented))]:
            flow = consignment.flow.index
            outside.append((self.lanes.group_of[flow], self._rank(flow, now), its))
        for kind in outside:
            kinds[kind] = kinds.get(kind, 0) + 1
        count, work_h = 0, step.mean_h(now)
        # In order of the steps, so that the sum has the same bits whoever came first.
        for (group, other, its), number in sorted(kinds.items(), key=lambda kind: kind[0][2].order):
            if number and other <= rank and not set(pools).isdisjoint(self.lanes.pools_of(group)):
                count += number
                work_h += number * its.mean_h(now)
        return count, work_h / (count + 1)

    def _in_lanes(self, pools: tuple[int, ...]) -> int:
        """How many stand in lanes of these pools, open or not."""
        return sum(self.lanes.used[pool] for pool in pools)

    def _parked_for(self, pools: tuple[int, ...]) -> int:
        """How many interrupted services wait for lanes of these pools."""
        if not self._parked:
            return 0
        return sum(stay.parked and self.lanes.line_of(stay.group) in pools for stay in self.inside)

    def _rank(self, flow: int, now: float) -> int:
        """Rank of one that joins now."""
        while len(self._ranks) > 1 and now >= self._ranks[-2][0]:
            self._ranks.pop()
        rank = self._ranks[-1][1]
        return rank[flow] if rank else 0

    def _join(self, consignment: Consignment, step: StepNow, now: float) -> None:
        service_h = step.duration(consignment.index, now)
        self._refuse_too_long(consignment, service_h)
        flow = consignment.flow.index
        stay = StationVisit(consignment, now, service_h, self.lanes.group_of[flow], self._rank(flow, now))
        self.visits.append(stay)
        if self._closed and self.plan.closing == "clear_queue":
            self._later.append(stay)
        else:
            self.queue.add(stay)
        if step.patience is not None:
            until_h = max(now, 0.0) + step.patience_h[consignment.index]
            if until_h <= now:
                self._due.append((stay, step.patience))
            elif until_h <= self.clock.horizon_h:
                ring = Happening([partial(self._patience_ends, stay, step.patience)])
                self.clock.env.schedule(ring, CALENDAR, until_h - self.clock.now)

    def _patience_ends(self, stay: StationVisit, terms: PatiencePlan, _: Event) -> None:
        if stay.start_h != stay.start_h:
            self._due.append((stay, terms))
            self.clock.touch(self)

    def _let_leave(self, now: float) -> bool:
        """Those whose patience is over and who have not started leave the queue (rule S34); whether anybody did."""
        due, self._due = self._due, []
        gone = [(stay, terms) for stay, terms in due if stay.start_h != stay.start_h]
        for stay, terms in gone:
            if stay in self._later:
                self._later.remove(stay)
            else:
                self.queue.drop(stay)
            stay.leave_h = now
            stay.consignment.leave_for(terms)
            forward(stay.consignment, now)
        return bool(gone)

    def _refuse_too_long(self, consignment: Consignment, service_h: float) -> None:
        if self._windows is not None and service_h > self._windows.longest_h:
            raise SimulationError(
                f"{self.id}: the service of {consignment} takes {service_h:g} h, longer than any time the station is "
                f"open ({self._windows.longest_h:g} h); with closing 'no_overrun' it could never start"
            )

    def durations_change(self, changes_h: Sequence[float]) -> None:
        """Who did not fit into what is left of an opening may fit from such an instant on."""
        if self._windows is not None:
            new = [at for at in changes_h if at > self.clock.now and at not in self._read_again_h]
            self._read_again_h.update(new)
            self.clock.touch_at(new, [self])
