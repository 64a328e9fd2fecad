"""Improvements of a corridor, by kind: what a planner can change, and when.

Posts are in `posts.py`, the one-stop post in `one_stop.py`, legs and demand in `network.py`, what all share
in `base.py`. A new kind is one class with `changes`, registered in one of these files, with its name in `_NAMES` and
below ``TYPE_CHECKING``: each file is imported when a name of it, or a kind, is first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from corridor_sim.model.improvements.bans import ChangeBans as ChangeBans
    from corridor_sim.model.improvements.base import IMPROVEMENTS as IMPROVEMENTS
    from corridor_sim.model.improvements.base import Improvement as Improvement
    from corridor_sim.model.improvements.base import LegImprovement as LegImprovement
    from corridor_sim.model.improvements.base import PostImprovement as PostImprovement
    from corridor_sim.model.improvements.base import Works as Works
    from corridor_sim.model.improvements.network import Closure as Closure
    from corridor_sim.model.improvements.network import DemandGrowth as DemandGrowth
    from corridor_sim.model.improvements.network import LegCapacity as LegCapacity
    from corridor_sim.model.improvements.network import LegSpeed as LegSpeed
    from corridor_sim.model.improvements.network import NewTimetable as NewTimetable
    from corridor_sim.model.improvements.network import OpenLeg as OpenLeg
    from corridor_sim.model.improvements.network import OpenPost as OpenPost
    from corridor_sim.model.improvements.one_stop import OneStopPost as OneStopPost
    from corridor_sim.model.improvements.posts import AddLanes as AddLanes
    from corridor_sim.model.improvements.posts import DailyAcceptance as DailyAcceptance
    from corridor_sim.model.improvements.posts import GateByQueue as GateByQueue
    from corridor_sim.model.improvements.posts import InspectionShare as InspectionShare
    from corridor_sim.model.improvements.posts import LanesByQueue as LanesByQueue
    from corridor_sim.model.improvements.posts import OpeningHours as OpeningHours
    from corridor_sim.model.improvements.posts import PreArrival as PreArrival
    from corridor_sim.model.improvements.posts import PriorityClass as PriorityClass
    from corridor_sim.model.improvements.posts import PriorityLane as PriorityLane
    from corridor_sim.model.improvements.posts import RemoveLanes as RemoveLanes
    from corridor_sim.model.improvements.posts import ServiceTimeChange as ServiceTimeChange
    from corridor_sim.model.improvements.posts import SetCapacity as SetCapacity
    from corridor_sim.model.improvements.posts import SlotBooking as SlotBooking
    from corridor_sim.model.improvements.posts import YardPlaces as YardPlaces

_NAMES = {
    "bans": "ChangeBans",
    "base": "IMPROVEMENTS Improvement LegImprovement PostImprovement Works",
    "network": "Closure DemandGrowth LegCapacity LegSpeed NewTimetable OpenLeg OpenPost",
    "one_stop": "OneStopPost",
    "posts": (
        "AddLanes DailyAcceptance GateByQueue InspectionShare LanesByQueue OpeningHours PreArrival "
        "PriorityClass PriorityLane RemoveLanes ServiceTimeChange SetCapacity SlotBooking YardPlaces"
    ),
}
_HOME = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
