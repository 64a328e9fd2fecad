"""The tables by which the pass works through coupled queues in time order, and what is there at hour 0."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.errors import SimulationError
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import FloatArray
from corridor_sim.engines.compiled.codes import ALL, FULL_STATION, OPENS, OPENS_END, SOME, TAKE
from corridor_sim.engines.compiled.coupling import coupling
from corridor_sim.engines.compiled.full_tables import Full, full, instants, outages_of
from corridor_sim.engines.compiled.listing import Ints, real, whole
from corridor_sim.engines.compiled.tables import Coded
from corridor_sim.plan.elements import Departures, LimitedLeg, PlanOutage, Quota, Station
from corridor_sim.plan.plan import Plan
from corridor_sim.plan.steps import Step
from corridor_sim.records.inputs import SampledInputs


class Coupled(NamedTuple):
    """Groups of queues; "from" columns say where the entries of each begin in the next ones.

    Attributes
    ----------
    order
        Queues and groups (-1 - group) in the order in which they are worked through.
    member_from, member, place
        Queues of each group; place of a queue among the members.
    most
        Most steps of an itinerary that lead to queues of each group.
    round_about
        Whether a queue is a station that one may come back to.
    calendar_from, calendar_h, calendar_queue
        Instants at which lanes or staff of each group change, and the queue concerned.
    pool, staff
        Staff pool of a queue, -1 for none, and members that a service needs.
    stock_from, stock_h, stock
        Members of each pool by date.
    pool_from, pool_queue
        Queues of each pool.
    visit_from, visit
        Steps that lead to each queue, in order.
    flow
        Flow of each step.
    comes_back
        Whether a later step of the same itinerary leads to a queue of the same group.
    onward
        Group to which a step leads, with nothing but a constant share before it, from the step before; -1 for none.
    law_from, law_h, mean_h, factor, share, relief_from, relief_share, relief_factor
        Of each step what is planned: mean durations by date, and numbers of functions.
    balk
        Number of the terms on which somebody may balk at each step, -1 for none.
    threshold_h, since, route, goes_on, balker_comes_back, stage_from, stage
        Terms: the threshold, the first step of those at which one is asked once, the itinerary and step of those who
        balk, whether that leads to the same group, and the steps whose waits add up.
    """

    order: Ints
    member_from: Ints
    member: Ints
    place: Ints
    most: Ints
    round_about: NDArray[np.bool_]
    calendar_from: Ints
    calendar_h: FloatArray
    calendar_queue: Ints
    pool: Ints
    staff: Ints
    stock_from: Ints
    stock_h: FloatArray
    stock: FloatArray
    pool_from: Ints
    pool_queue: Ints
    visit_from: Ints
    visit: Ints
    flow: Ints
    comes_back: NDArray[np.bool_]
    onward: Ints
    law_from: Ints
    law_h: FloatArray
    mean_h: FloatArray
    factor: Ints
    share: Ints
    relief_from: Ints
    relief_share: Ints
    relief_factor: FloatArray
    balk: Ints
    threshold_h: FloatArray
    since: Ints
    route: Ints
    goes_on: Ints
    balker_comes_back: NDArray[np.bool_]
    stage_from: Ints
    stage: Ints
    function_from: Ints
    function_h: FloatArray
    function_value: FloatArray
    # queues and pools in one replication
    used: Ints
    held: Ints
    stock_piece: Ints
    calendar_at: Ints
    heap_h: FloatArray
    heap_of: Ints
    heap_size: Ints
    later: Ints
    arrived: Ints
    touched: NDArray[np.bool_]
    # consignments
    came: Ints
    asked: NDArray[np.int32]
    told: NDArray[np.int8]
    # steps
    ahead: Ints


class _Entries:
    """Entries of many, one after the other."""

    def __init__(self) -> None:
        self.begin, self.values = [0], list[Any]()

    def add(self, values: Sequence[Any]) -> None:
        """Those of the next one."""
        self.values += values
        self.begin.append(len(self.values))

    def column(self, k: int) -> list[Any]:
        """The k-th part of each."""
        return [value[k] for value in self.values]


class _LoopFunctions:
    def __init__(self) -> None:
        self.number: dict[StepFunction, int] = {}

    def of(self, function: StepFunction | None) -> int:
        """Its number, -1 for none."""
        return -1 if function is None else self.number.setdefault(function, len(self.number))


def coupled(plan: Plan, code: Coded, drawn: Mapping[int, tuple[PlanOutage, ...]] | None = None) -> Coupled | None:
    """The tables of a plan, with the outages drawn for elements; None where nothing is coupled.

    Raises
    ------
    SimulationError
        If a staff pool is missing.
    """
    found = coupling(plan)
    if found is None:
        return None
    queues = len(code.tables.queue_kind)
    groups = [[q for k in group for q in code.queue_numbers[k]] for group in found.groups]
    group_of = {q: g for g, group in enumerate(groups) for q in group}
    order: list[int] = []
    for unit in found.units:
        order += [unit] if unit < 0 else code.queue_numbers[unit]
    place = np.zeros(queues, dtype=np.int64)
    members = _Entries()
    for group in groups:
        place[group] = len(members.values) + np.arange(len(group))
        members.add(group)
    pool, staff, pools = _pools(plan, code)
    functions = _LoopFunctions()
    steps = _steps(plan, functions)
    stock = _Entries()
    for one in plan.staff_pools:
        stock.add(list(zip(one.members.from_h.tolist(), one.members.value.tolist(), strict=True)))
    calendar = _Entries()
    for group in groups:
        calendar.add(_calendar(plan, code, group, drawn or {}))
    visits = [np.flatnonzero(code.tables.queue == q).tolist() for q in range(queues)]
    comes_back = _comes_back(code, group_of)
    terms = _terms(plan, code, group_of)
    value = _Entries()
    for function in functions.number:
        value.add(list(zip(function.from_h.tolist(), function.value.tolist(), strict=True)))
    nothing = np.zeros(0, dtype=np.int64)
    columns: list[Any] = [
        whole(order),
        whole(members.begin),
        whole(members.values),
        place,
        whole(_most(code, group_of, len(groups))),
        np.array([int(k) in found.round_about for k in code.queue_element], dtype=np.bool_),
        whole(calendar.begin),
        real(calendar.column(0)),
        whole(calendar.column(1)),
        whole(pool),
        whole(staff),
        whole(stock.begin),
        real(stock.column(0)),
        real(stock.column(1)),
        *_joined(pools),
        *_joined(visits),
        whole([f for f, flow in enumerate(plan.flows) for variant in flow.variants for _ in variant.steps]),
        comes_back,
        whole(_onward(code, group_of)),
        *steps,
        *terms,
        whole(value.begin),
        real(value.column(0)),
        real(value.column(1)),
        *(nothing,) * 4,
        np.zeros((0, 0)),
        np.zeros((0, 0), dtype=np.int64),
        *(nothing,) * 3,
        np.zeros(0, dtype=np.bool_),
        nothing,
        np.zeros(0, dtype=np.int32),
        np.zeros(0, dtype=np.int8),
        nothing,
    ]
    return Coupled(*columns)


class Together:
    """What is worked through together in a plan, made ready for one replication after the other."""

    def __init__(self, plan: Plan, code: Coded) -> None:
        self.plan, self.code = plan, code
        self.tables = coupled(plan, code)
        fails = {k for k, one in enumerate(plan.elements) if isinstance(one, Station) and one.breakdown is not None}
        self._drawn = {
            int(code.queue_element[q]) for q in np.flatnonzero(code.tables.queue_kind == FULL_STATION)
        } & fails

    def at_hour_0(self, consignments: int, inputs: SampledInputs | None, k: int) -> tuple[Coupled | None, Full | None]:
        """The tables with the state at hour 0 of the k-th replication of some inputs."""
        if self.tables is None:
            return None, None
        drawn: dict[int, tuple[PlanOutage, ...]] = {}
        tables = self.tables
        if self._drawn and inputs is not None:
            for e in self._drawn:
                if e not in inputs.outages:
                    raise SimulationError(f"{self.plan.elements[e].id}: no outages were drawn for its breakdowns")
                drawn[e] = tuple(inputs.outages[e][k])
            again = coupled(self.plan, self.code, drawn)
            assert again is not None
            tables = again
        every = full(self.plan, self.code, consignments, drawn)
        # A lane that the queue asks for, or a change of direction, is an event more, at most once a consignment; so is
        # the end of a patience, as long as it counts.
        room = 2 if every is None else 6 + bool(len(every.extra_h) or every.single.any())
        room += 2 * bool((self.code.patience >= 0).any())
        return emptied(tables, consignments, room), every


def emptied(tables: Coupled, consignments: int, room: int) -> Coupled:
    """The tables with the state at hour 0, and room for so many events a consignment."""
    queues, groups, size = len(tables.place), len(tables.member_from) - 1, consignments + 1
    return tables._replace(
        used=np.zeros(queues, np.int64),
        held=np.zeros(len(tables.stock_from) - 1, np.int64),
        stock_piece=tables.stock_from[:-1].copy(),
        calendar_at=tables.calendar_from[:-1].copy(),
        # A consignment that is on its way to the next queue may still have its lane here.
        heap_h=np.empty((groups, room * size)),
        heap_of=np.empty((groups, room * size), np.int64),
        heap_size=np.zeros(groups, np.int64),
        later=np.full(queues, -1, np.int64),
        arrived=np.full(queues, -1, np.int64),
        touched=np.zeros(queues, np.bool_),
        came=np.empty(size, np.int64),
        asked=np.full(size, -1, np.int32),
        told=np.zeros(size, np.int8),
        ahead=np.zeros(len(tables.flow), np.int64),
    )


def _joined(parts: Sequence[Sequence[int]]) -> tuple[Ints, Ints]:
    found = _Entries()
    for part in parts:
        found.add(part)
    return whole(found.begin), whole(found.values)


def _pools(plan: Plan, code: Coded) -> tuple[list[int], list[int], list[list[int]]]:
    """Pool and members of a service for each queue; queues of each pool."""
    number = {one.id: n for n, one in enumerate(plan.staff_pools)}
    pool, staff = [-1] * len(code.tables.queue_kind), [0] * len(code.tables.queue_kind)
    queues: list[list[int]] = [[] for _ in number]
    for k, element in enumerate(plan.elements):
        if isinstance(element, Station) and element.staff_pool is not None:
            if element.staff_pool not in number:
                raise SimulationError(f"{element.id}: there is no staff pool {element.staff_pool!r} in the plan")
            for q in code.queue_numbers[k]:
                pool[q], staff[q] = number[element.staff_pool], element.staff_per_service
                queues[pool[q]].append(q)
    return pool, staff, queues


def _calendar(
    plan: Plan, code: Coded, group: Sequence[int], drawn: Mapping[int, tuple[PlanOutage, ...]]
) -> list[tuple[float, int]]:
    """Instants within the run at which anything changes at some queues."""
    stock, again = {one.id: one.members for one in plan.staff_pools}, plan.duration_changes_h()
    found = set()
    for q in group:
        k = int(code.queue_element[q])
        element = plan.elements[k]
        changes: set[float] = set()
        if isinstance(element, Station):
            changes = instants(element, outages_of(plan, k, drawn))
            if element.closing == "no_overrun":
                changes |= set(again[k])
            if element.staff_pool is not None:
                changes |= set(stock[element.staff_pool].from_h.tolist())
        elif isinstance(element, LimitedLeg):
            changes = instants(element)
        elif isinstance(element, Quota):
            changes = {*element.day_start_h.tolist(), *(element.open.from_h.tolist() if element.open else ())}
        elif isinstance(element, Departures):
            changes = set(element.depart_h.tolist())
        found |= {(at, q) for at in changes if 0 <= at <= plan.horizon_h}
    return sorted(found)


def _most(code: Coded, group_of: dict[int, int], groups: int) -> list[int]:
    """Most steps of an itinerary that lead to queues of each group: more than its members where one comes back."""
    found = [0] * groups
    for begin, end in zip(code.tables.route_begin.tolist(), code.tables.route_end.tolist(), strict=True):
        for group, steps in Counter(group_of.get(int(q), -1) for q in code.tables.queue[begin:end]).items():
            if group >= 0:
                found[group] = max(found[group], steps)
    return found


def _comes_back(code: Coded, group_of: dict[int, int]) -> NDArray[np.bool_]:
    found = np.zeros(len(code.tables.queue), dtype=np.bool_)
    for begin, end in zip(code.tables.route_begin.tolist(), code.tables.route_end.tolist(), strict=True):
        groups: set[int] = set()
        for s in reversed(range(begin, end)):
            group = group_of.get(int(code.tables.queue[s]), -1)
            found[s] = group in groups
            groups |= {group} - {-1}
    return found


def _onward(code: Coded, group_of: dict[int, int]) -> list[int]:
    """Group of each step that one may come to from the step before without more than a draw; one more at the end."""
    step = code.tables.step
    found = [group_of.get(int(q), -1) for q in code.tables.queue]
    for s, row in enumerate(step[: len(found)]):
        if row[TAKE] not in (ALL, SOME) or row[OPENS] != row[OPENS_END]:
            found[s] = -1
    for begin in code.tables.route_begin.tolist():
        if begin < len(found):
            found[begin] = -1
    return [*found, -1]


def _steps(plan: Plan, functions: _LoopFunctions) -> list[Any]:
    """What is planned of each step; the itineraries are in the order of the routes."""
    laws, reliefs = _Entries(), _Entries()
    factor, share = [], []
    every: list[Step] = [step for flow in plan.flows for variant in flow.variants for step in variant.steps]
    for step in every:
        laws.add([(from_h, float(getattr(law, "mean_h", 0.0))) for from_h, law in step.laws])
        reliefs.add([(functions.of(relief.share), relief.factor) for relief in step.independent_reliefs])
        factor.append(functions.of(step.factor))
        share.append(functions.of(step.needed_share))
    return [
        whole(laws.begin),
        real(laws.column(0)),
        real(laws.column(1)),
        whole(factor),
        whole(share),
        whole(reliefs.begin),
        whole(reliefs.column(0)),
        real(reliefs.column(1)),
    ]


def _terms(plan: Plan, code: Coded, group_of: dict[int, int]) -> list[Any]:
    """Number of the terms of each step, then the columns of the terms."""
    queue, begin = code.tables.queue, code.tables.route_begin
    numbers = np.full(len(queue), -1, dtype=np.int64)
    rows: list[tuple[float, int, int, int, bool]] = []
    stages: list[list[int]] = []
    for f, flow in enumerate(plan.flows):
        for v, variant in enumerate(flow.variants):
            here = int(begin[code.first_route[f] + v])
            for k, step in enumerate(variant.steps):
                if step.balk is None:
                    continue
                numbers[here + k] = len(rows)
                route = int(code.first_route[f]) + step.balk.variant
                goes_on = int(begin[route]) + step.balk.at_step
                end = int(code.tables.route_end[route])
                back = any(group_of.get(int(q), -1) == group_of[int(queue[here + k])] for q in queue[goes_on:end])
                since = here + (k if step.balk.since is None else step.balk.since)
                rows.append((step.balk.threshold_h, since, route, goes_on, back))
                stages.append([here + n for n in step.balk.stages or (k,)])
    columns = [[row[k] for row in rows] for k in range(5)]
    return [
        numbers,
        real(columns[0]),
        *map(whole, columns[1:4]),
        np.array(columns[4], dtype=np.bool_),
        *_joined(stages),
    ]
