"""Consignments under way: what they draw, and who comes to which step when.

A `DrawnBlock` holds the draws of the consignments of one flow that were handed in together. A
`Cohort` is some of them that come to the same step of the same itinerary, as flat arrays
in order of replication, then index; it is split by time only, and joined again with those
of its block who come to the step later. A `JoiningCohort` is those of a cohort that join the step now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.errors import SimulationError
from corridor_sim.core.units import GRID_PER_H, FloatArray
from corridor_sim.engines.batch.refusals import skippable
from corridor_sim.engines.batch.resting import Drivers
from corridor_sim.engines.queues.layout import IntArray
from corridor_sim.plan.plan import FlowPlan
from corridor_sim.plan.steps import Step, Variant
from corridor_sim.records.inputs import FlowInputs, LaterDraws


class Route:
    """What follows from an itinerary alone: which of its spans begin and end at which of its steps.

    `opens[s]` lists the spans that may begin at step s, with whether a consignment may have begun
    them before; `closes[s]` those whose last step it is.
    """

    def __init__(self, variant: Variant, *, spans: bool) -> None:
        self.steps = variant.steps
        skipped = [skippable(step) for step in variant.steps]
        self.opens: list[list[tuple[int, bool]]] = [[] for _ in variant.steps]
        self.closes: list[list[int]] = [[] for _ in variant.steps]
        for k, span in enumerate(variant.spans if spans else ()):
            for s in range(span.first, span.last + 1):
                if all(skipped[span.first : s]):
                    self.opens[s].append((k, s > span.first))
            self.closes[span.last].append(k)


class DrawnBlock:
    """Draws of the consignments of one flow that were handed in together, as flat arrays.

    Attributes
    ----------
    edge
        Cells ``edge[r]`` up to ``edge[r + 1]`` are those of the r-th replication. (replication + 1,)
    serial
        Place among the blocks of its flow.
    size, left
        How many consignments there were, and how many of them are still under way.
    """

    def __init__(
        self,
        flow: int,
        plan: FlowPlan,
        serial: int,
        edge: IntArray,
        index: IntArray,
        number: IntArray,
        release_h: FloatArray,
        duration_h: Mapping[str, tuple[FloatArray, ...]],
        uniform: Mapping[str, FloatArray],
        later: LaterDraws,
        size: int,
        drivers: Drivers | None = None,
    ) -> None:
        self.flow, self.plan, self.serial, self.edge = flow, plan, serial, edge
        self.size = self.left = size
        self.index, self.number, self.release_h = index, number, release_h
        self.duration_h, self.uniform, self.later, self.drivers = duration_h, uniform, later, drivers

    @classmethod
    def of(cls, flow: int, plan: FlowPlan, serial: int, inputs: FlowInputs, index: IntArray, size: int) -> DrawnBlock:
        """The block of some inputs, shape (replication, consignment) with padding, `size` of which are there."""
        rows, width = inputs.release_h.shape
        return cls(
            flow,
            plan,
            serial,
            np.arange(rows + 1) * width,
            index.ravel(),
            inputs.number.ravel(),
            inputs.release_h.ravel(),
            {key: tuple(_flat(values) for values in arrays) for key, arrays in inputs.duration_h.items()},
            {key: _flat(values) for key, values in inputs.uniform.items()},
            inputs.later,
            size,
            Drivers.of(plan, rows * width),
        )

    def thinned(self, cells: IntArray) -> DrawnBlock:
        """A block of the consignments at some cells alone."""
        return DrawnBlock(
            self.flow,
            self.plan,
            self.serial,
            np.searchsorted(cells, self.edge),
            self.index[cells],
            self.number[cells],
            self.release_h[cells],
            {key: tuple(picked(values, cells) for values in arrays) for key, arrays in self.duration_h.items()},
            {key: picked(values, cells) for key, values in self.uniform.items()},
            self.later,
            len(cells),
            None if self.drivers is None else self.drivers.at(cells),
        )

    def count(self, cells: IntArray) -> IntArray:
        """How many of some cells, in ascending order, are in each replication."""
        return np.asarray(np.diff(np.searchsorted(cells, self.edge)))

    def uniforms(self, name: str, cells: IntArray) -> FloatArray:
        """Uniforms of one role at some cells. Raises SimulationError if there are none."""
        if name in self.later.uniform:
            return self.later.uniform[name].at(self.count(cells), self.index[cells])
        if name not in self.uniform:
            raise SimulationError(f"flow {self.plan.id}: no uniforms were drawn for {name!r}")
        return picked(self.uniform[name], cells)

    def laws(self, name: str) -> int:
        """How many laws there are durations of under a name."""
        return len(self.later.duration_h.get(name, ())) or len(self.duration_h.get(name, ()))

    def durations(self, name: str, law: int, cells: IntArray) -> FloatArray:
        """Durations by one law at some cells. [h]"""
        if name in self.later.duration_h:
            return self.later.duration_h[name][law].at(self.count(cells), self.index[cells])
        return picked(self.duration_h[name][law], cells)


def _flat(values: FloatArray) -> FloatArray:
    """A matrix as a flat array; one value that stands for all is not written out."""
    if values.size and not any(values.strides):
        return np.broadcast_to(values.flat[0], (values.size,))
    return values.ravel()


def picked(values: NDArray[Any], cells: IntArray) -> NDArray[Any]:
    """Values at flat cells in ascending order, which are not moved if it is all of them."""
    if len(cells) == len(values):
        return values
    if values.size and not any(values.strides):
        return np.broadcast_to(values[0], cells.shape)
    return np.asarray(values[cells])


@dataclass(slots=True, eq=False)
class Cohort:
    """Those of a block who come to the same step of the same itinerary: cells in ascending order.

    Attributes
    ----------
    time_h
        When each one comes there.
    begin_h
        By number of the span, for the spans under way: joining of the first step taken, NaN before.
    ready_h
        The order in which those who landed together left the ship, NaN for those who did not.
    """

    block: DrawnBlock
    variant: int
    step: int
    cells: IntArray
    time_h: FloatArray
    begin_h: dict[int, FloatArray] = field(default_factory=dict)
    ready_h: FloatArray | None = None

    def some(self, which: IntArray) -> Cohort:
        """Those at some positions, in ascending order."""
        return Cohort(
            self.block,
            self.variant,
            self.step,
            self.cells[which],
            self.time_h[which],
            {k: begin[which] for k, begin in self.begin_h.items()},
            None if self.ready_h is None else self.ready_h[which],
        )

    def split(self, until_h: float) -> tuple[Cohort | None, Cohort | None]:
        """Those who come before an instant, and the others."""
        here = self.time_h < until_h
        many = int(np.count_nonzero(here))
        if many == len(here):
            return self, None
        if not many:
            return None, self
        return self.some(np.flatnonzero(here)), self.some(np.flatnonzero(~here))


def joined(cohorts: Sequence[Cohort]) -> Cohort:
    """Cohorts of one block at the same step as one."""
    if len(cohorts) == 1:
        return cohorts[0]
    first = cohorts[0]
    cells = np.concatenate([cohort.cells for cohort in cohorts])
    order = np.argsort(cells, kind="stable")

    def together(arrays: Iterable[FloatArray]) -> FloatArray:
        return np.asarray(np.concatenate(list(arrays))[order])

    def known(values: FloatArray | None, cohort: Cohort) -> FloatArray:
        return np.full(len(cohort.cells), np.nan) if values is None else values

    begun = dict.fromkeys(k for cohort in cohorts for k in cohort.begin_h)
    ready = None
    if any(cohort.ready_h is not None for cohort in cohorts):
        ready = together(known(cohort.ready_h, cohort) for cohort in cohorts)
    return Cohort(
        first.block,
        first.variant,
        first.step,
        cells[order],
        together(cohort.time_h for cohort in cohorts),
        {k: together(known(cohort.begin_h.get(k), cohort) for cohort in cohorts) for k in begun},
        ready,
    )


@dataclass(slots=True, eq=False)
class JoiningCohort:
    """Those of a cohort who join an element now; `who` are their positions in the cohort (None: all)."""

    cohort: Cohort
    who: IntArray | None
    cells: IntArray
    join_h: FloatArray
    service_h: FloatArray
    """As read at joining; see `started`. [h]"""

    def started(self, start_h: FloatArray, offset: int = 0) -> FloatArray:
        """Durations as read at these starts (D13), `offset` steps further on; who never starts reads at joining. [h]"""
        steps = self.cohort.block.plan.variants[self.cohort.variant].steps
        at = np.where(start_h < np.inf, start_h, self.join_h)
        return duration_at(self.cohort.block, steps[self.cohort.step + offset], self.cells, at)

    @property
    def block(self) -> DrawnBlock:
        """The block that they belong to."""
        return self.cohort.block

    @property
    def count(self) -> IntArray:
        """How many there are in each replication."""
        return self.block.count(self.cells)

    @property
    def positions(self) -> IntArray:
        """Their positions in the cohort."""
        return np.arange(len(self.cells)) if self.who is None else self.who

    def settled(self, decided: NDArray[np.bool_]) -> tuple[JoiningCohort, Cohort]:
        """The part of those who are decided, with all who skip the step, and the cohort of those who stay."""
        # Why so: those who skip the step wait for nothing, so they go on now, with the decided. The undecided keep
        # the time at which they came, so the next block of time offers them again, in the same queue order.
        stays = np.zeros(len(self.cohort.cells), dtype=bool)
        stays[self.positions[~decided]] = True
        goes = np.flatnonzero(~stays)
        taken = np.zeros(len(stays), dtype=bool)
        taken[self.positions] = True
        part = JoiningCohort(
            self.cohort.some(goes),
            np.flatnonzero(taken[goes]),
            self.cells[decided],
            self.join_h[decided],
            self.service_h[decided],
        )
        return part, self.cohort.some(np.flatnonzero(stays))

    @property
    def ready_h(self) -> FloatArray:
        """What settles ties before the number: the boarding order of those who landed, else the joining."""
        ready = self.cohort.ready_h
        if ready is None:
            return self.join_h
        ready = ready if self.who is None else ready[self.who]
        return np.where(np.isnan(ready), self.join_h, ready)


def joining_cohort(cohort: Cohort) -> JoiningCohort | None:
    """Those of a cohort, who all come to their step now, that take it; None if no consignment does."""
    step = cohort.block.plan.variants[cohort.variant].steps[cohort.step]
    taken = taken_at(cohort.block, step, cohort.cells, cohort.time_h)
    if taken is None:
        who, cells, join = None, cohort.cells, cohort.time_h
    else:
        who = np.flatnonzero(taken)
        if not len(who):
            return None
        cells, join = cohort.cells[who], cohort.time_h[who]
    rest_h = None
    if (drivers := cohort.block.drivers) is not None:
        rest_h = drivers.come_to(cohort.block.plan.variants[cohort.variant].steps, cohort.step, cells, join)
    service_h = duration_at(cohort.block, step, cells, join) if rest_h is None else rest_h
    return JoiningCohort(cohort, who, cells, join, service_h)


def taken_at(block: DrawnBlock, step: Step, cells: IntArray, time_h: FloatArray) -> NDArray[np.bool_] | None:
    """Whether each one takes a step it comes to at `time_h`; None if all do."""
    taken: NDArray[np.bool_] | None = None
    if step.share is not None:
        taken = block.uniforms(step.share_draws, cells) < step.share(time_h)
    for relief in step.reliefs:
        if relief.factor == 0:
            goes = block.uniforms(relief.draws, cells) >= relief.share(time_h)
            taken = goes if taken is None else taken & goes
    return None if taken is None or taken.all() else taken


def duration_at(block: DrawnBlock, step: Step, cells: IntArray, time_h: FloatArray) -> FloatArray:
    """Durations of those who start a step at `time_h`, factors included, on the clock grid. [h]"""
    drawn = block.laws(step.draws)
    if len(step.laws) > max(drawn, 1) or (step.laws and not drawn):
        raise SimulationError(
            f"flow {block.plan.id}: {len(step.laws)} laws but {drawn} arrays of durations for {step.draws!r}"
        )
    if not drawn:
        return np.zeros(len(cells))
    if len(step.laws) > 1:
        law = np.searchsorted([from_h for from_h, _ in step.laws], time_h, side="right") - 1
        law = np.maximum(law, 0)
        duration = np.empty(len(cells))
        for k in np.unique(law).tolist():
            who = np.flatnonzero(law == k)
            duration[who] = block.durations(step.draws, k, cells[who])
    else:
        duration = block.durations(step.draws, 0, cells)
    if step.factor is None and not step.reliefs:
        return np.asarray(duration)
    whole = duration
    if step.factor is not None:
        duration = duration * step.factor(time_h)
    for relief in (relief for relief in step.reliefs if relief.factor != 0):
        relieved = block.uniforms(relief.draws, cells) < relief.share(time_h)
        duration = np.where(relieved, duration * relief.factor, duration)
    return np.where(duration == whole, whole, np.rint(duration * GRID_PER_H) / GRID_PER_H)
