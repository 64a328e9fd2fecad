"""What elements can really do: the account of capacity that `check`, runs and reports share.

Each mechanism that takes or adds lane-time says so here, in a function of its own:
hours with their closing policy, outages, drawn breakdowns, staff, reservations, limits of
legs, places of departures, daily acceptance. An account is what a saturated run passes,
within 1 %; where no formula and no saturated run of the element alone gives that, it is
an upper bound and says why.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import H_PER_DAY, FloatArray, to_grid
from corridor_sim.model.service_times import Deterministic
from corridor_sim.plan.mechanisms import Mechanism
from corridor_sim.plan.plan import (
    Departures,
    FlowPlan,
    LimitedLeg,
    Plan,
    Quota,
    SingleTrackPlan,
    Station,
    Step,
    Variant,
)
from corridor_sim.plan.saturated import Holds, Stretch, served, stretches
from corridor_sim.plan.timelines import combine

COUNTED = frozenset(
    {
        Mechanism.LANES,
        Mechanism.DATED_LANES,
        Mechanism.FINISH,
        Mechanism.RESTART,
        Mechanism.NO_OVERRUN,
        Mechanism.CLEAR_QUEUE,
        Mechanism.OUTAGES,
        Mechanism.LANE_OUTAGES,
        Mechanism.BREAKDOWNS,
        Mechanism.LANE_BREAKDOWNS,
        Mechanism.OUTAGES_RESTART,
        Mechanism.OUTAGES_FINISH,
        Mechanism.OUTAGES_REQUEUE,
        Mechanism.YARD,
        Mechanism.DATED_YARD,
        Mechanism.RESERVED_LANES,
        Mechanism.RESERVED_OVERFLOW,
        Mechanism.STAFF_POOL,
        Mechanism.EXTRA_LANES,
        Mechanism.GATE,
        Mechanism.HEADWAY,
        Mechanism.CLOSURES,
        Mechanism.VEHICLE_LIMIT,
        Mechanism.SINGLE_TRACK,
        Mechanism.DEPARTURES,
        Mechanism.CANCELLATIONS,
        Mechanism.ACCEPTANCE,
        Mechanism.ACCEPTANCE_HOURS,
        Mechanism.DURATION,
        Mechanism.DATED_DURATION,
        Mechanism.FACTOR,
        Mechanism.SHARE,
        Mechanism.RELIEF,
        Mechanism.ROUTES,
        Mechanism.BALKING,
        Mechanism.PATIENCE,
        Mechanism.PREEMPTION_RESTART,
    }
)
"""The mechanisms that give or take lane-time and that an account knows; `not_counted` names the others.

