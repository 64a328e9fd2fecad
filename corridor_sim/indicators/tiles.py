"""Parts of what happened, small enough for the cache, with what the reducers share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corridor_sim.indicators.scope import Scope
from corridor_sim.results import ElementVisits, IntArray, SpanTimes
from corridor_sim.units import FloatArray

BoolArray = NDArray[np.bool_]


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
        self.flow = visits.flow[lines]
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
        number, flat = self.where(outer)
        return np.repeat(np.arange(len(number)), number), flat

    @staticmethod
    def where(mask: BoolArray) -> tuple[IntArray, IntArray]:
        """Number in each line, and flat positions in order, of what is True."""
        return np.asarray(np.count_nonzero(mask, axis=1)), np.asarray(np.flatnonzero(mask))

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
        self.begin_h, self.end_h = times.begin_h[lines], times.end_h[lines]

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
    def done_number(self) -> IntArray:
        """Number done in each line."""
        return np.asarray(np.count_nonzero(self.done, axis=1))

    @cached_property
    def done_stay_h(self) -> FloatArray:
        """Stays of those done, line after line. [h]"""
        return np.asarray(self.stay_h[self.done])


def joined_visits(parts: Sequence[ElementVisits]) -> ElementVisits:
    """Visits of the same replications to one element, side by side; padding may lie in between."""
    if len(parts) == 1:
        return parts[0]
    shape = parts[0].flow.shape[0], sum(part.flow.shape[1] for part in parts)
    nobody = np.broadcast_to(np.int64(-1), shape)
    known: dict[tuple[int, ...], NDArray[Any]] = {}

    def joined(name: str) -> NDArray[Any]:
        # Nobody asks here whose visit it was; and one array under two names stays one.
        if name in ("index", "step"):
            return nobody
        columns = [getattr(part, name) for part in parts]
        key = tuple(id(column) for column in columns)
        if key not in known:
            known[key] = np.concatenate(columns, axis=1)
        return known[key]

    return ElementVisits(*(joined(column.name) for column in fields(parts[0])))


def joined_spans(parts: Sequence[SpanTimes]) -> SpanTimes:
    """Passages of the same replications through one span, side by side; padding may lie in between."""
    if len(parts) == 1:
        return parts[0]
    begin_h, end_h = (np.concatenate([getattr(part, name) for part in parts], axis=1) for name in ("begin_h", "end_h"))
    first, nobody = parts[0], np.broadcast_to(np.int64(-1), begin_h.shape)
    return SpanTimes(first.flow, first.variant, first.span, nobody, begin_h, end_h)
