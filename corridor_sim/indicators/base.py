"""How indicators are made: reducers that are fed what happened, part by part.

An indicator is a class that is handed tiles of visits and spans, keeps a small
array a replication and place, and at the end says what came of it. Whether a
run arrives whole, in blocks of replications or in windows of time must not
show: sums are of grid times (exact in any order) or of whole numbers.

To add an indicator, register one class in the fitting file of this folder::

    @INDICATORS.register("longest_visit_h")
    class LongestVisit(Indicator):
        unit = "h"

        def start(self) -> None:
            self.longest_h = np.zeros(len(self.scope.replications))

        def add_visits(self, tile: VisitTile) -> None:
            stay = np.fmax.reduce(tile.leave_h - tile.join_h, axis=1, initial=0.0)
            self.longest_h[tile.rows] = np.maximum(self.longest_h[tile.rows], stay)

        def table_rows(self) -> Iterator[Row]:
            yield self.row(self.longest_h, "corridor", "all")

It then appears in tables, summaries, comparisons and reports. What several
indicators need is a shared reducer of `tallies.py` (``self.shared(VisitSums)``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from corridor_sim.indicators.table import Label, Table
from corridor_sim.plan import Element, FlowPlan, Plan, Span
from corridor_sim.registry import Registry
from corridor_sim.results import Chunk, ElementVisits, IntArray, SpanTimes
from corridor_sim.units import H_PER_DAY, FloatArray

BoolArray = NDArray[np.bool_]
Row = tuple[Label, FloatArray]

TILE = 65536
"""Visits handled at once, so that temporaries stay in the cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a planner may choose about the indicators; all of it is stored with the results.

    Attributes
    ----------
    targets_h
        Times within which a post should clear a consignment (level of service). [h]
    delay_baseline
        What truck-hours of delay are counted against: ``"unqueued"`` (waits, blocking,
        interruptions), ``"free_flow"`` or ``"low_volume"`` (see `delay.py`).
    saturation_limit
        Load over capacity from which a post has no headroom.
    vehicle_gap_m
        Gap between vehicles in a queue, assumed. [m]
    tfi3_km, tfi3_t
        Section length and load that the cost of travel is scaled to (CAREC CPMM).
    idling_co2_kg_h
        Emission of a waiting truck with its engine on; None leaves idling out. [kg/h]
    fees_usd
        Payments of one consignment by crossing, for TFI2. [US$]
    period_days
        Length of the periods of rows by day; None is 1 up to 92 days, else 7.
    """

    targets_h: tuple[float, ...] = (2.0, 6.0, 24.0)
    delay_baseline: str = "unqueued"
    saturation_limit: float = 0.9
    vehicle_gap_m: float = 3.0
    tfi3_km: float = 500.0
    tfi3_t: float = 20.0
    idling_co2_kg_h: float | None = None
    fees_usd: Mapping[str, float] = field(default_factory=dict)
    period_days: int | None = None

    def __post_init__(self) -> None:
        if self.delay_baseline not in ("unqueued", "free_flow", "low_volume"):
            raise ValueError(f"delay_baseline must be unqueued, free_flow or low_volume, got {self.delay_baseline!r}")
        if not all(target > 0 for target in self.targets_h):
            raise ValueError(f"targets_h must be > 0, got {self.targets_h}")


Place = tuple[str, str, str]
"""(kind, id, direction) of a place."""


@dataclass(frozen=True)
class Scope:
    """The plan as the reducers see it: places, window, local days."""

    plan: Plan
    replications: IntArray
    options: Options = field(default_factory=Options)

    @property
    def from_h(self) -> float:
        """Start of the counted window. [h]"""
        return self.plan.warm_up_h

    @property
    def until_h(self) -> float:
        """End of the counted window. [h]"""
        return self.plan.counted_until_h

    @property
    def window_h(self) -> float:
        """Length of the counted window. [h]"""
        return self.until_h - self.from_h

    @property
    def window_days(self) -> float:
        """Length of the counted window. [days]"""
        return self.window_h / H_PER_DAY

    def utc_offset_h(self, post: str = "") -> float:
        """Local time less UTC at a post, from the labels of the plan; 0 where it has none. [h]"""
        return float(self.plan.labels.get("posts", {}).get(post, {}).get("utc_offset_h", 0.0))

    def clock_h(self, post: str = "") -> float:
        """Local hour of the day at hour 0 of the run, in [0, 24)."""
        offset, start = self.utc_offset_h(post), self.plan.start
        hour = start.hour + start.minute / 60 + start.second / 3600 if isinstance(start, datetime) else 0.0
        return (hour + offset) % H_PER_DAY

    def first_date(self, post: str = "") -> date | None:
        """Local date of day 0, None if the plan has no dates."""
        start = self.plan.start
        if start is None:
            return None
        if isinstance(start, datetime):
            return (start + timedelta(hours=self.utc_offset_h(post))).date()
        return start  # type: ignore[no-any-return]

    def days(self, post: str = "") -> int:
        """Local days that the run touches, the broken ones included."""
        return int(np.ceil((self.plan.horizon_h + self.clock_h(post)) / H_PER_DAY))

    @cached_property
    def most_days(self) -> int:
        """Width of arrays by day, enough for every post."""
        return int(np.ceil(self.plan.horizon_h / H_PER_DAY)) + 1

    @cached_property
    def period_days(self) -> int:
        """Days in one period of the rows by day."""
        return self.options.period_days or (1 if self.plan.horizon_h <= 92 * H_PER_DAY else 7)

    def day_edges_h(self, post: str = "") -> FloatArray:
        """Instants at which local days begin, day 0 cut at 0, the last one at the horizon. [h]"""
        edges = np.arange(self.days(post) + 1) * H_PER_DAY - self.clock_h(post)
        return np.clip(edges, 0.0, self.plan.horizon_h)

    @cached_property
    def cells(self) -> tuple[tuple[int, int], ...]:
        """(element, flow) pairs that occur, by element and then flow."""
        pairs = {
            (step.element, f)
            for f, flow in enumerate(self.plan.flows)
            for variant in flow.variants
            for step in variant.steps
        }
        return tuple(sorted(pairs))

    @cached_property
    def element_cells(self) -> tuple[range, ...]:
        """Cells of each element."""
        found: list[range] = []
        cells, at = self.cells, 0
        for k in range(len(self.plan.elements)):
            first = at
            while at < len(cells) and cells[at][0] == k:
                at += 1
            found.append(range(first, at))
        return tuple(found)

    @cached_property
    def flow_lookup(self) -> tuple[IntArray, ...]:
        """For each element: flow -> 1 + its position among the flows there; 0 for the padding (-1)."""
        tables = []
        for cells in self.element_cells:
            table = np.zeros(len(self.plan.flows) + 1, dtype=np.int64)
            for position, cell in enumerate(cells):
                table[self.cells[cell][1]] = 1 + position
            tables.append(table)
        return tuple(tables)

    @cached_property
    def span_places(self) -> tuple[Place, ...]:
        """Places of the spans: posts, crossings, legs in order of appearance, then the flows."""
        found: dict[Place, None] = {}
        for kind in ("post", "crossing", "leg"):
            for flow in self.plan.flows:
                for variant in flow.variants:
                    for span in variant.spans:
                        if span.kind == kind:
                            found.setdefault(place_of(span))
        return (*found, *(("flow", flow.id, flow.direction) for flow in self.plan.flows))

    @cached_property
    def span_cells(self) -> tuple[tuple[int, int], ...]:
        """(span place, flow) pairs that occur, sorted."""
        at = {place: n for n, place in enumerate(self.span_places)}
        pairs = {
            (at[place_of(span)], f)
            for f, flow in enumerate(self.plan.flows)
            for variant in flow.variants
            for span in variant.spans
            if span.kind in ("post", "crossing", "leg")
        }
        pairs |= {(at["flow", flow.id, flow.direction], f) for f, flow in enumerate(self.plan.flows)}
        return tuple(sorted(pairs))

    @cached_property
    def _span_cell_of(self) -> dict[tuple[int, int, int], tuple[int, int]]:
        at = {place: n for n, place in enumerate(self.span_places)}
        cell = {pair: n for n, pair in enumerate(self.span_cells)}
        found = {}
        for f, flow in enumerate(self.plan.flows):
            for v, variant in enumerate(flow.variants):
                whole = at["flow", flow.id, flow.direction]
                found[f, v, -1] = (whole, cell[whole, f])
                for n, span in enumerate(variant.spans):
                    if place_of(span) in at:
                        place = at[place_of(span)]
                        found[f, v, n] = (place, cell[place, f])
        return found

    def span_cell(self, flow: int, variant: int, span: int) -> tuple[int, int] | None:
        """(place, cell) of one span of one itinerary, None if it is of no reported kind."""
        return self._span_cell_of.get((flow, variant, span))

    def places(self, *kinds: str) -> list[tuple[int, Place]]:
        """Numbered span places of these kinds."""
        return [(n, place) for n, place in enumerate(self.span_places) if place[0] in kinds]

    @cached_property
    def post_elements(self) -> dict[tuple[str, str], tuple[int, ...]]:
        """Elements of each (post, direction)."""
        found: dict[tuple[str, str], list[int]] = {}
        for k, element in enumerate(self.plan.elements):
            if element.post:
                found.setdefault((element.post, element.direction), []).append(k)
        return {key: tuple(elements) for key, elements in found.items()}

    @cached_property
    def crossing_elements(self) -> dict[tuple[str, str], tuple[int, ...]]:
        """Elements met within each (crossing, direction): what the itineraries' crossing spans cover."""
        return self._elements_of("crossing")

    def _elements_of(self, kind: str) -> dict[tuple[str, str], tuple[int, ...]]:
        found: dict[tuple[str, str], set[int]] = {}
        for flow in self.plan.flows:
            for variant in flow.variants:
                for span in variant.spans:
                    if span.kind == kind:
                        covered = (step.element for step in variant.steps[span.first : span.last + 1])
                        found.setdefault((span.id, span.direction), set()).update(covered)
        return {key: tuple(sorted(elements)) for key, elements in found.items()}

    @cached_property
    def classes(self) -> dict[str, tuple[int, ...]]:
        """Flows of each cargo class."""
        found: dict[str, list[int]] = {}
        for f, flow in enumerate(self.plan.flows):
            found.setdefault(flow.cargo_class, []).append(f)
        return {name: tuple(flows) for name, flows in sorted(found.items()) if name}

    @cached_property
    def may_block(self) -> bool:
        """Whether anybody can be held in a lane after service."""
        return any(getattr(element, "yard", None) is not None for element in self.plan.elements)

    def may_interrupt(self, element: int) -> bool:
        """Whether a service at this element can be interrupted."""
        station = self.plan.elements[element]
        if station.kind != "station":
            return False
        fails = bool(getattr(station, "outages", ())) or getattr(station, "breakdown", None) is not None
        return fails or getattr(station, "closing", "") in ("suspend", "restart")


