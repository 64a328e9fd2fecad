"""Random plans with their draws, for tests that compare the engines: whole hours, so that ties abound.

`Dice` hides where the numbers come from: numpy for many big plans, hypothesis for
small ones that shrink. `random_case` makes a plan in which every mechanism may occur.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.engines.event.refusals import IDENTITY
from corridor_sim.model.service_times import Exponential
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
from corridor_sim.plan.needs import needed
from corridor_sim.plan.plan import FlowPlan, Plan, PlanStaffPool
from corridor_sim.plan.preemption import unsuited
from corridor_sim.plan.steps import PatiencePlan, PlanBalk, Relief, RestPlan, Span, Step, Variant
from corridor_sim.records.inputs import FlowInputs, SampledInputs, default_numbers


class Dice(Protocol):
    """Whole numbers from somewhere."""

    def integer(self, low: int, high: int) -> int:
        """One number, both ends included."""
        ...

    def integers(self, low: int, high: int, shape: tuple[int, ...]) -> np.ndarray:
        """Many of them."""
        ...


class NumpyDice:
    """Dice thrown by a numpy generator."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def integer(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high, endpoint=True))

    def integers(self, low: int, high: int, shape: tuple[int, ...]) -> np.ndarray:
        return self.rng.integers(low, high, endpoint=True, size=shape)


class DrawnDice:
    """Dice thrown by hypothesis."""

    def __init__(self, draw) -> None:
        from hypothesis import strategies as st

        self.draw, self.st = draw, st

    def integer(self, low: int, high: int) -> int:
        return self.draw(self.st.integers(low, high))

    def integers(self, low: int, high: int, shape: tuple[int, ...]) -> np.ndarray:
        size = int(np.prod(shape))
        return np.array(
            self.draw(self.st.lists(self.st.integers(low, high), min_size=size, max_size=size)), dtype=np.int64
        ).reshape(shape)


@dataclass
class Case:
    """A plan, its draws, and the mechanisms that are in it."""

    plan: Plan
    inputs: SampledInputs
    mechanisms: Counter


def steps_of(dice: Dice, low: int, high: int, span: int, most: int = 5) -> StepFunction:
    """A step function of whole hours."""
    count = dice.integer(0, most)
    at = sorted({dice.integer(1, max(1, span)) for _ in range(count)})
    return StepFunction([0.0, *map(float, at)], [float(dice.integer(low, high)) for _ in range(len(at) + 1)])


def hours_of(dice: Dice, span: int, lanes: int) -> StepFunction:
    """Opening hours that repeat."""
    opens, closes = dice.integer(0, 3), dice.integer(4, 9)
    period = dice.integer(closes, 12)
    if opens == 0:
        edge, value = [0.0, float(closes)], [lanes, 0]
    else:
        edge, value = [0.0, float(opens), float(closes)], [0, lanes, 0]
    if edge[-1] == period:
        edge, value = edge[:-1], value[:-1]
    return StepFunction.periodic(edge, value, float(period), float(span))


def outages_of(dice: Dice, span: int, lanes: int | None) -> tuple[PlanOutage, ...]:
    """A few outages, of single lanes or of the station, which may overlap."""
    found = []
    for _ in range(dice.integer(1, 3)):
        begin = float(dice.integer(0, span))
        lane = None if lanes is None else dice.integer(1, lanes)
        found.append(PlanOutage(from_h=begin, until_h=begin + dice.integer(0, 6), lane=lane))
    return tuple(found)


KINDS = (
    "fifo", "dated", "suspend", "restart", "no_overrun", "clear_queue", "station_outage", "drawn_outage", "priority",
    "priority_dated", "reserved", "reserved_priority", "named", "lane_outage", "headway", "vehicle_limit", "closure",
    "no_overtaking", "timetable", "when_full", "boarding_by_class", "quota", "delay",
)  # fmt: skip


