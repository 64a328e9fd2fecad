"""Bans of some classes on a leg: a place at its start where they wait for the end of the ban (rule S30)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import GRID_PER_H, grid_point
from corridor_sim.model.calendars import hours_after
from corridor_sim.model.kept_holidays import kept
from corridor_sim.model.legs import Leg, LegBan
from corridor_sim.model.resolution import Resolved
from corridor_sim.model.routes import Pass
from corridor_sim.model.scenario import Scenario
from corridor_sim.plan.elements import LimitedLeg
from corridor_sim.plan.timelines import ROUND_THE_CLOCK, RunClock, combine, switched


def names_of_bans(resolved: Resolved, id: str) -> list[str]:
    """Names of the bans that a leg has at any time, of its own or by an improvement."""
    prefix = f"legs.{id}.bans."
    brought = (path.removeprefix(prefix) for path in resolved.changes if path.startswith(prefix))
    return sorted({*resolved.scenario.legs[id].bans, *brought})


def ban_place(resolved: Resolved, clock: RunClock, at: Pass, element: str, cargo_class: str) -> LimitedLeg | None:
    """Where a class waits before a leg, None if nothing bans it within the run; `element` is the id of the leg's.

    Raises
    ------
    ScenarioError
        If a ban that looks ahead leaves no time as long as the leg.
    """
    names, opened = [], []
    for name in names_of_bans(resolved, at.id):
        versions = list(_versions(resolved, clock, at, name, cargo_class))
        if versions:
            names.append(name)
            opened += [
                _open(resolved.scenario, clock, resolved.scenario.legs[at.id], ban, window, path)
                for ban, window, path in versions
            ]
    if not opened:
        return None
    is_open = combine(lambda *each: np.min(each, axis=0), *opened)
    return LimitedLeg(id=f"{element}.ban.{'+'.join(names)}", open=is_open)


def _versions(
    resolved: Resolved, clock: RunClock, at: Pass, name: str, cargo_class: str
) -> Iterator[tuple[LegBan, tuple[float, float], str]]:
    """What the ban of one name is for a class in one direction: each with its hours from and until, and its path."""
    path = f"legs.{at.id}.bans.{name}"
    changes = resolved.of(path)
    base = resolved.scenario.legs[at.id].bans.get(name)
    pieces = clock.values(base, changes)
    ends = [*(from_h for from_h, _ in pieces[1:]), math.inf]
    way = "forward" if at.direction == ">" else "backward"
    for (from_h, ban), until_h in zip(pieces, ends, strict=True):
        if ban is None or (ban.cargo_classes and cargo_class not in ban.cargo_classes):
            continue
        if ban.direction not in (None, way):
            continue
        first = from_h if ban.from_ is None else max(from_h, hours_after(ban.from_, clock.start, ban.local_time))
        last = until_h if ban.until is None else min(until_h, hours_after(ban.until, clock.start, ban.local_time))
        if first < min(last, clock.horizon_h) and last > 0:
            by = next((one.change.by for one in changes if one.change.value is ban), "")
            yield ban, (first, last), f"improvements.{by}.bans.{name}" if by else path


def _open(
    scenario: Scenario, clock: RunClock, leg: Leg, ban: LegBan, window: tuple[float, float], path: str
) -> StepFunction:
    """1 where the class may set out, by date."""
    on_holidays: str | Sequence[str] = ban.holiday_hours or "closed"
    if on_holidays == "closed":
        on_holidays = ROUND_THE_CLOCK
    where = clock.observed(ban.local_time, kept(scenario, ban.holidays), on_holidays)
    banned = _between(clock.open_hours(ban.hours or (), where), *window)
    if ban.look_ahead:
        banned = _earlier(banned, grid_point(leg.mean_travel_h))
        if banned.value.all() and clock.horizon_h > 0:
            text = f"leaves no {leg.mean_travel_h:g} h between two bans, which the leg takes on average"
            raise ScenarioError([Problem(text, f"{path}.look_ahead", True, hint="cut the leg where one may park")])
    return combine(lambda one: 1.0 - one, banned)


def _between(banned: StepFunction, first: float, last: float) -> StepFunction:
    """The ban from one hour until another, and none outside."""
    if first <= 0 and last == math.inf:
        return banned
    none = StepFunction.constant(0.0)
    parts = [(0.0, none)] if first > 0 else []
    parts.append((max(first, 0.0), banned))
    return switched([*parts, (last, none)] if last < math.inf else parts)


def _earlier(banned: StepFunction, hours: float) -> StepFunction:
    """Each ban begun so much earlier; who ends exactly as it begins may still set out."""
    begins = banned.from_h[banned.value > 0]
    ends = np.append(banned.from_h[1:], np.inf)[banned.value > 0]
    begins = np.maximum(np.minimum(begins, begins - hours + 1 / GRID_PER_H), 0.0)
    edges = np.unique(np.concatenate([[0.0], begins, ends[np.isfinite(ends)]]))
    inside = (begins[None, :] <= edges[:, None]) & (edges[:, None] < ends[None, :])
    return StepFunction(edges, inside.any(axis=1).astype(float))
