"""One queue out of several streams: who joins an element, in order of joining time, then number.

The parts are laid side by side, one row a replication. Columns come in order of flow,
block and index, which is the order of the default numbers, so a stable sort by joining
time alone gives the order of S04; given numbers and boarding orders are sorted in full.
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
from corridor_sim.units import FloatArray


@dataclass(slots=True, eq=False)
class Joining:
    """Those who join one element, shape (replication, visit), in queue order; padding has join inf.

    `place` are the flat places that are not padding, `origin` what stands there in the
    concatenated parts (None: the same order). `boarded` tells that ties are in boarding order.
    """

    parts: Sequence[Part]
    shape: tuple[int, int]
    place: IntArray
    origin: IntArray | None
    join_h: FloatArray
    service_h: FloatArray
    boarded: bool = False

    def spread(self, values: NDArray[Any], fill: float) -> NDArray[Any]:
        """Values of the concatenated parts laid out in queue order."""
        out = np.full(self.shape, fill, dtype=values.dtype)
        out.ravel()[self.place] = values if self.origin is None else values[self.origin]
        return out

    def gather(self, values: NDArray[Any]) -> list[NDArray[Any]]:
        """Values in queue order back as one flat array a part."""
        taken = values.ravel()[self.place]
        if self.origin is not None:
            flat = np.empty_like(taken)
            flat[self.origin] = taken
            taken = flat
        if len(self.parts) == 1:
            return [taken]
        return np.split(taken, np.cumsum([len(part.cells) for part in self.parts])[:-1])

    @property
    def there(self) -> NDArray[np.bool_]:
        """False in the padding."""
        out = np.zeros(self.shape, dtype=bool)
        out.ravel()[self.place] = True
        return out

    @property
    def flow(self) -> IntArray:
        """Flow of each visit, -1 in the padding."""
        if len(self.parts) == 1:
            out = np.full(self.shape, -1, dtype=np.int64)
            out.ravel()[self.place] = self.parts[0].block.flow
            return out
        return self.spread(np.repeat([p.block.flow for p in self.parts], [len(p.cells) for p in self.parts]), -1)

    @property
    def number(self) -> IntArray:
        """Number of each visit's consignment, -1 in the padding."""
        return self.spread(_concatenated([p.block.number.ravel()[p.cells] for p in self.parts]), -1)

    def some(self, order: IntArray, inside: NDArray[np.bool_]) -> Joining:
        """Those at the columns `order` of each row where `inside` holds."""
        origin = np.full(self.shape, -1, dtype=np.int64)
        origin.ravel()[self.place] = np.arange(len(self.place)) if self.origin is None else self.origin
        place = np.flatnonzero(inside)
        return Joining(
            self.parts,
            (inside.shape[0], inside.shape[1]),
            place,
            np.take_along_axis(origin, order, axis=1).ravel()[place],
            np.where(inside, np.take_along_axis(self.join_h, order, axis=1), np.inf),
            np.where(inside, np.take_along_axis(self.service_h, order, axis=1), 0.0),
            self.boarded,
        )


def _concatenated(arrays: list[NDArray[Any]]) -> NDArray[Any]:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def merge(parts: Sequence[Part], rows: int, *, by_number: bool, in_order: bool = True) -> Joining:
    """Lay the parts out in queue order (without `in_order`, only side by side)."""
    row_of = [part.row for part in parts]
    lengths = [np.bincount(row, minlength=rows) for row in row_of]
    total = np.sum(lengths, axis=0) if len(parts) > 1 else lengths[0]
    width = int(total.max())
    places = []
    before = np.arange(rows) * width
    first = 0
    for row, length in zip(row_of, lengths, strict=True):
        # Of its row's visits, this one is the (number - number of the row's first)-th.
        shift = before - (np.cumsum(length) - length)
        places.append(np.arange(len(row)) + shift[row])
        before = before + length
        first += len(row)
    place = _concatenated(places)
    join = np.full((rows, width), np.inf)
    join.ravel()[place] = _concatenated([part.join_h for part in parts])
    service = np.zeros((rows, width))
    service.ravel()[place] = _concatenated([part.service_h for part in parts])
    joining = Joining(parts, (rows, width), place, None, join, service)
    if len(parts) > 1:
        # Places row by row: the order of the rows is that of the parts only for one part.
        origin = np.empty((rows, width), dtype=np.int64)
        origin.ravel()[place] = np.arange(first)
        joining.place = np.flatnonzero(np.arange(width) < total[:, None])
        joining.origin = origin.ravel()[joining.place]
    if not in_order:
        return joining
    ready = any(part.block.ready_h is not None for part in parts)
    if by_number or ready:
        keys = [joining.number, join]
        if ready:
            keys.insert(1, joining.spread(_concatenated([_ready(part) for part in parts]), np.inf))
        order = np.lexsort(keys, axis=-1)
        joining.boarded = ready
    elif width < 2 or (join[:, 1:] >= join[:, :-1]).all():
        return joining
    else:
        order = np.argsort(join, axis=1, kind="stable")
    # Padding joins last, so the places stay; what stands there moves within its row.
    flat = (order + (np.arange(rows) * width)[:, None]).ravel()
    before_sorting = np.empty(rows * width, dtype=np.int64)
    before_sorting[joining.place] = np.arange(first) if joining.origin is None else joining.origin
    joining.origin = before_sorting[flat[joining.place]]
    joining.join_h = join.ravel()[flat].reshape(rows, width)
    joining.service_h = service.ravel()[flat].reshape(rows, width)
    return joining


def _ready(part: Part) -> FloatArray:
    if part.block.ready_h is None:
        return part.join_h
    ready = part.block.ready_h.ravel()[part.cells]
    return np.where(np.isnan(ready), part.join_h, ready)


def visits_of(
    joining: Joining,
    start_h: FloatArray,
    finish_h: FloatArray,
    leave_h: FloatArray,
    service_h: FloatArray,
    horizon_h: float,
    decided: NDArray[np.bool_] | None = None,
) -> ElementVisits:
    """The table of one element: what is later than the horizon did not happen."""
    parts = joining.parts
    known: dict[int, FloatArray] = {}
    for at in (joining.join_h, start_h, finish_h, leave_h):
        if id(at) not in known:
            known[id(at)] = np.where(at <= horizon_h, at, np.nan)
    columns: list[NDArray[Any]] = [
        joining.flow,
        joining.spread(_concatenated([part.index for part in parts]), -1),
        joining.spread(_concatenated([part.step for part in parts]), -1),
        *(known[id(at)] for at in (joining.join_h, start_h, finish_h, leave_h)),
        np.where(joining.join_h < np.inf, service_h, np.nan),
    ]
    if joining.boarded:
        order = np.lexsort((joining.number, joining.join_h), axis=-1)
        columns = [np.take_along_axis(column, order, axis=1) for column in columns]
        decided = None if decided is None else np.take_along_axis(decided, order, axis=1)
    if decided is not None and not decided.all():
        columns = _only(columns, decided & (columns[0] >= 0))
    return ElementVisits(*columns)


def _only(columns: Sequence[NDArray[Any]], keep: NDArray[np.bool_]) -> list[NDArray[Any]]:
    """The kept visits of each row moved to its front, the rest made padding."""
    order = np.argsort(~keep, axis=1, kind="stable")
    width = int(keep.sum(axis=1).max(initial=0))
    kept = np.take_along_axis(keep, order, axis=1)[:, :width]
    moved = [np.take_along_axis(column, order, axis=1)[:, :width] for column in columns]
    return [np.where(kept, column, column.dtype.type(-1 if column.dtype.kind == "i" else np.nan)) for column in moved]