def place_of(span: Span) -> Place:
    """Kind, id and direction of a span."""
    return (span.kind, span.id, span.direction)


def element_place(element: Element) -> Place:
    """Kind, id and direction under which an element is reported."""
    return ("stage" if element.post else "leg", element.id, element.direction)


class VisitTile:
    """Some rows of the visits to one element, with what the reducers share.

    Arrays have shape (row, visit). `rows` are the rows of the collector's arrays.
    A visit is *inner* when it lies wholly within the counted window: then what it
    adds to averages over time and over consignments is the same. The few others
    (unfinished, straddling an end of the window) are in `edge`; those that were over
    before the window are in neither.
    """

    def __init__(self, scope: Scope, element: int, rows: IntArray, visits: ElementVisits, lines: slice) -> None:
        self.scope, self.element, self.rows = scope, element, rows
        self.flow, self.index, self.step = visits.flow[lines], visits.index[lines], visits.step[lines]
        self.join_h, self.start_h = visits.join_h[lines], visits.start_h[lines]
        self.finish_h, self.leave_h = visits.finish_h[lines], visits.leave_h[lines]
        self.service_h = visits.service_h[lines]

    @cached_property
    def valid(self) -> BoolArray:
        """True for visits, False in the padding."""
        return np.asarray(self.flow >= 0)

    @cached_property
    def inner(self) -> BoolArray:
        """True for visits that lie wholly within the counted window."""
        return np.asarray((self.join_h >= self.scope.from_h) & (self.leave_h < self.scope.until_h))

    @cached_property
    def number(self) -> IntArray:
        """Number of visits in each row."""
        return np.asarray(np.count_nonzero(self.valid, axis=1), dtype=np.int64)

    @cached_property
    def has_edge(self) -> bool:
        """Whether there are visits that are not inner."""
        return int(self.number.sum()) > int(np.count_nonzero(self.inner))

    @cached_property
    def edge(self) -> tuple[IntArray, IntArray]:
        """(line, flat position) of the visits that are not inner and not over before the window."""
        outer = self.valid & ~self.inner
        outer &= ~(self.leave_h < self.scope.from_h)
        return self.where(outer)

    @staticmethod
    def where(mask: BoolArray) -> tuple[IntArray, IntArray]:
        """(line, flat position) of what is True, in order."""
        flat = np.flatnonzero(mask)
        line = np.repeat(np.arange(len(mask)), np.count_nonzero(mask, axis=1))
        return np.asarray(line), np.asarray(flat)

    @cached_property
    def position(self) -> IntArray:
        """1 + position of the flow among the flows of this element; 0 in the padding."""
        return np.asarray(self.scope.flow_lookup[self.element][self.flow])

    @cached_property
    def wait_h(self) -> FloatArray:
        """Time from joining to starting; NaN where it has not started. [h]"""
        return np.asarray(self.start_h - self.join_h)

    @cached_property
    def inner_key(self) -> IntArray:
        """Flat cell (row of the tile x position) of the inner visits; 0 for all others."""
        width = len(self.scope.element_cells[self.element]) + 1
        key = self.position + (np.arange(len(self.flow)) * width)[:, None]
        key *= self.inner
        return np.asarray(key).ravel()

    def sum_inner(self, values: FloatArray | None) -> FloatArray:
        """Sum of `values` (or number) over the inner visits, shape (flow here, row)."""
        flows = len(self.scope.element_cells[self.element])
        if flows == 1:
            if values is None:
                return np.asarray(np.count_nonzero(self.inner, axis=1), dtype=np.float64)[None, :]
            return np.asarray(np.where(self.inner, values, 0.0).sum(axis=1))[None, :]
        lines = len(self.flow)
        weights = None if values is None else values.ravel()
        sums = np.bincount(self.inner_key, weights, minlength=lines * (flows + 1))
        return np.asarray(sums.reshape(lines, flows + 1)[:, 1:].T, dtype=np.float64)

    def sum_edge(self, values: FloatArray) -> FloatArray:
        """Sum of `values`, one for each visit in `edge`, shape (flow here, row)."""
        flows, lines = len(self.scope.element_cells[self.element]), len(self.flow)
        line, flat = self.edge
        key = line * (flows + 1) + self.position.ravel()[flat]
        sums = np.bincount(key, values, minlength=lines * (flows + 1))
        return np.asarray(sums.reshape(lines, flows + 1)[:, 1:].T)


