"""The tables of stations and legs that the pass works through in time order, as the event engine does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.errors import SimulationError
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import FloatArray
from corridor_sim.engines.batch.servers import longest_opening
from corridor_sim.engines.compiled import codes
from corridor_sim.engines.compiled.listing import Ints, real, whole
from corridor_sim.engines.compiled.tables import Coded
from corridor_sim.engines.queues.limited_legs import room_of
from corridor_sim.engines.usable_lanes import usable_lanes
from corridor_sim.plan.elements import LimitedLeg, PlanOutage, SingleTrackPlan, Station
from corridor_sim.plan.plan import Plan

Flags = NDArray[np.bool_]


class Full(NamedTuple):
    """Stations with everything (`engines.event.full_station`) and limited legs, in one replication.

    Stations are numbered; so are their lanes and their pools, the general one of each first. "from" columns say
    where the pieces or entries of each begin.

    Attributes
    ----------
    number, leg
        Number of the station or leg of a queue, -1 for none.
    closing, policy, by_lane, named
        Of each station: codes of closing and outage policy, whether lanes have an identity, calendars of their own.
    lanes_from, lanes_h, lanes
        Pooled number of open lanes by date.
    lane_from, calendar_from, calendar_h, calendar
        Lanes of a station, and by date whether a named lane is open.
    pool_from, kept_from, kept_h, kept, overflow
        Pools of a station; lanes kept by date for all but the general one, and whether those flows may use others.
    group_of
        Pool to which a flow belongs, by station.
    rank_from, rank_h, rank, classes, slot_from
        Class of each flow by date; number of classes; where the lines of a station begin: by pool, those put back
        before the others, by class.
    change_from, change_h
        Instants at which anything changes.
    outage_from, outage_h, outage_lane, outage_change
        Beginnings (1) and ends (-1) of outages in order of time; lane -1 is all of them.
    closing_from, closing_h, longest_h
        Instants of closing, and the longest opening, where no service may run over.
    usable_from, usable_h, usable
        Lanes that a wait is announced for, by pool.
    extra_from, extra_h, extra_above, extra_below, extra_most, extra_start_up_h
        Numbers of lanes that the queue opens, by date (`engines.event.extra_lanes`); none of a station without.
    patience, leave_route, leave_step
        Of each step the column of the patience there (-1: nobody leaves), itinerary and step of those who leave.
    gate_from, gate_station, gate_queue
        Gates of each station; the station and the queue of each gate.
    gate_at_from, gate_at, asks_from, asks
        Queues at which each gate looks, and the gates that each queue asks once it has settled.
    gate_piece_from, gate_h, gate_close, gate_open
        Numbers of each gate by date (`engines.event.gates`).
    no_overtaking, headway_from, headway_h, headway, room_from, room_h, room
        Of each leg.
    single, switch_h, convoy, opposite
        Of each leg whether both directions use it in turn, with its terms (0: no limit); of each step whether it is
        of the second direction (`engines.event.tracks`).
    """

    number: Ints
    leg: Ints
    closing: Ints
    policy: Ints
    by_lane: Flags
    named: Flags
    lanes_from: Ints
    lanes_h: FloatArray
    lanes: Ints
    lane_from: Ints
    calendar_from: Ints
    calendar_h: FloatArray
    calendar: Ints
    pool_from: Ints
    kept_from: Ints
    kept_h: FloatArray
    kept: Ints
    overflow: Flags
    group_of: Ints
    rank_from: Ints
    rank_h: FloatArray
    rank: Ints
    classes: Ints
    slot_from: Ints
    preempts: Ints
    change_from: Ints
    change_h: FloatArray
    outage_from: Ints
    outage_h: FloatArray
    outage_lane: Ints
    outage_change: Ints
    closing_from: Ints
    closing_h: FloatArray
    longest_h: FloatArray
    usable_from: Ints
    usable_h: FloatArray
    usable: FloatArray
    extra_from: Ints
    extra_h: FloatArray
    extra_above: Ints
    extra_below: Ints
    extra_most: Ints
    extra_start_up_h: FloatArray
    gate_from: Ints
    gate_station: Ints
    gate_queue: Ints
    gate_at_from: Ints
    gate_at: Ints
    asks_from: Ints
    asks: Ints
    gate_piece_from: Ints
    gate_h: FloatArray
    gate_close: FloatArray
    gate_open: FloatArray
    no_overtaking: Flags
    headway_from: Ints
    headway_h: FloatArray
    headway: FloatArray
    room_from: Ints
    room_h: FloatArray
    room: Ints
    single: Flags
    switch_h: FloatArray
    convoy: Ints
    opposite: Flags
    patience: Ints
    leave_route: Ints
    leave_step: Ints
    # stations now
    closed: Flags
    lanes_now: Ints
    open_before: Ints
    change_at: Ints
    outage_at: Ints
    closing_at: Ints
    read_h: FloatArray
    parked_count: Ints
    there: Ints
    inside_head: Ints
    inside_tail: Ints
    later_head: Ints
    later_tail: Ints
    due_head: Ints
    extra_at: Ints
    extra_open: Ints
    extra_opened: Ints
    extra_ready_h: FloatArray
    extra_since_h: FloatArray
    extra_open_h: FloatArray
    shut: Ints
    # gates now
    gate_piece: Ints
    gate_closed: Flags
    # lanes now
    down: Ints
    is_open: Flags
    occupant: Ints
    failed: Flags
    # pools now
    capacity: Ints
    used: Ints
    bound: Flags
    # lines
    head: Ints
    tail: Ints
    # legs now
    free_h: FloatArray
    woken_h: FloatArray
    exit_h: FloatArray
    way: Ints
    in_a_row: Ints
    turning: Flags
    # consignments
    start_h: FloatArray
    service_h: FloatArray
    remaining_h: FloatArray
    ready_h: FloatArray
    due_h: FloatArray
    ending: Flags
    parked: Flags
    cut: Flags
    requeued: Flags
    staffed: Flags
    pool: NDArray[np.int32]
    lane: NDArray[np.int32]
    group: NDArray[np.int32]
    rank_of: NDArray[np.int32]
    after: NDArray[np.int32]
    before: NDArray[np.int32]
    leaves_h: FloatArray
    leaves_with: NDArray[np.int32]
    # steps
    outside: Ints
    gave_up: FloatArray


class _Pieces:
    """Step functions, or other lists of pairs, one after the other."""

    def __init__(self) -> None:
        self.begin, self.rows = [0], list[tuple[Any, ...]]()

    def add(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Those of the next one."""
        self.rows += rows
        self.begin.append(len(self.rows))

    def function(self, function: StepFunction | None) -> None:
        """The pieces of a step function."""
        self.add([] if function is None else list(zip(function.from_h.tolist(), function.value.tolist(), strict=True)))

    def columns(self, *kinds: Any) -> list[Any]:
        """Where each begins, then the columns."""
        return [whole(self.begin), *(kind([row[k] for row in self.rows]) for k, kind in enumerate(kinds))]


