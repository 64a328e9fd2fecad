"""The reference engine: one replication after the other on SimPy's event set.

The rules (docs/rules.md) say what happens; this page adds what they leave open. Where a new
mechanism goes: an element of its own into a file next to `legs.py` and into the
list in `run.py`; a new habit of stations into `full_station.py`, or `joining.py`
if it concerns who comes; its name into `refusals.py`.

**One instant.** All events at t come first (endings, calendar, releases), then
every element that was touched settles in the order of the plan, and again if it
is touched again, until none is. Settling an element means: those who came at t
join, in the order of rule S04; then starts and moves, one by one. A zero-length stay
ends within its element's turn. A departure takes place at its element's turn,
when all who can be ready at t are; with a crossing of no time the load
lands before any later element settles. So in a plan without cycles no
service starts anywhere before all who join there at t have joined.
On a cycle of elements a move at t back to an element that has settled at t
makes it settle again; a zero-length service there is refused.

**Reading by date (D13).** Whether a step is taken (its share, reliefs of factor 0)
is decided when the consignment comes to it; law, factor and the other reliefs are
read when its service starts. Factors are multiplied in the order: duration,
factor, reliefs in their order; the product is rounded to the grid once. A step
that is not taken leaves no visit. `service_h` is filled in at joining and again
at the start (a timetable: at departure), finished or not.

**Dated priority and yards.** The rank is read at joining and kept; a queue is
not sorted again when the order changes. More places let in those who are blocked at
that instant; fewer send no one away, and none enters until there is room.

**Capacity falls to 0.** ``suspend`` stops the clock of every service under way and
takes its lane; as lanes open again (or fall free) the interrupted services go on, in
order of their starts and before anything else starts (rule D30); with ``restart`` they begin
anew. They keep their staff. ``clear_queue``
goes on with the lanes that were open just before, for those who joined before
the closing instant; the others wait for the opening. ``no_overrun`` looks ahead
to the next instant at which capacity is 0, and to nothing else (partial falls
and outages are not foreseen); the first in queue order that does not fit keeps
back those behind it who would use the same lanes. For named lanes capacity is
the sum over the lanes.

**Outages.** Overlapping outages of a lane count as one; an outage that begins
the instant another ends does not interrupt again. A station-wide outage leaves no
lane. An outage of one lane takes that lane: pooled lanes 1..c(t) are open, and
a consignment on a lane that is down takes no other lane's place. Those that
``requeue`` puts back stand before all others, in queue order among themselves,
and not in the yard; they keep their staff. With ``finish`` a service under way
is completed. A lane that is down can be left by one that has finished.

**Reserved lanes.** Open lanes are given to the reservations first, in the order
of the plan; the rest is general. A flow belongs to the first reservation naming
it. Each pool follows rule S07 for itself: a lane newly reserved serves its flows though
those who took it before are not done. While a reservation has no lanes its flows stand
in the general line, and those still in its lanes count as general. With overflow a flow's own lanes are
tried before the general ones. The next to start is always the first in queue
order (of all that wait) that has a lane.

**Yards.** Those who come from outside stand on the road, which is unlimited,
and count in the yard. A consignment from another element waits there, keeping
its lane or its place on the leg; room is given in order of (finish, number),
before the next start and again after each start. Without a yard (0) the first
of them moves the consignment that a lane takes at once.

**Legs.** Entry is in order of joining, at the first instant that is not earlier
than the last entry plus headway, at which the leg is open, and at which there
is a place. The headway holds from the last entry, closures in between included.
With no overtaking the hold-up counts as interrupted time.

**Quota.** Consignments pass while it is open; what a day leaves over is lost. One that has passed and finds no room
beyond waits at the quota (start = finish, leave later).

**Departures** are in order of time. With `when_full` cancellations do not apply, and departure k
takes the k-th crossing drawn. Boarding by class is by rank, then queue order.
Landing in boarding order puts the load, among those who join the next element
at the same instant, in the order of the time at which each got ready to board;
for others that time is their joining.

**Balking** is decided at the element's turn, in the order of joining, counting
those that joined before; `announced.py` says what is announced. The other stages
of the post are read as they are at that turn: who came or ended there at this
instant counts, what is about to start there does not yet. The journey's variant
is the one last taken. One that balks more often at one instant than its flow has
steps makes no progress: an error.

**Deadlock** is an error, found at the end of the run: stations all of whose
lanes are held by consignments that wait for room in each other. Whoever merely
waits for a departure, a quota or an opening that never comes is unfinished.
"""

from __future__ import annotations

from corridor_sim.engines.event.refusals import DOES, refusals
from corridor_sim.engines.event.run import simulate

__all__ = ["DOES", "refusals", "simulate"]
