"""A stage with lanes: queue, classes, reserved lanes, closing policies, outages, yard.

Lanes are pooled (S07): they are counted, and nobody stands in a certain one, unless lanes
are named or fail one by one: then each visit has a lane, numbered from 1. `inside` holds
those who have started and not left: in service, standing still, or blocked (S14).
"""

import math

from oracle.places import Place
from oracle.words import clock, edges_of_day, hours_of, midnights, on_grid


class Lanes(Place):
    """One stage with a number of lanes."""

    def __init__(self, run, path, stage, id):
        super().__init__(run, id)
        self.path, self.stage = path, stage
        self.offset = run.scenario.checkpoints[path.split(".")[1]].utc_offset_h
        self.yard_ever = run.force.yard_ever(path, stage)
        self.outages = [
            (*(hours_of(at, run.scenario.run.start, self.offset) for at in (one.from_, one.until)), one.lane)
            for one in stage.outages.values()
        ] + run.draws.outages.get(id, [])
        per_lane = stage.breakdown is not None and stage.breakdown.per_lane
        self.named = stage.named_lanes or per_lane or any(one.lane is not None for one in stage.outages.values())
        self.before = self.lanes_now(0.0)
        self.last_open = 0
        """Lanes open just before the closing that lasts."""
        self.were_down = set()
        self.started = 0
        self.extra, self.ready = 0, math.inf
        """Lanes that the queue has opened (S27), and when one more is ready."""
        self.shut = {}
        """By place looked at, whether the gate is closed (S31)."""

    def edges(self):
        """Hours by day and week, and outages; improvements add their own. [h]"""
        hours = {0.0}
        lines = [self.stage.opening_hours] if self.stage.opening_hours else []
        lines += [one.opening_hours for _, one in self.run.force.of_kind("opening_hours")]
        for some in lines:
            hours |= edges_of_day(some)
        rosters = [self.stage.lanes_by_hour, self.stage.extra_lanes and self.stage.extra_lanes.most_by_hour]
        rosters += [one.most_by_hour for _, one in self.run.force.of_kind("lanes_by_queue")]
        for text in (text for roster in rosters for text in roster or ()):
            hours.add(clock(text.split(" ")[-1]))
        days = midnights(self.run.scenario.run.start, self.offset, self.run.horizon_h)
        return {on_grid(day + hour) for day in days for hour in hours} | {at for one in self.outages for at in one[:2]}

    # ------------------------------------------------------------ what lanes there are

    def lanes_now(self, now):
        """c(t): open lanes by count, hours and closures (S22, D28); none before the run begins (D41)."""
        if now < 0:
            return 0
        return self.run.force.lanes(self.path, self.stage, now)

    def down(self, now, lane=0):
        """Whether an outage of a lane (0 is the stage as a whole) is on; those that overlap or touch are one."""
        return any(begin <= now < end and of in (None, lane) for begin, end, of in self.outages)

    def usable(self, now):
        """Lanes in which services may start or go on: their numbers, 1 up to c(t) without those that are down."""
        lanes = self.lanes_now(now)
        if lanes == 0 and self.stage.closing == "clear_queue":
            lanes = self.last_open  # S08: the lanes that were open just before go on for those who came in time
        return [lane for lane in range(1, lanes + 1) if not self.down(now, lane if self.named else 0)]

    def counts(self, visit, now):
        """Whether somebody inside takes the place of one who might start.

        Who was cut by a closing does not. Who overruns in a pooled lane does (S07), but not in a
        named lane that is closed, nor in a lane that is down.
        """
        if not self.named:
            return not visit.cut
        return not self.down(now, visit.lane) and visit.lane in self.usable(now)

    def room(self, now):
        """Free lanes by pool: the general one "" and one for each class that has lanes kept for it.

        Lanes are given to the reservations first, in order of class; the general pool has what
        is left. A reservation of 0 lanes binds nobody (D28), so it makes no pool, and who is
        still in a lane of a pool that is gone counts as any other. Each pool follows S07 for
        itself, as the rules of the event engine say: a lane newly kept for a class serves it
        though those who took that lane before are not done.
        """
        left, room = len(self.usable(now)), {}
        for cargo_class in self.run.classes:
            wanted, _ = self.run.force.reserved(self.path, self.stage, cargo_class, now)
            if wanted > 0:
                room[cargo_class] = min(wanted, left)
                left -= room[cargo_class]
        room[""] = left + (self.extra if self.lanes_now(now) > 0 and not self.down(now) else 0)
        for visit in self.inside:
            if self.counts(visit, now):
                room[visit.pool if visit.pool in room else ""] -= 1
        return room

    def pool_for(self, visit, now):
        """The pool that would take the visit now, None if none would."""
        if self.named and {visit.lane for visit in self.inside} >= set(self.usable(now)):
            return None  # a pool may have room while all its lanes are held
        room = self.room(now)
        own = visit.truck.cargo_class
        if own not in room:
            return "" if room[""] > 0 else None
        if room[own] > 0:
            return own
        overflow = self.run.force.reserved(self.path, self.stage, own, now)[1]
        return "" if overflow and room[""] > 0 else None

    # ------------------------------------------------------------ the calendar

    def calendar(self, now):
        """S08, S11: what closing, opening and outages do to those inside."""
        lanes, closing = self.lanes_now(now), self.stage.closing
        if lanes == 0 and self.before > 0:
            self.last_open = self.before
            if closing in ("suspend", "restart"):
                # S08: the services under way stand still; restart loses the work that was done.
                for visit in self.inside:
                    if visit.finish is None:
                        self.stand_still(visit, now)
                        visit.cut = True
                        if closing == "restart":
                            visit.left = visit.time
        if lanes > 0:
            for visit in self.waiting:
                visit.late = False
        down = {lane for lane in range(self.most + 1) if self.down(now, lane)}
        self.go_down(down - self.were_down, now)
        for visit in self.inside:
            stands = visit.finish is None and not visit.cut and visit.end is None
            if stands and visit.lane in self.were_down - down:
                visit.end = now + visit.left
        self.before, self.were_down = lanes, down

    @property
    def most(self):
        """The highest number of a lane that matters."""
        return max([1, *(visit.lane for visit in self.inside), *(of or 0 for *_, of in self.outages)])

    def go_down(self, lanes, now):
        """S11: an outage of some lanes begins."""
        policy = self.stage.outage_policy
        for visit in list(self.inside):
            if visit.lane not in lanes or visit.finish is not None or policy == "finish":
                continue
            self.stand_still(visit, now)
            if policy == "restart":
                visit.left = visit.time
            elif policy == "requeue":
                self.inside.remove(visit)
                self.waiting.append(visit)
                visit.requeued = True

    def stand_still(self, visit, now):
        """The clock of a service stops."""
        if visit.end is not None:
            visit.left = visit.end - now
            visit.end = None

    # ------------------------------------------------------------ joins and starts

    def joined(self, visit, now):
        """What is read at joining: rank, and whether the queue is closed already."""
        super().joined(visit, now)
        visit.rank = self.run.force.rank(self.path, self.stage, visit.truck.cargo_class, now)
        visit.late = self.stage.closing == "clear_queue" and self.lanes_now(now) == 0
        terms = self.stage.patience
        law = terms and terms.by_class.get(visit.truck.cargo_class, terms.law)
        if law is not None:
            visit.until = now + self.run.draws.patience(visit.truck.flow, self.id, visit.truck.index)

    def settle(self, now):
        self.bring_extra_lanes(now)
        self.look_ahead(now)
        changed = self.take_in(now)
        while (
            self.admit(now)
            or self.go_on(now)
            or self.start(now)
            or self.interrupt(now)
            or self.slip_in(now)
            or self.ask(now)
            or self.lose_patience(now)
        ):
            changed = True
        return changed

    # ------------------------------------------------------------ patience (S34), and who is more urgent (S35)

    def lose_patience(self, now):
        """Those whose patience is over and who may not start leave; lost, for this oracle knows one way only."""
        gone = [visit for visit in self.waiting if visit.start is None and visit.until <= now]
        for visit in gone:
            self.waiting.remove(visit)
            visit.leave = visit.truck.depart = now
            visit.truck.at = len(visit.truck.steps)
        return bool(gone)

    def interrupt(self, now):
        """The first in the queue takes the lane of one who is less urgent."""
        queue = sorted((visit for visit in self.waiting if not visit.late), key=lambda visit: visit.order)
        if self.stage.preemption is None or not queue or self.room(now)[""] < 0:
            return False
        served = [v for v in self.inside if v.finish is None and v.end is not None and v.rank > queue[0].rank]
        if not served:
            return False
        loser = max(served, key=lambda visit: (visit.rank, visit.turn))
        self.stand_still(loser, now)
        if self.stage.preemption == "restart":
            loser.left = loser.time
        self.inside.remove(loser)
        self.waiting.append(loser)
        loser.interrupted, loser.turn = True, 0
        self.begin_in(queue[0], "", now)
        return True

    # ------------------------------------------------------------ a gate by the queue further on (S31)

    def look_ahead(self, now):
        """Ask the gate; whether it has closed or opened. Each place looked at in the run has a gate of its own."""
        force, own = self.run.force, self.stage.gate
        places = [own.queue_at] if own is not None else []
        places += [one.queue_at for _, one in force.of_kind("gate_by_queue") if force.covers(one, self.path)]
        terms, before = force.gate(self.path, self.stage, now), dict(self.shut)
        for place in places:
            waiting = self.run.queue_at(place)
            if terms is None or terms.queue_at != place or waiting < terms.open_below:
                self.shut[place] = False
            elif waiting >= terms.close_at:
                self.shut[place] = True
        return any(self.shut.values()) != any(before.values())

    def is_shut(self, visit):
        """Whether a closed gate holds somebody back: who has started before goes on."""
        return any(self.shut.values()) and visit.start is None

    # ------------------------------------------------------------ lanes opened by the queue (S27)

    def next_end(self):
        """A lane that is ready is something that happens by itself, too, and a patience that is over."""
        waits = [visit.until for visit in self.waiting if visit.start is None]
        return min(super().next_end(), self.ready, *waits)

    def bring_extra_lanes(self, now):
        """What is ready opens; closing and the limit close."""
        most = self.run.force.extra_lanes(self.path, self.stage, now)[1] if self.lanes_now(now) > 0 else 0
        if self.ready <= now:
            self.extra, self.ready = self.extra + 1, math.inf
        if self.extra >= most:
            self.extra, self.ready = most, math.inf

    def ask(self, now):
        """One lane more or less by how many wait; whether the number open has changed."""
        terms, most = self.run.force.extra_lanes(self.path, self.stage, now)
        if terms is None or self.lanes_now(now) == 0 or self.down(now):
            return False
        without = [*self.waiting, *(visit for visit in self.inside if visit.cut)]
        waiting = sum(self.may_be_anywhere(visit, now) for visit in without)
        if waiting > terms.above and self.extra < most and self.ready == math.inf:
            if terms.start_up_h:
                self.ready = now + on_grid(terms.start_up_h)
                return False
            self.extra += 1
            return True
        if waiting < terms.below:
            self.ready = math.inf
            if self.extra and self.room(now)[""] >= 0:
                self.extra -= 1
                return True
        return False

    def may_be_anywhere(self, visit, now):
        """Whether somebody may use the general lanes."""
        wanted, overflow = self.run.force.reserved(self.path, self.stage, visit.truck.cargo_class, now)
        return wanted == 0 or overflow

    def go_on(self, now):
        """D30: of those that a closing cut, as many go on as there are lanes, in order of their start."""
        if self.lanes_now(now) == 0 or self.down(now):
            return False
        for visit in sorted((v for v in self.inside if v.cut), key=lambda v: v.turn):
            pool = self.pool_for(visit, now)
            if pool is not None:
                visit.cut, visit.pool = False, pool
                visit.end = now + visit.left
                return True
        return False

    def start(self, now):
        """The first in queue order that has a lane starts (S04, S05)."""
        kept_back = set()
        for visit in sorted(self.waiting, key=lambda visit: visit.order):
            group = self.group(visit.truck.cargo_class, now)
            if visit.late or group in kept_back or self.is_shut(visit):
                continue
            pool = self.pool_for(visit, now)
            if pool is None:
                continue
            if not self.fits(visit.left if visit.requeued else self.run.time_at(visit, now), now):
                kept_back.add(group)  # S08 no_overrun, strict FIFO: nobody overtakes who would use the same lanes
                continue
            self.begin_in(visit, pool, now)
            return True
        return False

    def begin_in(self, visit, pool, now):
        """Start, or go on after having been put back."""
        first = visit.start
        self.begin(visit, now)
        if first is None:
            visit.left = visit.time
        visit.pool, visit.requeued, visit.interrupted = pool, False, False
        if self.named:  # S06: the lowest-numbered idle open lane
            taken = {other.lane for other in self.inside if other is not visit}
            visit.lane = min(lane for lane in self.usable(now) if lane not in taken)
        visit.end = now + visit.left
        if first is not None:
            visit.start = first
        self.started += 1
        visit.turn = visit.turn or self.started
        if visit.left == 0:
            self.run.done(visit, now)

    def group(self, cargo_class, now):
        """Whose lanes a class uses: its own reservation while it binds, else everybody's."""
        wanted, _ = self.run.force.reserved(self.path, self.stage, cargo_class, now)
        return cargo_class if wanted > 0 else ""

    def fits(self, left_h, now):
        """S08 no_overrun: what ends by the next closing starts; an end at the closing is in time."""
        if self.stage.closing != "no_overrun":
            return True
        return now + left_h <= self.next_closing(now)

    def next_closing(self, now):
        """The next instant at which no lane is open; infinity if there is none. [h]"""
        for at in self.run.instants:
            if at > now and self.lanes_now(at) == 0:
                return at
        return math.inf

    # ------------------------------------------------------------ the yard (S14-S17)

    def admit(self, now):
        """Room in the yard goes to the blocked in order of (finish, number); a closed stage's yard is open (S17)."""
        places = self.run.force.yard(self.path, self.stage, now)
        taken = sum(not (visit.requeued or visit.interrupted) for visit in self.waiting)
        if not self.asking or (places is not None and taken >= places):
            return False
        self.enter(self.first_asking(), now)
        return True

    def first_asking(self):
        return min(self.asking, key=lambda visit: (visit.finish, visit.truck.number))

    def enter(self, visit, now):
        """A blocked consignment leaves its lane and joins here."""
        self.asking.remove(visit)
        visit.place.let_go(visit, now)
        new = type(visit)(visit.truck, self, visit.truck.step, now)
        self.run.visits.append(new)
        self.joined(new, now)
        self.waiting.append(new)
        return new

    def slip_in(self, now):
        """S15: without a yard somebody moves only into a lane that takes it at once."""
        if self.run.force.yard(self.path, self.stage, now) != 0 or self.lanes_now(now) == 0:
            return False
        if any(self.shut.values()):
            return False
        for visit in sorted(self.asking, key=lambda visit: (visit.finish, visit.truck.number)):
            group = self.group(visit.truck.cargo_class, now)
            same = [one for one in self.waiting if self.group(one.truck.cargo_class, now) == group]
            left_h = self.run.duration(visit.truck, self, visit.truck.step, now)
            if not same and self.pool_for(visit, now) is not None and self.fits(left_h, now):
                self.enter(visit, now)
                return True
        return False
