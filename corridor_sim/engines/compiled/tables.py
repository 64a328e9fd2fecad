"""A plan as numbers in arrays: what the compiled pass reads.

Steps of all itineraries stand one after the other, itineraries ("routes") by flow. A queue is what
keeps one line at an element: a station with reserved lanes has one for each group of flows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core import cycle_search
from corridor_sim.core.errors import SimulationError
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import FloatArray, grid_point
from corridor_sim.engines.batch.refusals import skippable
from corridor_sim.engines.batch.servers import group_of, shares_of_lanes, up_of
from corridor_sim.engines.compiled import codes, kernel_tables
from corridor_sim.engines.compiled.coupling import coupling
from corridor_sim.engines.compiled.kernel_tables import KernelTables
from corridor_sim.engines.queues.timetables import open_days
from corridor_sim.indicators.base import Collector
from corridor_sim.indicators.post_clock import PostClock
from corridor_sim.indicators.queue_levels import QueueLevels
from corridor_sim.indicators.queue_marks import QueueMarks
from corridor_sim.indicators.shared_sums import SpanDays, SpanHours, StayTimes
from corridor_sim.model.service_times import Deterministic, ServiceTime
from corridor_sim.model.service_times.coded import encode
from corridor_sim.model.service_times.codes import PLAIN
from corridor_sim.plan.needs import needed
from corridor_sim.plan.plan import Delay, Departures, LimitedLeg, Plan, PlanOutage, Quota, Station, Step
from corridor_sim.records.inputs import SampledInputs

Ints = NDArray[np.int64]


class Tables(NamedTuple):
    """All that a pass reads of a plan. ``x_from[k]`` up to ``x_from[k + 1]`` are the entries of k in a list x."""

    # routes
    route_flow: Ints
    route_begin: Ints
    route_end: Ints
    route_span: Ints
    # steps: where, how long, who, which spans
    queue: Ints
    how: Ints
    fixed_h: FloatArray
    column: Ints
    take: Ints
    share_column: Ints
    share_of: FloatArray
    leg_of: Ints
    opens_from: Ints
    opens: Ints
    closes_from: Ints
    closes: Ints
    covers_from: Ints
    covers: Ints
    mark: Ints
    # unusual steps
    step_law_from: Ints
    law_h: FloatArray
    law_column: Ints
    factor: Ints
    share: Ints
    relief_from: Ints
    relief_column: Ints
    relief_share: Ints
    relief_factor: FloatArray
    # step functions
    function_from: Ints
    piece_h: FloatArray
    piece_value: FloatArray
    # columns of draws, and laws
    node: Ints
    simple: NDArray[np.bool_]
    law_kind: Ints
    law_number: FloatArray
    law_place: Ints
    law_table: FloatArray
    # spans
    span_kind: Ints
    span_slot: Ints
    span_row: Ints
    span_stay: Ints
    span_clock: Ints
    limit_bin: NDArray[np.bool_]
    limit_h: FloatArray
    # local clocks
    clock_from: Ints
    clock_begin_h: FloatArray
    clock_shift_h: FloatArray
    # queues
    queue_kind: Ints
    queue_lanes: Ints
    queue_from: Ints
    queue_h: FloatArray
    queue_until_h: FloatArray
    queue_value: Ints
    queue_open: Ints
    queue_rank: Ints
    queue_classes: Ints
    queue_row: Ints
    queue_clock: Ints
    queue_stops: NDArray[np.bool_]
    queue_group: Ints
    queue_slot: Ints
    group_line: Ints
    group_lines: Ints
    sailing_h: FloatArray
    # kernels
    times: FloatArray
    times_at: Ints
    counts: Ints
    counts_at: Ints
    # instants from which on a duration at a queue may be another one
    changes_from: Ints
    changes_h: FloatArray
    # what is read of each step and of each span most often, once more: all of one together
    step: NDArray[np.int32]
    step_h: FloatArray
    span: NDArray[np.int32]


class Window(NamedTuple):
    """Instants that a pass needs, and how it counts."""

    from_h: float
    until_h: float
    horizon_h: float
    step_h: float
    marks_per_h: float
    first_bin: int


@dataclass(frozen=True, slots=True)
class DrawColumn:
    """A column of draws: of which flow, under which name, the how-manieth law of it (-1: a uniform)."""

    flow: int
    name: str
    law: int


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """The tables of a plan with what is needed to fill them and to read the sums.

    Attributes
    ----------
    step_cell, step_element, queue_element
        Cell of `VisitSums` and element of each step, element of each queue.
    astride
        Most services that can be under way at one of the ends of the counted window, where they can be interrupted.
    span_cell, span_variant
        Cell of `SpanSums` of each span, and for whole journeys the row of their itinerary, else -1.
    span_keys
        Flow, itinerary and number there of each span, -1 for the whole journey.
    queue_numbers
        Queues of each element.
    lines
        Elements of each line of `QueueLevels`.
    kernels
        What the kernel of each queue reads and remembers, empty where the pass has the queue itself.
    timetables
        Element and queue of each timetable with draws of its own.
    drawn
        Queue and maker of kind and tables, for queues whose kernel depends on the draws of a replication.
    in_time
        Whether anything but lanes with priority and free roads is worked through in time order.
    slots, classes, noted
        Most spans of a consignment under way at once; most classes of priority; most spans of a journey, itself
        included.
    """

    tables: Tables
    window: Window
    columns: tuple[DrawColumn, ...]
    step_cell: Ints
    step_element: Ints
    queue_element: Ints
    astride: int
    span_cell: Ints
    span_variant: Ints
    span_keys: tuple[tuple[int, int, int], ...]
    first_route: Ints
    queue_numbers: Mapping[int, tuple[int, ...]]
    lines: tuple[tuple[int, ...], ...]
    kernels: tuple[KernelTables, ...]
    timetables: tuple[tuple[int, int], ...]
    drawn: tuple[tuple[int, Drawn], ...]
    slots: int
    classes: int
    noted: int
    in_time: bool

    @property
    def by_kernel(self) -> bool | None:
        """True where a queue is left to a kernel, else None; True with all that is compiled longest anyway."""
        return True if (self.tables.queue_kind >= codes.LIMITED_LEG).any() or self.in_time else None


Drawn = Callable[[SampledInputs | None, int], tuple[int, KernelTables]]
"""From inputs and their row to kind and tables of a kernel; None if nothing is drawn."""


class _Lists:
    """Lists of numbers, one after the other."""

    def __init__(self) -> None:
        self.begin, self.values = [0], list[Any]()

    def add(self, values: Sequence[Any]) -> None:
        """The entries of the next one."""
        self.values += values
        self.begin.append(len(self.values))


def whole(values: Sequence[Any]) -> Ints:
    """As an array of whole numbers."""
    return np.array(values, dtype=np.int64)


def real(values: Sequence[Any]) -> FloatArray:
    """As an array of numbers."""
    return np.array(values, dtype=np.float64)


class _Functions:
    def __init__(self) -> None:
        self.number: dict[StepFunction, int] = {}
        self.pieces = _Lists()
        self.value: list[float] = []

    def of(self, function: StepFunction | None) -> int:
        """Its number, -1 for none."""
        if function is None:
            return -1
        if function not in self.number:
            self.number[function] = len(self.number)
            self.pieces.add(function.from_h.tolist())
            self.value += function.value.tolist()
        return self.number[function]


class _Clocks:
    """Local clocks, 0 that of places without a post."""

    def __init__(self, collector: Collector) -> None:
        self.number: dict[PostClock, int] = {}
        self.of(collector.scope.clock())

    def of(self, clock: PostClock) -> int:
        """Its number."""
        return self.number.setdefault(clock, len(self.number))

    def tables(self) -> list[Any]:
        """From `Tables.clock_from` to `clock_shift_h`."""
        pieces = _Lists()
        for clock in self.number:
            pieces.add(clock.pieces)
        return [whole(pieces.begin), *(real([piece[k] for piece in pieces.values]) for k in range(2))]


class _Columns:
    """Columns of draws in order of first use; a law that has no code is drawn before the pass."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.number: dict[DrawColumn, int] = {}
        self.laws: list[ServiceTime | None] = []

    def of(self, flow: int, name: str, law: int = -1, which: ServiceTime | None = None) -> int:
        """The number of a column."""
        column = DrawColumn(flow, name, law)
        if column not in self.number:
            self.number[column] = len(self.number)
            self.laws.append(which)
        return self.number[column]

    def coded(self) -> tuple[Ints, tuple[Ints, FloatArray, Ints, FloatArray]]:
        """Node of each column (-1: a uniform, or drawn before the pass), and the laws as nodes."""
        # By object: many steps have one law, and laws are slow to compare.
        different = {id(law): law for law in self.laws if law is not None}
        has_code = {number for number, law in different.items() if encode([law]) is not None}
        known = [law for law in self.laws if law is not None and id(law) in has_code]
        code = encode(known)
        assert code is not None
        after = iter(range(len(known)))
        node = [next(after) if id(law) in has_code else -1 for law in self.laws]
        return whole(node), (code.kind, code.number, code.place, code.table)


