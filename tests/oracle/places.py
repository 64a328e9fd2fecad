"""Places that hold no lanes: stays, roads, departures, booked slots, daily acceptance.

A place takes visits (`arrive`), says what ends now (`due`), lets go (`let_go`), and
settles: joins first, then starts, until nothing moves (S03). `run` is the simulation;
a place whose stay is over hands the visit to ``run.done``.
"""

import datetime as dt
import math
import zoneinfo
from dataclasses import dataclass

from oracle.words import by_hour, hours_of, is_open, local, midnights, on_grid, utc


@dataclass(eq=False)
class Visit:
    """One visit of one consignment to one place. Times are None until they come. [h]"""

    truck: object
    place: object
    step: object
    join: float
    time: float | None = None
    """Service, travel or crossing, factors included."""
    rank: int = 0
    start: float | None = None
    finish: float | None = None
    leave: float | None = None
    end: float | None = None
    """When it will be over, None while it waits or stands still."""
    left: float | None = None
    """Service still to be done when it last stood still."""
    pool: str = ""
    lane: int = 0
    """Number of the lane where lanes have an identity, else 0."""
    cut: bool = False
    late: bool = False
    requeued: bool = False
    interrupted: bool = False
    """Whether a more urgent one has taken its lane (S35)."""
    until: float = math.inf
    """When its patience is over (S34). [h]"""
    turn: int = 0

    @property
    def order(self):
        """S04: rank, time of joining this place, truck number; those put back by an outage stand first."""
        return (not self.requeued, self.rank, self.join, self.truck.number)


class Place:
    """What all places share."""

    yard_ever = False

    def __init__(self, run, id):
        self.run, self.id = run, id
        self.arrived, self.waiting, self.inside = [], [], []
        self.asking = []

    def edges(self):
        """Instants at which something here may change. [h]"""
        return set()

    def arrive(self, truck, step):
        """Somebody comes; it joins when the place settles (all joins of an instant before any start)."""
        self.arrived.append((truck, step))

    def take_in(self, now):
        """All who have come join, in order of truck number."""
        for truck, step in sorted(self.arrived, key=lambda one: one[0].number):
            visit = Visit(truck, self, step, now)
            self.run.visits.append(visit)
            # What is read at joining is read as the run begins, of those who joined before it.
            self.joined(visit, max(now, 0.0))
            self.waiting.append(visit)
        changed, self.arrived = bool(self.arrived), []
        return changed

    def joined(self, visit, now):
        """Who joins: what nobody has read as it starts is as of then."""
        visit.time = self.run.time_at(visit, now)

    def read(self, visit, now):
        """How long it takes, read as it starts (D13)."""
        visit.time = self.run.time_at(visit, now)

    def calendar(self, now):
        """What the calendar does to those inside, before anybody moves."""

    def settle(self, now):
        """Make the moves and starts that are due; whether there were any."""
        raise NotImplementedError

    def begin(self, visit, now):
        """The visit starts."""
        self.waiting.remove(visit)
        self.inside.append(visit)
        if visit.start is None:
            self.read(visit, now)
        visit.start = now
        visit.end = now + visit.time

    def due(self, now):
        """Those whose time is over at this instant."""
        return [visit for visit in self.inside if visit.finish is None and visit.end == now]

    def next_end(self):
        """The next instant at which something ends here by itself. [h]"""
        return min((v.end for v in self.inside if v.finish is None and v.end is not None), default=math.inf)

    def let_go(self, visit, now):
        """The consignment leaves the place."""
        visit.leave = now
        self.inside.remove(visit)

    def first_waiting(self):
        """The head of the queue (S04), or None."""
        return min(self.waiting, key=lambda visit: visit.order, default=None)


class Stay(Place):
    """A stay or a free road: nobody waits for anybody (D16)."""

    def settle(self, now):
        changed = self.take_in(now)
        for visit in list(self.waiting):
            self.begin(visit, now)
            if visit.time == 0:
                self.run.done(visit, now)
        return changed


class Road(Place):
    """A leg with a headway (S18), a limit of vehicles (S19), closures, or no overtaking."""

    def __init__(self, run, id, leg):
        super().__init__(run, id)
        self.leg = leg
        self.free_at, self.last_exit = -math.inf, -math.inf

    def settle(self, now):
        changed = self.take_in(now)
        force = self.run.force
        while self.waiting:
            full = len(self.inside) >= force.most_vehicles(self.leg, now)
            if force.leg_closed(self.leg, now) or full or now < self.free_at:
                break
            visit = self.first_waiting()
            self.begin(visit, now)
            self.free_at = now + force.headway_h(self.leg, now)
            if self.run.scenario.legs[self.leg].no_overtaking:
                visit.end = self.last_exit = max(visit.end, self.last_exit)
            if visit.end == now:
                self.run.done(visit, now)
            changed = True
        return changed

    def next_end(self):
        wake = self.free_at if self.waiting and self.free_at > self.run.now else math.inf
        return min(super().next_end(), wake)


