"""Columns of draws: one value for each consignment of a flow, a generator for each replication.

The pieces of `sampler.py` that are the same for every role: generators by
name, blocks small enough for the cache, rounding to the clock grid. Rows do not
depend on each other and values do not depend on how many are asked for at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from corridor_sim.core import streams
from corridor_sim.core.units import GRID_PER_H, FloatArray, grid_point
from corridor_sim.model.service_times import Deterministic, ServiceTime, SimpleLaw
from corridor_sim.records.visits import IntArray

CHUNK = 8192
"""Values drawn and rounded at once, so that they stay in the cache."""
LONGEST_H = float(2**31)
"""A drawn time is at most this (245,000 years), so that the clock grid stays exact. [h]"""

Source = Any
"""A generator, or for a law that is not simple the `Draw` made from one."""


class Column:
    """Draws of one role and entity for one flow: uniforms, or values of a law on the clock grid.

    Parameters
    ----------
    root, replications, role, flow, entity
        Key of the stream of each row, see `streams.stream`.
    law : ServiceTime or None
        None draws uniforms in [0, 1).
    keep : bool
        Keep the generators, so that the next `take` goes on where this one ended.
    """

    def __init__(
        self,
        root: int,
        replications: Sequence[int],
        role: str,
        flow: str,
        entity: str,
        law: ServiceTime | None = None,
        keep: bool = False,
    ) -> None:
        self.key = root, role, flow, entity
        self.replications = replications
        self.law = law
        self.keep = keep
        self._kept: list[Source] | None = None

    def take(self, count: IntArray) -> FloatArray:
        """The next `count[row]` values of each row, shape (replication, max(count)).

        Cells beyond a row's count hold finite numbers >= 0 without meaning.
        """
        width = int(count.max(initial=0))
        shape = len(self.replications), width
        if isinstance(self.law, Deterministic):
            return np.broadcast_to(grid_point(self.law.value_h), shape)
        out = np.zeros(shape)
        sources = self._sources()
        counts: list[int] = count.tolist()
        rows = max(1, CHUNK // max(width, 1))
        for first in range(0, shape[0], rows):
            for at in range(0, width, CHUNK):
                block = out[first : first + rows, at : at + CHUNK]
                self._draw(sources[first : first + rows], block, [n - at for n in counts[first : first + rows]])
        return out

    def _sources(self) -> list[Source]:
        if self._kept is not None:
            return self._kept
        root, role, flow, entity = self.key
        generators = streams.streams(root, self.replications, role, flow, entity)
        law = self.law
        sources = generators if law is None or law.is_simple else [law.sampler(own) for own in generators]
        if self.keep:
            self._kept = sources
        return sources

    def _draw(self, sources: list[Source], block: FloatArray, counts: list[int]) -> None:
        width, law = block.shape[1], self.law
        fill: Callable[[Source, FloatArray], None] = _uniform if law is None else _values
        if isinstance(law, SimpleLaw) and law.is_simple:
            fill = law.fill
        for source, row, count in zip(sources, block, counts, strict=True):
            if count > 0:
                fill(source, row if count >= width else row[:count])
        if law is not None:
            values = law.of(block) if isinstance(law, SimpleLaw) and law.is_simple else block
            round_into(values, block)


def round_into(values: FloatArray, out: FloatArray) -> None:
    """Write times >= 0, capped at `LONGEST_H` and rounded to the clock grid, into `out`."""
    np.minimum(values, LONGEST_H, out=out)
    np.multiply(out, GRID_PER_H, out=out)
    np.rint(out, out=out)
    np.multiply(out, 1 / GRID_PER_H, out=out)


def _uniform(generator: np.random.Generator, out: FloatArray) -> None:
    generator.random(out=out)


def _values(draw: Callable[[int], FloatArray], out: FloatArray) -> None:
    out[...] = draw(len(out))
