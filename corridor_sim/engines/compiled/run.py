"""Replications of a plan by the compiled pass, their sums handed to the reducers of a collector.

One replication is worked through after the other, so memory does not grow with their number; the
arrays are as long as one replication has consignments.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.errors import SimulationError
from corridor_sim.core.units import FloatArray
from corridor_sim.engines.batch.streaming import DrawSource
from corridor_sim.engines.compiled import codes, kernel_tables
from corridor_sim.engines.compiled.coupled import Together
from corridor_sim.engines.compiled.differing import Base, Differing, Other, as_far_as_any
from corridor_sim.engines.compiled.full_tables import Full
from corridor_sim.engines.compiled.kernel_tables import KernelTables
from corridor_sim.engines.compiled.state import Draws, PassState, Sums
from corridor_sim.engines.compiled.tables import Coded, Ints, Tables, coded, draws_of_departures
from corridor_sim.indicators.base import Collector
from corridor_sim.indicators.extra_lanes import ExtraLaneHours
from corridor_sim.indicators.queue_levels import QueueLevels, grid_points
from corridor_sim.indicators.queue_marks import QueueMarks
from corridor_sim.indicators.shared_sums import SpanDays, SpanHours, SpanSums, StationDays, StayTimes, WaitTimes
from corridor_sim.indicators.visit_sums import VisitSums
from corridor_sim.plan.plan import Departures, Plan
from corridor_sim.records.inputs import NUMBER_PER_FLOW, FlowInputs, SampledInputs

WINDOW_H = 48.0
"""Hours worked through at once: those of one queue in a window should fit into the cache. [h]"""
DRAWN_TOGETHER = 250_000
"""Releases drawn at once, over several replications; their arrays are held as long as these are worked through."""
HELD_BYTES = 8_000_000
"""Sums of replications that are held before they are handed over together. [bytes]"""


def reduce(
    plan: Plan,
    sampler: DrawSource,
    replications: Sequence[int],
    collector: Collector,
    *,
    window_h: float = WINDOW_H,
    others: Sequence[Other] = (),
) -> None:
    """Run some replications and add what happened to a collector that has exactly these.

    `others` are run too, on the same root, from where they differ; their collectors have the same replications.

    Raises
    ------
    SimulationError
        For a replication with more than 16 million consignments.
    ValueError
        If a window has no length.
    """
    from corridor_sim.engines.compiled import machine

    if not window_h > 0:
        raise ValueError(f"window_h must be > 0, got {window_h}")
    base = Base(plan, coded(plan, collector, window_h), collector, others, window_h)
    code, together = base.code, Together(plan, base.code)
    at_once = max(1, min(len(replications), int(DRAWN_TOGETHER / max(sum(sampler.expected), 1.0))))
    state: PassState | None = None
    room: PassState | None = None
    held = _Held(code, collector)
    held_of = [_Held(other.code, other.collector) for other in base.others]
    for begin in range(0, len(replications), at_once):
        block = replications[begin : begin + at_once]
        inputs = sampler.stream(block).next(math.inf)
        columns = _DrawColumns(code, inputs.flows)
        of_others = [_inputs(other, block, inputs.flows) for other in base.others]
        coming = deque(columns.draws(k, inputs.flows) for k in range(len(block)))
        # What was drawn of flows is copied by now, and not held twice.
        inputs = replace(inputs, flows=())
        del columns
        for k in range(len(block)):
            draws = coming.popleft()
            tables, kernels = _drawn_tables(code, plan, inputs, k)
            state = _empty(code, kernels, len(draws.release_h), state)
            sums = base.with_rows(_zeros(code, collector))
            in_time = together.at_hour_0(len(draws.release_h), inputs, k)
            visits, spent = machine.replication(
                code.window,
                tables,
                draws,
                state,
                sums,
                code.by_kernel,
                *in_time,
            )
            row = begin + k
            _raise_if_wrong(code, plan, state)
            for e, drawn in inputs.outages.items():
                collector.note_outages(e, row, drawn[k])
            collector.visits[row] += visits
            held.put(row, base.joined(sums))
            _hand_over_extra_lanes(code, collector, row, in_time[1])
            levels = as_far_as_any(spent[: len(code.lines)])
            _hand_over_levels(code, collector, row, levels, state)
            for other, hold, (their_inputs, their_columns) in zip(base.others, held_of, of_others, strict=True):
                their_draws = their_columns.draws(k, their_inputs.flows)
                tables, kernels = _drawn_tables(other.code, other.plan, their_inputs, k)
                room = _empty(other.code, kernels, len(their_draws.release_h), room)
                their_draws = other.taken_up(draws, state, their_draws, room)
                theirs, again, their_spent = _zeros(other.code, other.collector), 0, None
                in_time = other.coupled.at_hour_0(len(their_draws.release_h), their_inputs, k)
                if len(their_draws.come_h):
                    again, their_spent = machine.replication(
                        other.code.window,
                        tables,
                        their_draws,
                        room,
                        theirs,
                        other.code.by_kernel,
                        *in_time,
                    )
                    _raise_if_wrong(other.code, other.plan, room)
                other.note_outages(row, their_inputs, k)
                other.again[row] = again
                other.collector.visits[row] += again + other.add_shared(sums, theirs)
                hold.put(row, theirs)
                _hand_over_extra_lanes(other.code, other.collector, row, in_time[1])
                other.hand_over_levels(row, levels, state, their_spent, room)
    for one in (held, *held_of):
        one.hand_over()


def _inputs(other: Differing, block: Sequence[int], flows: Sequence[FlowInputs]) -> tuple[SampledInputs, _DrawColumns]:
    """The draws of another plan, for those who are released in the base."""
    inputs = other.sampler.stream(block, released=other.released(flows)).next(math.inf)
    return inputs, _DrawColumns(other.code, inputs.flows)


def prepare(plan: Plan) -> None:
    """Have the machine code compiled and kept, or found, by a run of a plan in which nothing happens."""
    from corridor_sim.engines.compiled import machine

    collector = Collector(plan, [0])
    code = coded(plan, collector, WINDOW_H)
    nobody, keys = np.zeros(0), np.zeros(len(code.columns), np.uint64)
    base, given_at = np.zeros(len(plan.flows) + 1, np.int64), np.full(len(code.columns), -1, dtype=np.int64)
    draws = Draws(base, nobody, np.zeros(0, np.int32), keys, keys, given_at, nobody, nobody)
    state, sums = _empty(code, code.kernels, 0, None), _zeros(code, collector)
    machine.replication(
        code.window, code.tables, draws, state, sums, code.by_kernel, *Together(plan, code).at_hour_0(0, None, 0)
    )


def is_kept() -> bool:
    """Whether the machine code stays on disk, so that worker processes and later runs find it."""
    from corridor_sim.engines.compiled import machine

    return bool(machine.IS_KEPT)


def _raise_if_wrong(code: Coded, plan: Plan, state: PassState) -> None:
    what, place, value = state.wrong.tolist()
    if not what:
        return
    id = plan.elements[int(code.queue_element[int(place) - 1])].id
    if what == codes.TOO_LONG:
        raise SimulationError(
            f"{id}: a service takes {value:g} h, longer than any time the station is open; with closing 'no_overrun' "
            "it could never start"
        )
    if what == codes.TOO_FEW:
        raise SimulationError(f"{id}: {value:g} crossings were drawn, one more is needed")
    raise SimulationError(f"{id}: more than {value:g} services were under way at an end of the counted window")


class _DrawColumns:
    """Draws of a block of replications, as the pass reads them."""

    def __init__(self, code: Coded, flows: Sequence[FlowInputs]) -> None:
        self.code = code
        self.count = [flow.count for flow in flows]
        for f, flow in enumerate(flows):
            own = f * NUMBER_PER_FLOW + np.arange(flow.number.shape[1])
            if ((flow.number != own) & (flow.variant >= 0)).any():
                raise SimulationError("consignments have numbers of their own")
        rows, many = len(self.count[0]) if flows else 0, len(code.columns)
        self.first, self.second = np.zeros((rows, many), np.uint64), np.zeros((rows, many), np.uint64)
        self.ahead: dict[int, FloatArray] = {}
        for n, column in enumerate(code.columns):
            flow = flows[column.flow]
            drawn: FloatArray | None
            if column.law < 0:
                later: Any = flow.later.uniform.get(column.name)
                drawn = flow.uniform.get(column.name)
            else:
                later = (flow.later.duration_h.get(column.name) or [None] * (column.law + 1))[column.law]
                drawn = (flow.duration_h.get(column.name) or [None] * (column.law + 1))[column.law]
            if later is not None and (column.law < 0 or code.tables.node[n] >= 0):
                self.first[:, n], self.second[:, n] = later.keys
            elif later is not None:
                self.ahead[n] = _all_of(later, self.count[column.flow])
            elif drawn is not None:
                self.ahead[n] = drawn
            else:
                what = "uniforms" if column.law < 0 else "durations"
                raise SimulationError(f"{what} are missing for {column.name!r}")

    def draws(self, k: int, flows: Sequence[FlowInputs]) -> Draws:
        """Those of the k-th replication."""
        counts = [int(count[k]) for count in self.count]
        base = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        if base[-1] >= 1 << codes.ID_BITS:
            raise SimulationError(f"{base[-1]} consignments in one replication, at most {1 << codes.ID_BITS}")

        def together(rows: list[NDArray[Any]]) -> NDArray[Any]:
            return np.concatenate([row[:count] for row, count in zip(rows, counts, strict=True)] or [np.empty(0)])

        release = together([flow.release_h[k] for flow in flows])
        route = together([flow.variant[k] for flow in flows]).astype(np.int32)
        route += np.repeat(self.code.first_route, counts).astype(np.int32)
        given_at = np.full(len(self.code.columns), -1, dtype=np.int64)
        parts, length = [np.empty(0)], 0
        for n, values in self.ahead.items():
            given_at[n] = length
            parts.append(values[k, : counts[self.code.columns[n].flow]])
            length += len(parts[-1])
        return Draws(base, release, route, self.first[k], self.second[k], given_at, np.concatenate(parts), np.empty(0))


def _all_of(column: Any, count: Ints) -> FloatArray:
    """All values of a column that is drawn by index, shape (replication, consignment)."""
    out = np.zeros((len(count), int(count.max(initial=0))))
    index = np.concatenate([np.arange(many) for many in count.tolist()])
    out[np.arange(out.shape[1]) < count[:, None]] = column.at(count, index)
    return out


def _drawn_tables(code: Coded, plan: Plan, inputs: SampledInputs, k: int) -> tuple[Tables, Sequence[KernelTables]]:
    """The tables of the k-th replication, with what was drawn for elements, and those of the kernels."""
    tables, kernels = code.tables, list(code.kernels)
    if code.timetables:
        places, sailing_h = tables.queue_value.copy(), tables.sailing_h.copy()
        for e, q in code.timetables:
            begin, end = tables.queue_from[q : q + 2].tolist()
            element = plan.elements[e]
            assert isinstance(element, Departures)
            crossing_h, cancelled = draws_of_departures(e, element, inputs, k)
            if cancelled is not None:
                places[begin:end][cancelled[: end - begin]] = 0
            if crossing_h is not None:
                sailing_h[begin:end] = crossing_h[: end - begin]
        tables = tables._replace(queue_value=places, sailing_h=sailing_h)
    if code.drawn:
        kind = tables.queue_kind.copy()
        for q, make in code.drawn:
            kind[q], kernels[q] = make(inputs, k)
        packed = kernel_tables.packed(kernels)
        tables = tables._replace(
            queue_kind=kind,
            times=packed.times,
            times_at=packed.times_at,
            counts=packed.counts,
            counts_at=packed.counts_at,
        )
    return tables, kernels


def _empty(code: Coded, kernels: Sequence[KernelTables], consignments: int, before: PassState | None) -> PassState:
    """The state at hour 0; the long arrays of the replication before serve again."""
    queues, lines = len(code.tables.queue_kind), len(code.lines)
    size = max(consignments, 1)
    fits = before is not None and before.begun.shape[0] >= size and before.begun.shape[1] == code.slots
    if before is not None and fits and len(before.span) >= size * code.noted:
        long = before[:11]
        before.begun[:size] = np.nan
    else:
        size += size // 16
        long = (
            np.zeros(size, np.int32),
            np.zeros(size),
            np.zeros(size, np.int32),
            np.full((size, code.slots), np.nan),
            np.zeros(size, np.int32),
            np.zeros(size),
            np.zeros(size, np.int64),
            np.zeros(size, np.int64),
            # What is never written takes no memory.
            np.empty(size * code.noted, np.int32),
            np.empty(size * code.noted),
            np.empty(size * code.noted),
        )
    scratch = _scratch(len(long[0]))
    if before is not None and len(before.arrival_h) == len(long[0]):
        scratch = before.arrival_h, before.service_h, before.start_h, before.finish_h, before.again_h
    remembered = kernel_tables.kept(kernels, consignments)
    return PassState(
        *long,
        np.zeros(codes.MOST_BUCKETS + 2, np.int64) if before is None else before.bucket,
        before.hold_h if before is not None and len(before.hold_h) == len(long[0]) else np.empty(len(long[0])),
        np.full(queues, -1, dtype=np.int64),
        np.full((queues, int(code.tables.queue_lanes.max(initial=1))), -np.inf),
        np.full(queues, -np.inf),
        code.tables.queue_from[:-1].copy(),
        np.zeros(queues, np.int64),
        np.zeros(queues, np.int64),
        np.full((queues, code.classes), -1, dtype=np.int64),
        np.full((queues, code.classes), -1, dtype=np.int64),
        np.zeros(len(code.tables.group_line) + 1, np.int64),
        np.zeros(lines, np.int64),
        np.full(lines, grid_points(code.window.from_h), dtype=np.int64),
        *scratch[:4],
        np.empty(len(long[0]), np.int64),
        *remembered,
        *kernel_tables.scratch(kernels),
        np.empty_like(remembered[0]),
        scratch[4],
        np.zeros(3),
        *_handed(code, len(long[0]), before),
    )


def _handed(code: Coded, size: int, before: PassState | None) -> tuple[FloatArray, FloatArray]:
    """Room for those handed over, in as many columns as an itinerary has marked steps; nobody is yet."""
    columns = int(code.tables.mark.max(initial=-1)) + 1
    if before is None or before.handed_h.shape != (columns, size):
        return np.full((columns, size), np.nan), np.empty((columns, size, code.slots))
    before.handed_h[:] = np.nan
    return before.handed_h, before.handed_begun


def _scratch(size: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    return np.empty(size), np.empty(size), np.empty(size), np.empty(size), np.empty((2, size))


def _zeros(code: Coded, collector: Collector) -> Sums:
    def like(array: NDArray[Any]) -> NDArray[Any]:
        """One replication of the array of a reducer, shape (place, replication, ...)."""
        return np.zeros((array.shape[0], *array.shape[2:]), dtype=array.dtype)

    days, hours, stays = collector.shared(SpanDays), collector.shared(SpanHours), collector.shared(StayTimes)
    steps, spans = len(code.step_cell), len(code.span_cell)
    return Sums(
        np.zeros((steps, 4)),
        np.zeros((steps, 12)),
        np.zeros((spans, 2)),
        np.zeros((spans, 7)),
        like(collector.shared(QueueMarks).net),
        like(collector.shared(StationDays).joined_by_day),
        like(collector.shared(WaitTimes).counts.counts),
        like(days.begun_by_day),
        like(days.ended_by_day),
        like(hours.begun),
        like(hours.stay_h),
        like(stays.counts.counts),
        like(stays.counts.near),
        np.zeros(steps, np.int64),
        np.zeros(len(code.tables.queue_kind), np.int64),
        np.zeros((code.astride, 5)),
        np.zeros(1, np.int64),
    )


class _Held:
    """Sums of replications one after the other, until they are added to their rows of the reducers together."""

    def __init__(self, code: Coded, collector: Collector) -> None:
        self.code, self.collector = code, collector
        self.row, self.sums, self.nbytes = 0, list[Sums](), 0

    def put(self, row: int, sums: Sums) -> None:
        """Hold the sums of a replication, whose row is the next one."""
        if not self.sums:
            self.row = row
        self.sums.append(sums)
        self.nbytes += sum(array.nbytes for array in sums)
        if self.nbytes >= HELD_BYTES:
            self.hand_over()

    def hand_over(self) -> None:
        """Add what is held to the reducers."""
        if self.sums:
            _hand_over(self.code, self.collector, self.row, self.sums)
            self.sums, self.nbytes = [], 0


def _hand_over(code: Coded, collector: Collector, first: int, found: Sequence[Sums]) -> None:
    """Add the sums of replications to their rows of the reducers, from a first row on."""
    rows, many = slice(first, first + len(found)), np.arange(len(found))[:, None]

    def add(into: FloatArray, where: Ints, values: FloatArray) -> None:
        """Add values of shape (replication, place) to the cells of their places."""
        cells = len(into)
        total = np.bincount((where + cells * many).ravel(), values.ravel(), minlength=cells * len(found))
        into[:, rows] += total.reshape(len(found), cells).T

    def stacked(name: str) -> FloatArray:
        return np.stack([getattr(sums, name) for sums in found])

    visits, inner, edge, cell = collector.shared(VisitSums), stacked("inner"), stacked("at_edge"), code.step_cell
    number, wait, hold, interrupted = np.moveaxis(inner, -1, 0)
    for k, total in enumerate((visits.joined, visits.started, visits.left, visits.began)):
        add(total, cell, number + edge[..., k])
    add(visits.wait_h, cell, wait + edge[..., 4])
    add(visits.hold_h, cell, hold + edge[..., 5])
    add(visits.wait_in_window_h, cell, wait + edge[..., 6])
    add(visits.hold_in_window_h, cell, hold + edge[..., 7])
    add(visits.unserved, cell, edge[..., 8])
    add(visits.unserved_wait_h, cell, edge[..., 9])
    add(visits.interrupted_h, cell, interrupted + edge[..., 10])
    add(visits.interrupted_in_window_h, cell, interrupted + edge[..., 11])
    for row, sums in enumerate(found, first):
        for step, start, finish, service, in_window in sums.astride[: sums.found[0]].tolist():
            worked = visits.worked_astride(int(code.step_element[int(step)]), row, start, finish, service)
            stopped = max(in_window - worked, 0.0)
            visits.hold_in_window_h[cell[int(step)], row] += in_window - stopped
            visits.interrupted_in_window_h[cell[int(step)], row] += stopped

    waits = collector.shared(WaitTimes)
    queued = np.flatnonzero(code.tables.queue >= 0)
    place = code.tables.queue_row[code.tables.queue[queued]]
    add(waits.started, place, (number + edge[..., 1])[:, queued])

    # Visits of delays that are a leg of their own are passages of it.
    passed, legs = stacked("passed"), np.flatnonzero(code.tables.leg_of >= 0)
    passed[:, code.tables.leg_of[legs]] += inner[:, legs][..., [0, 2]]
    spans, edge, cell = collector.shared(SpanSums), stacked("passed_edge"), code.span_cell
    number, stay = np.moveaxis(passed, -1, 0)
    for total, column in ((spans.created, 0), (spans.begun, 1), (spans.done, 2), (spans.ended, 4)):
        add(total, cell, number + edge[..., column])
    add(spans.stay_h, cell, stay + edge[..., 3])
    add(spans.inside, cell, edge[..., 5])
    add(spans.inside_h, cell, edge[..., 6])
    journeys = np.flatnonzero(code.span_variant >= 0)
    add(spans.variant_done, code.span_variant[journeys], (number + edge[..., 2])[:, journeys])

    days, hours, stays = collector.shared(SpanDays), collector.shared(SpanHours), collector.shared(StayTimes)
    for array, name in (
        (collector.shared(QueueMarks).net, "net"),
        (collector.shared(StationDays).joined_by_day, "days"),
        (waits.counts.counts, "waits"),
        (days.begun_by_day, "begun_days"),
        (days.ended_by_day, "ended_days"),
        (hours.begun, "hours"),
        (hours.stay_h, "hours_h"),
        (stays.counts.counts, "stays"),
        (stays.counts.near, "near"),
    ):
        array[:, rows] += np.stack([getattr(sums, name) for sums in found], axis=1)


def _hand_over_extra_lanes(code: Coded, collector: Collector, row: int, in_time: Full | None) -> None:
    """Lane-hours and openings of the lanes that queues opened, until the end of the window."""
    if in_time is None or not len(in_time.extra_h):
        return
    hours = collector.shared(ExtraLaneHours)
    for q, x in enumerate(in_time.number.tolist()):
        if x >= 0 and in_time.extra_from[x] < in_time.extra_from[x + 1]:
            since = max(float(in_time.extra_since_h[x]), code.window.from_h)
            last_h = int(in_time.extra_open[x]) * max(code.window.until_h - since, 0.0)
            open_h, opened = float(in_time.extra_open_h[x]) + last_h, int(in_time.extra_opened[x])
            hours.put(int(code.queue_element[q]), row, open_h, opened)


def _hand_over_levels(code: Coded, collector: Collector, row: int, spent: Sequence[Ints], state: PassState) -> None:
    levels = collector.shared(QueueLevels)
    for k, line in enumerate(code.lines):
        levels.put(row, line, spent[k], int(state.level[k]), int(state.since[k]))
