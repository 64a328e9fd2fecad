"""What happened at an element, as the flat tables of chunks and as the matrices of records.

What is later than the horizon did not happen. A column that is two in one is worked out once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from corridor_sim.core.units import FloatArray
from corridor_sim.engines.batch.merging import Joining, concatenated
from corridor_sim.engines.batch.under_way import JoiningCohort
from corridor_sim.engines.queues.layout import IntArray
from corridor_sim.plan.plan import Plan
from corridor_sim.records.inputs import SampledInputs
from corridor_sim.records.visits import ElementVisits, Journeys, Records, Visits


def by_horizon(times: FloatArray, horizon_h: float) -> FloatArray:
    """Times that are later than the horizon made NaN; the array itself where there are none."""
    if times.size and np.fmax.reduce(times, axis=None) <= horizon_h:
        return times
    return np.where(times <= horizon_h, times, np.nan)


def visits_of(element: int, part: JoiningCohort, times: Sequence[FloatArray], horizon_h: float, *, who: bool) -> Visits:
    """Visits of one part; `times` are start, finish, leave and service there.

    Without `who` index and step are left at -1, which saves work.
    """
    known: dict[int, FloatArray] = {}
    for at in times[:3]:
        if id(at) not in known:
            known[id(at)] = at if at is part.join_h else by_horizon(at, horizon_h)
    index, step = _who(part) if who else (unknown(len(part.cells)),) * 2
    start, finish, leave = (known[id(at)] for at in times[:3])
    return Visits(element, part.block.flow, part.count, index, step, part.join_h, start, finish, leave, times[3])


def unknown(size: int) -> IntArray:
    """Index or step (-1) of visits for which the consignment is not asked for."""
    return np.broadcast_to(np.int64(-1), (size,))


def _who(part: JoiningCohort) -> tuple[IntArray, IntArray]:
    return part.block.index[part.cells], np.full(len(part.cells), part.cohort.step, dtype=np.int64)


def table_of(joining: Joining, times: Sequence[FloatArray], horizon_h: float, offset: int = 0) -> ElementVisits:
    """The records of an element in order of joining, then number.

    `times` are join, start, finish, leave and service in queue order; those who join after the
    horizon are left out. `offset` is added to the steps.
    """
    who = [_who(part) for part in joining.parts]
    visited, there = joining.flow >= 0, times[0] <= horizon_h
    step = joining.queued(concatenated([step for _, step in who]), -1)
    columns = [
        joining.flow,
        joining.queued(concatenated([index for index, _ in who]), -1),
        np.where(visited, step + offset, -1) if offset else step,
        *(np.where(at <= horizon_h, at, np.nan) for at in times[:4]),
        np.where(there, times[4], np.nan),
    ]
    if joining.boarded or offset or not np.array_equal(visited, there):
        order = np.lexsort((joining.number, np.where(there, times[0], np.inf)), axis=-1)
        order = order[:, : int(there.sum(axis=1).max(initial=0))]
        there = np.take_along_axis(there, order, axis=1)
        columns = [
            np.where(there, np.take_along_axis(column, order, axis=1), -1 if column.dtype.kind == "i" else np.nan)
            for column in columns
        ]
    return ElementVisits(*columns)


def records_of(
    plan: Plan, inputs: SampledInputs, tables: Mapping[int, ElementVisits], departs: Sequence[FloatArray]
) -> Records:
    """Tables of the elements that were visited, and the ends of the journeys as drawn, as records."""
    rows = len(inputs.replications)
    journeys = []
    for drawn, depart in zip(inputs.flows, departs, strict=True):
        width = int((drawn.variant >= 0).sum(axis=1).max(initial=0))
        release = np.where(drawn.release_h <= plan.horizon_h, drawn.release_h, np.nan)
        variant = np.asarray(drawn.variant, dtype=np.int64)
        journeys.append(Journeys(release[:, :width], depart[:, :width], variant[:, :width]))
    every = tuple(tables[k] if k in tables else _unvisited(rows) for k in range(len(plan.elements)))
    return Records(plan, inputs.replications, every, tuple(journeys))


def _unvisited(rows: int) -> ElementVisits:
    """The table of an element without visits."""
    numbers = np.empty((rows, 0), dtype=np.int64)
    times = np.empty((rows, 0))
    return ElementVisits(numbers, numbers, numbers, times, times, times, times, times)