@cycle_search.put_off()
def coded(plan: Plan, collector: Collector, step_h: float) -> Coded:
    """A plan as tables; `collector` knows the places, `step_h` is the length of a window of the pass. [h]"""
    scope = collector.scope
    functions, columns, clocks = _Functions(), _Columns(plan), _Clocks(collector)
    spans, queues = _Spans(collector, clocks), _QueueTables(plan, collector, clocks)
    queues.code(functions)
    steps = _Steps(functions, columns)
    routes: list[tuple[int, int, int, int]] = []
    first_route: list[int] = []
    step_cell: list[int] = []
    step_element: list[int] = []
    opens, closes, covers = _Lists(), _Lists(), _Lists()
    leg_of: list[int] = []
    for f, flow in enumerate(plan.flows):
        first_route.append(len(routes))
        for v, variant in enumerate(flow.variants):
            begin = len(step_cell)
            of_route = spans.of_route(f, v)
            for s, step in enumerate(variant.steps):
                steps.add(f, step, queues.of(step.element, f))
                step_cell.append(scope.cell_of[step.element, f])
                step_element.append(step.element)
                own = [
                    o
                    for o, span in of_route.items()
                    if span.first == span.last == s
                    and spans.kind[o] == codes.LEG
                    and not skippable(step)
                    and isinstance(plan.elements[step.element], Delay)
                ]
                leg_of.append(own[0] if own else -1)
                here = {o: span for o, span in of_route.items() if span.first <= s <= span.last and o not in own[:1]}
                skipped = [all(skippable(one) for one in variant.steps[span.first : s]) for span in here.values()]
                opens.add([o for o, all_before in zip(here, skipped, strict=True) if all_before])
                closes.add([o for o, span in here.items() if span.last == s])
                covers.add(list(here))
            routes.append((f, begin, len(step_cell), spans.journey(f, v)))
    marks, stays = collector.shared(QueueMarks), collector.shared(StayTimes)
    node, laws = columns.coded()
    route = whole(routes).reshape(-1, 4)
    arrays: list[Any] = [
        *(np.ascontiguousarray(route[:, k]) for k in range(4)),
        *steps.tables(),
        whole(leg_of),
        *(whole(part) for found in (opens, closes, covers) for part in (found.begin, found.values)),
        np.full(len(step_cell) + 1, -1, dtype=np.int64),
        *steps.unusual(),
        whole(functions.pieces.begin),
        real(functions.pieces.values),
        real(functions.value),
        node,
        _simple(node, laws),
        *laws,
        *spans.tables(),
        stays.counts.is_near,
        stays.counts.limits_h,
        *clocks.tables(),
        *queues.tables(),
        *(np.empty((0, 0), dtype) for dtype in (np.int32, np.float64, np.int32)),
    ]
    tables = with_rows(Tables(*arrays))
    window = Window(
        float(scope.from_h),
        float(scope.until_h),
        float(plan.horizon_h),
        step_h,
        1.0 / marks.step_h,
        stays.counts.first_bin,
    )
    return Coded(
        tables,
        window,
        tuple(columns.number),
        whole(step_cell),
        whole(step_element),
        whole([element for element, _ in queues.number]),
        queues.astride,
        whole(spans.cell),
        whole(spans.variant),
        tuple(spans.key),
        whole(first_route),
        queues.of_element(),
        queues.lines,
        tuple(queues.kernels),
        tuple(queues.timetables),
        tuple(queues.drawn),
        max(spans.slots, 1),
        int(max(tables.queue_classes.max(initial=1), 1)),
        1 + max((len(variant.spans) for flow in plan.flows for variant in flow.variants), default=0),
        bool(queues.in_time),
    )


