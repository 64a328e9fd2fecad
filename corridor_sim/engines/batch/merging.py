"""One queue out of several streams: who joins an element, in order of joining time, then number.

The parts are laid side by side, one row a replication: the *layout*. Its columns come in
order of flow, block and index, which is the order of the default numbers, so a stable
sort by joining time alone gives the queue order of S04; given numbers and boarding
orders are sorted in full. Records are tables in queue order; chunks need no order and
keep the layout, which saves moving every column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corridor_sim.engines.batch.blocks import Part
from corridor_sim.engines.queues.layout import IntArray
from corridor_sim.results import ElementVisits
from corridor_sim.units import GRID_PER_H, FloatArray


@dataclass(slots=True, eq=False)
class Joining:
    """Those who join one element, shape (replication, visit), in queue order; padding has join inf.

    Attributes
    ----------
    place
        Flat place in the layout of each of the concatenated parts.
    queue
        Flat place in the layout of each flat place in the queue order; None where they are the same.
    boarded
        Whether ties are in boarding order rather than by number.
    laid_join_h, laid_service_h
        Joinings and durations in the layout, where they differ from the queue order.
    """

    parts: Sequence[Part]
    shape: tuple[int, int]
    place: IntArray
    queue: IntArray | None
    join_h: FloatArray
    service_h: FloatArray
    boarded: bool = False
    _flow: IntArray | None = None
    laid_join_h: FloatArray | None = None
    laid_service_h: FloatArray | None = None

    def laid_out(self, values: NDArray[Any], fill: float) -> NDArray[Any]:
        """Values of the concatenated parts in the layout."""
        out = np.full(self.shape, fill, dtype=values.dtype)
        out.ravel()[self.place] = values
        return out

    def queued(self, layout: NDArray[Any]) -> NDArray[Any]:
        """Values of the layout in queue order."""
        return layout if self.queue is None else layout.ravel()[self.queue].reshape(self.shape)

    def back(self, queued: NDArray[Any]) -> NDArray[Any]:
        """Values in queue order back in the layout."""
        if self.queue is None:
            return queued
        if queued is self.join_h and self.laid_join_h is not None:
            return self.laid_join_h
        if queued is self.service_h and self.laid_service_h is not None:
            return self.laid_service_h
        out = np.empty_like(queued, order="C")
        out.ravel()[self.queue] = queued.ravel()
        return out

    def gather(self, layout: NDArray[Any]) -> list[NDArray[Any]]:
        """Values of the layout as one flat array a part."""
        taken = layout.ravel()[self.place]
        if len(self.parts) == 1:
            return [taken]
        return np.split(taken, np.cumsum([len(part.cells) for part in self.parts])[:-1])

    @property
    def flow_laid_out(self) -> IntArray:
        """Flow of each visit in the layout, -1 in the padding."""
        flows = {part.block.flow for part in self.parts}
        if len(flows) == 1 and len(self.place) == self.shape[0] * self.shape[1]:
            return np.broadcast_to(np.int64(flows.pop()), self.shape)
        out = np.full(self.shape, -1, dtype=np.int64)
        first = 0
        for part in self.parts:
            out.ravel()[self.place[first : first + len(part.cells)]] = part.block.flow
            first += len(part.cells)
        return out

    @property
    def flow(self) -> IntArray:
        """Flow of each visit in queue order, -1 in the padding."""
        if self._flow is None:
            self._flow = self.queued(self.flow_laid_out)
        return self._flow

    @property
    def number(self) -> IntArray:
        """Number of each visit's consignment in queue order, -1 in the padding."""
        numbers = _concatenated([part.block.number.ravel()[part.cells] for part in self.parts])
        return self.queued(self.laid_out(numbers, -1))

    def some(self, order: IntArray, inside: NDArray[np.bool_]) -> Joining:
        """Those at the columns `order` of each row where `inside` holds, as a queue of their own to serve."""
        return Joining(
            self.parts,
            (inside.shape[0], inside.shape[1]),
            self.place,
            self.queue,
            np.where(inside, np.take_along_axis(self.join_h, order, axis=1), np.inf),
            np.where(inside, np.take_along_axis(self.service_h, order, axis=1), 0.0),
            self.boarded,
            np.where(inside, np.take_along_axis(self.flow, order, axis=1), -1),
        )


def _concatenated(arrays: list[NDArray[Any]]) -> NDArray[Any]:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def lay_out(parts: Sequence[Part], rows: int) -> tuple[tuple[int, int], IntArray]:
    """Shape of the layout, and the flat place in it of each of the concatenated parts."""
    lengths = [part.lengths(rows) for part in parts]
    total = np.sum(lengths, axis=0) if len(parts) > 1 else lengths[0]
    width = int(total.max())
    before = np.arange(rows) * width
    places = []
    for length in lengths:
        # Those of a row follow each other, behind those of the parts before.
        shift = before - (np.cumsum(length) - length)
        places.append(np.arange(int(length.sum())) + np.repeat(shift, length))
        before = before + length
    return (rows, width), _concatenated(places)