def element_of(
    dice: Dice, kind: str, id: str, span: int, flows: int, rows: int, inputs: dict, requeues: bool = False
) -> object:
    """One element of a kind, with the draws it needs put into `inputs`; `requeues`: outages of the station do."""
    lanes = dice.integer(1, 3)
    rank = tuple(dice.integer(0, 2) for _ in range(flows))
    if kind == "fifo":
        return Station(id=id, lanes=StepFunction.constant(lanes))
    if kind == "dated":
        return Station(id=id, lanes=steps_of(dice, 0, 3, span))
    if kind in ("suspend", "restart", "no_overrun", "clear_queue"):
        function = hours_of(dice, span, lanes) if dice.integer(0, 1) else steps_of(dice, 0, 3, span)
        if kind == "no_overrun":
            # Services are shorter than 6 h: leave the first and the last opening long enough for all.
            function = StepFunction([0.0, 12.0, 20.0, 28.0], [lanes, 0, dice.integer(1, 3), dice.integer(1, 3)])
        return Station(id=id, lanes=function, closing=kind)
    if kind in ("station_outage", "drawn_outage"):
        closing = ("finish", "suspend")[dice.integer(0, 1)]
        function = steps_of(dice, 0, 3, span) if dice.integer(0, 1) else StepFunction.constant(lanes)
        given = outages_of(dice, span, None) if kind == "station_outage" else ()
        if kind == "drawn_outage":
            inputs["outages"][id] = tuple(outages_of(dice, span, None) for _ in range(rows))
        breakdown = PlanBreakdown(up="drawn", down="drawn") if kind == "drawn_outage" else None
        policy = "requeue" if requeues and function.is_constant else "resume"
        return Station(id=id, lanes=function, closing=closing, outages=given, breakdown=breakdown, outage_policy=policy)
    if kind == "priority":
        return Station(id=id, lanes=StepFunction.constant(lanes), rank=rank)
    if kind == "priority_dated":
        return Station(id=id, lanes=hours_of(dice, span, lanes), rank=rank)
    if kind in ("reserved", "reserved_priority"):
        closing = "suspend" if kind == "reserved" and dice.integer(0, 1) else "finish"
        over = closing == "finish" and dice.integer(0, 2) == 0
        fewest = 0 if closing == "finish" else 1
        wanted = steps_of(dice, fewest, 2, span, 2)
        kept = Reservation(flows=frozenset({dice.integer(0, flows - 1)}), lanes=wanted, overflow=over)
        also = Reservation(flows=frozenset({dice.integer(0, flows - 1)}), lanes=StepFunction.constant(1))
        return Station(
            id=id,
            lanes=steps_of(dice, 0 if closing == "suspend" else 1, 4, span),
            reserved=(kept, also),
            closing=closing,
            rank=rank if kind == "reserved_priority" else None,
        )
    if kind == "named":
        calendars = tuple(steps_of(dice, 0, 1, span) for _ in range(lanes))
        edge = np.unique(np.concatenate([c.from_h for c in calendars]))
        outages = outages_of(dice, span, lanes) if dice.integer(0, 1) else ()
        policy = ("resume", "restart", "finish")[dice.integer(0, 2)]
        return Station(
            id=id,
            lanes=StepFunction(edge, sum(c(edge) for c in calendars)),
            named=calendars,
            outages=outages,
            outage_policy=policy,
        )
    if kind == "lane_outage":
        function = steps_of(dice, 0, 3, span) if dice.integer(0, 1) else StepFunction.constant(lanes)
        most = max(1, int(function.value.max()))
        outages = outages_of(dice, span, most) + (outages_of(dice, span, None) if dice.integer(0, 2) == 0 else ())
        policy = ("resume", "restart", "finish")[dice.integer(0, 2)]
        breakdown = None
        if dice.integer(0, 1):
            inputs["outages"][id] = tuple(outages_of(dice, span, most) for _ in range(rows))
            breakdown = PlanBreakdown(up="drawn", down="drawn", per_lane=True)
        return Station(id=id, lanes=function, outages=outages, outage_policy=policy, breakdown=breakdown)
    if kind == "headway":
        one = steps_of(dice, 0, 2, span) if dice.integer(0, 1) else StepFunction.constant(float(dice.integer(0, 2)))
        return LimitedLeg(id=id, headway_h=one, no_overtaking=bool(dice.integer(0, 1)))
    if kind == "vehicle_limit":
        return LimitedLeg(
            id=id,
            max_vehicles=steps_of(dice, 0, 3, span),
            headway_h=StepFunction.constant(1.0) if dice.integer(0, 2) == 0 else None,
            no_overtaking=bool(dice.integer(0, 1)),
        )
    if kind == "closure":
        return LimitedLeg(
            id=id,
            open=steps_of(dice, 0, 1, span),
            max_vehicles=StepFunction.constant(2.0) if dice.integer(0, 2) == 0 else None,
            headway_h=steps_of(dice, 0, 2, span) if dice.integer(0, 1) else None,
        )
    if kind == "single_track":
        return LimitedLeg(
            id=id,
            single_track=SingleTrackPlan(
                switch_h=dice.integer(0, 4) / 2, convoy=dice.integer(1, 3) if dice.integer(0, 2) else None
            ),
            headway_h=steps_of(dice, 0, 2, span, 2) if dice.integer(0, 1) else None,
            max_vehicles=steps_of(dice, 0, 3, span) if dice.integer(0, 2) == 0 else None,
            open=steps_of(dice, 0, 1, span) if dice.integer(0, 2) == 0 else None,
            no_overtaking=bool(dice.integer(0, 1)),
        )
    if kind == "no_overtaking":
        return LimitedLeg(id=id, no_overtaking=True)
    if kind in ("timetable", "boarding_by_class"):
        count = dice.integer(1, 8)
        depart = np.sort(dice.integers(0, span + 4, (count,))).astype(float)
        if dice.integer(0, 1):
            inputs["cancelled"][id] = dice.integers(0, 3, (rows, count)) == 0
        drawn = bool(dice.integer(0, 1))
        if drawn:
            inputs["crossing"][id] = dice.integers(0, 4, (rows, count)).astype(float)
        return Departures(
            id=id,
            depart_h=depart,
            places=dice.integers(0, 5, (count,)),
            crossing="drawn" if drawn else None,
            cancel=0.25 if id in inputs["cancelled"] else 0.0,
            priority=rank if kind == "boarding_by_class" else None,
            landing=("number", "boarding")[dice.integer(0, 1)],
        )
    if kind == "when_full":
        if dice.integer(0, 1):
            inputs["crossing"][id] = dice.integers(0, 4, (rows, 1000)).astype(float)
        return Departures(id=id, when_full=dice.integer(1, 4), crossing="drawn" if id in inputs["crossing"] else None)
    if kind == "quota":
        days = np.arange(0, span + 8, 8, dtype=float)
        per_day = dice.integers(0, 6, (len(days),))
        if not dice.integer(0, 1):
            return Quota(id=id, day_start_h=days, per_day=per_day)
        # Hours of each day, none in some: such a day takes nobody over.
        opens, closes = dice.integers(0, 7, (len(days),)), dice.integers(1, 8, (len(days),))
        instants, values = [0.0], [0.0]
        for day, first, last in zip(days, opens, closes, strict=True):
            for at, value in ((day + first, 1.0), (day + last, 0.0)) if first < last else ():
                if at > instants[-1]:
                    instants.append(float(at))
                    values.append(value)
                else:
                    values[-1] = value
        return Quota(
            id=id,
            day_start_h=days,
            per_day=np.where(opens < closes, per_day, 0),
            open=StepFunction(instants, values),
        )
    if kind == "mixed":
        return mixed_station(dice, id, span, flows, rows, inputs)
    return Delay(id=id, component="dwell")