def with_rows(tables: Tables) -> Tables:
    """The tables with `step`, `step_h` and `span` as the other tables say."""
    step = np.full((len(tables.queue), codes.STEP_COLUMNS), -1, dtype=np.int32)
    step_h = np.zeros((len(step), codes.STEP_NUMBERS))
    for column, values in (
        (codes.QUEUE, tables.queue),
        (codes.HOW, tables.how),
        (codes.COLUMN, tables.column),
        (codes.TAKE, tables.take),
        (codes.SHARE_COLUMN, tables.share_column),
        (codes.LEG_OF, tables.leg_of),
        (codes.OPENS, tables.opens_from[:-1]),
        (codes.OPENS_END, tables.opens_from[1:]),
        (codes.CLOSES, tables.closes_from[:-1]),
        (codes.CLOSES_END, tables.closes_from[1:]),
    ):
        step[:, column] = values
    step_h[:, codes.FIXED_H], step_h[:, codes.SHARE_OF] = tables.fixed_h, tables.share_of
    lawful = np.flatnonzero(tables.how == codes.AS_LAW)
    quick = lawful[tables.simple[tables.column[lawful]]]
    law = tables.node[tables.column[quick]]
    step[quick, codes.LAW] = tables.law_kind[law]
    step_h[quick, codes.NUMBERS : codes.NUMBERS + 5] = tables.law_number[law]
    parts = tables.span_kind, tables.span_stay, tables.span_row, tables.span_clock
    return tables._replace(step=step, step_h=step_h, span=np.stack(parts, axis=1).astype(np.int32))


