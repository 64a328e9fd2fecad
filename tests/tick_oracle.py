"""A line of stations simulated one unit of time after the other, by scanning lists: slow and independent.

Nothing is scheduled: at every tick each truck is looked at, what is over is
over, who may start starts, and every running service is shortened by one. Only
for whole-number times, and for trucks that visit all stations in order, but for
those who give up (rule S34): `patience` says by station what becomes of them,
``"lost"`` or ``"on"`` to the next station, and a truck takes so long at ``"A patience"``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass
class Row:
    """One truck: its plan, where it is, and what has happened to it."""

    number: int
    flow: int
    release: int
    durations: list[int]
    at: int = -1
    state: str = "coming"
    left: int = 0
    lane: int = -1
    pool: int = 0
    requeued: bool = False
    interrupted: bool = False
    late: bool = False
    patience: list = field(default_factory=list)
    turn: int = 0
    join: list = field(default_factory=list)
    start: list = field(default_factory=list)
    finish: list = field(default_factory=list)
    leave: list = field(default_factory=list)


class Ticks:
    def __init__(self, stations, trucks, until, patience=None):
        self.stations, self.until, self.now, self.turn = stations, until, 0, 0
        self.ids = ids = [station.id for station in stations]
        self.after = [(patience or {}).get(id) for id in ids]
        self.extra, self.ready = [0] * len(ids), [math.inf] * len(ids)
        self.shut = [[False] * len(station.gates) for station in stations]
        self.rows = [
            Row(
                k,
                truck.flow,
                int(truck.release),
                [int(truck.take[id]) for id in ids],
                patience=[truck.take[f"{id} patience"] if id in (patience or {}) else math.inf for id in ids],
            )
            for k, truck in enumerate(trucks)
        ]

    def run(self):
        for row in self.rows:
            for times in (row.join, row.start, row.finish, row.leave):
                times.extend([None] * len(self.stations))
        for now in range(self.until + 1):
            self.now = now
            for row in self.rows:
                if row.state == "serving" and row.left == 0:
                    self.over(row)
            for k, station in enumerate(self.stations):
                self.calendar(k, station)
                self.bring_extra_lanes(k)
            self.look()
            for row in self.rows:
                if row.at == -1 and row.release == self.now:
                    row.at = 0
            self.move()
            for row in self.rows:
                if row.state == "serving" and not self.frozen(row):
                    row.left -= 1
        return self.rows

    # -- lanes ----------------------------------------------------------------

    def lanes(self, k, at=None):
        return int(self.stations[k].lanes.at(self.now if at is None else at))

    def down(self, k, lane, at=None):
        at = self.now if at is None else at
        return any(
            outage.from_h <= at < outage.until_h and outage.lane in (None, lane + 1)
            for outage in self.stations[k].outages
        )

    def last_open(self, k):
        """The last instant up to now at which the station was open by its calendar, -1 if none."""
        at = self.now
        while at >= 0 and self.lanes(k, at) == 0:
            at -= 1
        return at

    def by_lane(self, k):
        return self.stations[k].named is not None or any(o.lane is not None for o in self.stations[k].outages)

    def open_lanes(self, k):
        """Numbers of the lanes that may start services now, by the calendar and the outages."""
        station = self.stations[k]
        at = self.last_open(k) if station.closing == "clear_queue" else self.now
        if at < 0:
            lanes = []
        elif station.named is not None:
            lanes = [lane for lane, calendar in enumerate(station.named) if calendar.at(at)]
        else:
            lanes = list(range(self.lanes(k, at)))
        return [lane for lane in lanes if not self.down(k, lane)]

    def holders(self, k):
        return [row for row in self.rows if row.at == k and row.state in ("serving", "done")]

    def room(self, k):
        """Free lanes by pool; below 0 where more are inside than may be."""
        station = self.stations[k]
        lanes = self.open_lanes(k)
        counted = [
            row
            for row in self.holders(k)
            if not self.by_lane(k) or (not self.down(k, row.lane) and (station.named is None or row.lane in lanes))
        ]
        left, room = len(lanes), {}
        for pool, reservation in enumerate(station.reserved, 1):
            room[pool] = min(left, int(reservation.lanes.at(self.now)))
            left -= room[pool]
        room[0] = left + (self.extra[k] if self.lanes(k) > 0 and not self.down(k, -1) else 0)
        for row in counted:
            room[row.pool if self.binds(k, row.pool) else 0] -= 1
        return room

    def pool_for(self, k, flow):
        """The pool that takes one of this flow now, or None."""
        station, room, mine = self.stations[k], self.room(k), self.line(k, flow)
        if self.by_lane(k) and {row.lane for row in self.holders(k)} >= set(self.open_lanes(k)):
            return None
        if room[mine] > 0:
            return mine
        if mine and station.reserved[mine - 1].overflow and room[0] > 0:
            return 0
        return None

    def binds(self, k, pool):
        """Whether the flows of a reservation have lanes of their own now."""
        return pool == 0 or self.stations[k].reserved[pool - 1].lanes.at(self.now) > 0

    def line(self, k, flow):
        """The pool in whose line a flow stands now."""
        mine = next((p for p, r in enumerate(self.stations[k].reserved, 1) if flow in r.flows), 0)
        return mine if self.binds(k, mine) else 0

    def frozen(self, row):
        station = self.stations[row.at]
        lane = row.lane if self.by_lane(row.at) else 0
        return station.outage_policy in ("resume", "restart") and self.down(row.at, lane)

    def calendar(self, k, station):
        if self.now == 0:
            return
        closing = self.lanes(k) == 0 and self.lanes(k, self.now - 1) > 0
        opening = self.lanes(k) > 0
        for row in self.rows:
            if row.at != k:
                continue
            if opening:
                row.late = False
            if row.state in ("serving", "parked") and closing and station.closing in ("suspend", "restart"):
                row.state = "parked"
                if station.closing == "restart":
                    row.left = row.durations[k]
            if row.state in ("serving", "parked"):
                lane = row.lane if self.by_lane(k) else 0
                failed = self.down(k, lane) and not self.down(k, lane, self.now - 1)
                if failed and station.outage_policy == "restart":
                    row.left = row.durations[k]
                if failed and station.outage_policy == "requeue" and row.state == "serving":
                    row.state, row.requeued, row.lane = "waiting", True, -1

    # -- moves ----------------------------------------------------------------

    def over(self, row):
        row.finish[row.at] = self.now
        row.state = "done"
        if row.at + 1 == len(self.stations):
            self.away(row)
            row.state = "gone"
        elif self.stations[row.at + 1].yard is None:
            self.away(row)
            row.at, row.state = row.at + 1, "coming"

    def away(self, row):
        row.leave[row.at] = self.now
        row.lane = -1

    def move(self):
        again = True
        while again:
            again = any(self.settle_and_look(k) for k in range(len(self.stations)))

    def settle_and_look(self, k):
        moved = self.settle(k)
        return self.look() or moved

    def settle(self, k):
        moved = False
        for row in self.rows:
            if row.at == k and row.state == "coming":
                self.enter(row, k)
                moved = True
        while self.admit(k) or self.begin(k) or self.interrupt(k) or self.slip_in(k) or self.ask(k) or self.give_up(k):
            moved = True
        return moved

    def enter(self, row, k):
        row.at, row.state, row.requeued, row.interrupted = k, "waiting", False, False
        row.join[k], row.left = self.now, row.durations[k]
        row.late = self.stations[k].closing == "clear_queue" and self.lanes(k) == 0

    def asking(self, k):
        return sorted(
            (row for row in self.rows if row.at == k - 1 and row.state == "done"),
            key=lambda row: (row.finish[k - 1], row.number),
        )

    def waiting(self, k):
        return [row for row in self.rows if row.at == k and row.state == "waiting"]

    def admit(self, k):
        asking = self.asking(k) if k else []
        if asking and sum(row.start[k] is None for row in self.waiting(k)) < self.stations[k].yard:
            self.away(asking[0])
            self.enter(asking[0], k)
            return True
        return False

    def slip_in(self, k):
        if k and self.stations[k].yard == 0 and not any(self.shut[k]):
            for row in self.asking(k):
                late = self.stations[k].closing == "clear_queue" and self.lanes(k) == 0
                same = [one for one in self.waiting(k) if self.line(k, one.flow) == self.line(k, row.flow)]
                if not late and not same and self.pool_for(k, row.flow) is not None and self.fits(k, row.durations[k]):
                    self.away(row)
                    self.enter(row, k)
                    return True
        return False

    def fits(self, k, left):
        if self.stations[k].closing != "no_overrun":
            return True
        return all(self.lanes(k, self.now + ahead) > 0 for ahead in range(left))

    def take(self, k, row, pool):
        """Into the lowest-numbered idle lane."""
        taken = {holder.lane for holder in self.holders(k)}
        if self.by_lane(k):
            row.lane = next(lane for lane in self.open_lanes(k) if lane not in taken)
        row.state, row.pool = "serving", pool

    def begin(self, k):
        line = sorted(
            self.waiting(k),
            key=lambda row: (
                not row.requeued, self.rank(k, row), row.join[k], row.number,
            ),
        )  # fmt: skip
        parked = [row for row in self.rows if row.at == k and row.state == "parked"]
        for row in sorted(parked, key=lambda row: row.turn):
            pool = self.pool_for(k, row.flow)
            if pool is not None and self.lanes(k) > 0:
                self.take(k, row, pool)
                return True
        kept_back = set()
        for row in line:
            if row.late or self.line(k, row.flow) in kept_back or (any(self.shut[k]) and row.start[k] is None):
                continue
            kept_back.add(self.line(k, row.flow))
            pool = self.pool_for(k, row.flow)
            if pool is None or not self.fits(k, row.left):
                continue
            self.start(k, row, pool)
            return True
        return False

    def start(self, k, row, pool):
        if row.start[k] is None:
            row.start[k] = self.now
        row.requeued = row.interrupted = False
        self.turn += 1
        row.turn = self.turn
        self.take(k, row, pool)
        if row.left == 0:
            self.over(row)

    def rank(self, k, row):
        return self.stations[k].rank[row.flow] if self.stations[k].rank else 0

    # -- priority that interrupts (S35), patience (S34) -----------------------

    def interrupt(self, k):
        """The first in the queue takes the lane of the least urgent, of these of the one who took it last."""
        station = self.stations[k]
        closed = self.lanes(k) == 0 and station.closing != "clear_queue"
        if station.preemption is None or closed or self.down(k, -1) or self.room(k)[0] < 0:
            return False
        queue = sorted((self.rank(k, row), row.join[k], row.number) for row in self.waiting(k) if not row.late)
        serving = [row for row in self.rows if row.at == k and row.state == "serving"]
        serving.sort(key=lambda row: (self.rank(k, row), row.turn))
        if not queue or not serving or self.rank(k, serving[-1]) <= queue[0][0]:
            return False
        loser, first = serving[-1], self.rows[queue[0][2]]
        loser.state, loser.interrupted = "waiting", True
        if station.preemption == "restart":
            loser.left = loser.durations[k]
        self.start(k, first, 0)
        return True

    def give_up(self, k):
        """All whose patience is over leave together."""
        gone = [row for row in self.waiting(k) if row.start[k] is None and row.join[k] + row.patience[k] <= self.now]
        for row in gone:
            row.leave[k] = self.now
            row.patience = [math.inf] * len(self.stations)
            row.at, row.state = k + 1, "coming"
            if self.after[k] == "lost" or row.at == len(self.stations):
                row.state = "gone"
        return bool(gone)

    # -- gates (S31), lanes opened by the queue (S27) -------------------------

    def look(self):
        """Ask all gates; whether one has closed or opened."""
        before = [list(shut) for shut in self.shut]
        for k, station in enumerate(self.stations):
            for g, gate in enumerate(station.gates):
                queue = sum(row.start[j] is None for j in map(self.ids.index, gate.queues) for row in self.waiting(j))
                if queue >= gate.close_at.at(self.now):
                    self.shut[k][g] = True
                elif queue < gate.open_below.at(self.now):
                    self.shut[k][g] = False
        return before != self.shut

    def bring_extra_lanes(self, k):
        """What is ready opens; the hours and the limit close."""
        if (terms := self.stations[k].extra_lanes) is None:
            return
        most = int(terms.most.at(self.now)) if self.lanes(k) > 0 else 0
        if self.ready[k] <= self.now:
            self.extra[k], self.ready[k] = self.extra[k] + 1, math.inf
        if self.extra[k] >= most:
            self.extra[k], self.ready[k] = most, math.inf

    def ask(self, k):
        """One lane more or less by how many wait; whether the number open has changed."""
        terms, station = self.stations[k].extra_lanes, self.stations[k]
        if terms is None or self.lanes(k) == 0 or self.down(k, -1):
            return False
        queue = [row for row in self.rows if row.at == k and row.state in ("waiting", "parked")]
        lines = [self.line(k, row.flow) for row in queue]
        count = sum(mine == 0 or station.reserved[mine - 1].overflow for mine in lines)
        if count > terms.above.at(self.now) and self.extra[k] < terms.most.at(self.now) and self.ready[k] == math.inf:
            if start_up := terms.start_up_h.at(self.now):
                self.ready[k] = self.now + start_up
                return False
            self.extra[k] += 1
            return True
        if count < terms.below.at(self.now):
            self.ready[k] = math.inf
            if self.extra[k] and self.room(k)[0] >= 0:
                self.extra[k] -= 1
                return True
        return False
