"""How large would the plan of a scenario be? Refused before anything is made of it.

What changes by the clock (profiles, opening hours, slots, departures) is written out over the
whole run. The numbers are estimates from above; the limits are in `corridor_sim.core.limits`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from corridor_sim.core.errors import Problem
from corridor_sim.core.limits import MAX_FAILURES, MAX_STEPS
from corridor_sim.core.units import H_PER_DAY, H_PER_WEEK
from corridor_sim.model.calendars import line_of
from corridor_sim.model.dated_routes import ByPath
from corridor_sim.model.paths import all_stages
from corridor_sim.model.scenario import Scenario

Size = tuple[float, str, Any]
"""How many instants, the path that asks for them, and its value."""


def problems(scenario: Scenario, changes: ByPath) -> list[Problem]:
    """The values that would make the run too large, the largest by name."""
    found: list[Problem] = []
    sizes = list(_steps(scenario, changes))
    total = sum(size for size, _, _ in sizes)
    if total > MAX_STEPS:
        size, path, value = max(sizes, key=lambda one: one[0])
        days = scenario.run.horizon_h / H_PER_DAY
        text = f"changes about {size:.2g} times in {days:g} days; all of a scenario together may {MAX_STEPS:.0e} times"
        found.append(Problem(text, path, value, hint="shorten the horizon, or make it coarser"))
    for path, stage in all_stages(scenario):
        if stage.breakdown is None or not isinstance(stage.lanes, int):
            continue
        failing = max(stage.lanes, 1) if stage.breakdown.per_lane else 1
        failures = failing * scenario.run.horizon_h / (stage.breakdown.up.mean_h + stage.breakdown.down.mean_h)
        if failures > MAX_FAILURES:
            text = f"means about {failures:.2g} failures within the run (limit {MAX_FAILURES:.0e})"
            found.append(Problem(text, f"{path}.breakdown.up", hint="the unit is hours"))
    return found


def _steps(scenario: Scenario, changes: ByPath) -> Iterator[Size]:
    horizon_h = scenario.run.horizon_h
    days = horizon_h / H_PER_DAY + 2
    for id, flow in scenario.flows.items():
        if flow.arrivals.follows_rate and flow.profile is not None:
            yield horizon_h, f"flows.{id}.profile", flow.profile
        if flow.holidays:
            yield 2 * days, f"flows.{id}.holidays", None
        if flow.growth_per_year or f"flows.{id}.growth_per_year" in changes:
            yield days, f"flows.{id}.growth_per_year", flow.growth_per_year
    for path, stage in all_stages(scenario):
        named = stage.named_lanes or any(one.lane for one in stage.outages.values())
        named = named or (stage.breakdown is not None and stage.breakdown.per_lane)
        each = max(int(stage.lanes), 1) if named and isinstance(stage.lanes, int) else 1
        if stage.holiday_hours is not None or _keeps_holidays(scenario, path):
            yield each * 2 * days, f"{path}.holiday_hours", None
        if stage.lanes_by_hour:
            yield each * days * len(stage.lanes_by_hour), f"{path}.lanes_by_hour", None
        if stage.extra_lanes is not None and stage.extra_lanes.most_by_hour:
            yield days * len(stage.extra_lanes.most_by_hour), f"{path}.extra_lanes.most_by_hour", None
        for by, lines in _values(changes, f"{path}.opening_hours", stage.opening_hours):
            windows = sum(len(line_of(line).days.weekdays) for line in lines)
            yield each * (horizon_h / H_PER_WEEK + 2) * 2 * windows, by, None
    for id, pool in scenario.staff_pools.items():
        if pool.holidays:
            yield 2 * days, f"staff_pools.{id}.holidays", None
        if pool.members_by_hour:
            yield days * len(pool.members_by_hour), f"staff_pools.{id}.members_by_hour", None
    for id, post in scenario.checkpoints.items():
        for way in ("exit", "entry"):
            base, at = post.slots.get(way), f"checkpoints.{id}.slots.{way}"
            groups = [value for _, value in _values(changes, f"{at}.every_h", base and base.every_h)]
            if base is not None and base.by_hour is not None:
                yield days * H_PER_DAY * max(base.by_hour.values()), f"{at}.by_hour", None
            for by, per_day in _values(changes, f"{at}.per_day", base and base.per_day):
                size = min(per_day, max((H_PER_DAY / every_h for every_h in groups), default=per_day))
                yield days * size, by, per_day
            if f"{at}.per_day" in changes or base is not None:
                yield days, at, None
    for id, leg in scenario.legs.items():
        for name, ban in leg.bans.items():
            yield 4 * days * (1 + len(ban.hours or ())), f"legs.{id}.bans.{name}", None
        for path, dated in changes.items():
            if path.startswith(f"legs.{id}.bans."):
                lines = max(len(one.change.value.hours or ()) if one.change.value else 0 for one in dated)
                yield 4 * days * (1 + lines), f"improvements.{dated[-1].change.by}.bans", None
        at = f"legs.{id}.timetable"
        for by, table in _values(changes, at, leg.timetable):
            if table.every_h is not None:
                yield horizon_h / table.every_h, f"{by}.every_h", table.every_h
            yield len(table.departures), f"{by}.departures", None


def _keeps_holidays(scenario: Scenario, path: str) -> bool:
    table, id, *_ = path.split(".")
    return bool(getattr(scenario, table)[id].holidays)


def _values(changes: ByPath, path: str, base: Any) -> Iterator[tuple[str, Any]]:
    """The values that a path takes, each with the path of who sets it."""
    if base is not None:
        yield path, base
    field = path.rpartition(".")[2]
    for one in changes.get(path, ()):
        if one.change.operation == "set" and one.change.value is not None:
            yield f"improvements.{one.change.by}.{field}", one.change.value
