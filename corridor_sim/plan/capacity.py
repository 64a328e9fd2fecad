"""What elements can really do: the account of capacity that `check`, runs and reports share.

Each mechanism that takes or adds lane-time says so in a function of its own: hours with their
closing policy, lanes opened by the queue and staff (`worked_lanes.py`), outages and drawn breakdowns
(`up_share.py`), places of departures and daily acceptance (`offered_places.py`), reservations and
limits of legs (here). An account is what a saturated run passes, within 1 %; where no formula and no
saturated run of the element alone gives that, it is an upper bound and says why.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import FloatArray, to_grid
from corridor_sim.model.service_times import Deterministic
from corridor_sim.plan.elements import Departures, LimitedLeg, Quota, SingleTrackPlan, Station
from corridor_sim.plan.mechanisms import Mechanism
from corridor_sim.plan.offered_places import accepted, departing, integral_until
from corridor_sim.plan.plan import Plan
from corridor_sim.plan.saturated import Holds
from corridor_sim.plan.steps import Step, Variant
from corridor_sim.plan.timelines import ONE, combine
from corridor_sim.plan.up_share import SMALL, up_share
from corridor_sim.plan.visits import User, expected_visits, holds_at, holds_over_time
from corridor_sim.plan.worked_lanes import staffed, with_extra_lanes, worked_lanes

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
MOST_PLACES = 1e8
"""More places than this in one period stand for no limit."""


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