def outages_of(plan: Plan, k: int, drawn: Mapping[int, tuple[PlanOutage, ...]]) -> tuple[PlanOutage, ...]:
    """Given and drawn outages of a station."""
    element = plan.elements[k]
    return (*element.outages, *drawn.get(k, ())) if isinstance(element, Station) else ()


def instants(element: Station | LimitedLeg, outages: Sequence[PlanOutage] = ()) -> set[float]:
    """Instants at which anything changes at a station or leg, its staff aside."""
    functions: list[StepFunction | None]
    if isinstance(element, LimitedLeg):
        functions = [element.open, element.max_vehicles]
    else:
        functions = [element.lanes, *(element.named or ()), *(kept.lanes for kept in element.reserved)]
        if (extra := element.extra_lanes) is not None:
            functions += [extra.above, extra.below, extra.most, extra.start_up_h]
        functions += [one for gate in element.gates for one in (gate.close_at, gate.open_below)]
    found = {at for one in functions if one is not None for at in one.from_h.tolist()}
    return found | {at for one in outages if one.from_h < one.until_h for at in (one.from_h, one.until_h)}


def full(plan: Plan, code: Coded, consignments: int, drawn: Mapping[int, tuple[PlanOutage, ...]]) -> Full | None:
    """Tables and state at hour 0 of a replication with some outages; None where lanes and free roads are all there is.

    `drawn` are those drawn for elements.
    """
    kind = code.tables.queue_kind
    stations = [q for q in range(len(kind)) if kind[q] == codes.FULL_STATION]
    legs = [q for q in range(len(kind)) if kind[q] == codes.LEG_IN_TIME]
    if not (stations or legs or code.in_time):
        return None
    number, leg = np.full((2, len(kind)), -1, dtype=np.int64)
    number[stations], leg[legs] = np.arange(len(stations)), np.arange(len(legs))
    lanes, calendars, kept, ranks, changes, failures, closings, usable, extra = (_Pieces() for _ in range(9))
    lane_from, pool_from, slot_from = [0], [0], [0]
    closing, policy, by_lane, named, overflow, group_of, classes, preempts, longest = (list[Any]() for _ in range(9))
    closed, lanes_now, is_open, bound = list[bool](), list[int](), list[bool](), list[bool]()
    for q in stations:
        k = int(code.queue_element[q])
        station = plan.elements[k]
        assert isinstance(station, Station)
        outages = outages_of(plan, k, drawn)
        single = station.named is not None or any(one.lane is not None for one in outages)
        count = 1
        if single:
            calendar_count = int(station.lanes.value.max()) if station.named is None else len(station.named)
            count = max(calendar_count, 1, *(one.lane or 0 for one in outages))
        closing.append(codes.CLOSINGS.index(station.closing))
        policy.append(codes.POLICIES.index(station.outage_policy))
        by_lane.append(single)
        named.append(station.named is not None)
        lanes.function(station.lanes)
        now = int(station.lanes(0.0))
        lanes_now.append(now)
        closed.append(now == 0)
        own = list(station.named or ())
        for n in range(count):
            calendars.function(own[n] if n < len(own) else None)
            is_open.append(bool(own[n](0.0) > 0) if n < len(own) else not own and n < now)
        lane_from.append(lane_from[-1] + count)
        pools = 1 + len(station.reserved)
        kept.add([])
        for one in station.reserved:
            kept.function(one.lanes)
        bound += [False, *(bool(one.lanes(0.0) > 0) for one in station.reserved)]
        overflow += [True, *(one.overflow for one in station.reserved)]
        pool_from.append(pool_from[-1] + pools)
        group_of.append(
            [
                next((n for n, one in enumerate(station.reserved, 1) if flow in one.flows), 0)
                for flow in range(len(plan.flows))
            ]
        )
        dated = station.rank_changes or ((-np.inf, station.rank),)
        every = sorted({rank for _, order in dated for rank in order or (0,)})
        rows = [(at, [every.index(rank) for rank in order or (every[0],) * len(plan.flows)]) for at, order in dated]
        ranks.add([(-np.inf if n == 0 else at, order) for n, (at, order) in enumerate(rows)])
        classes.append(len(every))
        preempts.append((None, "resume", "restart").index(station.preemption))
        slot_from.append(slot_from[-1] + pools * 2 * len(every))
        changes.add([(at,) for at in sorted({0.0, *(at for at in instants(station, outages) if at > 0)})])
        failures.add(
            sorted(
                (at, -1 if one.lane is None else one.lane - 1, change)
                for one in outages
                if one.from_h < one.until_h
                for at, change in ((one.from_h, 1), (one.until_h, -1))
            )
        )
        closings.add([(at,) for at in _closings(station.lanes)])
        longest.append(longest_opening(station.lanes, plan.horizon_h) if station.closing == "no_overrun" else np.inf)
        for function in usable_lanes(station, outages):
            usable.function(function)
        terms = station.extra_lanes
        extra.add(
            []
            if terms is None
            else [
                (at, *(one.at(at) for one in (terms.above, terms.below, terms.most, terms.start_up_h)))
                for at in sorted(terms.instants_h)
            ]
        )
    headway, room = _Pieces(), _Pieces()
    overtaking: list[bool] = []
    tracks: list[SingleTrackPlan | None] = []
    for q in legs:
        element = plan.elements[int(code.queue_element[q])]
        assert isinstance(element, LimitedLeg)
        overtaking.append(element.no_overtaking)
        tracks.append(element.single_track)
        headway.function(element.headway_h)
        pieces = room_of(element.open, element.max_vehicles)
        room.add(list(zip(pieces.start_h[0].tolist(), pieces.value[0].tolist(), strict=True)))
    many, every_lane, every_pool = len(stations), lane_from[-1], pool_from[-1]
    size = consignments + 1
    order = np.array([row[1] for row in ranks.rows], dtype=np.int64).reshape(len(ranks.rows), len(plan.flows))
    tables: list[Any] = [
        number,
        leg,
        whole(closing),
        whole(policy),
        np.array(by_lane, dtype=np.bool_),
        np.array(named, dtype=np.bool_),
        *lanes.columns(real, whole),
        whole(lane_from),
        *calendars.columns(real, whole),
        whole(pool_from),
        *kept.columns(real, whole),
        np.array(overflow, dtype=np.bool_),
        whole(group_of).reshape(many, len(plan.flows)),
        *ranks.columns(real),
        order,
        whole(classes),
        whole(slot_from),
        whole(preempts),
        *changes.columns(real),
        *failures.columns(real, whole, whole),
        *closings.columns(real),
        real(longest),
        *usable.columns(real, real),
        *extra.columns(real, whole, whole, whole, real),
        *_gates(plan, code, stations, number),
        np.array(overtaking, dtype=np.bool_),
        *headway.columns(real, real),
        *room.columns(real, whole),
        np.array([track is not None for track in tracks], dtype=np.bool_),
        real([0.0 if track is None else track.switch_h for track in tracks]),
        whole([0 if track is None or track.convoy is None else track.convoy for track in tracks]),
        np.array(
            [step.opposite for flow in plan.flows for variant in flow.variants for step in variant.steps],
            dtype=np.bool_,
        ),
        *_ways_to_leave(plan, code),
    ]
    now_there: list[Any] = [
        np.array(closed, dtype=np.bool_),
        whole(lanes_now),
        np.zeros(many, np.int64),
        tables[Full._fields.index("change_from")][:-1].copy(),
        tables[Full._fields.index("outage_from")][:-1].copy(),
        tables[Full._fields.index("closing_from")][:-1].copy(),
        np.zeros(many),
        np.zeros(many, np.int64),
        np.zeros(many, np.int64),
        *(np.full(many, -1, dtype=np.int64) for _ in range(5)),
        tables[Full._fields.index("extra_from")][:-1].copy(),
        np.zeros(many, np.int64),
        np.zeros(many, np.int64),
        np.full(many, np.inf),
        np.zeros(many),
        np.zeros(many),
        np.zeros(many, np.int64),
        tables[Full._fields.index("gate_piece_from")][:-1].copy(),
        np.zeros(len(tables[Full._fields.index("gate_station")]), np.bool_),
        np.zeros(every_lane, np.int64),
        np.array(is_open, dtype=np.bool_),
        np.full(every_lane, -1, dtype=np.int64),
        np.zeros(every_lane, np.bool_),
        np.zeros(every_pool, np.int64),
        np.zeros(every_pool, np.int64),
        np.array(bound, dtype=np.bool_),
        np.full(slot_from[-1], -1, dtype=np.int64),
        np.full(slot_from[-1], -1, dtype=np.int64),
        *(np.full(len(legs), -np.inf) for _ in range(3)),
        np.full(len(legs), -1, dtype=np.int64),
        np.zeros(len(legs), np.int64),
        np.zeros(len(legs), np.bool_),
        *(np.empty(size) for _ in range(5)),
        *(np.zeros(size, np.bool_) for _ in range(5)),
        *(np.zeros(size, np.int32) for _ in range(6)),
        np.full(size, np.inf),
        np.zeros(size, np.int32),
        np.zeros(len(code.tables.queue), np.int64),
        np.zeros((len(code.tables.queue), 2)),
    ]
    return Full(*tables, *now_there)


