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

    `source` is the place of each in the concatenated parts, -1 in the padding.
    """

    parts: Sequence[Part]
    source: IntArray
    join_h: FloatArray
    service_h: FloatArray
    count: IntArray
    boarded: bool = False
    """Whether ties are in boarding order rather than by number."""

    def spread(self, values: NDArray[Any], fill: float) -> NDArray[Any]:
        """Values of the concatenated parts laid out in queue order."""
        padded = np.append(values, values.dtype.type(fill))
        return padded[self.source]

    @property
    def flow(self) -> IntArray:
        """Flow of each visit, -1 in the padding."""
        return self.spread(np.concatenate([np.full(len(p.cells), p.block.flow) for p in self.parts]), -1)

    @property
    def number(self) -> IntArray:
        """Number of each visit's consignment, -1 in the padding."""
        return self.spread(np.concatenate([p.block.number.ravel()[p.cells] for p in self.parts]), -1)

    def gather(self, values: NDArray[Any]) -> list[NDArray[Any]]:
        """Values in queue order back as one flat array a part."""
        flat = np.empty(sum(len(part.cells) for part in self.parts), dtype=values.dtype)
        there = self.source >= 0
        flat[self.source[there]] = values[there]
        return np.split(flat, np.cumsum([len(part.cells) for part in self.parts])[:-1])


def merge(parts: Sequence[Part], rows: int, *, by_number: bool) -> Joining:
    """Lay the parts out in queue order."""
    lengths = [np.bincount(part.row, minlength=rows) for part in parts]
    total = np.sum(lengths, axis=0)
    width = int(total.max())
    source = np.full((rows, width), -1, dtype=np.int64)
    join = np.full((rows, width), np.inf)
    before = np.zeros(rows, dtype=np.int64)
    offset = 0
    for part, length in zip(parts, lengths, strict=True):
        row = part.row
        first = np.cumsum(length) - length
        column = np.arange(len(row)) - first[row] + before[row]
        place = row * width + column
        source.ravel()[place] = np.arange(offset, offset + len(row))
        join.ravel()[place] = part.join_h
        before += length
        offset += len(row)
    ready = any(part.block.ready_h is not None for part in parts)
    if by_number or ready:
        keys: list[NDArray[np.generic]] = [join]
        if ready:
            keys.insert(0, np.append(np.concatenate([_ready(part) for part in parts]), np.inf)[source])
        keys.insert(0, np.append(np.concatenate([p.block.number.ravel()[p.cells] for p in parts]), 0)[source])
        order = np.lexsort(keys, axis=-1)
    elif len(parts) == 1 and (width < 2 or (join[:, 1:] >= join[:, :-1]).all()):
        order = None
    else:
        order = np.argsort(join, axis=1, kind="stable")
    if order is not None:
        source = np.take_along_axis(source, order, axis=1)
        join = np.take_along_axis(join, order, axis=1)
    service = np.append(np.concatenate([part.service_h for part in parts]), 0.0)[source]
    return Joining(parts, source, join, service, total, ready)


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
    index = joining.spread(np.concatenate([p.block.index.ravel()[p.cells] for p in joining.parts]), -1)
    step = joining.spread(np.concatenate([p.step for p in joining.parts]), -1)
    columns = [
        joining.flow,
        index,
        step,
        np.where(joining.source >= 0, joining.join_h, np.nan),
        *(np.where(at <= horizon_h, at, np.nan) for at in (start_h, finish_h, leave_h)),
        np.where(joining.source >= 0, service_h, np.nan),
    ]
    if joining.boarded:
        order = np.lexsort((joining.number, joining.join_h), axis=-1)
        columns = [np.take_along_axis(column, order, axis=1) for column in columns]
        decided = None if decided is None else np.take_along_axis(decided, order, axis=1)
    if decided is not None and not decided.all():
        columns = _only(columns, decided & (joining.source >= 0))
    return ElementVisits(*columns)


def _only(columns: Sequence[NDArray[np.generic]], keep: NDArray[np.bool_]) -> list[NDArray[np.generic]]:
    """The kept visits of each row moved to its front, the rest made padding."""
    order = np.argsort(~keep, axis=1, kind="stable")
    width = int(keep.sum(axis=1).max(initial=0))
    kept = np.take_along_axis(keep, order, axis=1)[:, :width]
    moved = [np.take_along_axis(column, order, axis=1)[:, :width] for column in columns]
    return [np.where(kept, column, column.dtype.type(-1 if column.dtype.kind == "i" else np.nan)) for column in moved]
