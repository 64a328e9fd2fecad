"""What elements can really do: the account of capacity that `check`, runs and reports share.

Each mechanism that takes or adds lane-time says so here, in a function of its own:
hours with their closing policy, outages, drawn breakdowns, staff, reservations, limits of
legs, places of departures, daily acceptance. Where no formula and no saturated run of the
element alone comes within 1 % of what it passes, the account says why instead.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import H_PER_DAY
from corridor_sim.plan.plan import FlowPlan, Plan, Station, Step, Variant
from corridor_sim.plan.saturated import Holds, Stretch, served, stretches
from corridor_sim.plan.timelines import combine

SMALL = 0.01
"""Share of the lane-time that an effect without a formula may have and still be left out."""
PATHS = 2000
"""Paths of up and down times behind the expected share of a drawn breakdown."""
ONE = StepFunction.constant(1.0)


@dataclass(frozen=True, slots=True)
class LanePool:
    """Lanes that serve some flows: what they can do, in lane-hours of service an hour.

    `flows` are those that may use no other lanes of the station; `lanes` integrates to the
    lane-hours that services can fill, overrun and idle time of the closing policy included.
    A pool `inside` another one is a limit of its own for its flows, and its lanes are counted
    in the other: the capacity of the station is that of the pools that are not.
    """

    flows: frozenset[int]
    lanes: StepFunction
    inside: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """The lanes of one station by pool, or why there is no planned capacity."""

    pools: tuple[LanePool, ...] = ()
    reason: str = ""


UNLIMITED = Account(reason="lanes without limit")


class Accounts:
    """The accounts of all stations of a plan, each worked out when it is asked for."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._found: dict[int, Account] = {}

    def of(self, element: int) -> Account:
        """The account of a station, by its number in the plan."""
        if element not in self._found:
            self._found[element] = self._account(element)
        return self._found[element]

    def _account(self, element: int) -> Account:
        station = self.plan.elements[element]
        assert isinstance(station, Station)
        users = users_of(self.plan, element)
        if not np.isfinite(station.lanes.value).all():
            return UNLIMITED
        if not users:
            return Account((LanePool(frozenset(), station.lanes),))
        lanes, reason = staffed(self.plan, element, station)
        if reason:
            return Account(reason=reason)
        share, reason = up_share(station, mean_hold_h(users, range(len(self.plan.flows))), self.plan.horizon_h)
        if reason:
            return Account(reason=reason)
        return Account(tuple(self._pools(replace(station, lanes=lanes, named=None), users, share)))

    def _pools(self, station: Station, users: list[User], share: StepFunction) -> Iterator[LanePool]:
        """Lanes with the flows that may use no others: reservations, the general lanes, and both together."""
        rest = frozenset(user.flow for user in users)
        general = station.lanes
        beside: list[tuple[frozenset[int], StepFunction]] = []
        for reservation in station.reserved:
            flows = reservation.flows & rest
            kept = combine(np.minimum, reservation.lanes, general)
            if not flows or not kept.value.any():
                continue
            general, rest = combine(np.subtract, general, kept), rest - flows
            # With overflow, and while there are no reserved lanes, the flows may use the general lanes too.
            if reservation.overflow or not kept.value.all():
                beside.append((flows, kept))
            else:
                yield self._pool(station, flows, kept, users, share)
        if beside:
            if rest:
                yield replace(self._pool(station, rest, general, users, share), inside=True)
            for flows, kept in beside:
                rest, general = rest | flows, combine(np.add, general, kept)
        if rest:
            yield self._pool(station, rest, general, users, share)

    def _pool(
        self, station: Station, flows: frozenset[int], lanes: StepFunction, users: list[User], share: StepFunction
    ) -> LanePool:
        mine = [user for user in users if user.flow in flows]
        worked = worked_lanes(lanes, station.closing, self.plan.horizon_h, lambda at_h: holds_at(mine, at_h))
        return LanePool(flows, combine(np.multiply, worked, share))


# ---------------------------------------------------------------- who uses a station, and for how long


@dataclass(frozen=True, slots=True)
class User:
    """A flow at a station: the step it takes there, and how many of its consignments are expected to."""

    flow: int
    step: Step
    visits: float


def users_of(plan: Plan, element: int) -> list[User]:
    """Steps that lead to an element, with their expected visits over the run (1 each where unknown)."""
    found = []
    for number, flow in enumerate(plan.flows):
        for variant in flow.variants:
            for step in variant.steps:
                if step.element == element and step.laws:
                    found.append(User(number, step, expected_visits(plan, flow, variant, step)))
    if found and not any(user.visits > 0 for user in found):
        found = [replace(user, visits=1.0) for user in found]
    return [user for user in found if user.visits > 0]


