"""Columns of draws: one value for each consignment of a flow, a stream for each replication.

The pieces of `sampler.py` that are the same for every role: streams by name, values by index,
rounded to the clock grid. Rows do not depend on each other and values do not depend on how many
are asked for, or which. A law that can be drawn in sequence only is drawn block by block from
generators instead; then the values up to the last one asked for are drawn.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from corridor_sim.core import streams
from corridor_sim.core.draws.words import Key, uniform, words
from corridor_sim.core.units import FloatArray, grid_point
from corridor_sim.model.service_times import Deterministic, Draw, ServiceTime, round_into
from corridor_sim.records.visits import IntArray

CHUNK = 8192
"""Values drawn in sequence and rounded at once, so that they stay in the cache."""
CELLS = 1 << 18
"""Values drawn by index at once."""


def drawn_by_index(law: ServiceTime) -> bool:
    """Whether values of a law can be had one by one."""
    return bool(getattr(law, "by_index", False))


class Column:
    """Draws of one role and entity for one flow: uniforms, or values of a law on the clock grid.

    Parameters
    ----------
    keys : Key
        That of the stream of each row, see `streams.keys`.
    law : ServiceTime or None
        None draws uniforms in [0, 1).
    keep : bool
        The next `take` goes on where this one ended.
    """

    def __init__(self, keys: Key, law: ServiceTime | None = None, *, keep: bool = False) -> None:
        self.keys = keys
        self.law = law
        self.keep = keep
        self._kept: list[Draw] | None = None

    @cached_property
    def taken(self) -> IntArray:
        """Values taken so far, by row."""
        return np.zeros(len(self.keys.first), dtype=np.int64)

    @property
    def by_index(self) -> bool:
        """Whether values can be had one by one, with `at`."""
        return self.law is None or drawn_by_index(self.law)

    def take(self, count: IntArray) -> FloatArray:
        """The next `count[row]` values of each row, shape (replication, max(count)).

        Cells beyond a row's count hold finite numbers >= 0 without meaning.
        """
        width = int(count.max(initial=0))
        shape = len(self.taken), width
        if isinstance(self.law, Deterministic):
            return np.broadcast_to(grid_point(self.law.value_h), shape)
        if not self.by_index:
            return self._in_sequence(count, width)
        out = np.empty(shape)
        index = np.arange(width)
        rows = max(1, CELLS // max(width, 1))
        for first in range(0, shape[0], rows):
            some = slice(first, first + rows)
            out[some] = self._values(self.keys.at((some, None)), self.taken[some, None] + index)
        if self.keep:
            self.taken += count
        return out

    def at(self, count: IntArray, index: IntArray) -> FloatArray:
        """Values at some indices, those of each row behind those of the row before, `count[row]` of each."""
        if isinstance(self.law, Deterministic):
            return np.broadcast_to(grid_point(self.law.value_h), index.shape)
        if len(count) == 1:
            return self._values(self.keys.at(0), index)
        return self._values(Key(np.repeat(self.keys.first, count), np.repeat(self.keys.second, count)), index)

    def _values(self, key: Key, index: IntArray) -> FloatArray:
        if self.law is None:
            return uniform(words(key, index))
        return self.law.at(key, index, on_grid=True)

    def _in_sequence(self, count: IntArray, width: int) -> FloatArray:
        assert self.law is not None
        draws = self._kept
        if draws is None:
            draws = [self.law.sampler(streams.generator(key)) for key in self.keys.alone()]
            self._kept = draws if self.keep else None
        out = np.zeros((len(count), width))
        for draw, row, many in zip(draws, out, count.tolist(), strict=True):
            for at in range(0, many, CHUNK):
                some = row[at : min(at + CHUNK, many)]
                round_into(draw(len(some)), some)
        return out