def merge(parts: Sequence[Part], rows: int, *, by_number: bool) -> Joining:
    """Those who join an element, in queue order."""
    shape, place = lay_out(parts, rows)
    width = shape[1]
    join = np.full(shape, np.inf)
    join.ravel()[place] = _concatenated([part.join_h for part in parts])
    service = np.zeros(shape)
    service.ravel()[place] = _concatenated([part.service_h for part in parts])
    joining = Joining(parts, shape, place, None, join, service)
    ready = any(part.block.ready_h is not None for part in parts)
    if by_number or ready:
        keys = [joining.number, join]
        if ready:
            keys.insert(1, joining.laid_out(_concatenated([_ready(part) for part in parts]), np.inf))
        order = np.lexsort(keys, axis=-1)
        joining.boarded = ready
    elif width < 2 or (join[:, 1:] >= join[:, :-1]).all():
        return joining
    else:
        order = stable_order(join)
    order += (np.arange(rows) * width)[:, None]
    joining.queue = order.ravel()
    joining.laid_join_h, joining.laid_service_h = join, service
    joining.join_h, joining.service_h = joining.queued(join), joining.queued(service)
    return joining


def stable_order(time_h: FloatArray) -> IntArray:
    """What sorts each row, equal times left in order: ``np.argsort(time_h, axis=1, kind="stable")``.

    Instants on the clock grid are whole numbers, so time and column fit into one: sorting those
    takes a third to a tenth of the time of a stable sort of the instants.
    """
    width = time_h.shape[1]
    bits = width.bit_length()
    # Padding comes last: it is moved to the latest instant that fits, which must be nobody's.
    latest_h = 2.0 ** (62 - bits) / GRID_PER_H
    fits = np.count_nonzero(time_h >= latest_h) == np.count_nonzero(time_h == np.inf)
    ticks = np.minimum(time_h, latest_h)
    ticks *= GRID_PER_H
    key = ticks.astype(np.int64)
    if not fits or not np.array_equal(key, ticks) or key.min(initial=0) < 0:
        return np.argsort(time_h, axis=1, kind="stable")
    key <<= bits
    key += np.arange(width)
    key.sort(axis=1)
    key &= (1 << bits) - 1
    return np.asarray(key)


def _ready(part: Part) -> FloatArray:
    if part.block.ready_h is None:
        return part.join_h
    ready = part.block.ready_h.ravel()[part.cells]
    return np.where(np.isnan(ready), part.join_h, ready)


def layout_of(
    joining: Joining, times: Sequence[FloatArray], horizon_h: float, *, who: bool = True
) -> list[NDArray[Any]]:
    """Columns of a table in the layout: who, and `times` (join, start, finish, leave, service there).

    What is later than the horizon did not happen. One array that is handed in twice is worked
    out once. Without `who` index and step are left at -1, which saves a third of the work.
    """
    parts = joining.parts
    known: dict[int, FloatArray] = {}
    padded = len(joining.place) < joining.shape[0] * joining.shape[1]
    for at in times[:4]:
        if id(at) not in known:
            late = padded or not at.max(initial=-np.inf) <= horizon_h
            known[id(at)] = np.where(at <= horizon_h, at, np.nan) if late else at
    nobody = np.broadcast_to(np.int64(-1), joining.shape)
    return [
        joining.flow_laid_out,
        joining.laid_out(_concatenated([part.index for part in parts]), -1) if who else nobody,
        joining.laid_out(_concatenated([part.step for part in parts]), -1) if who else nobody,
        *(known[id(at)] for at in times[:4]),
        np.where(times[0] < np.inf, times[4], np.nan) if padded else times[4],
    ]


def in_queue_order(joining: Joining, columns: list[NDArray[Any]]) -> list[NDArray[Any]]:
    """Columns of the layout in the order of records: joining time, then number."""
    if joining.boarded:
        numbers = joining.laid_out(_concatenated([p.block.number.ravel()[p.cells] for p in joining.parts]), -1)
        join = np.where(np.isnan(columns[3]), np.inf, columns[3])
        order = np.lexsort((numbers, join), axis=-1)
        return [np.take_along_axis(column, order, axis=1) for column in columns]
    return [joining.queued(column) for column in columns]


def kept(columns: Sequence[NDArray[Any]], keep: NDArray[np.bool_]) -> ElementVisits:
    """The kept visits of each row moved to its front, the rest made padding."""
    keep = keep & (columns[0] >= 0)
    order = np.argsort(~keep, axis=1, kind="stable")
    width = int(keep.sum(axis=1).max(initial=0))
    there = np.take_along_axis(keep, order, axis=1)[:, :width]
    moved = [np.take_along_axis(column, order, axis=1)[:, :width] for column in columns]
    return ElementVisits(
        *(np.where(there, column, column.dtype.type(-1 if column.dtype.kind == "i" else np.nan)) for column in moved)
    )
