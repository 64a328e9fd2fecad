"""A station with everything: closing policies, outages, classes, reserved lanes, yards, staff, balking.

`FullStation` counts lanes; `LaneStation` gives each lane an identity, where
lanes have their own calendars or fail one by one. The rules are in the
docstring of the package.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from heapq import heappop, heappush
from math import inf
from typing import Any, cast

from simpy import Event

from corridor_sim.core.errors import SimulationError
from corridor_sim.engines.event.announced import announced_wait_h, next_opening_h
from corridor_sim.engines.event.clock import CALENDAR, ENDINGS, DatedValue, EventClock, Happening
from corridor_sim.engines.event.element import Element, forward
from corridor_sim.engines.event.extra_lanes import QueueOpenedLanes
from corridor_sim.engines.event.gates import QueueGateNow
from corridor_sim.engines.event.itinerary import Consignment, StepNow, Visit, service_from
from corridor_sim.engines.event.queueing import (
    Ending,
    OpenIntervals,
    Outages,
    Reservations,
    Staff,
    StationQueue,
    StationVisit,
)
from corridor_sim.engines.event.stations import refuse_zero_in_cycle
from corridor_sim.engines.usable_lanes import usable_lanes
from corridor_sim.plan.plan import PatiencePlan, PlanBalk, PlanOutage, Station, StepFunction

Asking = tuple[float, int, Consignment, StepNow, Element, Visit]
"""Finish time and number of one that waits for room, with its step and where it stands."""


def _places(station: Station) -> StepFunction:
    """Waiting places of the yard by date; unlimited is a number that is never reached."""
    dated = station.yard_changes or ((0.0, station.yard),)
    return StepFunction([from_h for from_h, _ in dated], [2.0**53 if n is None else n for _, n in dated])


def _too_long(consignment: Consignment, balk: PlanBalk, now: float) -> bool:
    """Whether the wait announced at the post is above the threshold; asked once a post."""
    since = consignment.step if balk.since is None else balk.since
    if consignment.asked >= since:
        return False
    consignment.asked = consignment.step
    return announced_wait_h(consignment, balk, now) > balk.threshold_h


class FullStation(Element):
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
        super().__init__(clock, index, station.id)
        start_h = clock.now
        self.plan = station
        self.limited = station.may_be_full
        self._yards = DatedValue(_places(station), start_h)
        self.queue = StationQueue(1 + len(station.reserved), counted=announced)
        self._usable = usable_lanes(station, outages) if announced else []
        self.lanes = Reservations(station, flows, start_h)
        self.asking: list[Asking] = []
        self.inside: dict[StationVisit, None] = {}
        """Stays in service or interrupted, in the order of their starts; blocked ones are not in it."""
        self._ranks = list(station.rank_changes or ((-inf, station.rank),))[::-1]
        self._in_cycle = in_cycle
        self._staff = staff
        self._need = station.staff_per_service
        self._windows = OpenIntervals(station, start_h, clock.horizon_h) if station.closing == "no_overrun" else None
        self._read_again_h: set[float] = set()
        self._arrived: list[tuple[Consignment, StepNow]] = []
        self._presented: list[Asking] = []
        self._later: list[StationVisit] = []
        self._due: list[tuple[StationVisit, PatiencePlan]] = []
        """Those whose patience ends at this instant."""
        self._parked = 0
        self.extra = None if station.extra_lanes is None else QueueOpenedLanes(station.extra_lanes, start_h)
        self.gates: list[QueueGateNow] = []
        self._calendar = DatedValue(station.lanes, start_h)
        self._outages = Outages([(outage.from_h, outage.until_h, outage.lane) for outage in outages], identities)
        self._closed = self._calendar.value == 0
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
        return [station.lanes, _places(station), *(reservation.lanes for reservation in station.reserved)]

    def _read_lanes(self, now: float) -> None:
        """Share the lanes that may start services out to the pools."""
        lanes = int(self._calendar.at(now))
        if self._closed and self.plan.closing == "clear_queue":
            lanes = self._open_before_closing
        self.lanes.share_out(0 if self._outages.down(0) else lanes, now)
        self.lanes.capacity[0] += self._extra_usable

    @property
    def _extra_usable(self) -> int:
        """Extra lanes that may start services; they are general lanes."""
        if self.extra is None or self._closed or self._outages.down(0):
            return 0
        return self.extra.open

    def _occupy(self, stay: StationVisit, pool: int) -> None:
        stay.pool = pool
        self.lanes.used[pool] += 1

    def _vacate(self, stay: StationVisit) -> None:
        self.lanes.used[stay.pool] -= 1

    @property
    def waiting_now(self) -> int:
        """How many wait in line as it has settled last; not who was interrupted and has no lane."""
        return self.queue.waiting + len(self._later)

    @property
    def _shut(self) -> bool:
        """Whether a gate is closed: nobody starts but who has started before."""
        return any(gate.closed for gate in self.gates)

    # -- who comes ---------------------------------------------------------------------------

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


class LaneStation(FullStation):
    """Lanes that keep their identity: each with its calendar or its outages (rules S06, S07 named, S11)."""

    def __init__(
        self, clock: EventClock, index: int, station: Station, *, outages: Sequence[PlanOutage], **rest: Any
    ) -> None:
        calendars = len(station.named) if station.named is not None else int(station.lanes.value.max())
        count = max(calendars, 1, *(outage.lane or 0 for outage in outages))
        self._occupant: list[StationVisit | None] = [None] * count
        self._named = [DatedValue(calendar, clock.now) for calendar in station.named or ()]
        self._open = [False] * count
        """Lanes that may start services, as far as the calendar goes."""
        super().__init__(clock, index, station, outages=outages, identities=count, **rest)

    @staticmethod
    def _dated(station: Station) -> list[Any]:
        return [*FullStation._dated(station), *(station.named or ())]

    def _read_lanes(self, now: float) -> None:
        lanes = int(self._calendar.at(now))
        if self._closed and self.plan.closing == "clear_queue":
            if self._named:
                for calendar in self._named:
                    calendar.at(now)
            else:
                self._open = [lane < self._open_before_closing for lane in range(len(self._open))]
        elif self._named:
            self._open[: len(self._named)] = [calendar.at(now) > 0 for calendar in self._named]
        else:
            self._open = [lane < lanes for lane in range(len(self._open))]
        self._now = now
        self._count()

    def _count(self) -> None:
        """Lanes to share out, and who counts against them.

        One on a lane that is down, or on a named lane that is closed, takes no
        other lane's capacity; one that overruns on a pooled lane does (rule S07).
        """
        up = [not self._outages.down(lane) for lane in range(len(self._open))]
        self.lanes.share_out(sum(o and u for o, u in zip(self._open, up, strict=True)), self._now)
        self.lanes.idle = any(
            usable and self._open[lane] and self._occupant[lane] is None for lane, usable in enumerate(up)
        )
        self.lanes.used[:] = [0] * len(self.lanes.used)
        for lane, stay in enumerate(self._occupant):
            if stay is not None and up[lane] and (self._open[lane] or not self._named):
                self.lanes.used[stay.pool] += 1

    def _occupy(self, stay: StationVisit, pool: int) -> None:
        stay.pool = pool
        stay.lane = next(
            lane
            for lane, occupant in enumerate(self._occupant)
            if occupant is None and self._open[lane] and not self._outages.down(lane)
        )
        self._occupant[stay.lane] = stay
        self._count()

    def _vacate(self, stay: StationVisit) -> None:
        self._occupant[stay.lane] = None
        self._count()

    def _in_lanes(self, pools: tuple[int, ...]) -> int:
        return sum(stay is not None and stay.pool in pools for stay in self._occupant)

    def stuck(self) -> bool:
        """Whether every lane is held by one that waits for room elsewhere."""
        return self.limited and not self.inside and all(stay is not None for stay in self._occupant)
