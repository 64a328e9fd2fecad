"""What does a station with everything do at an instant: closing policies, outages, classes, yards, staff, gates?

Who comes to it is in `joining.py`. `FullStation` counts lanes; `LaneStation`, in
`lane_station.py`, gives each lane an identity. The rules are in the docstring of the package.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop
from math import inf
from typing import Any, cast

from simpy import Event

from corridor_sim.engines.event.clock import ENDINGS, EventClock
from corridor_sim.engines.event.extra_lanes import QueueOpenedLanes
from corridor_sim.engines.event.gates import QueueGateNow
from corridor_sim.engines.event.itinerary import Visit, service_from
from corridor_sim.engines.event.joining import Asking, JoiningStation, places_by_date
from corridor_sim.engines.event.queueing import Ending, Staff, StationVisit
from corridor_sim.engines.event.stations import refuse_zero_in_cycle
from corridor_sim.plan.elements import PlanOutage, Station


class FullStation(JoiningStation):
    """Parallel lanes with any mechanism but lanes of their own identity."""

    def __init__(
        self,
        clock: EventClock,
        index: int,
        station: Station,
        *,
        flows: int,
        outages: Sequence[PlanOutage],
        staff: Staff | None,
        in_cycle: bool,
        announced: bool = False,
        identities: int = 1,
    ) -> None:
        super().__init__(
            clock, index, station, flows=flows, outages=outages, announced=announced, identities=identities
        )
        start_h = clock.now
        self.limited = station.may_be_full
        self._in_cycle = in_cycle
        self._staff = staff
        self._need = station.staff_per_service
        self.gates: list[QueueGateNow] = []
        self._open_before_closing = 0
        self._ends: list[Callable[[Event], None]] = [self._on_ending]
        instants = {at for function in self._dated(station) for at in function.from_h.tolist()}
        instants.update(self._outages.instants_h)
        if station.extra_lanes is not None:
            clock.touch_at(station.extra_lanes.instants_h, [self])
        changes = sorted((at for at in instants if at > start_h), reverse=True)
        clock.touch_at(changes, [self])
        self._changes_h = [*changes, start_h]
        if staff is not None:
            staff.stations.append(self)
        self._refresh(start_h)

    # -- what lanes there are; LaneStation replaces these ------------------------------------

    @staticmethod
    def _dated(station: Station) -> list[Any]:
        return [station.lanes, places_by_date(station), *(reservation.lanes for reservation in station.reserved)]

    def _read_lanes(self, now: float) -> None:
        """Share the lanes that may start services out to the pools."""
        lanes = int(self._calendar.at(now))
        if self._closed and self.plan.closing == "clear_queue":
            lanes = self._open_before_closing
        self.lanes.share_out(0 if self._outages.down(0) else lanes, now)
        self.lanes.capacity[0] += self._extra_usable

    def _occupy(self, stay: StationVisit, pool: int) -> None:
        stay.pool = pool
        self.lanes.used[pool] += 1

    def _vacate(self, stay: StationVisit) -> None:
        self.lanes.used[stay.pool] -= 1

    @property
    def _shut(self) -> bool:
        """Whether a gate is closed: nobody starts but who has started before."""
        return any(gate.closed for gate in self.gates)

    # -- one turn ----------------------------------------------------------------------------

    def settle(self, now: float) -> None:
        """Take in, let into the yard and start, one by one, until nothing more may move."""
        self._refresh(now)
        if self.extra is not None and self.extra.bring_to(now):
            self._read_lanes(now)
        if self.gates:
            for gate in self.gates:
                gate.ask(now)
        if now in self._read_again_h:
            self._read_again_h.remove(now)
            for stay in (stay for heap in self.queue.groups for _, stay in heap):
                self._refuse_too_long(stay.consignment, service_from(stay, now))
        if self._arrived or self._presented:
            self._take_in(now)
        while True:
            while self.asking and self.queue.waiting + len(self._later) < self._yards.at(now):
                self._admit(heappop(self.asking), now)
            if self._start_next(now) or (self.asking and self._admit_into_a_lane(now)):
                continue
            if self.extra is not None and self._ask(self.extra, now):
                continue
            if not self._due or not self._let_leave(now):
                return

    def _ask(self, extra: QueueOpenedLanes, now: float) -> bool:
        """Open or close lanes by how many wait for the general ones (rule S27); whether their number has changed."""
        if self._closed or self._outages.down(0):
            return False
        waiting = sum(
            len(heap) for group, heap in enumerate(self.queue.groups) if heap and 0 in self.lanes.pools_of(group)
        )
        if self._parked:
            waiting += sum(stay.parked and 0 in self.lanes.pools_of(stay.group) for stay in self.inside)
        before_h = extra.ready_h
        changed = extra.ask(waiting, self.lanes.general, self.lanes.capacity[0], now)
        if extra.ready_h not in (before_h, inf):
            self.clock.touch_at([extra.ready_h], [self])
        if changed:
            self._read_lanes(now)
        return changed

    def _admit(self, entry: Asking, now: float) -> None:
        _, _, consignment, step, origin, visit = entry
        origin.let_go(visit, now)
        self._join(consignment, step, now)

    def _admit_into_a_lane(self, now: float) -> bool:
        """Without a yard: move the first one that a lane takes at once (rule S15)."""
        if self._shut or self._yards.at(now) != 0 or (self._closed and self.plan.closing == "clear_queue"):
            return False
        for entry in sorted(self.asking, key=lambda entry: entry[:2]):
            consignment, step = entry[2], entry[3]
            group = self.lanes.group_of[consignment.flow.index]
            line = self.lanes.line_of(group)
            waiting = any(heap and self.lanes.line_of(k) == line for k, heap in enumerate(self.queue.groups))
            if waiting or self.lanes.pool_for(group) < 0:
                continue
            if self._fits(step.duration(consignment.index, now), now) and self._staffed(now):
                self.asking = [other for other in self.asking if other is not entry]
                self.asking.sort(key=lambda entry: entry[:2])
                self._admit(entry, now)
                return True
        return False

    def _fits(self, service_h: float, now: float) -> bool:
        return self._windows is None or now + service_h <= self._windows.closing_h(now)

    def _staffed(self, now: float) -> bool:
        return self._staff is None or self._staff.has(self._need, now)

    def _start_next(self, now: float) -> bool:
        """Start the first in queue order that has a lane and staff; False if there is none."""
        if self._parked and self._go_on(now):
            return True
        best, shut = -1, bool(self.gates) and self._shut
        groups = self.queue.groups
        for group in self._heads():
            if self.lanes.pool_for(group) < 0 or (best >= 0 and groups[best][0] < groups[group][0]):
                continue
            stay = groups[group][0][1]
            if shut and not stay.requeued:
                continue
            needs_h = stay.remaining_h if stay.requeued else service_from(stay, now)
            if self._fits(needs_h, now) and (stay.staffed or self._staffed(now)):
                best = group
        if best < 0:
            return self.plan.preemption is not None and self._interrupt_for_the_first(now)
        self._begin(best, now)
        return True

    def _begin(self, best: int, now: float) -> None:
        """The first of a group begins, or goes on."""
        stay = self.queue.take(best)
        self._occupy(stay, self.lanes.pool_for(best))
        if not (stay.requeued or stay.cut):
            stay.start_h = now
            stay.service_h = stay.remaining_h = service_from(stay, now)
            if self._in_cycle and stay.service_h == 0:
                raise refuse_zero_in_cycle(self.id, stay.consignment, now)
        stay.requeued = stay.cut = False
        if self._staff is not None and not stay.staffed:
            self._staff.take(self._need)
            stay.staffed = True
        self.inside[stay] = None
        self._resume(stay, now)

    def _interrupt_for_the_first(self, now: float) -> bool:
        """Have the first in the queue take the lane of the least urgent in one, of these the last (rule S35)."""
        heap = self.queue.groups[0]
        if not heap or self.lanes.used[0] > self.lanes.capacity[0]:
            return False
        rank, last = heap[0][1].rank, None
        for stay in self.inside:
            if stay.ending is not None and stay.rank > rank and (last is None or stay.rank >= last.rank):
                last = stay
        if last is None:
            return False
        self._interrupt(last, now)
        if self.plan.preemption == "restart":
            last.remaining_h = last.service_h
        del self.inside[last]
        self._vacate(last)
        self._begin(0, now)
        last.cut = True
        self.queue.add(last)
        return True

    def _heads(self) -> list[int]:
        """The group of the first in each line."""
        groups = self.queue.groups
        heads: dict[int, int] = {}
        for group, heap in enumerate(groups):
            line = self.lanes.line_of(group)
            if heap and (line not in heads or heap[0] < groups[heads[line]][0]):
                heads[line] = group
        return list(heads.values())

    def _go_on(self, now: float) -> bool:
        """Let the first go on, in order of their starts, of those parked who have a lane; False if there is none."""
        for stay in self.inside:
            pool = self.lanes.pool_for(stay.group) if stay.parked else -1
            if pool >= 0:
                stay.parked = False
                self._parked -= 1
                self._occupy(stay, pool)
                self._resume(stay, now)
                return True
        return False

    # -- service, its interruption and its end -----------------------------------------------

    def _resume(self, stay: StationVisit, now: float) -> None:
        if stay.remaining_h > 0:
            stay.due_h = now + stay.remaining_h
            stay.ending = Ending(stay, self._ends)
            self.clock.env.schedule(stay.ending, ENDINGS, stay.remaining_h)
        else:
            self.end(stay, now)

    def _interrupt(self, stay: StationVisit, now: float) -> None:
        if stay.ending is not None:
            stay.ending, stay.remaining_h = None, stay.due_h - now

    def _on_ending(self, event: Event) -> None:
        stay = cast(Ending, event).stay
        if stay.ending is event:
            stay.ending = None
            self.end(stay, self.clock.now)

    def end(self, visit: Visit, now: float) -> None:
        """The service is done: free the staff, and move on or hold the lane."""
        stay = cast(StationVisit, visit)
        del self.inside[stay]
        if stay.staffed and self._staff is not None:
            stay.staffed = False
            self._staff.give_back(self._need, self.clock)
        super().end(stay, now)

    def let_go(self, visit: Visit, now: float) -> None:
        """Free the lane."""
        visit.leave_h = now
        self._vacate(cast(StationVisit, visit))
        self.clock.touch(self)

    # -- the calendar ------------------------------------------------------------------------

    def _refresh(self, now: float) -> None:
        """Bring hours, lanes and outages to `now`, with what they do to services under way."""
        if not self._changes_h or self._changes_h[-1] > now:
            return
        while self._changes_h and self._changes_h[-1] <= now:
            self._changes_h.pop()
        before = int(self._calendar.value)
        closed = int(self._calendar.at(now)) == 0
        closing = closed and not self._closed
        if closing:
            self._open_before_closing = before
        elif not closed and self._later:
            for stay in self._later:
                self.queue.add(stay)
            self._later.clear()
        self._closed = closed
        if closed and self.extra is not None:
            self.extra.close_all(now)
        failed = self._outages.go_to(now)
        self._read_lanes(now)
        if closing and self.plan.closing in ("suspend", "restart"):
            for stay in self.inside:
                self._park(stay, now)
        policy = self.plan.outage_policy
        for stay in list(self.inside):
            put_back = policy == "requeue" and stay.lane in failed and not stay.parked
            down = policy in ("resume", "restart") and self._outages.down(stay.lane)
            if down or put_back:
                self._interrupt(stay, now)
            if stay.lane in failed and policy == "restart":
                stay.remaining_h = stay.service_h
            if put_back:
                self._put_back(stay)
            elif not (down or stay.parked) and stay.ending is None:
                self._resume(stay, now)

    def _park(self, stay: StationVisit, now: float) -> None:
        """Take the lane of a service under way, which goes on (or begins anew) once it has one again."""
        self._interrupt(stay, now)
        if self.plan.closing == "restart":
            stay.remaining_h = stay.service_h
        if not stay.parked:
            stay.parked = True
            self._parked += 1
            self._vacate(stay)

    def _put_back(self, stay: StationVisit) -> None:
        """To the head of the queue, with the service that is left (rule S11, requeue)."""
        del self.inside[stay]
        self._vacate(stay)
        stay.requeued = True
        self.queue.add(stay)

    def stuck(self) -> bool:
        """Whether every lane that there is or will be is held by one that waits for room elsewhere."""
        lanes = self.plan.lanes
        most = max([self._calendar.value, *lanes.value[lanes.from_h > self.clock.now].tolist()])
        return self.limited and not self.inside and sum(self.lanes.used) >= max(most, 1)