A yard or a gate is known as a reason why there is no planned capacity; one that balks is no longer demand.
Where one may leave a queue the load is that of all who come, and there is no planned capacity: no queue grows for ever.
"""
SMALL = 0.01
"""Share of the lane-time that an effect without a formula may have and still be left out."""
PATHS = 2000
"""Paths of up and down times behind the expected share of a drawn breakdown."""
MOST_PLACES = 1e8
"""More places than this in one period stand for no limit."""
ONE = StepFunction.constant(1.0)


@dataclass(frozen=True, slots=True)
class CapacityPool:
    """What some flows may use, and only that: lanes of a station, or places.

    Attributes
    ----------
    flows
        Numbers of the flows whose demand counts against it.
    lanes
        Of a station: what services can fill, in lane-hours an hour, overrun and idle time of
        the closing policy included. None for places.
    places
        Places offered between edges, where there are no lanes.
    inside
        A limit of its own within another pool, whose lanes hold these too: the capacity of the
        element is that of the pools that are not inside another one.
    """

    flows: frozenset[int]
    lanes: StepFunction | None = None
    places: Callable[[FloatArray], FloatArray] | None = None
    inside: bool = False

    def between(self, edges_h: FloatArray) -> FloatArray:
        """Lane-hours, or places, offered in each period between the edges."""
        if self.lanes is not None:
            return np.diff(integral_until(self.lanes, edges_h))
        assert self.places is not None
        return self.places(edges_h)


@dataclass(frozen=True, slots=True)
class Account:
    """What an element can do, pool by pool; without pools there is no limit.

    `reason` says why there is no planned capacity: the pools are then an upper bound only.
    """

    pools: tuple[CapacityPool, ...] = ()
    reason: str = ""


class Accounts:
    """The accounts of a plan's elements, each worked out when it is asked for.

    Examples
    --------
    >>> station = Station(id="samur", lanes=StepFunction.constant(2))
    >>> Accounts(Plan(elements=(station,), flows=(), horizon_h=24.0)).of(0).pools[0].between(np.array([0.0, 24.0]))
    array([48.])
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._found: dict[int, Account] = {}

    def of(self, element: int) -> Account:
        """The account of an element, by its number in the plan."""
        if element not in self._found:
            thing = self.plan.elements[element]
            if isinstance(thing, Station):
                self._found[element] = self._station(element, thing)
            elif isinstance(thing, LimitedLeg):
                self._found[element] = self._leg(element, thing)
            elif isinstance(thing, Departures) and thing.when_full is None:
                self._found[element] = self._places(element, lambda edges_h: departing(thing, edges_h))
            elif isinstance(thing, Quota):
                self._found[element] = self._places(element, lambda edges_h: accepted(thing, edges_h))
            else:
                self._found[element] = Account()
        return self._found[element]

    @cached_property
    def _steps(self) -> dict[int, list[tuple[int, Variant, Step]]]:
        """Steps that lead to each element."""
        found: dict[int, list[tuple[int, Variant, Step]]] = {}
        for number, flow in enumerate(self.plan.flows):
            for variant in flow.variants:
                for step in variant.steps:
                    found.setdefault(step.element, []).append((number, variant, step))
        return found

    @cached_property
    def _before_a_yard(self) -> dict[int, str]:
        """Elements that a full yard behind them can block, with the station it belongs to."""
        full = {k for k, one in enumerate(self.plan.elements) if isinstance(one, Station) and one.may_be_full}
        found: dict[int, str] = {}
        if full:
            for flow in self.plan.flows:
                for variant in flow.variants:
                    for before, after in itertools.pairwise(variant.steps):
                        if after.element in full:
                            found.setdefault(before.element, self.plan.elements[after.element].id)
        return found

    def flows(self, element: int) -> frozenset[int]:
        """Numbers of the flows that come to an element."""
        return frozenset(flow for flow, _, _ in self._steps.get(element, ()))

    def users(self, element: int) -> list[User]:
        """Steps that lead to an element, with their expected visits over the run (1 each where unknown)."""
        found = [
            User(flow, step, expected_visits(self.plan, self.plan.flows[flow], variant, step))
            for flow, variant, step in self._steps.get(element, ())
            if step.laws
        ]
        if not any(user.visits > 0 for user in found):
            return [replace(user, visits=1.0) for user in found]
        return [user for user in found if user.visits > 0]

    def _station(self, element: int, station: Station) -> Account:
        if not np.isfinite(station.lanes.value).all():
            return Account()
        station = with_extra_lanes(station, self.plan.horizon_h)
        lanes, reason = staffed(self.plan, element, station)
        plain = lanes.is_constant and not station.outages and station.breakdown is None
        users = [] if plain else self.users(element)
        share = ONE
        if users:
            share, why = up_share(station, holds_at(users, 0.0).mean_h, self.plan.horizon_h)
            reason = reason or why
        if element in self._before_a_yard:
            reason = reason or f"a full yard at {self._before_a_yard[element]!r} can block its lanes"
        elif station.gates:
            looked_at = ", ".join(dict.fromkeys(id for gate in station.gates for id in gate.queues))
            reason = reason or f"a queue at {looked_at} can keep its lanes without work"
        elif station.may_be_full:
            reason = reason or "its own yard can leave its lanes without work"
        elif any(step.patience is not None for _, _, step in self._steps.get(element, ())):
            reason = reason or "who has waited too long leaves the queue"
        elif station.preemption == "restart":
            reason = reason or "services that are interrupted begin anew"
        pools = self._lane_pools(replace(station, lanes=lanes, named=None), self.flows(element), users, share)
        return Account(tuple(pools), reason)

    def _lane_pools(
        self, station: Station, rest: frozenset[int], users: list[User], share: StepFunction
    ) -> Iterator[CapacityPool]:
        """Lanes with the flows that may use no others: reservations, the general lanes, and both together."""

        def pool(flows: frozenset[int], lanes: StepFunction, inside: bool = False) -> CapacityPool:
            mine = [user for user in users if user.flow in flows]
            if mine:
                lanes = worked_lanes(lanes, station.closing, self.plan.horizon_h, holds_over_time(mine))
            return CapacityPool(flows, lanes if share is ONE else combine(np.multiply, lanes, share), inside=inside)

        general = station.lanes
        beside: list[tuple[frozenset[int], StepFunction]] = []
        for reservation in station.reserved:
            flows = reservation.flows & rest
            kept = combine(np.minimum, reservation.lanes, general)
            if not flows or not kept.value.any():
                continue
            never_without = bool(combine(lambda k, n: (k > 0) | (n <= 0), kept, general).value.all())
            general, rest = combine(np.subtract, general, kept), rest - flows
            # With overflow, and while there are no reserved lanes, the flows may use the general lanes too.
            if reservation.overflow or not never_without:
                beside.append((flows, kept))
            else:
                yield pool(flows, kept)
        if beside:
            if rest:
                yield pool(rest, general, inside=True)
            for flows, kept in beside:
                rest, general = rest | flows, combine(np.add, general, kept)
        if rest or not station.reserved:
            yield pool(rest, general)

    def _leg(self, element: int, leg: LimitedLeg) -> Account:
        """Entries by headway, and by the vehicles that the leg holds; the scarcer of both is a bound.

        With a single track that is known to be used alike by both directions: convoys in turn.
        """
        if leg.single_track is not None and (in_turn_h := self._in_turn(element, leg, leg.single_track)) is not None:
            per_h = StepFunction.constant(in_turn_h)
            in_turn = CapacityPool(self.flows(element), places=lambda edges_h: np.diff(integral_until(per_h, edges_h)))
            return Account((in_turn,))
        opened, flows, rates = leg.open or ONE, self.flows(element), []
        if leg.headway_h is not None and (leg.headway_h.value > 0).all():
            headway = leg.headway_h
            worked = worked_lanes(opened, "finish", self.plan.horizon_h, lambda at_h: Holds.always(headway.at(at_h)))
            rates.append(combine(np.divide, worked, headway))
        users = self.users(element) if leg.max_vehicles is not None else []
        if leg.max_vehicles is not None and users:
            on_it = combine(np.multiply, leg.max_vehicles, opened)
            worked = worked_lanes(on_it, "finish", self.plan.horizon_h, holds_over_time(users))
            hold_h = self._mean_holds(users)
            # One that takes no time, if only for a while, holds nobody back.
            if (hold_h.value > 0).all():
                rates.append(combine(np.divide, worked, hold_h))
        if not rates and leg.single_track is not None:
            # Of one direction alone any number may be on it.
            return Account((), "what one direction of a single track passes depends on the other one")
        if not rates:
            return Account()
        reason = ""
        if len(rates) > 1:
            reason = "a headway and a limit of vehicles together"
        elif leg.single_track is not None:
            reason = "what one direction of a single track passes depends on the other one"
        elif leg.max_vehicles is not None and leg.no_overtaking:
            reason = "a limit of vehicles without overtaking"
        entries = rates[0] if len(rates) == 1 else combine(np.minimum, *rates)
        return Account((CapacityPool(flows, places=lambda edges_h: np.diff(integral_until(entries, edges_h))),), reason)

    def _in_turn(self, element: int, leg: LimitedLeg, track: SingleTrackPlan) -> float | None:
        """Entries an hour of both directions in full convoys of equal vehicles, None where that is not what passes.

        A convoy takes the headways between its vehicles, the passage of the last one and the change of direction.
        """
        users = self.users(element)
        alike = {user.step.laws[0][1] for user in users if len(user.step.laws) == 1 and not user.step.reliefs}
        fixed = len(alike) == 1 and isinstance(law := next(iter(alike)), Deterministic) and law.value_h > 0
        dated = any(len(u.step.laws) > 1 or u.step.reliefs or u.step.factor is not None for u in users)
        one_way = sum(user.visits for user in users if not user.step.opposite)
        other = sum(user.visits for user in users if user.step.opposite)
        equal = abs(one_way - other) <= SMALL * (one_way + other)
        limited = leg.max_vehicles is not None or leg.open is not None
        gap = leg.headway_h or StepFunction.constant(0.0)
        if track.convoy is None or not fixed or dated or not equal or limited or not gap.is_constant:
            return None
        convoy_h = (track.convoy - 1) * float(gap.value[0]) + float(to_grid(law.value_h)) + track.switch_h
        return track.convoy / convoy_h

    def _mean_holds(self, users: list[User]) -> StepFunction:
        """Mean duration of the steps by date. [h]"""
        edges = {0.0, *(from_h for user in users for from_h, _ in user.step.laws)}
        edges |= {at for user in users if user.step.factor is not None for at in user.step.factor.from_h.tolist()}
        inside = sorted(at for at in edges if 0 <= at < self.plan.horizon_h)
        return StepFunction(inside, [holds_at(users, at).mean_h for at in inside])

    def _places(self, element: int, places: Callable[[FloatArray], FloatArray]) -> Account:
        def limited(edges_h: FloatArray) -> FloatArray:
            offered = places(edges_h)
            return np.where(offered >= MOST_PLACES, np.inf, offered)

        return Account((CapacityPool(self.flows(element), places=limited),))