class SpanTile:
    """Times of one span of one itinerary, shape (row, consignment)."""

    def __init__(self, scope: Scope, place: int, cell: int, rows: IntArray, times: SpanTimes, lines: slice) -> None:
        self.scope, self.place, self.cell, self.rows = scope, place, cell, rows
        self.flow, self.variant, self.span = times.flow, times.variant, times.span
        self.index, self.begin_h, self.end_h = times.index[lines], times.begin_h[lines], times.end_h[lines]

    @property
    def kind(self) -> str:
        """Kind of the place: post, crossing, leg or flow."""
        return self.scope.span_places[self.place][0]

    @cached_property
    def stay_h(self) -> FloatArray:
        """End minus begin; NaN where not ended. [h]"""
        return np.asarray(self.end_h - self.begin_h)

    @cached_property
    def whole(self) -> bool:
        """Whether all of it lies within the counted window."""
        if not float(np.fmin.reduce(self.begin_h, axis=None)) >= self.scope.from_h:
            return False
        last = self.scope.until_h == self.scope.plan.horizon_h
        return last or float(np.fmax.reduce(self.end_h, axis=None)) < self.scope.until_h

    @cached_property
    def counted(self) -> BoolArray:
        """Begun within the counted window."""
        if self.whole:
            return np.asarray(self.begin_h == self.begin_h)
        begun = self.begin_h >= self.scope.from_h
        return np.asarray(begun & (self.begin_h < self.scope.until_h))

    @cached_property
    def done(self) -> BoolArray:
        """Begun within the counted window and ended by the horizon."""
        if self.whole:
            return np.asarray(self.stay_h >= 0.0)
        return np.asarray(self.counted & (self.stay_h >= 0.0))

    @cached_property
    def done_line(self) -> IntArray:
        """Line of each done consignment, in the order of ``stay_h[done]``."""
        return np.repeat(np.arange(len(self.rows)), np.count_nonzero(self.done, axis=1))


