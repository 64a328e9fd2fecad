"""The queue kernels: arrays of times in, arrays of times out, no chance inside.

Each answers one question about one kind of queue and is usable alone
(``corridor_sim.queues``). Times have shape (consignment,) or (replication,
consignment), in hours or any other unit; on the clock grid every form of a kernel
gives the same bits. A new kernel goes into the file whose question it answers, or
a new file, and is listed here; `loops` holds the same recursions for `compiled`.
Timetables and quotas have no compiled form: they have closed forms, or are rare.
"""

from corridor_sim.engines.queues.fifo import fifo
from corridor_sim.engines.queues.hours import Clock, Hours, Pool, pooled
from corridor_sim.engines.queues.lanes import lane_count, lanes
from corridor_sim.engines.queues.layout import Pieces
from corridor_sim.engines.queues.line import StationTimes, line
from corridor_sim.engines.queues.passages import Leg, passage
from corridor_sim.engines.queues.priority import priority
from corridor_sim.engines.queues.timetables import Quay, quota, slots, timetable, timetable_by_class, when_full

__all__ = [
    "Clock",
    "Hours",
    "Leg",
    "Pieces",
    "Pool",
    "Quay",
    "StationTimes",
    "fifo",
    "lane_count",
    "lanes",
    "line",
    "passage",
    "pooled",
    "priority",
    "quota",
    "slots",
    "timetable",
    "timetable_by_class",
    "when_full",
]