def visit_rate(plan: Plan, flow: FlowPlan, variant: Variant, step: Step) -> StepFunction | None:
    """Expected visits of a step an hour, as if the way to it took no time; None where releases are given."""
    process = flow.arrivals
    if process is None:
        return None
    rate = process.rate
    if not process.process.follows_rate:
        rate = StepFunction.constant(process.expected_count(plan.horizon_h) / plan.horizon_h)
    return combine(lambda *values: np.prod(values, axis=0), rate, variant.share, step.share or ONE)


def expected_visits(plan: Plan, flow: FlowPlan, variant: Variant, step: Step) -> float:
    """Mean number of visits of a step in the run."""
    rate = visit_rate(plan, flow, variant, step)
    return 0.0 if rate is None else rate.integral(plan.horizon_h)


def mean_hold_h(users: Sequence[User], flows: Any) -> float:
    """Mean hold of the visits expected of some flows, at the start of the run. [h]"""
    mine = [user for user in users if user.flow in flows]
    return holds_at(mine, 0.0).mean_h if mine else math.nan


def holds_at(users: Sequence[User], at_h: float) -> Holds:
    """The services that begin at an instant, in the proportion in which they are expected."""
    total = sum(user.visits for user in users)
    parts: list[tuple[float, float, Any]] = []
    for user in users:
        law = next((law for from_h, law in reversed(user.step.laws) if from_h <= at_h), user.step.laws[0][1])
        factor = 1.0 if user.step.factor is None else user.step.factor.at(at_h)
        branches = [(user.visits / total, factor)]
        for relief in user.step.reliefs:
            share = min(max(relief.share.at(at_h), 0.0), 1.0)
            branches = [
                branch
                for weight, times in branches
                for branch in ((weight * (1 - share), times), (weight * share, times * relief.factor))
                if branch[0] > 0
            ]
        parts += [(weight, times, law) for weight, times in branches]
    merged: dict[tuple[float, int], tuple[float, float, Any]] = {}
    for weight, times, law in parts:
        so_far = merged.get((times, id(law)), (0.0, times, law))
        merged[times, id(law)] = (so_far[0] + weight, times, law)
    return Holds(tuple(merged.values()))


# ---------------------------------------------------------------- what takes or adds lane-time


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
        return StepFunction(lanes.from_h, kept)
    from_h: list[float] = [0.0]
    scale: list[float] = [1.0]
    for opening, stretch, gap_h in stretches(lanes.from_h.tolist(), lanes.value.tolist(), horizon_h):
        at = opening
        for part, is_last in _days(stretch):
            hours = sum(hours for hours, _ in part)
            ends = is_last and opening + sum(hours for hours, _ in stretch) < horizon_h
            found = _scale(part, gap_h if is_last else 0.0, closing if ends else "finish", ends, holds(at))
            if at > from_h[-1]:
                from_h.append(at)
                scale.append(found)
            else:
                scale[-1] = found
            at += hours
    return combine(np.multiply, lanes, StepFunction(from_h, scale))


def _scale(part: Stretch, gap_h: float, closing: str, closes: bool, holds: Holds) -> float:
    """Lane-hours of service over open lane-hours of a part of an opening."""
    falls = any(after < before for (_, before), (_, after) in itertools.pairwise(part))
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


def staffed(plan: Plan, element: int, station: Station) -> tuple[StepFunction, str]:
    """Open lanes that have staff; a reason where other stations share the pool and it can bind."""
    if station.staff_pool is None:
        return station.lanes, ""
    pool = next(pool for pool in plan.staff_pools if pool.id == station.staff_pool)
    need = max(station.staff_per_service, 1)
    others = [
        one
        for k, one in enumerate(plan.elements)
        if k != element and isinstance(one, Station) and one.staff_pool == station.staff_pool
    ]
    wanted = combine(lambda n: n * need, station.lanes)
    for other in others:
        theirs = StepFunction(other.lanes.from_h, other.lanes.value * max(other.staff_per_service, 1))
        wanted = combine(np.add, wanted, theirs)
    if bool((combine(np.subtract, pool.members, wanted).value >= 0).all()):
        return station.lanes, ""
    if others:
        return station.lanes, f"staff pool {pool.id!r} is shared with {', '.join(sorted(one.id for one in others))}"
    return combine(lambda lanes, members: np.minimum(lanes, np.floor(members / need)), station.lanes, pool.members), ""


def up_share(station: Station, hold_h: float, horizon_h: float) -> tuple[StepFunction, str]:
    """Share of the open lanes that is up, given outages and the expected share of drawn ones.

    Outages that `restart` a service or let it `finish` cost or add up to one hold each:
    where that is more than 1 % of the lane-time there is no planned capacity.
    """
    share = ONE
    if station.outages:
        edges = sorted({0.0, *(at for one in station.outages for at in (one.from_h, one.until_h) if at < horizon_h)})
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
