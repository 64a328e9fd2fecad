"""Parts of what happened, small enough for the cache, with what the reducers share.

Everything of one flow at one element, or of one itinerary in one span: flat arrays whose
stretches belong to one replication each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.places import PlanView
from corridor_sim.records.visits import IntArray, SpanTimes, Visits

BoolArray = NDArray[np.bool_]
Number = TypeVar("Number", np.float64, np.int64)


def before_horizon(
    rows: IntArray, starts: IntArray, columns: Sequence[FloatArray], horizon_h: float, times: int
) -> tuple[IntArray, IntArray, list[FloatArray]] | None:
    """The same stretches as far as they lie before the horizon, None if nothing does.

    The run is [0, horizon): who comes at its very end has not come, and what ends then has not
    ended. The first `times` columns are instants, the first of all the earliest, the last of
    them the latest.
    """
    if bool(columns[times - 1].max() < horizon_h):
        return rows, starts, list(columns)
    if not any((column >= horizon_h).any() for column in columns[:times]):
        return rows, starts, list(columns)
    there = columns[0] < horizon_h
    number = np.add.reduceat(there, starts, dtype=np.int64)
    if not number.any():
        return None
    cut = [np.where(column < horizon_h, column, np.nan)[there] for column in columns[:times]]
    ends = np.cumsum(number[number > 0])
    return rows[number > 0], ends - number[number > 0], [*cut, *(column[there] for column in columns[times:])]


class FlatBlock:
    """Flat arrays in stretches of one replication each; a replication may have several stretches.

    `rows` are the replications of the stretches, as rows of the collector's arrays, and
    `starts` where they begin; none is empty. Sums and numbers have shape (replication,).
    """

    def __init__(self, scope: PlanView, rows: IntArray, starts: IntArray, size: int) -> None:
        self.scope, self.rows, self.starts, self.size = scope, rows, starts, size
        self._in_order = bool((rows[1:] > rows[:-1]).all())

    @cached_property
    def row(self) -> IntArray:
        """Row of the collector's arrays that each one belongs to."""
        return np.asarray(np.repeat(self.rows, np.diff(self.starts, append=self.size)))

    @cached_property
    def number(self) -> FloatArray:
        """Number in each replication."""
        return self._by_replication(np.diff(self.starts, append=self.size).astype(np.float64))

    def sum(self, values: FloatArray) -> FloatArray:
        """Sum over those of each replication."""
        return self._by_replication(np.add.reduceat(values, self.starts))

    def count(self, mask: BoolArray) -> FloatArray:
        """Number of those of each replication for which `mask` holds."""
        return self._by_replication(np.add.reduceat(mask, self.starts, dtype=np.int32).astype(np.float64))

    def sum_of(self, which: IntArray, values: FloatArray) -> FloatArray:
        """Sum over those of each replication at the positions `which` alone."""
        return np.asarray(np.bincount(self.row[which], values, minlength=len(self.scope.replications)))

    def _by_replication(self, values: FloatArray) -> FloatArray:
        if len(values) == len(self.scope.replications) and self._in_order:
            return values
        return np.asarray(np.bincount(self.rows, values, minlength=len(self.scope.replications)))


class VisitBlock(FlatBlock):
    """Some visits of one flow to one element, with what the reducers share.

    A visit is *inner* when it lies wholly within the counted window: then what it
    adds to averages over time and over consignments is the same. The few others
    (unfinished, straddling an end of the window) are in `edge`; those that were over
    before the window are in neither.
    """

    COLUMNS = ("join_h", "start_h", "finish_h", "leave_h", "service_h")
    INSTANTS = 4

    def __init__(
        self, scope: PlanView, rows: IntArray, starts: IntArray, where: tuple[int, int], columns: Sequence[FloatArray]
    ) -> None:
        self.join_h, self.start_h, self.finish_h, self.leave_h, self.service_h = columns
        self.gave_up: IntArray | None = None
        """Positions of those who left the queue without a service (rule S34), None where nobody can.

        For them start and finish are the instant at which they left, and the service is 0.
        """
        if where[0] in scope.left_early:
            self._end_waits()
        super().__init__(scope, rows, starts, len(self.join_h))
        self.element, self.flow = where
        self.cell = scope.cell_of[where]

    def _end_waits(self) -> None:
        self.gave_up = np.flatnonzero(np.isnan(self.start_h) & ~np.isnan(self.leave_h))
        gone = np.zeros(len(self.join_h), dtype=bool)
        gone[self.gave_up] = True
        self.start_h = np.where(gone, self.leave_h, self.start_h)
        self.finish_h = np.where(gone, self.leave_h, self.finish_h)
        self.service_h = np.where(gone, 0.0, self.service_h)

    @cached_property
    def counted_gave_up(self) -> IntArray:
        """Positions of those who joined in the counted window and left the queue."""
        if self.gave_up is None or not len(self.gave_up):
            return np.empty(0, dtype=np.int64)
        join_h = self.join_h[self.gave_up]
        return self.gave_up[(join_h >= self.scope.counts_from_h) & (join_h < self.scope.until_h)]

    @cached_property
    def all_inner(self) -> bool:
        """Whether every visit is inner."""
        if not float(self.join_h.min()) >= self.scope.from_h:
            return False
        return bool(float(self.leave_h.max()) < self.scope.until_h)

    @cached_property
    def inner(self) -> BoolArray:
        """True for visits that lie wholly within the counted window."""
        return np.asarray((self.join_h >= self.scope.from_h) & (self.leave_h < self.scope.until_h))

    @cached_property
    def inner_number(self) -> FloatArray:
        """Number of inner visits in each replication."""
        return self.number if self.all_inner else self.count(self.inner)

    @cached_property
    def edge(self) -> IntArray:
        """Positions of the visits that are not inner and not over before the window."""
        if self.all_inner:
            return np.empty(0, dtype=np.int64)
        return np.flatnonzero(~self.inner & ~(self.leave_h < self.scope.from_h))

    @cached_property
    def wait_h(self) -> FloatArray:
        """Time from joining to starting; NaN where it has not started. [h]"""
        return np.asarray(self.start_h - self.join_h)

    @cached_property
    def waiting(self) -> IntArray:
        """Positions of those who do not start as they join; who has not started is among them."""
        return np.flatnonzero(~(self.start_h <= self.join_h))

    def sum_inner(self, values: FloatArray) -> FloatArray:
        """Sum of `values` over the inner visits of each replication."""
        return self.sum(values if self.all_inner else np.where(self.inner, values, 0.0))