def _simple(node: Ints, laws: tuple[Ints, FloatArray, Ints, FloatArray]) -> NDArray[np.bool_]:
    """Which columns are of laws that `service_times.compiled.plain` draws."""
    kind, _, place, _ = laws
    own = np.maximum(node, 0)
    return (node >= 0) & (kind[own] < PLAIN) & (place[own, 4] == 0) if len(kind) else np.zeros(len(node), dtype=bool)


class _Steps:
    """The columns of `Tables` that have an entry a step."""

    def __init__(self, functions: _Functions, columns: _Columns) -> None:
        self.functions, self.columns = functions, columns
        self.rows: list[tuple[Any, ...]] = []
        self.laws, self.reliefs = _Lists(), _Lists()
        self.factor: list[int] = []
        self.share: list[int] = []

    def add(self, f: int, step: Step, queue: int) -> None:
        """The next step, of flow `f`."""
        how, fixed_h, column = codes.FIXED, 0.0, -1
        relieved = [relief for relief in step.reliefs if relief.factor != 0]
        of = [self.columns.of(f, step.draws, k, law) for k, (_, law) in enumerate(step.laws)]
        if len(step.laws) > 1 or (step.laws and (step.factor is not None or relieved)):
            how = codes.UNUSUAL
        elif step.laws:
            law, column = step.laws[0][1], of[0]
            how = codes.AS_LAW
            if isinstance(law, Deterministic):
                how, fixed_h = codes.FIXED, grid_point(law.value_h)
        take, share_column, share = codes.ALL, -1, 0.0
        if step.share is not None:
            take, share_column = codes.SOME, self.columns.of(f, step.share_draws)
            share = float(step.share.value[0])
        if (step.share is not None and not step.share.is_constant) or len(relieved) < len(step.reliefs):
            take = codes.BY_DATE
        self.rows.append((queue, how, fixed_h, column, take, share_column, share))
        self.laws.add([(from_h, number) for (from_h, _), number in zip(step.laws, of, strict=True)])
        self.factor.append(self.functions.of(step.factor))
        self.share.append(self.functions.of(step.share))
        self.reliefs.add(
            [
                (self.columns.of(f, relief.draws), self.functions.of(relief.share), relief.factor)
                for relief in step.reliefs
            ]
        )

    def tables(self) -> list[Any]:
        """From `Tables.queue` to `share_of`."""
        kinds = (whole, whole, real, whole, whole, whole, real)
        return [as_array([row[k] for row in self.rows]) for k, as_array in enumerate(kinds)]

    def unusual(self) -> list[Any]:
        """From `Tables.step_law_from` to `relief_factor`."""
        return [
            whole(self.laws.begin),
            *(as_array([one[k] for one in self.laws.values]) for k, as_array in enumerate((real, whole))),
            whole(self.factor),
            whole(self.share),
            whole(self.reliefs.begin),
            *(as_array([one[k] for one in self.reliefs.values]) for k, as_array in enumerate((whole, whole, real))),
        ]


