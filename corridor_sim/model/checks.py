"""Single checks of a scenario: does what is named exist, and does it make sense together?

Each check returns problems, errors or warnings; `resolution.problems` gathers
them. To add a check, add a function here and call it there.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping

from corridor_sim.core.errors import Problem, nearest
from corridor_sim.core.limits import MAX_CONSIGNMENTS
from corridor_sim.model.calendars import hours_after, lanes_of_cycle, overlapping
from corridor_sim.model.changes import closed_windows, pieces
from corridor_sim.model.dated_routes import ByPath, DatedRoute
from corridor_sim.model.directions import DIRECTIONS
from corridor_sim.model.flows import Flow
from corridor_sim.model.ids import alike, id_fault
from corridor_sim.model.paths import all_stages
from corridor_sim.model.routes import border_of, passes, stages_at
from corridor_sim.model.scenario import Scenario
from corridor_sim.model.stages import Stage

TYPICAL_PER_DAY = (0.5, 20_000.0)
"""A flow below or above this probably has another unit; trains and ships may be few."""
LONG_SERVICE_H = 12.0
"""A mean lane cycle above this is probably given in another unit. [h]"""
LONG_BERTH_H = 120.0
"""Mean time at a berth or terminal above which the unit may be wrong. [h]"""


def ids(scenario: Scenario) -> list[Problem]:
    """Nodes and legs whose ids are the same, or look the same; crossing ids that are no ids."""
    found: list[Problem] = []
    tables = {"places": scenario.places, "checkpoints": scenario.checkpoints, "legs": scenario.legs}
    where = [(id, f"{name}.{id}") for name, table in tables.items() for id in table]
    paths: dict[str, str] = {}
    for id, path in where:
        if id in paths:
            found.append(Problem(f"is the id of {paths[id]} too", path))
        paths.setdefault(id, path)
    for one, other in alike(paths):
        if paths[one].partition(".")[0] != paths[other].partition(".")[0]:
            found.append(Problem(f"is the same id as {one!r} but for case or accents", paths[other]))
    for id, post in scenario.checkpoints.items():
        if fault := id_fault(post.crossing):
            found.append(Problem(f"as an id {fault}", f"checkpoints.{id}.crossing", post.crossing))
    return found


def references(scenario: Scenario) -> list[Problem]:
    """Names that name nothing, and things that are named and do not belong together."""
    found = names(scenario)
    for id in scenario.legs:
        found += _border_problems(scenario, id)
    for path, stage in all_stages(scenario):
        if stage.patience is not None:
            found += _patience_problems(scenario, path, stage.patience.to)
    for id, flow in scenario.flows.items():
        found += _share_border_problems(scenario, f"flows.{id}", flow)
    return found


def names(scenario: Scenario) -> list[Problem]:
    """Names that name nothing, with the nearest one that exists."""
    found: list[Problem] = []
    nodes = [*scenario.places, *scenario.checkpoints]

    def need(path: str, name: str | None, what: str, known: Iterable[str]) -> None:
        names = list(known)
        if name is not None and name not in names:
            allowed = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
            found.append(Problem(f"is not a known {what}", path, name, allowed, nearest(name, names)))

    for id, leg in scenario.legs.items():
        need(f"legs.{id}.from", leg.from_, "place or checkpoint", nodes)
        need(f"legs.{id}.to", leg.to, "place or checkpoint", nodes)
    for path, stage in all_stages(scenario):
        need(f"{path}.staff_pool", stage.staff_pool, "staff pool", scenario.staff_pools)
        if stage.gate is not None:
            found += gate_problems(scenario, path, f"{path}.gate.queue_at", stage.gate.queue_at)
        if stage.patience is not None:
            need(f"{path}.patience.to", stage.patience.to, "crossing", scenario.crossings)
    for id, improvement in scenario.improvements.items():
        if (queue_at := getattr(improvement, "queue_at", "")) and isinstance(queue_at, str):
            found += gate_problems(scenario, improvement.at or "", f"improvements.{id}.queue_at", queue_at)
    modes = {leg.mode for leg in scenario.legs.values()}
    for id, flow in scenario.flows.items():
        at = f"flows.{id}"
        need(f"{at}.origin", flow.origin, "place or checkpoint", nodes)
        need(f"{at}.destination", flow.destination, "place or checkpoint", nodes)
        need(f"{at}.profile", flow.profile, "profile", scenario.profiles)
        for mode in flow.modes:
            need(f"{at}.modes", mode, "leg type of this corridor", sorted(modes))
        for name, entry in flow.crossing_shares.items():
            for crossing in entry.shares:
                need(f"{at}.crossing_shares.{name}", crossing, "crossing", scenario.crossings)
        if flow.balk is not None:
            need(f"{at}.balk.crossing", flow.balk.crossing, "crossing", scenario.crossings)
        if not isinstance(flow.route, str):
            for k, leg_id in enumerate(flow.route):
                need(f"{at}.route.{k}", leg_id, "leg", scenario.legs)
    return found + _class_problems(scenario)


def _patience_problems(scenario: Scenario, path: str, to: str | None) -> list[Problem]:
    """Who leaves a queue goes to another crossing of the same border."""
    table, post, *_ = path.split(".")
    if to is None or to not in scenario.crossings:
        return []
    if table == "places":
        return [Problem("has no meaning at a place: whoever leaves there is lost", f"{path}.patience.to", to)]
    here = scenario.checkpoints[post].crossing
    if to == here:
        return [Problem("is the crossing that is left", f"{path}.patience.to", to)]
    if border_of(scenario, to) != border_of(scenario, here):
        return [Problem(f"is no crossing of the border at {here}", f"{path}.patience.to", to)]
    return []


def gate_problems(scenario: Scenario, of: str, path: str, queue_at: str) -> list[Problem]:
    """What is wrong with the place whose queue the gate of the stage `of` looks at."""
    lanes: dict[str, bool] = {}
    for stage_path, stage in all_stages(scenario):
        direction = stage_path.rpartition(".")[0]
        lanes[stage_path] = stage.lanes != "unlimited"
        lanes[direction] = lanes.get(direction, False) or lanes[stage_path]
    allowed = "the path of a stage with lanes, or of a direction of a post that has one"
    if queue_at not in lanes:
        return [Problem("is no stage and no direction of a post", path, queue_at, allowed, nearest(queue_at, lanes))]
    if not lanes[queue_at]:
        return [Problem("has no lanes, so nobody waits there", path, queue_at, allowed)]
    if of == queue_at or of.startswith(f"{queue_at}."):
        return [Problem("holds the gate itself: it would look at its own queue", path, queue_at, allowed)]
    return []


def _border_problems(scenario: Scenario, id: str) -> list[Problem]:
    leg = scenario.legs[id]
    posts = [scenario.checkpoints.get(node) for node in (leg.from_, leg.to)]
    one, other = posts
    same = one is not None and other is not None and one.crossing == other.crossing
    if leg.border and not same:
        return [Problem("must join the two posts of one crossing", f"legs.{id}.border", True)]
    if same and not leg.border:
        hint = "without it no consignment on this leg is processed at the posts"
        return [Problem("joins the two posts of one crossing; write border = true", f"legs.{id}.border", hint=hint)]
    return []


def _share_border_problems(scenario: Scenario, at: str, flow: Flow) -> list[Problem]:
    found = []
    for name, entry in flow.crossing_shares.items():
        borders = {border_of(scenario, crossing) for crossing in entry.shares if crossing in scenario.crossings}
        if len(borders) > 1:
            text = "names crossings of different borders; give each border an entry of its own"
            found.append(Problem(text, f"{at}.crossing_shares.{name}"))
    dated: dict[tuple[object, frozenset[str]], str] = {}
    for name, entry in flow.crossing_shares.items():
        key = (entry.from_, frozenset(entry.shares))
        if key in dated:
            found.append(Problem(f"begins when {dated[key]!r} does", f"{at}.crossing_shares.{name}"))
        dated[key] = name
    return found


def _class_problems(scenario: Scenario) -> list[Problem]:
    """Cargo classes that no flow has, where lanes, shares, channels or improvements name them."""
    found: list[Problem] = []
    for path, stage in all_stages(scenario):
        for name in ("priority", "reserved"):
            found += _unknown_classes(scenario, f"{path}.{name}", getattr(stage, name))
        for name in ("share_by_class", "factor_by_class"):
            found += _unknown_classes(scenario, f"{path}.{name}", getattr(stage, name), "warning")
        if stage.patience is not None:
            found += _unknown_classes(scenario, f"{path}.patience.by_class", stage.patience.by_class, "warning")
    for id, post in scenario.checkpoints.items():
        for direction, channels in post.channels.items():
            found += _unknown_classes(
                scenario, f"checkpoints.{id}.channels.{direction}.by_class", channels.by_class, "warning"
            )
    for id, leg in scenario.legs.items():
        if leg.timetable is not None:
            found += _unknown_classes(scenario, f"legs.{id}.timetable.priority", leg.timetable.priority)
        for name, ban in leg.bans.items():
            found += _unknown_classes(scenario, f"legs.{id}.bans.{name}.cargo_classes", ban.cargo_classes)
    for id, improvement in scenario.improvements.items():
        for name, ban in getattr(improvement, "bans", {}).items():
            found += _unknown_classes(scenario, f"improvements.{id}.bans.{name}.cargo_classes", ban.cargo_classes)
        table = getattr(improvement, "timetable", None)
        if table is not None:
            found += _unknown_classes(scenario, f"improvements.{id}.timetable.priority", table.priority)
        for name in ("priority", "cargo_class", "cargo_classes"):
            value = getattr(improvement, name, ())
            names = (value,) if isinstance(value, str) else value
            found += _unknown_classes(scenario, f"improvements.{id}.{name}", [item for item in names if item])
    return found


def _unknown_classes(scenario: Scenario, path: str, names: Collection[str], severity: str = "error") -> list[Problem]:
    if not names:
        return []
    classes = sorted(scenario.classes)
    found = []
    for name in names:
        if name in scenario.former_classes:
            text = "is a cargo class whose flows were taken out; nothing comes of it"
            found.append(Problem(text, path, name, severity="warning"))
        elif name not in classes:
            text, allowed = "is not the cargo class of any flow", ", ".join(classes)
            found.append(Problem(text, path, name, allowed, nearest(name, classes), severity=severity))
    return found


def flows(scenario: Scenario) -> list[Problem]:
    """Volumes that are missing, too large, or look like another unit."""
    found: list[Problem] = []
    days = scenario.run.horizon_h / 24
    total, largest = 0.0, (0.0, "flows")
    for id, flow in scenario.flows.items():
        at = f"flows.{id}.{'per_day' if flow.tonnes_per_year is None else 'tonnes_per_year'}"
        if not flow.arrivals.follows_rate:
            continue
        if flow.per_day is None and flow.tonnes_per_year is None:
            found.append(Problem("is required", at, hint="or give tonnes_per_year, or arrivals of their own"))
            continue
        per_day = flow.mean_per_day
        total += per_day * days
        largest = max(largest, (per_day, at))
        if per_day == 0:
            found.append(Problem("this flow creates nothing", at, 0, severity="warning"))
        elif not (TYPICAL_PER_DAY[0] if flow.vehicle == "truck" else 0.0) <= per_day <= TYPICAL_PER_DAY[1]:
            text = f"creates {per_day:g} consignments a day; typical are 10 to 5000"
            found.append(Problem(text, at, hint="is the unit consignments a day?", severity="warning"))
    if total > MAX_CONSIGNMENTS:
        text = f"the run would create {total:.2g} consignments in {days:g} days (limit {MAX_CONSIGNMENTS:.0e})"
        found.append(Problem(text, largest[1], hint="shorten the horizon or check the unit of the volume"))
    if not scenario.flows:
        found.append(Problem("no flow is given, nothing will happen", "flows", severity="warning"))
    return found


def own_arrivals(scenario: Scenario, changes: ByPath) -> list[Problem]:
    """Volumes and profiles of flows whose arrivals do not follow them."""
    found: list[Problem] = []
    for id, flow in scenario.flows.items():
        if flow.arrivals.follows_rate:
            continue
        kind = flow.arrivals.kind
        given = [
            name
            for name in ("per_day", "tonnes_per_year", "profile", "holiday_factor")
            if getattr(flow, name) is not None
        ]
        given += ["growth_per_year"] if flow.growth_per_year else []
        found += [
            Problem(
                f"has no effect: arrivals of kind {kind!r} have a volume of their own",
                f"flows.{id}.{name}",
                severity="warning",
            )
            for name in given
        ]
        for field in ("per_day", "growth_per_year"):
            for dated in changes.get(f"flows.{id}.{field}", ()):
                text = f"has no effect on flow {id!r}: arrivals of kind {kind!r} have a volume of their own"
                found.append(Problem(text, f"improvements.{dated.change.by}", severity="warning"))
    return found


def stages(scenario: Scenario, changes: ByPath, used: Mapping[str, set[str]]) -> list[Problem]:
    """Lanes that do not suffice for what is done with them, services that cannot be, odd figures.

    `used` are the flows that pass each stage (`used_stages`).
    """
    found: list[Problem] = []
    for path, stage in all_stages(scenario):
        if stage.lanes == "unlimited":
            continue
        found += _lane_problems(scenario, path, stage, changes, sorted(used.get(path, ())))
        cycle_h = stage.cycle_h
        if cycle_h == 0:
            found.append(Problem("the service takes no time", f"{path}.service", severity="warning"))
        elif cycle_h > (LONG_SERVICE_H if path.startswith("checkpoints.") else LONG_BERTH_H):
            text = f"the mean service is {cycle_h:g} h; the unit is hours"
            found.append(Problem(text, f"{path}.service", severity="warning"))
        found += _overrun_problems(path, stage, cycle_h, changes)
        found += _outage_problems(path, stage)
        found += _hours_problems(path, stage)
    for path, dated in changes.items():
        for one in dated:
            value = one.change.value
            is_time = ".factor" in path and one.change.operation == "multiply"
            if is_time and isinstance(value, (int, float)) and value > 2:
                hint = f"{value:g} %? write {value / 100:g}" if value > 5 else ""
                at = f"improvements.{one.change.by}.factor"
                found.append(Problem("more than doubles the service time", at, value, hint=hint, severity="warning"))
    return found


def timetables(scenario: Scenario) -> list[Problem]:
    """Departures out of order, twice, before the run or never; headways longer than the run."""
    found: list[Problem] = []
    run = scenario.run
    for id, leg in scenario.legs.items():
        at = f"legs.{id}.timetable"
        if leg.entry_headway_h is not None and leg.entry_headway_h > run.horizon_h:
            text = f"at most one entry within the run, the headway is {leg.entry_headway_h:g} h"
            found.append(Problem(text, f"legs.{id}", severity="warning"))
        if leg.timetable is None or leg.timetable.when_full is not None:
            continue
        if leg.timetable.every_h is not None:
            if leg.timetable.first_h >= run.horizon_h:
                found.append(Problem("has no departure within the run", at, severity="warning"))
            continue
        hours = [hours_after(instant, run.start_utc) for instant in leg.timetable.departures]
        early = sum(hour < 0 for hour in hours)
        if hours != sorted(hours):
            found.append(Problem("is not in order of time; it is sorted", f"{at}.departures", severity="warning"))
        if len(set(hours)) < len(hours):
            text = "names a departure twice; the places add up"
            found.append(Problem(text, f"{at}.departures", severity="warning"))
        if early:
            text = f"{early} of {len(hours)} departures lie before the run and are left out"
            found.append(Problem(text, f"{at}.departures", severity="warning"))
        if not any(0 <= hour < run.horizon_h for hour in hours):
            found.append(Problem("has no departure within the run", at, severity="warning"))
    return found


def _lane_problems(scenario: Scenario, path: str, stage: Stage, changes: ByPath, users: list[str]) -> list[Problem]:
    dated, closings = changes.get(f"{path}.lanes", ()), changes.get(f"{path}.closed", ())
    # An hour with 0 is a closed hour: no lane can be missing then.
    by_hour = [lanes for lanes in (stage.lanes_by_hour or {"": int(stage.lanes)}).values() if lanes] or [0]
    base, low = max(by_hour), min(by_hour)
    is_shut = bool(stage.lanes_by_hour) and base == 0
    horizon_h = scenario.run.horizon_h
    names = ", ".join(f"improvements.{name}" for name in dict.fromkeys(one.change.by for one in dated))
    for from_h, lanes in pieces(low, dated, horizon_h):
        if lanes < 0:
            text = f"{names} removes more lanes than exist: {lanes:g} would be left {from_h:g} h after the start"
            return [Problem(text, f"{path}.lanes", stage.lanes)]
    counts = pieces(base, dated, horizon_h)
    closed = closed_windows(closings)
    if closed and closed[0][0] <= 0 and closed[0][1] >= horizon_h:
        names = ", ".join(f"improvements.{name}" for name in dict.fromkeys(one.change.by for one in closings))
        is_shut = True
    if users and (is_shut or all(lanes == 0 for _, lanes in counts)):
        use = f"{len(users)} flow{'s' if len(users) > 1 else ''} use it: {', '.join(users[:5])}"
        text = f"never opens{f' with {names}' if names else ''}, but {use}"
        return [Problem(text, f"{path}.lanes", stage.lanes)]
    if users and counts[-1][1] == 0:
        text = f"{names} leaves no lane from {counts[-1][0]:g} h after the start on; {', '.join(users[:5])} use it"
        return [Problem(text, f"{path}.lanes")]
    if users and closed and closed[-1][0] < horizon_h <= closed[-1][1]:
        names = ", ".join(f"improvements.{name}" for name in dict.fromkeys(one.change.by for one in closings))
        text = f"{names} leaves no lane from {closed[-1][0]:g} h after the start on; {', '.join(users[:5])} use it"
        return [Problem(text, f"{path}.lanes", severity="warning")]
    return []


def _overrun_problems(path: str, stage: Stage, cycle_h: float, changes: ByPath) -> list[Problem]:
    """Services under ``no_overrun`` that fit into no opening, or of which nobody knows whether they do."""
    set_hours = [one.change.value for one in changes.get(f"{path}.opening_hours", ())]
    longest = max(longest_window_h(lines, stage.lanes_by_hour) for lines in (stage.opening_hours, *set_hours))
    if stage.closing != "no_overrun" or longest == math.inf:
        return []
    if cycle_h > longest:
        text = f"the mean service ({cycle_h:g} h) is longer than every opening ({longest:g} h): nobody is served"
        return [Problem(text, f"{path}.closing", stage.closing)]
    law = stage.service
    largest_h = cycle_h if law is None else law.largest_h * (cycle_h / law.mean_h if law.mean_h > 0 else 1.0)
    if largest_h > longest:
        takes = "has no largest value" if largest_h == math.inf else f"takes up to {largest_h:g} h"
        text = f"the service {takes}: one that is longer than the longest opening ({longest:g} h) ends the run"
        hint = "with closing 'no_overrun' take a law with bounds, or truncate it"
        return [Problem(text, f"{path}.service", hint=hint, severity="warning")]
    return []


def _hours_problems(path: str, stage: Stage) -> list[Problem]:
    return [
        Problem(f"overlaps {first!r}; both together count as one", f"{path}.opening_hours", second, severity="warning")
        for first, second in overlapping(stage.opening_hours or ())
    ]


def _outage_problems(path: str, stage: Stage) -> list[Problem]:
    found: list[Problem] = []
    most = max([int(stage.lanes), *(stage.lanes_by_hour or {}).values()])
    known = list(stage.outages.items())
    for k, (name, outage) in enumerate(known):
        if outage.lane is not None and outage.lane > most:
            text = f"names lane {outage.lane}; the stage has {most}"
            found.append(Problem(text, f"{path}.outages.{name}.lane", outage.lane))
        for other_name, other in known[k + 1 :]:
            mixed = (outage.from_.tzinfo is None) != (other.from_.tzinfo is None)
            if outage.lane != other.lane or mixed:
                continue
            if max(outage.from_, other.from_) < min(outage.until, other.until):
                text = f"overlaps {name!r}; both together count as one"
                found.append(Problem(text, f"{path}.outages.{other_name}", severity="warning"))
    return found


def unused(scenario: Scenario, ways: Mapping[str, list[DatedRoute]], needed: Mapping[str, set[str]]) -> list[Problem]:
    """One warning for the posts, and one for the profiles and pools, that nothing uses; `needed` as in `stages`."""
    used = {
        (at.id, at.direction)
        for flow, list_ in ways.items()
        for way in list_
        for at in passes(scenario, way.hops, scenario.flows[flow].handled_at)
    }
    # A rail post is no mistake in a scenario without trains: it belongs to the map.
    modes = {scenario.legs[hop.leg].mode for list_ in ways.values() for way in list_ for hop in way.hops}
    met = {end for leg in scenario.legs.values() if leg.mode in modes or not modes for end in (leg.from_, leg.to)}
    idle = [
        f"{id}.{direction}"
        for id, post in scenario.checkpoints.items()
        for direction in DIRECTIONS
        if post.stages(direction) and (id, direction) not in used and (id in met or not scenario.legs)
    ]
    found: list[Problem] = []
    if idle:
        names = ", ".join(idle[:8]) + (f" and {len(idle) - 8} more" if len(idle) > 8 else "")
        alone = {scenario.checkpoints[one.split(".")[0]].crossing for one in idle}
        alone = {one for one in alone if len(scenario.crossings.get(one, ())) == 1}
        hint = ""
        if alone:
            hint = (
                "a crossing is two posts, one of each country, with a leg between them that has border = true; "
                f"{', '.join(sorted(alone)[:8])} has one post"
            )
        found.append(Problem(f"no flow passes {names}", "checkpoints", hint=hint, severity="warning"))
    for path, _ in all_stages(scenario):
        _, id, direction, _ = path.split(".")
        if (id, direction) in used and path not in needed:
            found.append(Problem("no flow needs this stage", path, severity="warning"))
    for what, table, names_used in (
        ("profiles", scenario.profiles, {flow.profile for flow in scenario.flows.values()}),
        ("staff_pools", scenario.staff_pools, {stage.staff_pool for _, stage in all_stages(scenario)}),
    ):
        idle = [id for id in table if id not in names_used]
        if idle:
            found.append(Problem(f"nothing uses {', '.join(idle[:8])}", what, severity="warning"))
    return found


def used_stages(scenario: Scenario, ways: Mapping[str, list[DatedRoute]]) -> dict[str, set[str]]:
    """Flows that pass each stage, by the path of the stage."""
    used: dict[str, set[str]] = {}
    for flow, list_ in ways.items():
        for way in list_:
            for at in passes(scenario, way.hops, scenario.flows[flow].handled_at):
                if at.what == "leg":
                    continue
                table = "places" if at.what == "transfer" else "checkpoints"
                for name, stage in stages_at(scenario, at).items():
                    if stage.share_by_class.get(scenario.flows[flow].cargo_class, stage.share) > 0:
                        used.setdefault(f"{table}.{at.id}.{at.direction}.{name}", set()).add(flow)
    return used


def longest_window_h(lines: Iterable[str] | None, by_hour: Mapping[str, float] | None = None) -> float:
    """The longest time for which lanes are open without a break; inf if they never close. [h]

    Examples
    --------
    >>> longest_window_h(["00:00-24:00"]), longest_window_h(["08:00-20:00"]), longest_window_h(None, {"06:00": 0})
    (inf, 12.0, 0.0)
    """
    cycle, length_h = lanes_of_cycle(lines, by_hour)
    if all(value > 0 for _, value in cycle):
        return math.inf
    twice = [(from_h + k * length_h, value) for k in range(3) for from_h, value in cycle]
    longest, since = 0.0, None
    for from_h, value in twice:
        if value and since is None:
            since = from_h
        elif not value and since is not None:
            longest, since = max(longest, from_h - since), None
    return longest
