"""How many of the open lanes can services fill: closing policies, lanes opened by the queue, staff?"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import H_PER_DAY
from corridor_sim.plan.elements import Station
from corridor_sim.plan.plan import Plan
from corridor_sim.plan.saturated import Holds, Stretch, served, stretches
from corridor_sim.plan.timelines import combine


def worked_lanes(lanes: StepFunction, closing: str, horizon_h: float, holds: Callable[[float], Holds]) -> StepFunction:
    """Lanes that services can fill: open lanes, with what the closing policy costs or adds spread over each opening.

    `clear_queue` works on as long as those wait who joined before closing: if they
    always do, the lanes open before closing never stop.
    """
    if lanes.is_constant or not (lanes.value > 0).any():
        return lanes
    if closing == "clear_queue":
        kept = np.array(lanes.value)
        for k in range(1, len(kept)):
            kept[k] = kept[k] if kept[k] > 0 else kept[k - 1]
        lanes, closing = StepFunction(lanes.from_h, kept), "finish"
    from_h: list[float] = [0.0]
    scale: list[float] = [1.0]
    known: dict[tuple[Stretch, float, bool, int], tuple[float, Holds]] = {}  # the holds are kept, so ids stay theirs
    for opening, stretch, gap_h in stretches(lanes.from_h.tolist(), lanes.value.tolist(), horizon_h):
        at = opening
        for part, is_last in _days(stretch):
            hours = sum(hours for hours, _ in part)
            ends = is_last and opening + sum(hours for hours, _ in stretch) < horizon_h
            asked, gap = holds(at), gap_h if is_last else 0.0
            key = (part, gap, ends, id(asked))
            if key not in known:
                known[key] = _scale(part, gap, closing if ends else "finish", ends, asked), asked
            found = known[key][0]
            if at > from_h[-1]:
                from_h.append(at)
                scale.append(found)
            else:
                scale[-1] = found
            at += hours
    return combine(np.multiply, lanes, StepFunction(from_h, scale))


def _scale(part: Stretch, gap_h: float, closing: str, closes: bool, holds: Holds) -> float:
    """Lane-hours of service over open lane-hours of a part of an opening."""
    around = part if gap_h > 0 else (*part, part[0])  # the next part is taken to be like this one
    falls = any(after < before for (_, before), (_, after) in itertools.pairwise(around))
    mean_h = holds.mean_h
    if not (closes or falls) or not mean_h > 0:
        return 1.0
    if closing == "suspend" and falls:
        closing, gap_h = "finish", 0.0  # a partial fall cuts nobody; what is frozen is no time lost
    lane_h = sum(hours * lanes for hours, lanes in part)
    return served(part, gap_h if math.isfinite(gap_h) else H_PER_DAY, closing, holds) * mean_h / lane_h


def _days(stretch: Stretch) -> list[tuple[Stretch, bool]]:
    """A stretch in parts of about a day, cut between pieces, the last one marked."""
    parts: list[list[tuple[float, int]]] = [[]]
    for piece in stretch:
        if parts[-1] and sum(hours for hours, _ in parts[-1]) + piece[0] > H_PER_DAY:
            parts.append([])
        parts[-1].append(piece)
    return [(tuple(part), k == len(parts) - 1) for k, part in enumerate(parts)]


def with_extra_lanes(station: Station, horizon_h: float) -> Station:
    """The station with the lanes that a queue without an end has opened, by date (rule S27).

    After each opening they come one after the other, each after its start-up.
    """
    if (extra := station.extra_lanes) is None:
        return station
    edges = sorted({*station.lanes.from_h.tolist(), *extra.instants_h})
    from_h: list[float] = []
    lanes: list[float] = []
    number, ready_h = 0, math.inf
    for k, since in enumerate(edges):
        until = edges[k + 1] if k + 1 < len(edges) else max(horizon_h, since) + 1.0
        base, most, at = station.lanes.at(since), int(extra.most.at(since)), since
        if base <= 0:
            most = 0
        while True:
            if ready_h <= at:
                number, ready_h = number + 1, math.inf
            if number >= most:
                number, ready_h = most, math.inf
            elif ready_h == math.inf:
                ready_h = max(at, 0.0) + extra.start_up_h.at(since)
                if ready_h <= at:
                    continue
            from_h.append(at)
            lanes.append(base + number)
            if not ready_h < until:
                break
            at = ready_h
    return replace(station, lanes=StepFunction(from_h, lanes), extra_lanes=None)


def staffed(plan: Plan, element: int, station: Station) -> tuple[StepFunction, str]:
    """Open lanes that have staff; a reason where other stations share the pool and it can bind."""
    pool = next((pool for pool in plan.staff_pools if pool.id == station.staff_pool), None)
    if pool is None:
        return station.lanes, ""
    need = max(station.staff_per_service, 1)
    others = [
        one
        for k, one in enumerate(plan.elements)
        if k != element and isinstance(one, Station) and one.staff_pool == station.staff_pool
    ]
    wanted = combine(lambda n: n * need, station.lanes)
    for one in others:
        other = with_extra_lanes(one, plan.horizon_h)
        theirs = StepFunction(other.lanes.from_h, other.lanes.value * max(other.staff_per_service, 1))
        wanted = combine(np.add, wanted, theirs)
    if bool((combine(np.subtract, pool.members, wanted).value >= 0).all()):
        return station.lanes, ""
    if others:
        return station.lanes, f"staff pool {pool.id!r} is shared with {', '.join(sorted(one.id for one in others))}"
    return combine(lambda lanes, members: np.minimum(lanes, np.floor(members / need)), station.lanes, pool.members), ""