class SpanBlock(FlatBlock):
    """Times of one span of one itinerary."""

    COLUMNS = ("begin_h", "end_h")
    INSTANTS = 2

    def __init__(
        self,
        scope: PlanView,
        rows: IntArray,
        starts: IntArray,
        where: tuple[int, int, int],
        columns: Sequence[FloatArray],
    ) -> None:
        self.begin_h, self.end_h = columns
        super().__init__(scope, rows, starts, len(self.begin_h))
        self.flow, self.variant, self.span = where
        found = scope.span_cell(*where)
        assert found is not None
        self.place, self.cell = found

    @property
    def lost(self) -> bool:
        """Whether it is the whole journey of those who left a queue for good (rule S34)."""
        return self.span < 0 and self.scope.plan.flows[self.flow].variants[self.variant].lost

    @property
    def kind(self) -> str:
        """Kind of the place: post, crossing, leg or flow."""
        return self.scope.span_places[self.place][0]

    @cached_property
    def stay_h(self) -> FloatArray:
        """End minus begin; NaN where not ended. [h]"""
        return np.asarray(self.end_h - self.begin_h)

    @cached_property
    def all_ended(self) -> bool:
        """Whether all had come out by the horizon."""
        return bool(self.end_h.max() < np.inf)

    @cached_property
    def whole(self) -> bool:
        """Whether all of it lies within the counted window."""
        if not float(self.begin_h.min()) >= self.scope.from_h:
            return False
        if self.scope.until_h == self.scope.plan.horizon_h:
            return bool(self.begin_h.max() < self.scope.until_h)
        return bool(self.end_h.max() < self.scope.until_h)

    @cached_property
    def counted(self) -> BoolArray | None:
        """Begun within the counted window; None if all are."""
        if self.whole:
            return None
        return np.asarray((self.begin_h >= self.scope.counts_from_h) & (self.begin_h < self.scope.until_h))

    @cached_property
    def done(self) -> IntArray | None:
        """Positions of those begun within the counted window and ended by the horizon; None if all are."""
        if self.counted is None:
            return None if self.all_ended else np.flatnonzero(self.stay_h >= 0.0)
        return np.flatnonzero(self.counted & (self.stay_h >= 0.0))

    def of_done(self, values: NDArray[Number]) -> NDArray[Number]:
        """Those of `values` that belong to passages that are over."""
        return values if self.done is None else values[self.done]

    @cached_property
    def done_number(self) -> FloatArray:
        """Number done in each replication."""
        if self.done is None:
            return self.number
        return np.bincount(self.row[self.done], minlength=len(self.scope.replications)).astype(np.float64)


Flat = TypeVar("Flat", Visits, SpanTimes)

WORTH_A_BLOCK = 16384
"""Entries reduced at once at least, but at the end, so that the calls weigh little."""


class Held(Generic[Flat]):
    """Parts of the same thing, held back until there are enough of them to be worth a block."""

    def __init__(self) -> None:
        self.parts: list[Flat] = []
        self.rows: list[IntArray] = []
        self.size = 0

    def takes(self, rows: IntArray, part: Flat) -> bool:
        """Take in a part with the rows of its replications; whether there are enough now."""
        self.parts.append(part)
        self.rows.append(rows)
        self.size += len(part.index)
        return self.size >= WORTH_A_BLOCK

    def together(self, names: Sequence[str], most: int) -> Iterator[tuple[IntArray, IntArray, list[FloatArray]]]:
        """(rows, starts, columns) of all parts, at most `most` entries at once.

        One array under two names stays one.
        """
        if not self.size:
            return
        known: dict[tuple[int, ...], FloatArray] = {}
        columns: list[FloatArray] = []
        for name in names:
            arrays = [getattr(part, name) for part in self.parts]
            key = tuple(id(array) for array in arrays)
            if key not in known:
                known[key] = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
            columns.append(known[key])
        count = np.concatenate([part.count for part in self.parts])
        rows = np.concatenate(self.rows)[count > 0]
        ends = np.cumsum(count[count > 0])
        starts = ends - count[count > 0]
        for first in range(0, self.size, most):
            last = min(first + most, self.size)
            here = slice(
                int(np.searchsorted(ends, first, side="right")), int(np.searchsorted(starts, last, side="left"))
            )
            cut = {id(column): column[first:last] for column in columns}
            yield rows[here], np.maximum(starts[here] - first, 0), [cut[id(column)] for column in columns]