class _Spans:
    """Spans of all itineraries, and each whole journey as one more."""

    KINDS: ClassVar[dict[str, int]] = {"post": codes.POST, "crossing": codes.CROSSING, "leg": codes.LEG}

    def __init__(self, collector: Collector, clocks: _Clocks) -> None:
        self.scope, self.clocks = collector.scope, clocks
        self.days, self.hours = collector.shared(SpanDays), collector.shared(SpanHours)
        self.stays = collector.shared(StayTimes)
        self.kind: list[int] = []
        self.rows: list[tuple[int, int, int, int]] = []
        self.cell: list[int] = []
        self.variant: list[int] = []
        self.key: list[tuple[int, int, int]] = []
        self.slots, self._variants = 0, 0

    def _add(self, found: tuple[int, int], kind: int, slot: int, row: int, clock: int, variant: int) -> int:
        place, cell = found
        self.kind.append(kind)
        self.rows.append((slot, row, 0 if kind == codes.LEG else self.stays.row_of(place), clock))
        self.cell.append(cell)
        self.variant.append(variant)
        return len(self.kind) - 1

    def of_route(self, f: int, v: int) -> dict[int, Any]:
        """The spans of an itinerary that are of a reported kind, by number; those under way together have slots."""
        found = {}
        taken: list[int] = []
        variant = self.scope.plan.flows[f].variants[v]
        for n, span in sorted(enumerate(variant.spans), key=lambda pair: (pair[1].first, pair[1].last)):
            where = self.scope.span_cell(f, v, n)
            if where is None or span.kind not in self.KINDS:
                continue
            slot = next((k for k, last in enumerate(taken) if last < span.first), len(taken))
            taken[slot : slot + 1] = [span.last]
            self.slots = max(self.slots, len(taken))
            kind, id = self.KINDS[span.kind], self.scope.span_places[where[0]][1]
            row, clock = 0, 0
            if kind == codes.POST:
                row, clock = self.days.row_of(where[0]), self.clocks.of(self.scope.clock(id))
            elif kind == codes.CROSSING:
                row, clock = self.hours.row_of(where[0]), self.clocks.of(self.hours.clock[id])
            found[self._add(where, kind, slot, row, clock, -1)] = span
            self.key.append((f, v, n))
        return found

    def journey(self, f: int, v: int) -> int:
        """The whole journey of an itinerary."""
        where = self.scope.span_cell(f, v, -1)
        assert where is not None
        self._variants += 1
        self.key.append((f, v, -1))
        return self._add(where, codes.JOURNEY, 0, 0, 0, self._variants - 1)

    def tables(self) -> list[Any]:
        """From `Tables.span_kind` to `span_clock`."""
        return [whole(self.kind), *(whole([row[k] for row in self.rows]) for k in range(4))]