def mixed_station(dice: Dice, id: str, span: int, flows: int, rows: int, inputs: dict) -> Station:
    """A station that may have any closing, outages, lanes kept or else with names, and classes, all at once."""
    closing = ("finish", "suspend", "restart", "no_overrun", "clear_queue")[dice.integer(0, 4)]
    lanes = hours_of(dice, span, dice.integer(1, 3)) if dice.integer(0, 1) else steps_of(dice, 0, 3, span)
    named = None
    if closing == "no_overrun":
        # Services are shorter than 6 h: leave the first and the last opening long enough for all.
        lanes = StepFunction([0.0, 12.0, 20.0, 28.0], [dice.integer(1, 3), 0, dice.integer(1, 3), dice.integer(1, 3)])
    elif dice.integer(0, 3) == 0:
        named = tuple(steps_of(dice, 0, 1, span) for _ in range(dice.integer(1, 3)))
        edge = np.unique(np.concatenate([one.from_h for one in named]))
        lanes = StepFunction(edge, sum(one(edge) for one in named))
    most = max(1, len(named) if named else int(lanes.value.max()))
    outages, breakdown, by_lane = (), None, bool(dice.integer(0, 1))
    if dice.integer(0, 2):
        outages = outages_of(dice, span, most if by_lane else None)
        outages += outages_of(dice, span, None) if dice.integer(0, 2) == 0 else ()
    if dice.integer(0, 2) == 0:
        inputs["outages"][id] = tuple(outages_of(dice, span, most if by_lane else None) for _ in range(rows))
        breakdown = PlanBreakdown(up="drawn", down="drawn", per_lane=by_lane)
    reserved = ()
    identity = named or (by_lane and (outages or breakdown))
    if dice.integer(0, 1) and not identity:
        reserved = tuple(
            Reservation(
                flows=frozenset({dice.integer(0, flows - 1)}),
                lanes=steps_of(dice, 0, 2, span, 2) if dice.integer(0, 1) else StepFunction.constant(1),
                overflow=bool(dice.integer(0, 1)),
            )
            for _ in range(dice.integer(1, 2))
        )
    rank = tuple(dice.integer(0, 2) for _ in range(flows)) if dice.integer(0, 1) else None
    changes = ()
    if dice.integer(0, 3) == 0:
        later = tuple(dice.integer(0, 2) for _ in range(flows))
        changes = ((0.0, rank), (float(dice.integer(1, span)), later))
    extra = extra_lanes_of(dice, span) if not identity and dice.integer(0, 1) else None
    return Station(
        id=id,
        lanes=lanes,
        extra_lanes=extra,
        closing=closing,
        named=named,
        outages=outages,
        breakdown=breakdown,
        outage_policy=("resume", "restart", "finish", "requeue")[dice.integer(0, 3)],
        reserved=reserved,
        rank=rank,
        rank_changes=changes,
    )