class Gate(Place):
    """The start of a leg for a class that bans hold back (S30)."""

    def __init__(self, run, id, leg, way, cargo_class):
        super().__init__(run, id)
        self.leg, self.way, self.cargo_class = leg, way, cargo_class

    def edges(self):
        """Bans begin and end at half hours."""
        return {k / 2 for k in range(math.floor(2 * self.run.horizon_h) + 1)}

    def banned(self, now):
        """Whether nobody may set out; looking ahead, not either if a ban begins before the mean time is over."""
        leg = self.run.scenario.legs[self.leg]
        until = now + on_grid(leg.length_km / leg.speed_kmh)
        ahead = [k / 2 for k in range(math.ceil(2 * now), math.ceil(2 * until))]
        return any(
            is_open(ban.hours, *local(self.run.scenario.run.start, self.ahead_h(ban, at), at))
            for at in (now, *ahead)
            for ban in self.run.force.bans(self.leg, self.way, self.cargo_class, at).values()
            if at == now or ban.look_ahead
        )

    def ahead_h(self, ban, at):
        """How far the clock of a ban is ahead of UTC at an instant, by its zone where it names one. [h]"""
        if not ban.zone:
            return ban.utc_offset_h
        start = utc(self.run.scenario.run.start).replace(tzinfo=dt.UTC)
        there = (start + dt.timedelta(hours=at)).astimezone(zoneinfo.ZoneInfo(ban.zone))
        return there.utcoffset().total_seconds() / 3600

    def joined(self, visit, now):
        visit.time = 0.0

    def read(self, visit, now):
        """It takes no time."""

    def settle(self, now):
        changed = self.take_in(now)
        while self.waiting and not self.banned(now):
            visit = self.first_waiting()
            self.begin(visit, now)
            self.run.done(visit, now)
            changed = True
        return changed


class Track(Road):
    """A leg that one direction at a time is on (S28): two lines, and a direction that is set."""

    def __init__(self, run, id, leg):
        super().__init__(run, id, leg)
        self.way, self.passed, self.cleared = None, 0, True

    def line(self, way):
        """Those who wait in one direction, in queue order."""
        return sorted((v for v in self.waiting if v.step.back == way), key=lambda v: (v.join, v.truck.number))

    def settle(self, now):
        changed = self.take_in(now)
        terms, force = self.run.scenario.legs[self.leg].single_track, self.run.force
        while self.waiting:
            if self.way is None:
                self.way = min(self.waiting, key=lambda v: (v.join, v.truck.number)).step.back
            mine, theirs = self.line(self.way), self.line(not self.way)
            if theirs and (not mine or (terms.convoy and self.passed >= terms.convoy)):
                self.way, self.passed, self.cleared = not self.way, 0, False
                mine, theirs = theirs, mine
            if not self.cleared and not self.inside:
                self.cleared, self.free_at = True, now + on_grid(terms.switch_h)
            full = len(self.inside) >= force.most_vehicles(self.leg, now)
            if not self.cleared or force.leg_closed(self.leg, now) or full or now < self.free_at:
                break
            self.passed += bool(theirs)
            self.begin(mine[0], now)
            self.free_at = now + on_grid(force.headway_h(self.leg, now))
            if self.run.scenario.legs[self.leg].no_overtaking:
                mine[0].end = self.last_exit = max(mine[0].end, self.last_exit)
            if mine[0].end == now:
                self.run.done(mine[0], now)
            changed = True
        return changed


class Departures(Place):
    """Whoever is ready at a departure boards in order of readiness until it is full (S12, S13)."""

    def __init__(self, run, id):
        super().__init__(run, id)
        self.gone = set()

    def joined(self, visit, now):
        pass

    def read(self, visit, now):
        """Of the departure."""

    def places_at(self, now):
        """Places of the departure at this instant, None if there is none."""
        raise NotImplementedError

    def crossing_h(self, now):
        """Time of the crossing that begins now. [h]"""
        raise NotImplementedError

    def settle(self, now):
        changed = self.take_in(now)
        places = None if now in self.gone else self.places_at(now)
        if places is None:
            return changed
        self.gone.add(now)
        load = sorted(self.waiting, key=lambda visit: (visit.join, visit.truck.number))
        for visit in load[: places if places < math.inf else None]:
            visit.time = self.crossing_h(now)
            self.begin(visit, now)
            if visit.time == 0:
                self.run.done(visit, now)
            changed = True
        return changed