class _QueueTables:
    """Lines of those who wait, in order of their elements."""

    def __init__(self, plan: Plan, collector: Collector, clocks: _Clocks) -> None:
        self.plan, self.scope, self.clocks = plan, collector.scope, clocks
        found = coupling(plan)
        self.in_time = frozenset() if found is None else found.in_time
        levels, marks = collector.shared(QueueLevels), collector.shared(QueueMarks)
        self.lines = levels.lines
        at = {line: k for k, line in enumerate(self.lines)}
        self.groups = levels.groups
        self.group_line = [at[group] if len(group) > 1 else -1 for group in self.groups]
        widest = max(map(len, self.groups), default=1)
        self.group_lines = [[at[k,] for k in group] + [-1] * (widest - len(group)) for group in self.groups]
        self.place = {k: (g, n) for g, group in enumerate(self.groups) for n, k in enumerate(group)}
        self.row = {element: n for n, element in enumerate(marks.elements)}
        self.number: dict[tuple[int, int], int] = {}
        self.rows: list[tuple[Any, ...]] = []
        self.pieces = _Lists()
        self.rank: list[list[int]] = []
        self.kernels: list[KernelTables] = []
        self.timetables: list[tuple[int, int]] = []
        self.drawn: list[tuple[int, Drawn]] = []
        self.changes = _Lists()
        self.changes_of = plan.duration_changes_h()
        self.astride = 0

    def code(self, functions: _Functions) -> None:
        """Give every element that can queue its queues."""
        for k, element in enumerate(self.plan.elements):
            if isinstance(element, Station) and k in self.in_time:
                self._add(k, 0, codes.FULL_STATION, 1, [], -1)
            elif isinstance(element, Station):
                self._stations(k, element)
            elif isinstance(element, Quota):
                start = np.asarray(element.day_start_h, dtype=np.float64)
                end, limit = np.append(start[1:], np.inf), np.asarray(element.per_day, dtype=np.int64)
                if element.open is not None:
                    start, end, opens = open_days(start, end, element.open)
                    limit = np.where(opens, limit, 0)
                self._add(k, 0, codes.DAILY, 1, list(zip(start, end, limit, strict=True)), functions.of(element.open))
            elif isinstance(element, Departures):
                self._timetable(k, element)
            elif isinstance(element, LimitedLeg):
                if k in self.in_time:
                    self._add(k, 0, codes.LEG_IN_TIME, 1, [], -1, lines=1 if element.single_track is None else 2)
                elif needed(element):
                    self._add(k, 0, codes.LIMITED_LEG, 1, [], -1, kernel=kernel_tables.of_leg(element))
                else:
                    self._add(k, 0, codes.FREE, 1, [], -1)

    def _stations(self, k: int, station: Station) -> None:
        """A station as one queue, or as one for each group of flows that has lanes of its own."""
        single = [
            station.named,
            *(one.lane for one in station.outages),
            station.breakdown and station.breakdown.per_lane,
        ]
        if any(single):
            self._add(
                k, 0, codes.SINGLE_LANES, 1, [], -1, kernel=kernel_tables.of_single_lanes(station, station.outages)
            )
            if station.breakdown is not None:
                self.drawn.append((self.number[k, 0], partial(_drawn_lanes, k, station)))
        elif station.reserved and not station.keeps_lanes_apart:
            kernel = kernel_tables.of_reservations(station, len(self.plan.flows))
            self._add(k, 0, codes.RESERVED, 1, [], -1, kernel=kernel)
        else:
            pools = shares_of_lanes(station) if station.reserved else [station.lanes]
            for group, lanes in enumerate(pools):
                if station.closing == "finish" and not station.outages and station.breakdown is None:
                    self._station(k, group, station, lanes)
                    continue
                works = up_of([station.outages], always=True)
                kind, kernel = kernel_tables.of_hours(station, lanes, works, self.plan.horizon_h)
                self._add(k, group, kind, 1, [], -1, kernel=kernel)
                if station.breakdown is not None:
                    make = partial(_drawn_hours, k, station, lanes, self.plan.horizon_h)
                    self.drawn.append((self.number[k, group], make))

    def _station(self, k: int, group: int, station: Station, lanes: StepFunction) -> None:
        begin = [-np.inf, *lanes.from_h[1:].tolist()]
        ranks = list(station.rank or ())
        kind, classes = codes.DATED_LANES, {rank: n for n, rank in enumerate(sorted(set(ranks)))}
        if len(classes) > 1:
            kind = codes.URGENT_FIRST
        elif lanes.is_constant and lanes.value[0] >= 1:
            kind = codes.CONSTANT_LANES
        pieces = [(at, 0.0, int(value)) for at, value in zip(begin, lanes.value, strict=True)]
        most = max(int(lanes.value.max()), 1)
        self._add(k, group, kind, most, pieces, -1, [classes.get(rank, 0) for rank in ranks])

    def _timetable(self, k: int, table: Departures) -> None:
        """A departure takes all who join by then; so does a day of daily acceptance that ends just after."""
        if (np.diff(table.depart_h) < 0).any():
            raise SimulationError(f"{table.id}: departures must be in order of time")
        if table.when_full or table.priority is not None:
            loads = _full_loads if table.when_full else _loads_by_class
            make = partial(loads, k, table)
            if table.crossing is not None or table.cancel > 0:
                self.drawn.append((len(self.rows), make))
                kind, kernel = (codes.WHEN_FULL if table.when_full else codes.BY_CLASS), KernelTables()
            else:
                kind, kernel = make(None, 0)
            self._add(k, 0, kind, 1, [], -1, kernel=kernel)
            return
        if table.crossing is not None or table.cancel > 0:
            self.timetables.append((k, len(self.rows)))
        kind = codes.DAILY if table.crossing is None else codes.SAILING
        end = np.nextafter(table.depart_h, np.inf)
        self._add(k, 0, kind, 1, list(zip(table.depart_h, end, table.places, strict=True)), -1)

    def _add(
        self,
        k: int,
        group: int,
        kind: int,
        lanes: int,
        pieces: list[Any],
        opens: int,
        rank: Sequence[int] = (),
        kernel: KernelTables | None = None,
        lines: int = 1,
    ) -> None:
        self.number[k, group] = len(self.rows)
        self.kernels.append(kernel or KernelTables())
        clock = self.clocks.of(self.scope.clock(self.plan.elements[k].post))
        # An element that no itinerary visits has no place among the levels.
        where = self.place.get(k, (-1, 0))
        element, stops = self.plan.elements[k], self.scope.may_interrupt(k)
        if isinstance(element, Station) and stops:
            # At each end of the window each lane has one at most.
            pools = 1 + (len(element.reserved) if k in self.in_time else 0)
            self.astride += 2 * pools * (int(element.lanes.value.max()) + len(element.named or ()) + 1)
        self.rows.append((kind, lanes, opens, max(lines, max(rank, default=0) + 1), self.row[k], clock, stops, *where))
        self.pieces.add(pieces)
        self.changes.add(list(self.changes_of[k]) if kind in codes.READ_AGAIN else [])
        self.rank.append([*rank] or [0] * len(self.plan.flows))

    def of(self, element: int, flow: int) -> int:
        """The queue that a flow joins at an element, -1 for a delay."""
        thing = self.plan.elements[element]
        if isinstance(thing, Delay):
            return -1
        apart = isinstance(thing, Station) and thing.keeps_lanes_apart and element not in self.in_time
        group = group_of(thing, flow) if isinstance(thing, Station) and apart else 0
        return self.number[element, group]

    def of_element(self) -> dict[int, tuple[int, ...]]:
        """The queues of each element, in order."""
        found: dict[int, tuple[int, ...]] = {}
        for (element, _), q in self.number.items():
            found[element] = (*found.get(element, ()), q)
        return found

    def tables(self) -> list[Any]:
        """From `Tables.queue_kind` on."""
        kind, lanes, opens, classes, row, clock, stops, group, slot = ([one[k] for one in self.rows] for k in range(9))
        begin, until, number = ([piece[k] for piece in self.pieces.values] for k in range(3))
        packed = kernel_tables.packed(self.kernels)
        return [
            whole(kind),
            whole(lanes),
            whole(self.pieces.begin),
            real(begin),
            real(until),
            whole(number),
            whole(opens),
            whole(self.rank).reshape(len(self.rows), len(self.plan.flows)),
            whole(classes),
            whole(row),
            whole(clock),
            np.array(stops, dtype=np.bool_),
            whole(group),
            whole(slot),
            whole(self.group_line),
            whole(self.group_lines).reshape(len(self.groups), max(map(len, self.groups), default=1)),
            np.zeros(len(number)),
            packed.times,
            packed.times_at,
            packed.counts,
            packed.counts_at,
            whole(self.changes.begin),
            real(self.changes.values),
        ]


