"""The queue kernels: arrays of times in, arrays of times out, no random numbers inside.

Each answers one question about one kind of queue and is usable alone
(``corridor_sim.queues``). Times have shape (consignment,) or (replication,
consignment), in hours or any other unit; on the clock grid every form of a kernel
gives the same bits. A new kernel goes into the file whose question it answers, or
a new file, and is listed here; `loops` holds the same recursions for `compiled`.
Timetables and quotas have no compiled form: they have closed forms, or are rare.
"""

from __future__ import annotations

import warnings
from typing import Any

from corridor_sim.engines.queues.fifo import fifo
from corridor_sim.engines.queues.hours import Clock, Hours, Pool, pooled
from corridor_sim.engines.queues.lanes import lane_count, lanes
from corridor_sim.engines.queues.layout import Pieces
from corridor_sim.engines.queues.limited_legs import LegState, limited_leg
from corridor_sim.engines.queues.line import StationTimes, line
from corridor_sim.engines.queues.priority import priority
from corridor_sim.engines.queues.reservations import KeptLanes, reserved
from corridor_sim.engines.queues.timetables import Quay, quota, slots, timetable, timetable_by_class, when_full

__all__ = [
    "Clock",
    "Hours",
    "KeptLanes",
    "LegState",
    "Pieces",
    "Pool",
    "Quay",
    "StationTimes",
    "fifo",
    "lane_count",
    "lanes",
    "limited_leg",
    "line",
    "pooled",
    "priority",
    "quota",
    "reserved",
    "slots",
    "timetable",
    "timetable_by_class",
    "when_full",
]

_FORMER_NAMES = {"Leg": "LegState", "passage": "limited_leg"}


def __getattr__(name: str) -> Any:
    """Names of the release before, kept for one release."""
    if name not in _FORMER_NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    now = _FORMER_NAMES[name]
    warnings.warn(f"corridor_sim.queues.{name} is now corridor_sim.queues.{now}", DeprecationWarning, stacklevel=2)
    return globals()[now]