def extra_lanes_of(dice: Dice, span: int) -> ExtraLanesPlan:
    """Lanes that the queue opens: low thresholds, so that they are passed often, and numbers that may change."""
    above = dice.integer(1, 4)
    return ExtraLanesPlan(
        above=StepFunction.constant(above),
        below=StepFunction.constant(dice.integer(1, above)),
        most=steps_of(dice, 0, 3, span, 3) if dice.integer(0, 1) else StepFunction.constant(dice.integer(1, 3)),
        start_up_h=StepFunction.constant(dice.integer(0, 4) / 2),
    )


def with_gates(dice: Dice, plan: Plan, span: int) -> Plan:
    """The plan with gates at some stations that look at queues further on, low ones whose numbers may change."""
    elements = list(plan.elements)
    for k, one in enumerate(elements):
        behind = [other.id for other in elements[k + 1 :] if isinstance(other, (Station, Quota))]
        if not isinstance(one, Station) or not behind or dice.integer(0, 3) == 0:
            continue
        gates = []
        for _ in range(dice.integer(1, 2)):
            close_at = dice.integer(1, 3)
            never = 2.0**53
            since = float(dice.integer(1, span)) if dice.integer(0, 2) == 0 else None
            last = len(behind) - 1
            queues = {behind[dice.integer(0, last)] for _ in range(dice.integer(1, 2))}
            gates.append(
                GatePlan(
                    queues=tuple(sorted(queues)),
                    close_at=StepFunction.constant(close_at)
                    if since is None
                    else StepFunction([0.0, since], [(never, close_at + 1)[dice.integer(0, 1)], close_at]),
                    open_below=StepFunction.constant(dice.integer(1, close_at)),
                )
            )
        elements[k] = replace(one, gates=tuple(gates))
    return replace(plan, elements=tuple(elements))