# ---------------------------------------------------------------- kernels that depend on draws


def _outages(k: int, station: Station, inputs: SampledInputs | None, row: int) -> tuple[PlanOutage, ...]:
    if inputs is None or k not in inputs.outages:
        raise SimulationError(f"{station.id}: no outages were drawn for its breakdowns")
    return (*station.outages, *inputs.outages[k][row])


def _drawn_lanes(k: int, station: Station, inputs: SampledInputs | None, row: int) -> tuple[int, KernelTables]:
    return codes.SINGLE_LANES, kernel_tables.of_single_lanes(station, _outages(k, station, inputs, row))


def _drawn_hours(
    k: int, station: Station, lanes: StepFunction, horizon_h: float, inputs: SampledInputs | None, row: int
) -> tuple[int, KernelTables]:
    works = up_of([_outages(k, station, inputs, row)], always=False)
    return kernel_tables.of_hours(station, lanes, works, horizon_h)


def draws_of_departures(
    k: int, table: Departures, inputs: SampledInputs | None, row: int
) -> tuple[FloatArray | None, NDArray[np.bool_] | None]:
    """Crossings and cancellations of one replication by departure, None where there are none.

    Raises
    ------
    SimulationError
        If they are missing.
    """
    found: list[Any] = []
    # Departures when full have no timetable of which one could be cancelled.
    cancels = table.cancel > 0 and not table.when_full
    for name, needs, drawn in (
        ("crossing times", table.crossing is not None, inputs and inputs.crossing_h),
        ("cancellations", cancels, inputs and inputs.cancelled),
    ):
        if needs and (not drawn or k not in drawn or drawn[k].shape[1] < len(table.depart_h)):
            raise SimulationError(f"{table.id}: no {name} were drawn")
        found.append(drawn[k][row] if needs and drawn else None)
    return found[0], found[1]


def _full_loads(k: int, table: Departures, inputs: SampledInputs | None, row: int) -> tuple[int, KernelTables]:
    crossing_h, _ = draws_of_departures(k, table, inputs, row)
    return codes.WHEN_FULL, kernel_tables.of_full_loads(table, crossing_h)


def _loads_by_class(k: int, table: Departures, inputs: SampledInputs | None, row: int) -> tuple[int, KernelTables]:
    return codes.BY_CLASS, kernel_tables.of_classes(table, *draws_of_departures(k, table, inputs, row))
