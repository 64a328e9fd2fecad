"""Consignments under way, as matrices: where each one is, and what it draws when it joins a step.

A `Block` holds the consignments of one flow that were handed in together, one row a
replication, in order of release. `Part` is those of a block that join one element now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corridor_sim.engines.queues.layout import IntArray
from corridor_sim.errors import SimulationError
from corridor_sim.inputs import FlowInputs
from corridor_sim.plan import FlowPlan, Step
from corridor_sim.results import SpanTimes
from corridor_sim.units import GRID_PER_H, FloatArray

NOBODY: IntArray = np.empty(0, dtype=np.int64)
OUT = -1
"""The step of one whose journey is over, and of the padding."""


class Block:
    """Consignments of one flow that were handed in together, shape (replication, consignment).

    Attributes
    ----------
    time_h, step
        When each one comes to its next step, and which that is; inf once it is stuck for good.
    depart_h
        End of the journey; inf while it goes on.
    begin_h, end_h
        By number of the span: joining of its first step, leaving of its last so far.
    """

    def __init__(self, flow: int, plan: FlowPlan, inputs: FlowInputs, index: IntArray, *, spans: bool) -> None:
        self.flow, self.plan = flow, plan
        self.release_h, self.variant, self.number, self.index = inputs.release_h, inputs.variant, inputs.number, index
        self.duration_h: Mapping[str, tuple[FloatArray, ...]] = inputs.duration_h
        self.uniform: Mapping[str, FloatArray] = inputs.uniform
        shape = inputs.release_h.shape
        self.time_h = np.where(inputs.variant >= 0, inputs.release_h, np.inf)
        self.step = np.where(inputs.variant >= 0, np.int16(0), np.int16(OUT)).astype(np.int16)
        self.depart_h = np.full(shape, np.inf)
        self.ready_h: FloatArray | None = None
        count = max((len(variant.spans) for variant in plan.variants), default=0) if spans else 0
        self.begin_h = [np.full(shape, np.nan) for _ in range(count)]
        self.end_h = [np.full(shape, np.nan) for _ in range(count)]
        self.spans = spans
        # By (variant, step): how many are on their way to it, and a time before which none of them is there.
        self._coming: dict[tuple[int, int], tuple[int, float]] = {}
        self._left = 0
        several = len(plan.variants) > 1
        for v, variant in enumerate(plan.variants):
            mine = self.variant == v if several else self.step != OUT
            count = int(np.count_nonzero(mine))
            self._left += count
            if variant.steps:
                self._coming[v, 0] = count, -np.inf
            else:
                self._arrive(np.flatnonzero(mine), v, 0)

    def at(self, variant: int, step: int, until_h: float) -> IntArray:
        """Cells of those that come to a step of an itinerary before `until_h`."""
        count, earliest = self._coming.get((variant, step), (0, np.inf))
        if not count or earliest >= until_h:
            return NOBODY
        here = self.step == step
        if len(self.plan.variants) > 1:
            here &= self.variant == variant
        here &= self.time_h < until_h
        return np.flatnonzero(here)

    def pass_by(self, cells: IntArray, variant: int, step: int) -> None:
        """Let those who do not take a step come to the next one at the same instant."""
        self._leave(cells, variant, step)
        self._arrive(cells, variant, step + 1)

    def move(self, cells: IntArray, variant: int, step: int, join_h: FloatArray, leave_h: FloatArray) -> None:
        """Take down a visit, and let its consignments come to the next step when they leave."""
        self.time_h.ravel()[cells] = leave_h
        if self.spans:
            known = np.where(np.isfinite(leave_h), leave_h, np.nan)
            for k, span in enumerate(self.plan.variants[variant].spans):
                if span.first <= step <= span.last:
                    begin = self.begin_h[k].ravel()
                    before = begin[cells]
                    begin[cells] = np.where(np.isnan(before), join_h, before)
                    self.end_h[k].ravel()[cells] = known
        self._leave(cells, variant, step)
        self._arrive(cells, variant, step + 1)

    def _leave(self, cells: IntArray, variant: int, step: int) -> None:
        count, earliest = self._coming[variant, step]
        self._coming[variant, step] = count - len(cells), earliest

    def _arrive(self, cells: IntArray, variant: int, step: int) -> None:
        time_h = self.time_h.ravel()[cells]
        if step < len(self.plan.variants[variant].steps):
            self.step.ravel()[cells] = step
            count, earliest = self._coming.get((variant, step), (0, np.inf))
            self._coming[variant, step] = count + len(cells), min(earliest, float(time_h.min(initial=np.inf)))
            # Those who never leave a step stand before the next one for good.
            self._left -= int(np.count_nonzero(time_h == np.inf))
            return
        self.step.ravel()[cells] = OUT
        self.depart_h.ravel()[cells] = time_h
        self._left -= len(cells)

    def none_before(self, places: Sequence[tuple[int, int]], until_h: float) -> None:
        """Note that those who come to these steps before `until_h` have all been dealt with."""
        for place in places:
            if place in self._coming:
                self._coming[place] = self._coming[place][0], until_h

    @property
    def left(self) -> int:
        """How many are still under way."""
        return self._left

    @property
    def over(self) -> bool:
        """Whether nobody is under way any more."""
        return self._left == 0

    def thinned(self) -> Block:
        """The block with only those who are still under way, fewer columns and the same order."""
        here = (self.step != OUT) & (self.time_h < np.inf)
        width = int(here.sum(axis=1).max(initial=0))
        order = np.argsort(~here, axis=1, kind="stable")[:, :width]
        kept = np.take_along_axis(here, order, axis=1)

        def pick(values: NDArray[Any]) -> NDArray[Any]:
            if values.size and not any(values.strides):
                return np.broadcast_to(values[:1, :1], order.shape)
            return np.take_along_axis(values, order, axis=1)

        thin = copy(self)
        thin.release_h, thin.time_h = np.where(kept, pick(self.release_h), np.inf), pick(self.time_h)
        thin.variant, thin.step = np.where(kept, pick(self.variant), -1), np.where(kept, pick(self.step), OUT)
        thin.step = thin.step.astype(np.int16)
        thin.number, thin.index, thin.depart_h = pick(self.number), pick(self.index), pick(self.depart_h)
        thin.ready_h = None if self.ready_h is None else pick(self.ready_h)
        thin.begin_h, thin.end_h = [pick(times) for times in self.begin_h], [pick(times) for times in self.end_h]
        thin.duration_h = {key: tuple(pick(array) for array in arrays) for key, arrays in self.duration_h.items()}
        thin.uniform = {key: pick(array) for key, array in self.uniform.items()}
        thin._coming = dict(self._coming)
        return thin

    def span_times(self, horizon_h: float, *, under_way: bool) -> list[SpanTimes]:
        """What the block adds to the chunks of a run: each itinerary's journeys and spans.

        With `under_way` False only of those who will not move again.
        """
        found = []
        still = np.asarray(True) if under_way else (self.step == OUT) | (self.time_h == np.inf)
        for v, variant in enumerate(self.plan.variants):
            mine = (self.variant == v) & still
            if not mine.any():
                continue
            index = np.where(mine, self.index, -1)
            release = np.where(mine & (self.release_h <= horizon_h), self.release_h, np.nan)
            depart = np.where(mine & (self.depart_h <= horizon_h), self.depart_h, np.nan)
            found.append(SpanTimes(self.flow, v, -1, index, release, depart))
            for k in range(len(variant.spans)):
                begin, end = self.begin_h[k], self.end_h[k]
                there = mine & ~np.isnan(begin)
                found.append(
                    SpanTimes(
                        self.flow,
                        v,
                        k,
                        np.where(there, self.index, -1),
                        np.where(there, begin, np.nan),
                        np.where(there & (end <= horizon_h), end, np.nan),
                    )
                )
        return found


@dataclass(slots=True, eq=False)
class Part:
    """Those of one block that join one element now: flat arrays in order of replication, then index.

    `groups` lists the places (variant, step) they are at, each with who is there (None: all).
    """

    block: Block
    cells: IntArray
    join_h: FloatArray
    service_h: FloatArray
    groups: list[tuple[int, int, IntArray | None]]

    @property
    def row(self) -> IntArray:
        """Replication (row) of each."""
        return np.asarray(self.cells // self.block.step.shape[1])

    @property
    def step(self) -> IntArray:
        """Step of each."""
        step = np.empty(len(self.cells), dtype=np.int64)
        for _, number, who in self.groups:
            step[slice(None) if who is None else who] = number
        return step


def part_of(block: Block, places: list[tuple[int, int]], until_h: float) -> Part | None:
    """Those of `block` that join an element, which is at `places` (variant, step) of its itineraries.

    Those who come there and do not take the step are sent on. None if nobody joins.
    """
    found = []
    for variant, number in places:
        cells = block.at(variant, number, until_h)
        if not len(cells):
            continue
        step = block.plan.variants[variant].steps[number]
        join = block.time_h.ravel()[cells]
        taken = taken_at(block, step, cells, join)
        if taken is not None:
            block.pass_by(cells[~taken], variant, number)
            cells, join = cells[taken], join[taken]
            if not len(cells):
                continue
        found.append((variant, number, cells, join, duration_at(block, step, cells, join)))
    if not found:
        return None
    if len(found) == 1:
        variant, number, cells, join, service = found[0]
        return Part(block, cells, join, service, [(variant, number, None)])
    order = np.argsort(np.concatenate([entry[2] for entry in found]), kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    groups: list[tuple[int, int, IntArray | None]] = []
    first = 0
    for variant, number, cells, _, _ in found:
        groups.append((variant, number, place[first : first + len(cells)]))
        first += len(cells)
    cells, join, service = (np.concatenate([entry[k] for entry in found])[order] for k in (2, 3, 4))
    return Part(block, cells, join, service, groups)


def _uniform(block: Block, name: str, cells: IntArray) -> FloatArray:
    if name not in block.uniform:
        raise SimulationError(f"flow {block.plan.id}: no uniforms were drawn for {name!r}")
    return _pick(block.uniform[name], cells)


def _pick(values: FloatArray, cells: IntArray) -> FloatArray:
    """Values at flat cells; one value that stands for all is not written out."""
    if values.size and not any(values.strides):
        return np.broadcast_to(values.flat[0], cells.shape)
    return np.asarray(values.ravel()[cells])


def taken_at(block: Block, step: Step, cells: IntArray, time_h: FloatArray) -> NDArray[np.bool_] | None:
    """Whether each one takes a step it comes to at `time_h`; None if everybody does."""
    taken: NDArray[np.bool_] | None = None
    if step.share is not None:
        taken = _uniform(block, step.share_draws, cells) < step.share(time_h)
    for relief in step.reliefs:
        if relief.factor == 0:
            goes = _uniform(block, relief.draws, cells) >= relief.share(time_h)
            taken = goes if taken is None else taken & goes
    return None if taken is None or taken.all() else taken


def duration_at(block: Block, step: Step, cells: IntArray, time_h: FloatArray) -> FloatArray:
    """Durations of those who join a step at `time_h`, factors included, on the clock grid. [h]"""
    drawn = block.duration_h.get(step.draws, ())
    if len(step.laws) > max(len(drawn), 1) or (step.laws and not drawn):
        raise SimulationError(
            f"flow {block.plan.id}: {len(step.laws)} laws but {len(drawn)} arrays of durations for {step.draws!r}"
        )
    if not drawn:
        return np.zeros(len(cells))
    if len(step.laws) > 1:
        law = np.searchsorted([from_h for from_h, _ in step.laws], time_h, side="right") - 1
        duration = np.choose(np.maximum(law, 0), [_pick(drawn[k], cells) for k in range(len(step.laws))])
    else:
        duration = _pick(drawn[0], cells)
    if step.factor is None and not step.reliefs:
        return np.asarray(duration)
    whole = duration
    if step.factor is not None:
        duration = duration * step.factor(time_h)
    for relief in step.reliefs:
        relieved = _uniform(block, relief.draws, cells) < relief.share(time_h)
        duration = np.where(relieved, duration * relief.factor, duration)
    return np.where(duration == whole, whole, np.rint(duration * GRID_PER_H) / GRID_PER_H)
