"""Bans of some classes on a leg: a place at its start where they wait for the end of the ban (rule S30)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import GRID_PER_H, grid_point
from corridor_sim.model.kept_holidays import kept
from corridor_sim.model.legs import Leg, LegBan
from corridor_sim.model.scenario import Scenario
from corridor_sim.plan.plan import LimitedLeg
from corridor_sim.plan.timelines import ROUND_THE_CLOCK, RunClock, combine


def ban_place(scenario: Scenario, clock: RunClock, id: str, at: str, cargo_class: str) -> LimitedLeg | None:
    """Where a class waits before a leg, None if nothing bans it; `id` is that of the leg, `at` that of its element.

    Raises
    ------
    ScenarioError
        If a ban that looks ahead leaves no time as long as the leg.
    """
    leg = scenario.legs[id]
    names = [name for name, ban in leg.bans.items() if not ban.cargo_classes or cargo_class in ban.cargo_classes]
    if not names:
        return None
    opened = [_open(scenario, clock, leg, leg.bans[name], f"legs.{id}.bans.{name}") for name in sorted(names)]
    is_open = combine(lambda *each: np.min(each, axis=0), *opened)
    return LimitedLeg(id=f"{at}.ban.{'+'.join(sorted(names))}", open=is_open)


def _open(scenario: Scenario, clock: RunClock, leg: Leg, ban: LegBan, path: str) -> StepFunction:
    """1 where the class may set out, by date."""
    on_holidays: str | Sequence[str] = ban.holiday_hours or "closed"
    if on_holidays == "closed":
        on_holidays = ROUND_THE_CLOCK
    where = clock.observed(ban.local_time, kept(scenario, ban.holidays), on_holidays)
    banned = clock.open_hours(ban.hours or (), where)
    if ban.look_ahead:
        banned = _earlier(banned, grid_point(leg.mean_travel_h))
        if banned.value.all() and clock.horizon_h > 0:
            text = f"leaves no {leg.mean_travel_h:g} h between two bans, which the leg takes on average"
            raise ScenarioError([Problem(text, f"{path}.look_ahead", True, hint="cut the leg where one may park")])
    return combine(lambda one: 1.0 - one, banned)


def _earlier(banned: StepFunction, hours: float) -> StepFunction:
    """Each ban begun so much earlier; who ends exactly as it begins may still set out."""
    begins = banned.from_h[banned.value > 0]
    ends = np.append(banned.from_h[1:], np.inf)[banned.value > 0]
    begins = np.maximum(np.minimum(begins, begins - hours + 1 / GRID_PER_H), 0.0)
    edges = np.unique(np.concatenate([[0.0], begins, ends[np.isfinite(ends)]]))
    inside = (begins[None, :] <= edges[:, None]) & (edges[:, None] < ends[None, :])
    return StepFunction(edges, inside.any(axis=1).astype(float))
