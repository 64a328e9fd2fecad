"""A plan as numbers in arrays: what the compiled pass reads.

Steps of all itineraries stand one after the other, itineraries ("routes") by flow. A queue is what
keeps one line at an element: a station with reserved lanes has one for each group of flows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core import by_object, cycle_search
from corridor_sim.core.units import FloatArray
from corridor_sim.engines.batch.refusals import skippable
from corridor_sim.engines.compiled import codes
from corridor_sim.engines.compiled.flow_layout import COLUMNS, ROUTES, SPANS, STEPS, FlowLayout, Numbers
from corridor_sim.engines.compiled.kernel_tables import KernelTables
from corridor_sim.engines.compiled.listing import (
    ClockTables,
    ColumnTables,
    DrawColumn,
    Drawn,
    FunctionTables,
    Ints,
    NumberLists,
    real,
    whole,
)
from corridor_sim.engines.compiled.queue_tables import QueueTables
from corridor_sim.engines.compiled.step_tables import SpanTables, StepTables
from corridor_sim.indicators.base import Collector
from corridor_sim.indicators.queue_marks import QueueMarks
from corridor_sim.indicators.shared_sums import StayTimes
from corridor_sim.model.service_times.codes import PLAIN
from corridor_sim.plan.elements import Delay
from corridor_sim.plan.plan import Plan
from corridor_sim.plan.steps import KINDS_OF_REST, Variant

REST_COLUMNS = 2 * KINDS_OF_REST + 2


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
    queue_lands: NDArray[np.bool_]
    queue_boarded: NDArray[np.bool_]
    sailing_h: FloatArray
    # kernels
    times: FloatArray
    times_at: Ints
    counts: Ints
    counts_at: Ints
    # instants from which on a duration at a queue may be another one
    changes_from: Ints
    changes_h: FloatArray
    # hours of drivers
    rests: FloatArray
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
    patience
        Column of the patience of each step, -1 where nobody leaves the queue.
    lost
        Of each itinerary whether those on it have left a queue for good.
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
    patience: Ints
    lost: NDArray[np.bool_]

    @property
    def by_kernel(self) -> bool | None:
        """True where a queue is left to a kernel, else None; True with all that is compiled longest anyway."""
        return True if (self.tables.queue_kind >= codes.LIMITED_LEG).any() or self.in_time else None


@cycle_search.put_off()
def coded(plan: Plan, collector: Collector, step_h: float) -> Coded:
    """A plan as tables; `collector` knows the places, `step_h` is the length of a window of the pass. [h]"""
    scope = collector.scope
    functions, columns, clocks = FunctionTables(), ColumnTables(plan), ClockTables(collector)
    spans, queues = SpanTables(collector, clocks), QueueTables(plan, collector, clocks)
    queues.code(functions)
    steps = StepTables(functions, columns)
    routes: list[tuple[int, int, int]] = []
    step_element: list[int] = []
    opens, closes, covers = NumberLists(), NumberLists(), NumberLists()
    leg_of: list[int] = []
    is_delay = [isinstance(element, Delay) for element in plan.elements]
    kinds: list[tuple[Numbers, Numbers]] = []
    kind: list[int] = []
    of_variants: dict[int, int] = {}

    def made() -> Numbers:
        return Numbers(len(routes), len(step_element), len(spans.kind), len(columns.number))

    for f, flow in enumerate(plan.flows):
        if (alike := of_variants.get(id(flow.variants))) is not None:
            kind.append(alike)
            continue
        if not queues.by_flow:
            of_variants[id(flow.variants)] = len(kinds)
        kind.append(len(kinds))
        begun = made()
        steps.add(f, flow, queues.of)
        for v, variant in enumerate(flow.variants):
            begin = len(step_element)
            first = len(spans.kind)
            of_route = spans.of_route(f, v)
            step_element += [step.element for step in variant.steps]
            at_once = tuple([is_delay[step.element] for step in variant.steps])
            named = tuple([(spans.key[o][2], spans.kind[o] == codes.LEG) for o in of_route])
            own, *lists = _spans_of_steps(variant, at_once, named)
            leg_of += [-1 if o < 0 else first + o for o in own]
            for into, found in zip((opens, closes, covers), lists, strict=True):
                into.add_all(found, first)
            routes.append((begin, len(step_element), spans.journey(f, v)))
        kinds.append((begun, made()))
    layout = FlowLayout(kinds, kind)
    element = whole(step_element)[layout.made(STEPS)]
    cell_of = scope.cell_of
    step_cell = [cell_of[pair] for pair in zip(element.tolist(), layout.flows(STEPS).tolist(), strict=True)]
    marks, stays = collector.shared(QueueMarks), collector.shared(StayTimes)
    node, laws = columns.coded()
    node = node[layout.made(COLUMNS)]
    route = whole(routes).reshape(-1, 3)[layout.made(ROUTES)]
    arrays: list[Any] = [
        layout.flows(ROUTES),
        layout.moved(route[:, 0], ROUTES, STEPS),
        layout.moved(route[:, 1], ROUTES, STEPS),
        layout.moved(route[:, 2], ROUTES, SPANS),
        *steps.tables(layout),
        layout.moved(whole(leg_of)[layout.made(STEPS)], STEPS, SPANS),
        *(part for found in (opens, closes, covers) for part in _numbers(found, layout)),
        np.full(len(step_cell) + 1, -1, dtype=np.int64),
        *steps.unusual(layout),
        whole(functions.pieces.begin),
        real(functions.pieces.values),
        real(functions.value),
        node,
        _simple(node, laws),
        *laws,
        *spans.tables(layout),
        stays.counts.is_near,
        stays.counts.limits_h,
        *clocks.tables(),
        *queues.tables(),
        np.array(steps.rests, dtype=float).reshape(-1, REST_COLUMNS),
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
    keys = spans.keys(layout)
    return Coded(
        tables,
        window,
        columns.listed(layout),
        whole(step_cell),
        element,
        whole([element for element, _ in queues.number]),
        queues.astride,
        spans.cells(keys),
        layout.moved(whole(spans.variant)[layout.made(SPANS)], SPANS, ROUTES),
        keys,
        layout.begin[:-1, ROUTES].copy(),
        queues.of_element(),
        queues.lines,
        tuple(queues.kernels),
        tuple(queues.timetables),
        tuple(queues.drawn),
        max(spans.slots, 1),
        int(max(tables.queue_classes.max(initial=1), 1)),
        1 + max((len(variant.spans) for flow in plan.flows for variant in flow.variants), default=0),
        bool(queues.in_time),
        layout.moved(whole(steps.patience)[layout.made(STEPS)], STEPS, COLUMNS),
        np.array(spans.lost, dtype=np.bool_)[layout.made(ROUTES)],
    )


def _numbers(lists: NumberLists, layout: FlowLayout) -> tuple[Ints, Ints]:
    """Lists of spans, one for each step: where they begin, and their entries."""
    begin, which, more = layout.lists(whole(lists.begin), STEPS, SPANS)
    return begin, whole(lists.values)[which] + more


@by_object.once
def _spans_of_steps(
    variant: Variant, delays: Sequence[bool], spans: Sequence[tuple[int, bool]]
) -> tuple[list[int], NumberLists, NumberLists, NumberLists]:
    """Of each step the leg that is this step alone (-1: none), and the spans that it opens, closes and is in.

    `delays` tells which steps are at delays; `spans` are the numbers of those that are reported, and which are legs.
    """
    legs: list[int] = []
    opens, closes, covers = NumberLists(), NumberLists(), NumberLists()
    of_route = [variant.spans[n] for n, _ in spans]
    for s, step in enumerate(variant.steps):
        alone = delays[s] and not skippable(step)
        own = [o for o, span in enumerate(of_route) if alone and span.first == span.last == s and spans[o][1]]
        legs.append(own[0] if own else -1)
        here = {o: span for o, span in enumerate(of_route) if span.first <= s <= span.last and o not in own[:1]}
        skipped = [all(skippable(one) for one in variant.steps[span.first : s]) for span in here.values()]
        opens.add([o for o, all_before in zip(here, skipped, strict=True) if all_before])
        closes.add([o for o, span in here.items() if span.last == s])
        covers.add(list(here))
    return legs, opens, closes, covers


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
    for flow, begin, end in zip(tables.route_flow, tables.route_begin, tables.route_end, strict=True):
        step[begin:end, codes.FLOW] = flow
    step_h[:, codes.FIXED_H], step_h[:, codes.SHARE_OF] = tables.fixed_h, tables.share_of
    # A uniform is a whole number of 53 bits, scaled: whether it is below the share can be asked of the whole numbers.
    bits = np.ceil(np.clip(tables.share_of, 0.0, 1.0) * 2.0**53).astype(np.int64)
    step_h[:, codes.SHARE_BITS] = bits.view(np.float64)
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
