"""What each piece of a plan needs of an engine: every field of every class is accounted for, here.

`FIELDS` has one table a class. A field is a *label* (it acts on nothing that an
engine does), is *covered* (another field brings its mechanism), or brings mechanisms.
A field in no table, a value in no table and a class in no table bring an
`Undeclared` mechanism, which no engine does: it is refused by name and never ignored.

To add a field: give it a line in the table of its class, a new `Mechanism` if it is one,
and the mechanism to the engines that do it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import MISSING
from typing import Any

import numpy as np

from corridor_sim.core import by_object
from corridor_sim.core.errors import Problem
from corridor_sim.plan.elements import (
    Delay,
    Departures,
    ExtraLanesPlan,
    GatePlan,
    LimitedLeg,
    PlanBreakdown,
    PlanOutage,
    Quota,
    Reservation,
    SingleTrackPlan,
    Station,
)
from corridor_sim.plan.mechanisms import NEUTRAL, Mechanism, Need, Undeclared
from corridor_sim.plan.names import file_path
from corridor_sim.plan.plan import FlowPlan, Plan, PlanStaffPool
from corridor_sim.plan.steps import PatiencePlan, PlanBalk, Relief, RestPlan, Span, Step, Variant

M = Mechanism
Rule = Callable[[Any], Iterable[Need]]
"""From a piece to what one of its fields brings; asked only where the field has not its default."""


def label(_: Any) -> Iterable[Need]:
    """The rule of a field that names or describes; engines do not act on it."""
    return ()


def no_more(_: Any) -> Iterable[Need]:
    """The rule of a field whose mechanism another field brings, of this piece or of the one it lies in."""
    return ()


def labels(names: str) -> dict[str, Rule]:
    """Fields that name or describe."""
    return dict.fromkeys(names.split(), label)


def covered(names: str) -> dict[str, Rule]:
    """Fields whose mechanism another field brings."""
    return dict.fromkeys(names.split(), no_more)


def brings(mechanism: Mechanism) -> Rule:
    """A field that brings a mechanism wherever it has not its default."""
    found = (mechanism,)
    return lambda _: found


def parts(name: str) -> Rule:
    """A field that holds other pieces: what they bring."""

    def rule(piece: Any) -> Iterable[Need]:
        inside = getattr(piece, name)
        return frozenset().union(*map(needed, inside if isinstance(inside, tuple) else (inside,)))

    return rule


def choice(name: str, meaning: Mapping[str, Mechanism]) -> Rule:
    """A field whose value names a mechanism; a value that is not known is undeclared."""

    def rule(piece: Any) -> Iterable[Need]:
        value = getattr(piece, name)
        return (meaning.get(value) or Undeclared(type(piece).__name__, f"{name} = {value!r}"),)

    return rule


CLOSINGS = {
    "finish": M.FINISH,
    "suspend": M.SUSPEND,
    "restart": M.RESTART,
    "no_overrun": M.NO_OVERRUN,
    "clear_queue": M.CLEAR_QUEUE,
}
OUTAGE_POLICIES = {
    "resume": M.OUTAGES_RESUME,
    "restart": M.OUTAGES_RESTART,
    "finish": M.OUTAGES_FINISH,
    "requeue": M.OUTAGES_REQUEUE,
}
_POLICY = choice("outage_policy", OUTAGE_POLICIES)


def _lanes(station: Station) -> Iterable[Need]:
    if station.lanes.is_constant:
        return (M.LANES,)
    closes = station.closing == "finish" and not station.lanes.value.all()
    return (M.LANES, M.DATED_LANES, M.FINISH) if closes else (M.LANES, M.DATED_LANES)


FIELDS: dict[type, dict[str, Rule]] = {
    Station: {
        **labels("id post direction stage crossing"),
        "lanes": _lanes,
        "closing": choice("closing", CLOSINGS),
        "named": brings(M.NAMED_LANES),
        "outages": lambda station: (*parts("outages")(station), *_POLICY(station)),
        "breakdown": lambda station: (*parts("breakdown")(station), *_POLICY(station)),
        "rank": lambda station: (M.PRIORITY,) if len(set(station.rank)) > 1 else (),
        "rank_changes": brings(M.DATED_PRIORITY),
        "preemption": choice("preemption", {"resume": M.PREEMPTION, "restart": M.PREEMPTION_RESTART}),
        "yard": brings(M.YARD),
        "yard_changes": lambda station: (M.DATED_YARD, M.YARD) if station.may_be_full else (M.DATED_YARD,),
        "reserved": lambda station: (M.RESERVED_LANES, *parts("reserved")(station)),
        "staff_pool": brings(M.STAFF_POOL),
        "extra_lanes": parts("extra_lanes"),
        "gates": parts("gates"),
        **covered("outage_policy staff_per_service"),
    },
    GatePlan: {"queues": brings(M.GATE), **covered("close_at open_below")},
    ExtraLanesPlan: {"most": brings(M.EXTRA_LANES), **covered("above below start_up_h")},
    PlanOutage: {
        "from_h": lambda outage: (M.OUTAGES if outage.lane is None else M.LANE_OUTAGES,),
        **covered("until_h lane"),
    },
    PlanBreakdown: {
        "up": lambda breakdown: (M.LANE_BREAKDOWNS if breakdown.per_lane else M.BREAKDOWNS,),
        **covered("down per_lane"),
    },
    Reservation: {
        **covered("flows"),
        "lanes": lambda kept: () if kept.lanes.value.all() else (M.RESERVED_FOR_A_TIME,),
        "overflow": brings(M.RESERVED_OVERFLOW),
    },
    Delay: {**labels("component post direction stage crossing"), "id": brings(M.DELAY)},
    LimitedLeg: {
        **labels("id post direction stage crossing"),
        "headway_h": brings(M.HEADWAY),
        "open": brings(M.CLOSURES),
        "max_vehicles": brings(M.VEHICLE_LIMIT),
        "no_overtaking": brings(M.NO_OVERTAKING),
        "single_track": parts("single_track"),
    },
    SingleTrackPlan: {"switch_h": brings(M.SINGLE_TRACK), **covered("convoy")},
    Departures: {
        **labels("component post direction stage"),
        "id": lambda table: (M.WHEN_FULL if table.when_full else M.DEPARTURES,),
        # Which draw is whose is settled before an engine sees them.
        **covered("depart_h places when_full draw_of"),
        "crossing": brings(M.CROSSING),
        "cancel": brings(M.CANCELLATIONS),
        "priority": brings(M.BOARDING_BY_CLASS),
        "landing": choice("landing", {"boarding": M.BOARDING_ORDER}),
    },
    Quota: {
        **labels("id post direction stage crossing"),
        "day_start_h": brings(M.ACCEPTANCE),
        "open": brings(M.ACCEPTANCE_HOURS),
        **covered("per_day"),
    },
    Step: {
        **covered("element draws share_draws opposite"),
        "laws": lambda step: (M.DURATION,) if len(step.laws) == 1 else (M.DURATION, M.DATED_DURATION),
        "factor": brings(M.FACTOR),
        "share": brings(M.SHARE),
        "reliefs": parts("reliefs"),
        "balk": parts("balk"),
        "patience": parts("patience"),
        "rest": parts("rest"),
    },
    RestPlan: {"drive_h": brings(M.DRIVERS_HOURS), **covered("rest_h waiting_is_rest after")},
    PatiencePlan: {"law": brings(M.PATIENCE), **covered("draws variant at_step")},
    Relief: {**covered("factor draws"), "share": brings(M.RELIEF)},
    PlanBalk: {**covered("variant at_step stages since"), "threshold_h": brings(M.BALKING)},
    Span: labels("kind id first last direction mode length_km cost_usd_tkm co2_g_tkm"),
    Variant: {**labels("id handling_usd lost"), **covered("steps share"), "spans": parts("spans")},
    FlowPlan: {
        **labels("id cargo_class vehicle origin destination direction load_t value_usd_t vehicle_length_m labels"),
        "variants": lambda flow: (*((M.ROUTES,) if len(flow.variants) > 1 else ()), *parts("variants")(flow)),
        # Releases are drawn before an engine sees them.
        **covered("arrivals"),
    },
    PlanStaffPool: {**labels("id"), **covered("members")},
    Plan: {
        **labels("name start labels horizon_h warm_up_h count_until_h"),
        **covered("elements flows"),
        "staff_pools": parts("staff_pools"),
        "cyclic": brings(M.CYCLES),
    },
}
"""For each class of a plan what each of its fields brings; `id` may stand for the class itself."""


@by_object.once
def needed(piece: object) -> frozenset[Need]:
    """What a piece of a plan needs, with the pieces that lie in it (but not the steps of an itinerary).

    Examples
    --------
    >>> from corridor_sim.core.step_functions import StepFunction
    >>> station = Station(id="samur", lanes=StepFunction.constant(2), staff_pool="customs")
    >>> sorted(need.words for need in needed(station))
    ['a staff pool', 'lanes']
    """
    kind = type(piece)
    rules = _RULES.get(kind)
    if rules is None:
        rules = _RULES[kind] = _rules(kind)
    found: list[Need] = []
    for name, default, rule in rules:
        value = getattr(piece, name, MISSING)
        if value is not default and (default is MISSING or _differs(value, default)):
            found.extend(rule(piece))
    return frozenset(found) if found else _NONE


_NONE: frozenset[Need] = frozenset()
_RULES: dict[type, tuple[tuple[str, Any, Rule], ...]] = {}
"""Name, default and rule of the fields of each class met so far, without those that bring nothing."""


def _rules(kind: type) -> tuple[tuple[str, Any, Rule], ...]:
    known = next((base for base in kind.__mro__ if base in FIELDS), None)
    if known is None:
        return (("__class__", MISSING, lambda _: (Undeclared(kind.__name__),)),)
    found: list[tuple[str, Any, Rule]] = []
    for field in dataclasses.fields(kind):
        default = field.default if field.default_factory is MISSING else field.default_factory()
        rule = FIELDS[known].get(field.name)
        if rule is None:
            rule = _undeclared(kind.__name__, field.name)
        if rule not in (label, no_more):
            found.append((field.name, default, rule))
    return tuple(found)


def _undeclared(piece: str, field: str) -> Rule:
    found = (Undeclared(piece, field),)
    return lambda _: found


def _differs(value: Any, default: Any) -> bool:
    if isinstance(value, np.ndarray) or isinstance(default, np.ndarray):
        return not np.array_equal(value, default)
    return bool(value != default)


def needs_at(plan: Plan) -> list[frozenset[Need]]:
    """What each element of a plan needs, with the steps that lead there."""
    found: list[set[Need]] = [set(needed(element)) for element in plan.elements]
    for flow in plan.flows:
        for variant in flow.variants:
            for step in variant.steps:
                found[step.element] |= needed(step)
    return [frozenset(one) for one in found]


def missing(plan: Plan, does: Set[Mechanism]) -> dict[Need, list[str]]:
    """What a plan needs beyond a set of mechanisms, each with the places that need it, in order of the plan.

    Examples
    --------
    >>> from corridor_sim.core.step_functions import StepFunction
    >>> station = Station(id="samur", lanes=StepFunction.constant(2), staff_pool="customs")
    >>> missing(Plan(elements=(station,), flows=(), horizon_h=24.0), {Mechanism.LANES})
    {<Mechanism.STAFF_POOL: ('a staff pool', 'takes')>: ['samur']}
    """
    found: dict[Need, list[str]] = {}
    # By object: many flows may share a step.
    different = {id(step): step for variant in plan.different_variants() for step in variant.steps}
    known = {of: needed(step) - does for of, step in different.items()}
    for piece, flow in _pieces(plan, with_steps=any(known.values())):
        short = known[id(piece)] if flow is not None else needed(piece) - does
        if not short:
            continue
        place = _place(plan, piece, flow)
        for need in sorted(short, key=lambda need: need.words) if len(short) > 1 else short:
            places = found.setdefault(need, [])
            if place not in places:
                places.append(place)
    return found


def _pieces(plan: Plan, *, with_steps: bool) -> Iterator[tuple[Any, FlowPlan | None]]:
    """Every piece of a plan that is looked at for itself, steps with their flow if they are wanted."""
    yield plan, None
    for flow in plan.flows:
        yield flow, None
        if with_steps:
            yield from ((step, flow) for variant in flow.variants for step in variant.steps)
    for element in plan.elements:
        yield element, None


def _place(plan: Plan, piece: Any, flow: FlowPlan | None) -> str:
    """The name of the place of a piece."""
    if flow is not None:
        return f"{plan.elements[piece.element].id} (flow {flow.id})"
    if isinstance(piece, Plan):
        return f"plan {piece.name!r}"
    return f"flow {piece.id}" if isinstance(piece, FlowPlan) else str(piece.id)


def refused(plan: Plan, does: Set[Mechanism]) -> list[str]:
    """The same in words, "<mechanism> at <place>"; empty if the set is enough."""
    return [f"{need.words} at {place}" for need, places in missing(plan, does).items() for place in places]


def left_out(plan: Plan, counted: Set[Mechanism]) -> dict[Need, list[str]]:
    """What gives or takes lane-time and is not among the mechanisms that an account counts, with its places."""
    return {need: places for need, places in missing(plan, counted).items() if need.effect != NEUTRAL}


def undeclared_problems(plan: Plan) -> list[Problem]:
    """What a plan has and no mechanism stands for: no engine can do it."""
    elements = {element.id: element for element in plan.elements}
    return [
        Problem(f"needs {need.words}, which no engine does", file_path(elements[at]) if at in elements else at)
        for need, places in missing(plan, _ALL).items()
        for at in places
    ]


_ALL = frozenset(Mechanism)