class Held:
    """Something that a reducer keeps and that knows its size."""

    nbytes: int


class Reducer(ABC):  # noqa: B024 - both hooks are optional
    """Something that is fed tiles and keeps a small array a replication."""

    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self.scope = collector.scope
        self.start()

    def start(self) -> None:  # noqa: B027
        """Make the arrays."""

    def shared(self, kind: type[AReducer]) -> AReducer:
        """The collector's only reducer of that class, made at first use."""
        return self.collector.shared(kind)

    @property
    def nbytes(self) -> int:
        """Size of the arrays that it keeps. [bytes]"""
        return sum(held.nbytes for held in vars(self).values() if isinstance(held, (np.ndarray, Held)))

    def add_visits(self, tile: VisitTile) -> None:  # noqa: B027
        """Take in some visits to one element."""

    def add_span(self, tile: SpanTile) -> None:  # noqa: B027
        """Take in some passages of one span."""


AReducer = TypeVar("AReducer", bound=Reducer)


class Indicator(Reducer):
    """A reducer that ends in rows of the table; its registered kind is its name there."""

    name: ClassVar[str] = ""
    unit: ClassVar[str] = "-"

    @abstractmethod
    def table_rows(self) -> Iterator[Row]:
        """Labelled values, one a replication. Which rows there are depends on the plan alone."""

    def row(
        self,
        values: FloatArray,
        kind: str,
        place: str,
        direction: str = "",
        *,
        cargo_class: str = "",
        hour: int | None = None,
        day: int | None = None,
        of: str = "",
        name: str = "",
        unit: str = "",
    ) -> Row:
        """One row; `name` and `unit` default to those of the indicator."""
        label = Label(name or self.name, unit or self.unit, kind, place, direction, cargo_class, hour, day, of)
        return label, np.asarray(values, dtype=np.float64)


