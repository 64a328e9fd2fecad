"""Paths of the values that improvements change, and what stands there.

To let improvements change another value, add its name here and read the
changes of that path in `corridor_sim/plan`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from corridor_sim.core.errors import Problem, nearest
from corridor_sim.core.local_time import UTC, LocalTime
from corridor_sim.model.checkpoints import Checkpoint
from corridor_sim.model.corridor import Corridor
from corridor_sim.model.directions import DIRECTIONS
from corridor_sim.model.stages import Stage

LANE_FIELDS = ("lanes", "extra_lanes", "gate", "opening_hours", "priority", "yard", "reserved", "closed")
"""Values of the lanes; where both directions share them there is one of each."""
STAGE_FIELDS = (*LANE_FIELDS, "service", "factor", "factor_by_class", "share", "share_by_class", "reliefs")
RESERVED_FIELDS = ("lanes", "overflow")
LEG_CLOSINGS = {"": "closed", "forward": "closed_forward", "backward": "closed_backward"}
"""Field that closes a leg, by the direction that is closed; "" is both."""
LEG_FIELDS = ("open", "speed_kmh", "headway_h", "max_vehicles", "timetable", *LEG_CLOSINGS.values())
FLOW_FIELDS = ("per_day", "growth_per_year", "diverted")

Names = Mapping[str, "Names | None"]
"""What may stand at one place of a path, each with what may follow it; None where the path ends."""


def path_problems(corridor: Corridor, paths: Iterable[str], former: Iterable[str] = ()) -> list[Problem]:
    """What is wrong with the paths of changes, one problem a wrong path; each is read to its last field.

    `former` are cargo classes whose flows were taken out; a change may still name them.

    Examples
    --------
    >>> [str(problem) for problem in path_problems(Corridor(), ["leg.coast.speed_kmh"])]
    ["changes 'leg.coast.speed_kmh', where 'leg' does not exist (allowed: checkpoints, places, legs, flows, \
staff_pools, crossings); did you mean 'legs'?"]
    """
    paths = list(paths)
    tables = _tables(corridor, former, paths)
    found = (_path_problem(tables, path) for path in dict.fromkeys(paths))
    return [problem for problem in found if problem is not None]


def _path_problem(tables: Names, path: str) -> Problem | None:
    known: Names | None = tables
    parts = path.split(".")
    for n, part in enumerate(parts):
        if known is None:
            return Problem(f"changes {path!r}, where {'.'.join(parts[:n])!r} is a value and holds no {part!r}")
        if part not in known:
            return _absent(path, part, known)
        known = known[part]
    if known is not None:
        return Problem(f"changes {path!r}, which is no single value", allowed=f"{path}. and one of {_listed(known)}")
    return None


def _tables(corridor: Corridor, former: Iterable[str], paths: Iterable[str]) -> Names:
    """Everything that improvements can change, as nested names; bans of legs may have new ones."""
    new = [path.split(".")[3] for path in paths if path.startswith("legs.") and path.split(".")[2:3] == ["bans"]]
    classes = sorted({*former, *(flow.cargo_class for flow in corridor.flows.values())})
    flow = {**_ends(*FLOW_FIELDS), "diverted": _ends(*corridor.crossings)}
    return {
        "checkpoints": {id: _post_names(post, classes) for id, post in corridor.checkpoints.items()},
        "places": {id: {"transfer": _stages_names(place.transfer, classes)} for id, place in corridor.places.items()},
        "legs": {id: {**_ends(*LEG_FIELDS), "bans": _ends(*leg.bans, *new)} for id, leg in corridor.legs.items()},
        "flows": dict.fromkeys(corridor.flows, flow),
        "staff_pools": dict.fromkeys(corridor.staff_pools, _ends("members")),
        "crossings": dict.fromkeys(corridor.crossings, _ends("one_stop")),
    }


def _post_names(post: Checkpoint, classes: Iterable[str]) -> Names:
    channels = {
        way: {
            "shares": _ends(*given.shares),
            "by_class": dict.fromkeys(sorted({*classes, *given.by_class}), _ends(*given.shares)),
        }
        for way, given in post.channels.items()
    }
    return {
        "open": None,
        **{way: _stages_names(post.stages(way), classes) for way in DIRECTIONS},
        "acceptance": dict.fromkeys(DIRECTIONS, _ends("per_day")),
        "slots": dict.fromkeys(DIRECTIONS, _ends("per_day", "every_h")),
        "channels": channels,
    }


def _stages_names(stages: Mapping[str, Stage], classes: Iterable[str]) -> Names:
    """Names at some stages; a class is known that a flow has or that the stage itself names."""
    return {
        id: {
            **_ends(*STAGE_FIELDS),
            "reserved": dict.fromkeys(sorted({*classes, *stage.reserved}), _ends(*RESERVED_FIELDS)),
            "factor_by_class": _ends(*sorted({*classes, *stage.factor_by_class})),
            "share_by_class": _ends(*sorted({*classes, *stage.share_by_class})),
        }
        for id, stage in stages.items()
    }


def _ends(*names: str) -> Names:
    return dict.fromkeys(names, None)


def _absent(path: str, name: str, known: Iterable[str]) -> Problem:
    return Problem(f"changes {path!r}, where {name!r} does not exist", "", None, _listed(known), nearest(name, known))


def _listed(known: Iterable[str]) -> str:
    names = list(known)
    return ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")


def canonical(corridor: Corridor, path: str) -> str:
    """The path itself; for lanes that both directions share, the one of the exit direction."""
    parts = path.split(".")
    of_lanes = len(parts) >= 5 and parts[0] == "checkpoints" and parts[2] == "entry" and parts[4] in LANE_FIELDS
    if of_lanes and corridor.checkpoints[parts[1]].is_shared(parts[3]):
        parts[2] = "exit"
    return ".".join(parts)


def local_time_of(corridor: Corridor, path: str) -> LocalTime:
    """Local time where a path lies: that of its post, place or pool, else UTC."""
    parts = path.split(".")
    match parts[0]:
        case "checkpoints":
            return corridor.checkpoints[parts[1]].local_time
        case "places":
            return corridor.places[parts[1]].local_time
        case "staff_pools":
            return corridor.staff_pools[parts[1]].local_time
        case "crossings":
            return corridor.checkpoints[corridor.crossings[parts[1]][0]].local_time
    return UTC


def all_stages(corridor: Corridor) -> Iterator[tuple[str, Stage]]:
    """Every stage of the corridor with its path."""
    for id, post in corridor.checkpoints.items():
        for direction in DIRECTIONS:
            for name, stage in post.stages(direction).items():
                yield f"checkpoints.{id}.{direction}.{name}", stage
    for id, place in corridor.places.items():
        for name, stage in place.transfer.items():
            yield f"places.{id}.transfer.{name}", stage