# ---------------------------------------------------------------- who uses an element, and for how long


@dataclass(frozen=True, slots=True)
class User:
    """A flow at an element: the step it takes there, and how many of its consignments are expected to."""

    flow: int
    step: Step
    visits: float


def visit_rate(plan: Plan, flow: FlowPlan, variant: Variant, step: Step) -> StepFunction | None:
    """Expected visits of a step an hour, as if the way to it took no time; None where releases are given."""
    process = flow.arrivals
    if process is None:
        return None
    rate = process.rate
    if not process.process.follows_rate:
        rate = StepFunction.constant(process.expected_count(plan.horizon_h) / plan.horizon_h)
    goes = [combine(lambda s: 1 - s, share) for share in step.skipped_shares]
    return combine(lambda *values: np.prod(values, axis=0), rate, variant.share, step.needed_share or ONE, *goes)


def expected_visits(plan: Plan, flow: FlowPlan, variant: Variant, step: Step) -> float:
    """Mean number of visits of a step in the run."""
    rate = visit_rate(plan, flow, variant, step)
    return 0.0 if rate is None else rate.integral(plan.horizon_h)


def holds_over_time(users: Sequence[User]) -> Callable[[float], Holds]:
    """`holds_at` as a function of time, each time without a change worked out once."""
    since = sorted({at for user in users for at in user.step.changes_h})
    found: dict[int, Holds] = {}

    def at(at_h: float) -> Holds:
        piece = bisect.bisect_right(since, at_h)
        if piece not in found:
            found[piece] = holds_at(users, at_h)
        return found[piece]

    return at


