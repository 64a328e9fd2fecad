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
from corridor_sim.plan import FlowPlan, Step, Variant
from corridor_sim.results import SpanTimes
from corridor_sim.units import GRID_PER_H, FloatArray

NOBODY: IntArray = np.empty(0, dtype=np.int64)
OUT = -1
"""The place of one whose journey is over, and of the padding."""


class Route:
    """What follows from an itinerary alone: codes of its steps, and which of them open and close its spans.

    Step s has code ``first + s``. `opens[s]` lists the spans that begin at step s, with
    whether somebody may have begun them before; `closes[s]` those that may end there.
    """

    def __init__(self, variant: Variant, first: int) -> None:
        self.first, self.steps = first, variant.steps
        skipped = [step.share is not None or any(r.factor == 0 for r in step.reliefs) for step in variant.steps]
        self.opens: list[list[tuple[int, bool]]] = [[] for _ in variant.steps]
        self.closes: list[list[int]] = [[] for _ in variant.steps]
        for k, span in enumerate(variant.spans):
            for s in range(span.first, span.last + 1):
                if all(skipped[span.first : s]):
                    self.opens[s].append((k, s > span.first))
                if all(skipped[s + 1 : span.last + 1]):
                    self.closes[s].append(k)


class Block:
    """Consignments of one flow that were handed in together, shape (replication, consignment).

    Attributes
    ----------
    time_h
        When each one comes to its next step, or came to the end; inf once it is stuck for good.
    code
        Which step that is, numbered through the itineraries (`Route`); OUT at the end.
    begin_h, end_h
        By number of the span: joining of its first step, leaving of its last so far.
    """

    def __init__(self, flow: int, plan: FlowPlan, inputs: FlowInputs, index: IntArray, *, spans: bool) -> None:
        self.flow, self.plan, self.index = flow, plan, index
        self.release_h, self.variant, self.number = inputs.release_h, inputs.variant, inputs.number
        self.duration_h: Mapping[str, tuple[FloatArray, ...]] = inputs.duration_h
        self.uniform: Mapping[str, FloatArray] = inputs.uniform
        shape = inputs.release_h.shape
        there = inputs.variant >= 0
        self.time_h: FloatArray = np.where(there, inputs.release_h, np.inf)
        self.routes: list[Route] = []
        first = 0
        for variant in plan.variants:
            self.routes.append(Route(variant, first))
            first += len(variant.steps)
        starts = np.array([route.first if route.steps else OUT for route in self.routes] + [OUT], dtype=np.int16)
        self.code = starts[inputs.variant]
        self.ready_h: FloatArray | None = None
        count = max((len(variant.spans) for variant in plan.variants), default=0) if spans else 0
        self.begin_h = [np.full(shape, np.nan) for _ in range(count)]
        self.end_h = [np.full(shape, np.nan) for _ in range(count)]
        self.spans = spans
        # By code: how many are on their way to the step, and a time before which none of them is there.
        many: list[int] = np.bincount(self.code.ravel() + 1, minlength=first + 1)[1:].tolist()
        self._coming: list[tuple[int, float]] = [(count, -np.inf) for count in many]
        self._left: int = sum(many)

    def at(self, variant: int, step: int, until_h: float) -> IntArray:
        """Cells of those that come to a step of an itinerary before `until_h`."""
        code = self.routes[variant].first + step
        count, earliest = self._coming[code]
        if not count or earliest >= until_h:
            return NOBODY
        here = self.time_h < until_h
        if count < self.code.size:
            here &= self.code == code
        return np.flatnonzero(here)

    def pass_by(self, cells: IntArray, variant: int, step: int) -> None:
        """Let those who do not take a step come to the next one at the same instant."""
        self._go_on(cells, variant, step, float(self.time_h.ravel()[cells].min(initial=np.inf)))

    def move(self, cells: IntArray, variant: int, step: int, join_h: FloatArray, leave_h: FloatArray) -> None:
        """Take down a visit, and let its consignments come to the next step when they leave."""
        self.time_h.ravel()[cells] = leave_h
        if self.spans:
            route = self.routes[variant]
            for k, begun in route.opens[step]:
                begin = self.begin_h[k].ravel()
                if begun:
                    before = begin[cells]
                    begin[cells] = np.where(np.isnan(before), join_h, before)
                else:
                    begin[cells] = join_h
            for k in route.closes[step]:
                self.end_h[k].ravel()[cells] = leave_h
        self._go_on(cells, variant, step, float(leave_h.min(initial=np.inf)))
        if len(leave_h) and leave_h.max() == np.inf and step + 1 < len(self.routes[variant].steps):
            # Those who never leave a step stand before the next one for good.
            self._left -= int(np.count_nonzero(leave_h == np.inf))

    def _go_on(self, cells: IntArray, variant: int, step: int, earliest: float) -> None:
        route = self.routes[variant]
        code = route.first + step
        count, known = self._coming[code]
        self._coming[code] = count - len(cells), known
        if step + 1 == len(route.steps):
            self.code.ravel()[cells] = OUT
            self._left -= len(cells)
            return
        self.code.ravel()[cells] = code + 1
        count, known = self._coming[code + 1]
        self._coming[code + 1] = count + len(cells), min(known, earliest) if count else earliest

    def none_before(self, places: Sequence[tuple[int, int]], until_h: float) -> None:
        """Note that those who come to these steps before `until_h` have all been dealt with."""
        for variant, step in places:
            code = self.routes[variant].first + step
            count, earliest = self._coming[code]
            self._coming[code] = count, max(earliest, until_h)

    @property
    def left(self) -> int:
        """How many are still under way."""
        return self._left

    @property
    def depart_h(self) -> FloatArray:
        """End of each journey; inf while it goes on."""
        return np.where((self.code == OUT) & (self.variant >= 0), self.time_h, np.inf)

    def thinned(self) -> Block:
        """The block with only those who are still under way, fewer columns and the same order."""
        here = (self.code != OUT) & (self.time_h < np.inf)
        width = int(here.sum(axis=1).max(initial=0))
        order = np.argsort(~here, axis=1, kind="stable")[:, :width]
        kept = np.take_along_axis(here, order, axis=1)

        def pick(values: NDArray[Any]) -> NDArray[Any]:
            if values.size and not any(values.strides):
                return np.broadcast_to(values[:1, :1], order.shape)
            return np.take_along_axis(values, order, axis=1)

        thin = copy(self)
        thin.release_h = np.where(kept, pick(self.release_h), np.inf)
        thin.time_h = np.where(kept, pick(self.time_h), np.inf)
        thin.variant = np.where(kept, pick(self.variant), -1)
        thin.code = np.where(kept, pick(self.code), np.int16(OUT))
        thin.number, thin.index = pick(self.number), pick(self.index)
        thin.ready_h = None if self.ready_h is None else pick(self.ready_h)
        thin.begin_h, thin.end_h = [pick(times) for times in self.begin_h], [pick(times) for times in self.end_h]
        thin.duration_h = {key: tuple(pick(array) for array in arrays) for key, arrays in self.duration_h.items()}
        thin.uniform = {key: pick(array) for key, array in self.uniform.items()}
        many = np.bincount(thin.code.ravel() + 1, minlength=len(self._coming) + 1)[1:].tolist()
        thin._coming = [(count, earliest) for count, (_, earliest) in zip(many, self._coming, strict=True)]
        return thin

    def span_times(self, horizon_h: float, *, under_way: bool) -> list[SpanTimes]:
        """What the block adds to the chunks of a run: each itinerary's journeys and spans.

        With `under_way` False only of those who will not move again.
        """
        found = []
        depart, release = self.depart_h, _by_horizon(self.release_h, horizon_h)
        depart[depart > horizon_h] = np.nan
        for v, variant in enumerate(self.plan.variants):
            mine = self.variant == v
            if not under_way:
                mine &= (self.code == OUT) | (self.time_h == np.inf)
            if not mine.any():
                continue
            # Where all are of this itinerary nothing has to be copied: only the padding is left out.
            everybody = bool(mine.all())
            index = self.index if everybody else np.where(mine, self.index, -1)

            def own(times: FloatArray, mine: NDArray[np.bool_] = mine, everybody: bool = everybody) -> FloatArray:
                return times if everybody else np.where(mine, times, np.nan)

            found.append(SpanTimes(self.flow, v, -1, index, own(release), own(depart)))
            for k in range(len(variant.spans)):
                begin, end = own(self.begin_h[k]), own(_by_horizon(self.end_h[k], horizon_h))
                begun = begin == begin
                where = index if everybody and begun.all() else np.where(begun, index, -1)
                found.append(SpanTimes(self.flow, v, k, where, begin, end))
        return found


def _by_horizon(times: FloatArray, horizon_h: float) -> FloatArray:
    """Times that are later than the horizon made NaN; the array itself where there are none."""
    if times.size and np.fmax.reduce(times, axis=None) <= horizon_h:
        return times
    return np.where(times <= horizon_h, times, np.nan)


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
    leave_h: FloatArray | None = None

    def lengths(self, rows: int) -> IntArray:
        """How many there are in each replication."""
        edge = np.arange(rows + 1) * self.block.code.shape[1]
        return np.asarray(np.diff(np.searchsorted(self.cells, edge)))

    @property
    def index(self) -> IntArray:
        """Index in the flow of each."""
        return np.asarray(self.block.index.ravel()[self.cells])

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
