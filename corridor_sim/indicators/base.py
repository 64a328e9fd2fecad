"""How indicators are made: reducers that are fed what happened, part by part.

An indicator is a class that is handed blocks of visits and spans, keeps a small
array a replication and place, and at the end gives the results. Whether a
run arrives whole, in blocks of replications or in windows of time must not
show: sums are of grid times (exact in any order) or of whole numbers.

To add an indicator, register one class in the fitting file of this folder::

    @INDICATORS.register("longest_visit_h")
    class LongestVisit(Indicator):
        unit = "h"

        def start(self) -> None:
            self.longest_h = np.zeros(len(self.scope.replications))

        def add_visits(self, block: VisitBlock) -> None:
            counted = (block.join_h >= self.scope.from_h) & (block.join_h < self.scope.until_h)
            np.fmax.at(self.longest_h, block.row[counted], (block.leave_h - block.join_h)[counted])

        def table_rows(self) -> Iterator[Row]:
            yield self.row(self.longest_h, "corridor", "all")

It then appears in tables, summaries, comparisons and reports, and the contract tests
(tests/contract) hold it to the counted window that `window` names. Rows of several places are
given with `rows_at`, which takes those of a base where a place goes as in it. What several
indicators need is a shared reducer (``self.shared(VisitSums)`` of `visit_sums.py`; others in `shared_sums.py`).
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np

from corridor_sim.core import cycle_search
from corridor_sim.core.registry import Registry
from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.label import Label, Row, label_of, labels_at, labels_of
from corridor_sim.indicators.places import Options, PlaceKey, PlanView, element_place
from corridor_sim.indicators.pools import Counted, Counts, PooledRow, PooledRows, pooled
from corridor_sim.indicators.table import Table
from corridor_sim.indicators.taken import Taken
from corridor_sim.indicators.visit_blocks import Held, SpanBlock, VisitBlock, before_horizon
from corridor_sim.plan.elements import PlanOutage
from corridor_sim.plan.plan import Plan
from corridor_sim.records.visits import Chunk, IntArray, SpanTimes, Visits

__all__ = [
    "INDICATORS",
    "ON_REQUEST",
    "Collector",
    "Indicator",
    "Kept",
    "Options",
    "PlaceKey",
    "PlanView",
    "Reducer",
    "SpanBlock",
    "VisitBlock",
    "element_place",
    "ratio",
]

TILE = 65536
"""Visits reduced at once at most, so that temporaries stay in the cache."""
MOST_HELD = 1_500_000
"""Entries held back in all (about 50 MB): with many flows and elements the largest go before they are worth a block."""


class Kept:
    """Something that a reducer keeps and that knows its size."""

    nbytes: int


class Reducer(ABC):  # noqa: B024 - both hooks are optional
    """Something that is fed blocks and keeps a small array a replication."""

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
        return sum(held.nbytes for held in vars(self).values() if isinstance(held, (np.ndarray, Kept)))

    def add_chunk(self, rows: IntArray, chunk: Chunk) -> None:  # noqa: B027
        """Take in a chunk as it comes; `rows` are its replications, as rows of the arrays."""

    def add_visits(self, block: VisitBlock) -> None:  # noqa: B027
        """Take in some visits to one element."""

    def add_span(self, block: SpanBlock) -> None:  # noqa: B027
        """Take in some passages of one span."""


AReducer = TypeVar("AReducer", bound=Reducer)
What = TypeVar("What")
"""What the rows of a place are made from: its number, its elements, its values."""


class Indicator(Reducer):
    """A reducer that ends in rows of the table; its registered kind is its name there."""

    name: ClassVar[str] = ""
    unit: ClassVar[str] = "-"
    window: ClassVar[Literal["begun", "window", "run"]] = "begun"
    """What is counted: consignments that begin a visit or passage in the window, what happens in the window
    (whoever it is), or the whole run. The contract tests hold an indicator to it."""

    @abstractmethod
    def table_rows(self) -> Iterator[Row]:
        """Labelled values, one a replication. Which rows there are depends on the plan alone.

        Many rows of one place are given together (`rows_by`), which is faster than one after the other (`row`).
        """

    def pooled_rows(self) -> Iterator[PooledRow | PooledRows]:
        """Percentiles of the consignments of all replications together: labels with their percent, and the counts."""
        yield from ()

    def rows_at(
        self, places: Iterable[tuple[What, PlaceKey]], make: Callable[[What, PlaceKey], Iterable[Row]]
    ) -> Iterator[Row]:
        """Rows of each place as `make` gives them, or those of a base where they are the same.

        All rows of a place that an indicator gives come from one call of `make`.
        """
        for what, place in places:
            taken = self.collector.taken.rows(type(self), place)
            yield from make(what, place) if taken is None else taken

    def pools_at(
        self, places: Iterable[tuple[What, PlaceKey]], make: Callable[[What, PlaceKey], PooledRow]
    ) -> Iterator[PooledRow]:
        """The same for `pooled_rows`; a place has one distribution."""
        for what, place in places:
            yield from self.collector.taken.pools(type(self), place) or (make(what, place),)

    def pooled(
        self, counts: Counted | tuple[FloatArray, Counts], kind: str, place: str, direction: str = "", **percents: float
    ) -> PooledRow:
        """Percentiles of one distribution; a name and its percent each."""
        labels = [
            (label_of(name, self.unit, kind, place, direction, "", None, None, ""), percent)
            for name, percent in percents.items()
        ]
        return labels, *(counts if isinstance(counts, tuple) else counts.by_value())

    def pools_of_flows(
        self, found: tuple[FloatArray, Counts, IntArray], **percents: float
    ) -> Iterator[PooledRow | PooledRows]:
        """Percentiles of one distribution of each flow, in order of the flows: a name and its percent each.

        `found` are values and counts of all flows, one after the other, and where those of each begin and end.
        """
        (values, counts, ends), places = found, tuple(place for _, place in self.scope.places("flow"))
        names = tuple((name, self.unit, "") for name in percents)

        def labels_of_flow(place: PlaceKey) -> list[tuple[Label, float]]:
            return list(zip(labels_at(names, (place,)), percents.values(), strict=True))

        if self.collector.by_place:
            each = [(values[begin:end], counts[:, begin:end]) for begin, end in itertools.pairwise(ends.tolist())]
            yield from self.pools_at(zip(each, places, strict=True), lambda one, place: (labels_of_flow(place), *one))
        else:
            yield PooledRows([labels_of_flow(place) for place in places], values, counts, ends)

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
        label = label_of(name or self.name, unit or self.unit, kind, place, direction, cargo_class, hour, day, of)
        return label, np.asarray(values, dtype=np.float64)

    def rows_by(self, column: str, entries: Sequence[Any], values: FloatArray, place: PlaceKey, **names: str) -> Row:
        """Rows of one place for the entries of a column (hour, day or part), in that order.

        Parameters
        ----------
        column : {"hour", "day", "of"}
        entries : sequence
            One for each row, or for each group of rows where there are several `names`.
        values : array
            Shape (entry, replication), or (entry, name, replication).
        place : (kind, id, direction)
        names : str
            Names of the rows of each entry and their units; by default that of the indicator alone.
        """
        given = tuple(names.items()) or ((self.name, self.unit),)
        return labels_of(given, *place, column, tuple(entries)), values.reshape(-1, values.shape[-1])

    def rows_of_flows(
        self, entries: Sequence[tuple[str, str, str]], values: FloatArray, *, take: bool = True
    ) -> Iterator[Row]:
        """The same rows of each flow, in order of the flows.

        Parameters
        ----------
        entries : sequence of (name, unit, part)
            Rows of each flow; an empty name and unit are those of the indicator.
        values : array
            Shape (flow, entry, replication), or (flow, replication) where there is one entry.
        take : bool
            Give the rows of a base where there are such.
        """
        named = tuple((name or self.name, unit or self.unit, of) for name, unit, of in entries)
        places = tuple(place for _, place in self.scope.places("flow"))
        if not self.collector.by_place:
            yield labels_at(named, places), values.reshape(-1, values.shape[-1])
            return

        def of_flow(mine: FloatArray, place: PlaceKey) -> Iterator[Row]:
            yield labels_at(named, (place,)), mine.reshape(-1, values.shape[-1])

        flows = zip(values, places, strict=True)
        if take:
            yield from self.rows_at(flows, of_flow)
        else:
            for mine, place in flows:
                yield from of_flow(mine, place)


class _Indicators(Registry[type[Indicator]]):
    """Registry that gives each indicator its kind as its name, and finds those too that are made on request."""

    def __getitem__(self, kind: str) -> type[Indicator]:
        found = ON_REQUEST[kind] if kind in ON_REQUEST else super().__getitem__(kind)
        found.name = found.name or kind
        return found


ON_REQUEST: Registry[type[Indicator]] = Registry("indicator")
"""Indicators with too many rows for every table: no list of indicators has them, a run that names one makes it."""
INDICATORS: Registry[type[Indicator]] = _Indicators("indicator")


def in_turn(values: FloatArray) -> FloatArray:
    """Sum of rows one after the other, so that it does not depend on how numpy takes it, shape (replication,)."""
    return np.asarray(np.add.accumulate(values, axis=0)[-1] if len(values) else np.zeros(values.shape[1]))


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
    ValueError
        If a replication comes twice, or (`add`) a chunk has another one.
    """

    def __init__(
        self,
        plan: Plan,
        replications: Sequence[int] | IntArray,
        indicators: Iterable[str] | None = None,
        options: Options | None = None,
    ) -> None:
        numbers = np.asarray(replications, dtype=np.int64)
        self.scope = PlanView(plan, numbers, options or Options())
        self._row = {int(number): k for k, number in enumerate(numbers)}
        if len(self._row) < len(numbers):
            raise ValueError(f"replications must be different, got {numbers.tolist()}")
        self._reducers: dict[type[Reducer], Reducer] = {}
        kinds = list(INDICATORS) if indicators is None else list(dict.fromkeys(indicators))
        self._indicators: list[Indicator] = []
        for kind in kinds:
            made = self.shared(INDICATORS[kind])
            self._indicators.append(made)
        self._replications: IntArray | None = None
        self._rows: IntArray = np.empty(0, dtype=np.int64)
        # By (element, flow) the visits, and by (flow, itinerary, span) the passages.
        self._visits: dict[tuple[int, int], Held[Visits]] = {}
        self._spans: dict[tuple[int, int, int], Held[SpanTimes]] = {}
        self._size = 0
        self._outages: dict[int, dict[int, tuple[PlanOutage, ...]]] = {}
        self.visits = np.zeros(len(numbers), dtype=np.int64)
        """Visits reduced so far, by replication; all of them after `finish`."""
        self.taken = Taken()
        """Rows that are not worked out, since they are those of a base."""
        self._keeps = False

    def shared(self, kind: type[AReducer]) -> AReducer:
        """The only reducer of that class, made at first use."""
        if kind not in self._reducers:
            made = kind(self)
            self._reducers[kind] = made
        return self._reducers[kind]  # type: ignore[return-value]

    @property
    def reducers(self) -> tuple[Reducer, ...]:
        """All that is fed: the indicators and what they share."""
        return tuple(self._reducers.values())

    def outages_of(self, element: int, row: int) -> tuple[PlanOutage, ...]:
        """Outages that were drawn for an element, for one row of the arrays."""
        return self._outages.get(element, {}).get(row, ())

    def note_outages(self, element: int, row: int, outages: tuple[PlanOutage, ...]) -> None:
        """Keep those that were drawn for an element."""
        self._outages.setdefault(element, {})[row] = outages

    @property
    def by_place(self) -> bool:
        """Whether rows are given place by place: some are taken from a base, or kept for those who take them."""
        return self._keeps or bool(self.taken.places)

    def _hooked(self, hook: str) -> list[Reducer]:
        base = getattr(Reducer, hook)
        return [reducer for reducer in self._reducers.values() if getattr(type(reducer), hook) is not base]

    @property
    def nbytes(self) -> int:
        """Size of the reducers' arrays. [bytes]"""
        return sum(reducer.nbytes for reducer in self._reducers.values())

    def add(self, chunk: Chunk) -> None:
        """Take in one chunk; the order of chunks does not matter.

        Small parts are held back until there are enough of them to be worth a block.
        """
        if chunk.replications is not self._replications:
            others = [int(number) for number in chunk.replications if int(number) not in self._row]
            if others:
                raise ValueError(f"a chunk has replications {others}, which are not among those to be collected")
            self._rows = np.array([self._row[int(number)] for number in chunk.replications], dtype=np.int64)
            self._replications = chunk.replications
            for element, rows in chunk.outages.items():
                self._outages.setdefault(element, {}).update(zip(self._rows.tolist(), rows, strict=True))
        for taker in self._hooked("add_chunk"):
            taker.add_chunk(self._rows, chunk)
        for visits in chunk.visits:
            here = visits.element, visits.flow
            held = self._visits.setdefault(here, Held())
            self._size += len(visits.index)
            if held.takes(self._rows, visits):
                self._reduce_visits(here, self._visits.pop(here))
        for times in chunk.spans:
            where = times.flow, times.variant, times.span
            if self.scope.span_cell(*where) is None:
                continue
            passed = self._spans.setdefault(where, Held())
            self._size += len(times.index)
            if passed.takes(self._rows, times):
                self._reduce_spans(where, self._spans.pop(where))
        if self._size > MOST_HELD:
            self._reduce_largest()

    def _reduce_largest(self) -> None:
        """Make room: the largest of what is held back is worth a block first."""
        visits = sorted(self._visits, key=lambda here: self._visits[here].size)
        spans = sorted(self._spans, key=lambda where: self._spans[where].size)
        while self._size > MOST_HELD // 2:
            if visits and (not spans or self._visits[visits[-1]].size >= self._spans[spans[-1]].size):
                here = visits.pop()
                self._reduce_visits(here, self._visits.pop(here))
            else:
                where = spans.pop()
                self._reduce_spans(where, self._spans.pop(where))

    def _reduce_visits(self, where: tuple[int, int], held: Held[Visits]) -> None:
        takers = self._hooked("add_visits")
        self._size -= held.size
        for rows, starts, columns in held.together(VisitBlock.COLUMNS, TILE):
            found = before_horizon(rows, starts, columns, self.scope.plan.horizon_h, VisitBlock.INSTANTS)
            if found is None or len(found[2][0]) < len(columns[0]):
                self.visits += np.bincount(rows, np.diff(starts, append=len(columns[0])), len(self.visits)).astype(
                    np.int64
                )
            if found is None:
                continue
            block = VisitBlock(self.scope, *found[:2], where, found[2])
            if len(found[2][0]) == len(columns[0]):
                self.visits += block.number.astype(np.int64)
            for taker in takers:
                taker.add_visits(block)

    def _reduce_spans(self, where: tuple[int, int, int], held: Held[SpanTimes]) -> None:
        takers = self._hooked("add_span")
        self._size -= held.size
        for rows, starts, columns in held.together(SpanBlock.COLUMNS, TILE):
            found = before_horizon(rows, starts, columns, self.scope.plan.horizon_h, SpanBlock.INSTANTS)
            if found is None:
                continue
            block = SpanBlock(self.scope, *found[:2], where, found[2])
            for taker in takers:
                taker.add_span(block)

    def release(self) -> None:
        """Let go of the reducers, which hold it in turn: their memory is free at once, not when a circle is found."""
        self._reducers, self._indicators = {}, []

    @cycle_search.put_off()
    def finish(self, keep: Taken | None = None) -> Table:
        """The table of all indicators of the block; its rows are kept for others if `keep` is given."""
        for here, visits in self._visits.items():
            self._reduce_visits(here, visits)
        for where, times in self._spans.items():
            self._reduce_spans(where, times)
        self._visits, self._spans = {}, {}
        self._keeps = keep is not None
        labels: list[Label] = []
        found: list[FloatArray] = []
        pools: list[PooledRow | PooledRows] = []
        for indicator in self._indicators:
            rows, of_all = list(indicator.table_rows()), list(indicator.pooled_rows())
            for label, values in rows:
                labels += (label,) if isinstance(label, Label) else label
                found.append(values.reshape(-1))
            pools += of_all
            if keep is not None:
                keep.keep(type(indicator), rows, [pool for pool in of_all if not isinstance(pool, PooledRows)])
        count = len(self.scope.replications)
        together = np.concatenate(found) if found else np.empty(0)
        counts = pooled(pools, self.scope.replications)
        return Table(tuple(labels), together.reshape(len(labels), count), self.scope.replications, counts)


def ratio(top: FloatArray, bottom: FloatArray) -> FloatArray:
    """``top / bottom``, NaN where `bottom` is 0."""
    top, bottom = np.asarray(top, dtype=np.float64), np.asarray(bottom, dtype=np.float64)
    found = np.empty(top.shape if top.shape == bottom.shape else np.broadcast_shapes(top.shape, bottom.shape))
    found.fill(np.nan)
    return np.divide(top, bottom, out=found, where=bottom != 0)
