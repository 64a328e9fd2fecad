"""Which share of the open lanes is up, given outages and those that are drawn?"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import H_PER_DAY
from corridor_sim.plan.elements import Station
from corridor_sim.plan.timelines import ONE, combine

SMALL = 0.01
"""Share of the lane-time that an effect without a formula may have and still be left out."""
PATHS = 2000
"""Paths of up and down times behind the expected share of a drawn breakdown."""


def up_share(station: Station, hold_h: float, horizon_h: float) -> tuple[StepFunction, str]:
    """Share of the open lanes that is up, given outages and the expected share of drawn ones.

    Outages that `restart` a service or let it `finish` cost or add up to one hold each:
    where that is more than 1 % of the lane-time there is no planned capacity.
    """
    share = ONE
    if station.outages:
        edges = sorted({0.0, *(at for one in station.outages for at in (one.from_h, one.until_h) if at < horizon_h)})
        if any(one.lane is not None for one in station.outages):
            # The share of the lanes that one lane is changes with them: an outage may begin while all are closed.
            calendars = [station.lanes, *(station.named or ())]
            edges = sorted({*edges, *(at for one in calendars for at in one.from_h.tolist() if 0 < at < horizon_h)})
        open_lanes = station.lanes(np.array(edges))
        up = [_up(station, at, lanes) for at, lanes in zip(edges, open_lanes.tolist(), strict=True)]
        at_h = np.array(edges)
        share = StepFunction(at_h, up)
        lost = len(station.outages) * hold_h / max(horizon_h, 1e-9)
        if station.outage_policy in ("restart", "finish") and lost > SMALL:
            return share, f"{len(station.outages)} outages that {station.outage_policy} services"
    if station.breakdown is not None:
        if station.outage_policy in ("restart", "finish") and hold_h > SMALL * station.breakdown.up.mean_h:
            return share, f"drawn outages that {station.outage_policy} services"
        share = combine(np.multiply, share, drawn_up_share(station.breakdown.up, station.breakdown.down, horizon_h))
    return share, ""


def _up(station: Station, at_h: float, lanes: float) -> float:
    """Share of the lanes that are open at an instant and not down; named lanes are open from the first on."""
    down = {one.lane for one in station.outages if one.from_h <= at_h < one.until_h}
    if None in down:
        return 0.0
    if not down or lanes <= 0:
        return 1.0
    if station.named is not None:
        opened = [calendar.at(at_h) > 0 for calendar in station.named]
        total = sum(opened)
        up = sum(is_open and k not in down for k, is_open in enumerate(opened, 1))
        return up / total if total else 1.0
    return max(0.0, lanes - len([lane for lane in down if lane is not None and lane <= lanes])) / lanes


def drawn_up_share(up: Any, down: Any, horizon_h: float) -> StepFunction:
    """Expected share of time that is up, from up at the start; by day over the run, by simulated paths (fixed seed)."""
    rng = np.random.Generator(np.random.Philox(key=20261128))
    draw_up, draw_down = up.sampler(rng), down.sampler(rng)
    days = max(1, math.ceil(horizon_h / H_PER_DAY))
    edges = np.minimum(np.arange(days + 1) * H_PER_DAY, horizon_h)
    cycle = max(up.mean_h + down.mean_h, 1e-6)
    paths = int(min(PATHS, max(50, 4e6 * cycle / max(horizon_h, cycle))))
    lived = np.zeros(days + 1)
    now = np.zeros(paths)
    while (now < horizon_h).any():
        up_h, down_h = draw_up(paths), draw_down(paths)
        # Time up before each edge, summed over the paths: overlap of [now, now + up) with [0, edge).
        for start in range(0, paths, 256):
            part = slice(start, start + 256)
            lived += np.clip(edges[:, None] - now[part], 0.0, up_h[part]).sum(axis=1)
        now = now + np.maximum(up_h + down_h, 1e-9)
    share = np.diff(lived) / paths / np.diff(edges)
    return StepFunction(edges[:-1], np.clip(share, 0.0, 1.0))