def _ways_to_leave(plan: Plan, code: Coded) -> list[Any]:
    """Of each step the column of the patience there, and the itinerary and step with which those who leave go on."""
    route, goes_on = list[int](), list[int]()
    for f, flow in enumerate(plan.flows):
        for variant in flow.variants:
            for step in variant.steps:
                terms = step.patience
                route.append(-1 if terms is None else int(code.first_route[f]) + terms.variant)
                begin = 0 if terms is None else int(code.tables.route_begin[route[-1]])
                goes_on.append(-1 if terms is None else begin + terms.at_step)
    return [code.patience, whole(route), whole(goes_on)]


def _gates(plan: Plan, code: Coded, stations: Sequence[int], number: Ints) -> list[Any]:
    """Gates of each station, the queues at which each looks, and its numbers by date."""
    per_station, places, numbers = [0], _Pieces(), _Pieces()
    station_of: list[int] = []
    ids = {element.id: k for k, element in enumerate(plan.elements)}
    asks: list[list[int]] = [[] for _ in number]
    for q in stations:
        station = plan.elements[int(code.queue_element[q])]
        assert isinstance(station, Station)
        for gate in station.gates:
            if absent := [id for id in gate.queues if id not in ids]:
                raise SimulationError(f"{station.id}: there is no queue {absent[0]!r} in the plan for its gate")
            queues = [other for id in gate.queues for other in code.queue_numbers[ids[id]]]
            for other in queues:
                asks[other].append(len(station_of))
            station_of.append(int(number[q]))
            places.add([(other,) for other in queues])
            numbers.add([(at, gate.close_at.at(at), gate.open_below.at(at)) for at in sorted(gate.instants_h)])
        per_station.append(len(station_of))
    asked = _Pieces()
    for gates in asks:
        asked.add([(gate,) for gate in gates])
    queue_of = [stations[x] for x in station_of]
    return [
        whole(per_station),
        whole(station_of),
        whole(queue_of),
        *places.columns(whole),
        *asked.columns(whole),
        *numbers.columns(real, real, real),
    ]


def _closings(lanes: StepFunction) -> list[float]:
    """Instants at which a station closes, then infinity."""
    value = lanes.value > 0
    return [*lanes.from_h[1:][value[:-1] & ~value[1:]].tolist(), np.inf]
