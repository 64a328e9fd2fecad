"""Improvements of a corridor, by kind: what a planner can change, and when.

Posts are in `posts.py`, the one-stop post in `one_stop.py`, legs and demand in `network.py`, what all share
in `base.py`. A new kind is one class with `changes`, registered in one of these files.
"""

from corridor_sim.model.improvements.bans import ChangeBans
from corridor_sim.model.improvements.base import (
    IMPROVEMENTS,
    Improvement,
    LegImprovement,
    PostImprovement,
    Works,
)
from corridor_sim.model.improvements.network import (
    Closure,
    DemandGrowth,
    LegCapacity,
    LegSpeed,
    NewTimetable,
    OpenLeg,
    OpenPost,
)
from corridor_sim.model.improvements.one_stop import OneStopPost
from corridor_sim.model.improvements.posts import (
    AddLanes,
    DailyAcceptance,
    GateByQueue,
    InspectionShare,
    LanesByQueue,
    OpeningHours,
    PreArrival,
    PriorityClass,
    PriorityLane,
    RemoveLanes,
    ServiceTimeChange,
    SetCapacity,
    SlotBooking,
    YardPlaces,
)

__all__ = [
    "IMPROVEMENTS",
    "AddLanes",
    "ChangeBans",
    "Closure",
    "DailyAcceptance",
    "DemandGrowth",
    "GateByQueue",
    "Improvement",
    "InspectionShare",
    "LanesByQueue",
    "LegCapacity",
    "LegImprovement",
    "LegSpeed",
    "NewTimetable",
    "OneStopPost",
    "OpenLeg",
    "OpenPost",
    "OpeningHours",
    "PostImprovement",
    "PreArrival",
    "PriorityClass",
    "PriorityLane",
    "RemoveLanes",
    "ServiceTimeChange",
    "SetCapacity",
    "SlotBooking",
    "Works",
    "YardPlaces",
]
