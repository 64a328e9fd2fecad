"""Paths of the values that improvements change, and what stands there.

To let improvements change another value, add its name here and read the
changes of that path in `corridor_sim/flatten`.
"""

from __future__ import annotations

from collections.abc import Iterable

from corridor_sim.core.errors import Problem, nearest
from corridor_sim.model.checkpoints import DIRECTIONS
from corridor_sim.model.corridor import Corridor

LANE_FIELDS = ("lanes", "opening_hours", "priority", "yard", "reserved")
"""Values of the lanes; where both directions share them there is one of each."""
STAGE_FIELDS = (*LANE_FIELDS, "service", "factor", "factor_by_class", "share", "share_by_class", "reliefs")
LEG_FIELDS = ("open", "speed_kmh", "headway_h", "max_vehicles", "timetable", "closed")
FLOW_FIELDS = ("per_day", "growth_per_year", "diverted")
POST_TABLES = {"acceptance": ("per_day",), "slots": ("per_day", "every_h"), "channels": ("shares", "by_class")}
FIXED_FIELDS = ("overflow",)
"""Values that stay the same throughout one run."""


def path_problem(corridor: Corridor, path: str) -> Problem | None:
    """What is wrong with the path of a change, or None."""
    table, *parts = path.split(".")
    tables: dict[str, Iterable[str]] = {
        "checkpoints": corridor.checkpoints,
        "places": corridor.places,
        "legs": corridor.legs,
        "flows": corridor.flows,
        "staff_pools": corridor.staff_pools,
        "crossings": corridor.crossings,
    }
    if table not in tables:
        return _absent(path, table, tables)
    if not parts or parts[0] not in tables[table]:
        return _absent(path, parts[0] if parts else "", tables[table])
    if len(parts) < 2:
        return Problem(f"changes {path!r}, which is no single value")
    match table:
        case "checkpoints":
            return _post_problem(corridor, path, parts)
        case "places":
            if parts[1] != "transfer":
                return _absent(path, parts[1], ("transfer",))
            return _stage_problem(path, parts[2:], corridor.places[parts[0]].transfer)
        case _:
            fields = {"legs": LEG_FIELDS, "flows": FLOW_FIELDS, "staff_pools": ("members",), "crossings": ("one_stop",)}
            return None if parts[1] in fields[table] else _absent(path, parts[1], fields[table])


def _post_problem(corridor: Corridor, path: str, parts: list[str]) -> Problem | None:
    post = corridor.checkpoints[parts[0]]
    if parts[1] == "open":
        return None
    if parts[1] in DIRECTIONS:
        return _stage_problem(path, parts[2:], post.stages(parts[1]))
    if parts[1] not in POST_TABLES:
        return _absent(path, parts[1], ("open", *DIRECTIONS, *POST_TABLES))
    if len(parts) < 4 or parts[2] not in DIRECTIONS:
        return _absent(path, parts[2] if len(parts) > 2 else "", DIRECTIONS)
    fields = POST_TABLES[parts[1]]
    return None if parts[3] in fields else _absent(path, parts[3], fields)


def _stage_problem(path: str, parts: list[str], stages: Iterable[str]) -> Problem | None:
    if not parts or parts[0] not in stages:
        return _absent(path, parts[0] if parts else "", stages)
    if len(parts) < 2 or parts[1] not in STAGE_FIELDS:
        return _absent(path, parts[1] if len(parts) > 1 else "", STAGE_FIELDS)
    return None


def _absent(path: str, name: str, known: Iterable[str]) -> Problem:
    names = list(known)
    allowed = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return Problem(f"changes {path!r}, where {name!r} does not exist", "", None, allowed, nearest(name, names))


def canonical(corridor: Corridor, path: str) -> str:
    """The path itself; for lanes that both directions share, the one of the exit direction."""
    parts = path.split(".")
    of_lanes = len(parts) >= 5 and parts[0] == "checkpoints" and parts[2] == "entry" and parts[4] in LANE_FIELDS
    if of_lanes and corridor.checkpoints[parts[1]].is_shared(parts[3]):
        parts[2] = "exit"
    return ".".join(parts)


def utc_offset_of(corridor: Corridor, path: str) -> float:
    """Local time minus UTC where a path lies: that of its post, place or pool, else 0. [h]"""
    parts = path.split(".")
    match parts[0]:
        case "checkpoints":
            return corridor.checkpoints[parts[1]].utc_offset_h
        case "places":
            return corridor.places[parts[1]].utc_offset_h
        case "staff_pools":
            return corridor.staff_pools[parts[1]].utc_offset_h
        case "crossings":
            return corridor.checkpoints[corridor.crossings[parts[1]][0]].utc_offset_h
    return 0.0