def with_kept_lanes(dice: Dice, plan: Plan, span: int) -> Plan:
    """The plan with lanes kept for some flows wherever lanes have names or fail one by one; now more than are open."""
    flows, elements = len(plan.flows), list(plan.elements)
    for k, one in enumerate(elements):
        if isinstance(one, Station) and not IDENTITY.isdisjoint(needed(one)):
            kept = tuple(
                Reservation(
                    flows=frozenset({dice.integer(0, flows - 1)}),
                    lanes=steps_of(dice, 0, 3, span, 12),
                    overflow=bool(dice.integer(0, 1)),
                )
                for _ in range(dice.integer(1, 2))
            )
            elements[k] = replace(one, reserved=kept)
    return replace(plan, elements=tuple(elements))


TAKES_TIME = {"timetable", "when_full", "boarding_by_class", "quota"}


def random_case(
    dice: Dice,
    *,
    kinds: tuple[str, ...] = KINDS,
    elements: tuple[int, int] = (1, 4),
    consignments: tuple[int, int] = (0, 8),
    rows: tuple[int, int] = (1, 3),
    flows: tuple[int, int] = (1, 3),
    span: int = 40,
    requeues: bool = False,
) -> Case:
    """A plan with its draws."""
    count, n_flows, n_rows = dice.integer(*elements), dice.integer(*flows), dice.integer(*rows)
    drawn: dict = {"outages": {}, "cancelled": {}, "crossing": {}}
    chosen = [kinds[dice.integer(0, len(kinds) - 1)] for _ in range(count)]
    stations = [
        element_of(dice, kind, f"e{k}", span, n_flows, n_rows, drawn, requeues) for k, kind in enumerate(chosen)
    ]
    mechanisms = Counter(chosen)
    flow_plans, flow_inputs = [], []
    total = dice.integer(*consignments)
    for f in range(n_flows):
        per_flow = max(0, total // n_flows)
        variants, durations, uniforms = [], {}, {}
        sizes = dice.integers(0, 2, (n_rows,)) if per_flow else np.zeros(n_rows, dtype=int)
        widths = np.maximum(per_flow - sizes, 0)
        width = int(widths.max(initial=0))
        shape = (n_rows, width)
        number_of_variants = dice.integer(1, 2)
        for v in range(number_of_variants):
            steps = []
            for e in range(count):
                if count > 1 and dice.integer(0, 4) == 0:
                    continue
                name = f"e{e}"
                laws: tuple = ()
                if chosen[e] not in TAKES_TIME:
                    laws = (
                        ((0.0, "law"), (float(dice.integer(1, span)), "law"))
                        if dice.integer(0, 4) == 0
                        else ((0.0, "law"),)
                    )
                    arrays = durations.get(name, ())
                    while len(arrays) < len(laws):
                        arrays = (*arrays, dice.integers(0, 5, shape).astype(float))
                    durations[name] = arrays
                share, share_draws, reliefs, factor = None, "", (), None
                if dice.integer(0, 3) == 0:
                    share_draws = "channel" if dice.integer(0, 1) else name
                    share = StepFunction([0.0, float(dice.integer(1, span))], [dice.integer(0, 4) / 4, 0.5])
                    mechanisms["share"] += 1
                if chosen[e] not in TAKES_TIME and chosen[e] != "no_overrun":
                    if dice.integer(0, 3) == 0:
                        factor = StepFunction([0.0, float(dice.integer(1, span))], [0.75, dice.integer(0, 5) / 3])
                        mechanisms["factor"] += 1
                    if dice.integer(0, 4) == 0:
                        reliefs = (
                            Relief(
                                share=steps_of(dice, 0, 1, span, 2),
                                factor=(0.0, 0.3)[dice.integer(0, 1)],
                                draws=f"relief{e}",
                            ),
                        )
                        uniforms.setdefault(f"relief{e}", dice.integers(0, 7, shape) / 8)
                        mechanisms["relief"] += 1
                if share_draws:
                    uniforms.setdefault(share_draws, dice.integers(0, 7, shape) / 8)
                steps.append(
                    Step(
                        element=e,
                        laws=laws,
                        draws=name if laws else "",
                        factor=factor,
                        share=share,
                        share_draws=share_draws,
                        reliefs=reliefs,
                        opposite=chosen[e] == "single_track" and bool(dice.integer(0, 1)),
                    )
                )
            spans = (Span(kind="post", id="all", first=0, last=len(steps) - 1),) if steps else ()
            if len(steps) > 1:
                spans += (Span(kind="post", id="first", first=0, last=0),)
            variants.append(Variant(id=f"v{v}", steps=tuple(steps), spans=spans))
        there = np.arange(width)[None, :] < widths[:, None]
        release = np.sort(dice.integers(0, span, shape), axis=1).astype(float)
        release = np.where(there, release, np.inf)
        variant = np.where(there, dice.integers(0, number_of_variants - 1, shape), -1)
        flow_plans.append(FlowPlan(id=f"f{f}", variants=tuple(variants)))
        flow_inputs.append(FlowInputs(release, variant, default_numbers(f, shape), durations, uniforms))
    plan = Plan(
        elements=tuple(stations),
        flows=tuple(flow_plans),
        horizon_h=float(dice.integer(span // 2, 3 * span)),
    )
    index = {element.id: k for k, element in enumerate(plan.elements)}
    inputs = SampledInputs(
        np.arange(n_rows),
        tuple(flow_inputs),
        {index[id]: rows_ for id, rows_ in drawn["outages"].items()},
        {index[id]: times for id, times in drawn["crossing"].items()},
        {index[id]: flags for id, flags in drawn["cancelled"].items()},
    )
    return Case(plan, inputs, mechanisms)


APART = ("fifo", "dated", "priority", "priority_dated", "delay")
"""Kinds of elements that are worked through together the short way."""
MIXED = (
    *("mixed",) * 7, "fifo", "delay", "headway", "vehicle_limit", "closure", "no_overtaking", "quota",
    "timetable", "timetable",
)  # fmt: skip
"""Kinds of elements that the compiled pass may work through in time order, stations with everything among them."""
TRACKS = (*("single_track",) * 6, "mixed", "mixed", "fifo", "delay", "quota", "timetable")
"""Single tracks of both directions among other elements."""


def coupled(dice: Dice, plan: Plan, inputs: SampledInputs) -> tuple[Plan, SampledInputs]:
    """The plan with staff pools that stations share, and with steps at which some balk."""
    span = int(plan.horizon_h)
    pools = tuple(PlanStaffPool(id=f"pool{n}", members=steps_of(dice, 0, 4, span)) for n in range(dice.integer(0, 2)))
    elements = []
    for element in plan.elements:
        if isinstance(element, Station) and pools and dice.integer(0, 2):
            pool = pools[dice.integer(0, len(pools) - 1)].id
            element = replace(element, staff_pool=pool, staff_per_service=dice.integer(1, 2))
        elements.append(element)
    flows = []
    for flow in plan.flows:
        variants = []
        for variant in flow.variants:
            # What is announced is planned: laws with a mean.
            steps = tuple(
                replace(
                    step,
                    laws=tuple((from_h, Exponential(mean_h=float(dice.integer(1, 3)))) for from_h, _ in step.laws),
                )
                for step in variant.steps
            )
            variants.append(replace(variant, steps=steps))
        for v in range(len(variants)):
            if dice.integer(0, 2):
                balking(dice, elements, variants, v)
        flows.append(replace(flow, variants=tuple(variants)))
    plan = replace(plan, elements=tuple(elements), flows=tuple(flows), staff_pools=pools)
    return plan, inputs


def with_patience(dice: Dice, plan: Plan, inputs: SampledInputs) -> tuple[Plan, SampledInputs]:
    """The plan with consignments that leave queues: some for good, some for what stands further on."""
    flows, drawn = [], []
    for flow, given in zip(plan.flows, inputs.flows, strict=True):
        variants, durations = list(flow.variants), dict(given.duration_h)
        for v in range(len(variants)):
            for n, step in enumerate(variants[v].steps):
                if not isinstance(plan.elements[step.element], Station) or dice.integer(0, 2) == 0:
                    continue
                draws = f"{plan.elements[step.element].id}.patience"
                if draws not in durations:
                    durations[draws] = (dice.integers(0, 6, given.release_h.shape).astype(float),)
                behind = variants[v].steps[n + 1 :]
                instead = tuple(replace(one, balk=None, patience=None) for one in behind if dice.integer(0, 1))
                terms = PatiencePlan(law=Exponential(mean_h=2.0), draws=draws, variant=len(variants), at_step=n + 1)
                steps = tuple(
                    replace(one, patience=terms) if m == n else one for m, one in enumerate(variants[v].steps)
                )
                variants[v] = replace(variants[v], steps=steps)
                before = tuple(span for span in variants[v].spans if span.last < n)
                way = (*(replace(one, balk=None, patience=None) for one in steps[: n + 1]), *instead)
                after = (Span(kind="leg", id="away", first=n + 1, last=len(way) - 1),) if instead else ()
                none = StepFunction.constant(0.0)
                lost = not instead and bool(dice.integer(0, 3))
                variants.append(Variant(id=f"left{v}.{n}", steps=way, spans=before + after, share=none, lost=lost))
        flows.append(replace(flow, variants=tuple(variants)))
        drawn.append(replace(given, duration_h=durations))
    return replace(plan, flows=tuple(flows)), replace(inputs, flows=tuple(drawn))


def with_rests(dice: Dice, plan: Plan, inputs: SampledInputs) -> tuple[Plan, SampledInputs]:
    """The plan with drivers who rest behind stays, which stand for legs here; some of them after a ban."""
    elements: list = []
    place: dict[int, int] = {}
    behind: dict[int, int] = {}
    for k, element in enumerate(plan.elements):
        place[k] = len(elements)
        elements.append(element)
        if isinstance(element, Delay):
            behind[k] = len(elements)
            elements.append(Delay(id=f"{element.id}.rest", component="rest"))
    flows = []
    for flow in plan.flows:
        variants = []
        for variant in flow.variants:
            steps: list[Step] = []
            new: dict[int, int] = {}
            for n, step in enumerate(variant.steps):
                new[n] = len(steps)
                if step.element not in behind:
                    steps.append(replace(step, element=place[step.element]))
                    continue
                before = steps[-1] if steps else None
                ban = before is not None and isinstance(elements[before.element], LimitedLeg)
                after = 2 if ban and not before.may_be_skipped else 1
                steps.append(replace(step, element=place[step.element], share=None, share_draws="", reliefs=()))
                drive, rest = (np.cumsum(dice.integers(1, 4, (3,))).astype(float) for _ in range(2))
                if dice.integer(0, 3) == 0:
                    drive[0] = rest[0] = np.inf
                kinds = dice.integer(2, 3)
                terms = RestPlan(
                    drive_h=tuple(drive[:kinds].tolist()),
                    rest_h=tuple(rest[:kinds].tolist()),
                    waiting_is_rest=bool(dice.integer(0, 1)),
                    after=after,
                )
                steps.append(Step(element=behind[step.element], rest=terms))
            ends = {n: new.get(n + 1, len(steps)) - 1 for n in new}
            spans = tuple(replace(span, first=new[span.first], last=ends[span.last]) for span in variant.spans)
            variants.append(replace(variant, steps=tuple(steps), spans=spans))
        flows.append(replace(flow, variants=tuple(variants)))
    drawn = {
        name: {place[k]: values for k, values in getattr(inputs, name).items()}
        for name in ("outages", "crossing_h", "cancelled")
    }
    return replace(plan, elements=tuple(elements), flows=tuple(flows)), replace(inputs, **drawn)


def in_boarding_order(plan: Plan) -> Plan:
    """The plan with loads that are all unloaded in the order of boarding."""
    elements = (replace(one, landing="boarding") if isinstance(one, Departures) else one for one in plan.elements)
    return replace(plan, elements=tuple(elements))


def with_preemption(dice: Dice, plan: Plan) -> Plan:
    """The plan with classes at most stations, of which the more urgent interrupt the others where that may be."""
    elements = []
    for one in plan.elements:
        if isinstance(one, Station) and dice.integer(0, 4):
            rank = tuple(dice.integer(0, 2) for _ in plan.flows)
            other = replace(
                one,
                rank=rank,
                rank_changes=(),
                preemption=("resume", "restart")[dice.integer(0, 1)],
                reserved=(),
                outages=tuple(outage for outage in one.outages if outage.lane is None),
                outage_policy="resume" if one.outage_policy == "requeue" else one.outage_policy,
                closing="suspend" if one.closing == "no_overrun" else one.closing,
            )
            if not list(unsuited(other)):
                one = other
        elements.append(one)
    return replace(plan, elements=tuple(elements))


def balking(dice: Dice, elements: list, variants: list[Variant], v: int) -> None:
    """Let some balk at a station of an itinerary, and go on by a new one to what stands behind it."""
    variant = variants[v]
    stations = [k for k, step in enumerate(variant.steps) if isinstance(elements[step.element], Station)]
    if not stations:
        return
    k = stations[dice.integer(0, len(stations) - 1)]
    later = [n for n in stations if n >= k]
    stages = tuple(n for n in later if n == k or dice.integer(0, 1))
    asked = {k, k + 1} if variant.steps[k].may_be_skipped and k + 1 in stations else {k}
    behind = variant.steps[max(asked) + 1 :]
    instead = [replace(step, balk=None) for step in behind if dice.integer(0, 1)]
    terms = PlanBalk(
        threshold_h=(0.0, 0.5, 1.0, 2.5)[dice.integer(0, 3)],
        variant=len(variants),
        at_step=k,
        stages=stages if dice.integer(0, 3) else (),
        since=k if len(asked) > 1 or dice.integer(0, 1) else None,
    )
    steps = tuple(replace(step, balk=terms) if n in asked else step for n, step in enumerate(variant.steps))
    variants[v] = replace(variant, steps=steps)
    before = tuple(span for span in variant.spans if span.last < k)
    way = (*variant.steps[:k], *instead)
    after = (Span(kind="leg", id="round", first=k, last=len(way) - 1),) if instead else ()
    variants.append(Variant(id=f"round{v}", steps=way, spans=before + after, share=StepFunction.constant(0.0)))