def holds_at(users: Sequence[User], at_h: float) -> Holds:
    """The services that begin at an instant, in the proportion in which they are expected."""
    total = sum(user.visits for user in users)
    parts: list[tuple[float, float, Any]] = []
    for user in users:
        law = next((law for from_h, law in reversed(user.step.laws) if from_h <= at_h), user.step.laws[0][1])
        factor = 1.0 if user.step.factor is None else user.step.factor.at(at_h)
        branches = [(user.visits / total, factor)]
        for relief in (relief for relief in user.step.reliefs if relief.factor != 0):
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


# ---------------------------------------------------------------- places


def departing(thing: Departures, edges_h: FloatArray) -> FloatArray:
    """Places of the departures in each period, less the share that is cancelled."""
    total = np.concatenate([[0.0], np.cumsum(thing.places.astype(np.float64))])
    return np.diff(total[np.searchsorted(thing.depart_h, edges_h, side="left")]) * (1.0 - thing.cancel)


def accepted(thing: Quota, edges_h: FloatArray) -> FloatArray:
    """Daily acceptance in each period, spread evenly over the local day; a day without an opening accepts none."""
    per_day, days = thing.per_day.astype(np.float64), np.append(thing.day_start_h, thing.day_start_h[-1] + H_PER_DAY)
    if thing.open is not None:
        per_day = np.where(np.diff(integral_until(thing.open, days)) > 0, per_day, 0.0)
    total = np.concatenate([[0.0], np.cumsum(per_day)])
    return np.diff(np.interp(edges_h, days, total))


def integral_until(function: StepFunction, time_h: FloatArray) -> FloatArray:
    """Integral of a step function from its first instant (or 0, if that is later) until each time. [value x h]"""
    starts = np.concatenate([[min(0.0, function.from_h[0])], function.from_h[1:]])
    before = np.concatenate([[0.0], np.cumsum(function.value[:-1] * np.diff(starts))])
    piece = np.maximum(np.searchsorted(starts, time_h, side="right") - 1, 0)
    return np.asarray(before[piece] + function.value[piece] * (time_h - starts[piece]))


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