class _Indicators(Registry[type[Indicator]]):
    """Registry that gives each indicator its kind as its name."""

    def __getitem__(self, kind: str) -> type[Indicator]:
        found = super().__getitem__(kind)
        found.name = found.name or kind
        return found


INDICATORS: Registry[type[Indicator]] = _Indicators("indicator")


class Collector:
    """Takes the chunks of a block of replications and ends in a `Table`.

    Parameters
    ----------
    plan : Plan
    replications : sequence of int
        The replications of the block; every chunk holds some of them.
    indicators : iterable of str or None
        Registered kinds; None is all of them.
    options : Options

    Raises
    ------
    ScenarioError
        If an indicator is not known.
    """

    def __init__(
        self,
        plan: Plan,
        replications: Sequence[int] | IntArray,
        indicators: Iterable[str] | None = None,
        options: Options | None = None,
    ) -> None:
        numbers = np.asarray(replications, dtype=np.int64)
        self.scope = Scope(plan, numbers, options or Options())
        self._row = {int(number): k for k, number in enumerate(numbers)}
        self._reducers: dict[type[Reducer], Reducer] = {}
        kinds = list(INDICATORS) if indicators is None else list(dict.fromkeys(indicators))
        self._indicators: list[Indicator] = []
        for kind in kinds:
            made = self.shared(INDICATORS[kind])
            self._indicators.append(made)
        self.visits = np.zeros(len(numbers), dtype=np.int64)
        """Visits taken in so far, by replication."""

    def shared(self, kind: type[AReducer]) -> AReducer:
        """The only reducer of that class, made at first use."""
        if kind not in self._reducers:
            made = kind(self)
            self._reducers[kind] = made
        return self._reducers[kind]  # type: ignore[return-value]

    def _hooked(self, hook: str) -> list[Reducer]:
        base = getattr(Reducer, hook)
        return [reducer for reducer in self._reducers.values() if getattr(type(reducer), hook) is not base]

    @property
    def nbytes(self) -> int:
        """Size of the reducers' arrays. [bytes]"""
        return sum(reducer.nbytes for reducer in self._reducers.values())

    def add(self, chunk: Chunk) -> None:
        """Take in one chunk; the order of chunks does not matter."""
        rows = np.array([self._row[int(number)] for number in chunk.replications], dtype=np.int64)
        takers = self._hooked("add_visits")
        for k, visits in enumerate(chunk.elements):
            if visits is None or not visits.flow.size:
                continue
            lines = max(1, TILE // visits.flow.shape[1])
            for first in range(0, len(rows), lines):
                part = slice(first, first + lines)
                tile = VisitTile(self.scope, k, rows[part], visits, part)
                self.visits[rows[part]] += tile.number
                for taker in takers:
                    taker.add_visits(tile)
        span_takers = self._hooked("add_span")
        for times in chunk.spans:
            where = self.scope.span_cell(times.flow, times.variant, times.span)
            if where is None or not times.index.size:
                continue
            lines = max(1, TILE // times.index.shape[1])
            for first in range(0, len(rows), lines):
                part = slice(first, first + lines)
                span = SpanTile(self.scope, *where, rows[part], times, part)
                for span_taker in span_takers:
                    span_taker.add_span(span)

    def finish(self) -> Table:
        """The table of all indicators of the block."""
        rows = [row for indicator in self._indicators for row in indicator.table_rows()]
        values = np.stack([values for _, values in rows]) if rows else np.empty((0, len(self.scope.replications)))
        return Table(tuple(label for label, _ in rows), values, self.scope.replications)


def ratio(top: FloatArray, bottom: FloatArray) -> FloatArray:
    """``top / bottom``, NaN where `bottom` is 0."""
    top, bottom = np.asarray(top, dtype=np.float64), np.asarray(bottom, dtype=np.float64)
    shape = np.broadcast_shapes(top.shape, bottom.shape)
    return np.asarray(np.divide(top, bottom, out=np.full(shape, np.nan), where=bottom != 0))


def flows_named(flows: Sequence[FlowPlan], chosen: Iterable[int]) -> str:
    """Ids of some flows, for messages."""
    return ", ".join(flows[f].id for f in chosen)