class Boat(Departures):
    """A leg while a timetable is in force on it."""

    def __init__(self, run, id, leg):
        super().__init__(run, id)
        self.leg = leg

    def tables(self):
        """Every timetable that the leg may have in the run."""
        force = self.run.force
        own = [self.run.scenario.legs[self.leg].timetable]
        more = [one.timetable for _, one in force.of_kind("timetable") if force.where(one) == ["legs", self.leg]]
        return [table for table in (*own, *more) if table is not None]

    def departures(self, table):
        """All departures of one timetable with their places: `every_h` counts from the start of the run (D28)."""
        if table.every_h is not None:
            found, at = [], table.first_h
            while at <= self.run.horizon_h:
                found.append((on_grid(at), table.places))
                at = table.first_h + len(found) * table.every_h
            return found
        places = table.places if isinstance(table.places, tuple) else (table.places,) * len(table.departures)
        return [
            (hours_of(at, self.run.scenario.run.start, 0.0), number)
            for at, number in zip(table.departures, places, strict=True)
        ]

    def edges(self):
        return {at for table in self.tables() for at, _ in self.departures(table)}

    def places_at(self, now):
        force = self.run.force
        if force.leg_closed(self.leg, now):
            return None  # nothing sails from a closed leg; its load waits for the next
        table = force.timetable(self.leg, now)
        if table is None:
            return math.inf  # the timetable has ended: whoever still waits goes at once
        places = [number for at, number in self.departures(table) if at == now]
        return sum(places) if places else None

    def settle(self, now):
        # Nobody waits here unless a timetable is or was in force.
        return super().settle(now) if self.waiting or self.arrived else False

    def crossing_h(self, now):
        law = self.run.scenario.legs[self.leg]
        assert law.travel is None
        assert law.speed_cv == 0
        return on_grid(law.length_km / law.speed_kmh / self.run.force.speed(self.leg, now))


class Slots(Departures):
    """Booked slots of one direction of a post, waited for away from it: so many a local day, evenly spaced."""

    def __init__(self, run, post, direction):
        super().__init__(run, f"{post}.{direction}.slots")
        self.post, self.direction = post, direction
        offset = run.scenario.checkpoints[post].utc_offset_h
        self.days = midnights(run.scenario.run.start, offset, run.horizon_h)
        self.terms = run.scenario.checkpoints[post].slots.get(direction)

    def number(self, day):
        """Slots of a local day: the number in force at its start."""
        return self.run.force.slots_per_day(self.post, self.direction, max(0.0, day))

    def in_use(self, now):
        """Whether slots are booked on the local day of an instant."""
        if self.terms is not None and self.terms.by_hour:
            return True
        return self.number(max(day for day in self.days if day <= now))[0] is not None

    def slots(self):
        """All slots: instant and places."""
        if self.terms is not None and self.terms.by_hour:
            return self.with_holders(self.by_hour())
        found = {}
        for day in self.days:
            number, every_h = self.number(day)
            if number is None:
                continue
            if every_h is None:
                times = [(24 * k / number, 1) for k in range(number)]
            else:
                groups = max(1, math.floor(24 / every_h))
                upto = [round(number * k / groups) for k in range(groups + 1)]
                times = [(every_h * k, upto[k + 1] - upto[k]) for k in range(groups)]
            for hour, places in times:
                at = on_grid(day + hour)
                found[at] = found.get(at, 0) + places
        return self.with_holders(found)

    def by_hour(self):
        """S29: so many in each local hour, evenly spaced (strategies change numbers at whole hours only)."""
        found = {}
        offset = self.run.scenario.checkpoints[self.post].utc_offset_h
        for day in self.days:
            for hour in range(24):
                number = by_hour(self.terms.by_hour, *local(self.run.scenario.run.start, offset, day + hour))
                for k in range(number):
                    found[on_grid(day + hour + k / number)] = 1
        return found

    def with_holders(self, places):
        """S29: without the places whose holder does not come."""
        if self.terms is None or not self.terms.no_show:
            return places
        lost, left = iter(self.run.draws.lost[self.id]), {}
        for at in sorted(places):
            if 0 <= at < self.run.horizon_h:
                left[at] = sum(not next(lost) for _ in range(places[at]))
        return left

    def edges(self):
        return {*self.days, *self.slots()}

    def places_at(self, now):
        if not self.in_use(now):
            return math.inf  # booking has ended: whoever still waits goes at once
        return self.slots().get(now)

    def settle(self, now):
        return super().settle(now) if self.waiting or self.arrived else False

    def crossing_h(self, now):
        return 0.0


class Acceptance(Place):
    """D17, D31: at most so many a local day are taken over in one direction, and none at a closed post."""

    def __init__(self, run, post, direction):
        super().__init__(run, f"{post}.{direction}.acceptance")
        self.post, self.direction = post, direction
        offset = run.scenario.checkpoints[post].utc_offset_h
        self.days = midnights(run.scenario.run.start, offset, run.horizon_h)
        self.day, self.left = None, None

    def edges(self):
        return set(self.days)

    def joined(self, visit, now):
        visit.time = 0.0

    def read(self, visit, now):
        """It takes no time."""

    def calendar(self, now):
        """Local midnight: the number in force is there anew; what was left over has lapsed."""
        day = max(day for day in self.days if day <= now)
        if day != self.day:
            self.day = day
            number = self.run.force.accepted_per_day(self.post, self.direction, max(0.0, day))
            self.left = math.inf if number is None else number

    def is_open(self, now):
        """D31: each used stage with lanes has one open."""
        return all(stage.lanes_now(now) > 0 for stage in self.run.stages_of(self.post, self.direction))

    def settle(self, now):
        changed = self.take_in(now)
        while now >= 0 and self.waiting and self.left > 0 and (self.left == math.inf or self.is_open(now)):
            visit = self.first_waiting()
            self.left -= 1
            self.begin(visit, now)
            self.run.done(visit, now)
            changed = True
        return changed
