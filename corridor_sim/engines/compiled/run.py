"""Replications of a plan by the compiled pass, their sums handed to the reducers of a collector.

One replication is worked through after the other, so memory does not grow with their number; the
arrays are as long as one replication has consignments.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from corridor_sim.core.errors import SimulationError
from corridor_sim.engines.batch.streaming import DrawSource
from corridor_sim.engines.compiled import codes
from corridor_sim.engines.compiled.coupled import Together
from corridor_sim.engines.compiled.differing import Base, Differing, Other, as_far_as_any
from corridor_sim.engines.compiled.draw_columns import DrawColumns, drawn_tables
from corridor_sim.engines.compiled.handing_over import HeldSums, hand_over_extra_lanes, hand_over_leavers
from corridor_sim.engines.compiled.rooms import LongArrays, Room, empty_sums
from corridor_sim.engines.compiled.state import Draws, PassState
from corridor_sim.engines.compiled.tables import Coded, coded
from corridor_sim.indicators.base import Collector
from corridor_sim.plan.plan import Plan
from corridor_sim.records.inputs import FlowInputs, SampledInputs

WINDOW_H = 168.0
"""Hours worked through at once: those of one queue in a window should fit into the cache, and be so many that what a
part is handed for each queue and window, all tables, costs little beside them. [h]"""
DRAWN_TOGETHER = 250_000
"""Releases drawn at once, over several replications; their arrays are held as long as these are worked through."""


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
    room, long = Room(code), LongArrays()
    by_kernel, is_split = code.by_kernel, base.is_split
    rooms_of = [Room(other.code, long) for other in base.others]
    held = HeldSums(code, collector)
    held_of = [HeldSums(other.code, other.collector) for other in base.others]
    for begin in range(0, len(replications), at_once):
        block = replications[begin : begin + at_once]
        inputs = sampler.stream(block).next(math.inf)
        columns = DrawColumns(code, inputs.flows)
        of_others = [_inputs(other, block, inputs.flows) for other in base.others]
        coming = deque(columns.draws(k, inputs.flows) for k in range(len(block)))
        # What was drawn of flows is copied by now, and not held twice.
        inputs = replace(inputs, flows=())
        del columns
        for k in range(len(block)):
            draws = coming.popleft()
            tables, kernels = drawn_tables(code, plan, inputs, k)
            state = room.at_hour_0(kernels, len(draws.release_h))
            sums = empty_sums(code, collector, base.more_rows) if is_split else held.free()
            in_time = together.at_hour_0(len(draws.release_h), inputs, k)
            visits, spent = machine.replication(
                code.window,
                tables,
                draws,
                state,
                sums,
                by_kernel,
                *in_time,
            )
            row = begin + k
            _raise_if_wrong(code, plan, state)
            for e, drawn in inputs.outages.items():
                collector.note_outages(e, row, drawn[k])
            collector.visits[row] += visits
            hand_over_extra_lanes(code, collector, row, in_time[1])
            hand_over_leavers(code, collector, row, in_time[1])
            levels = as_far_as_any(spent[: len(code.lines)]) if base.others else []
            for n, (other, (their_inputs, their_columns)) in enumerate(zip(base.others, of_others, strict=True)):
                their_draws = their_columns.draws(k, their_inputs.flows)
                tables, kernels = drawn_tables(other.code, other.plan, their_inputs, k)
                their_state = rooms_of[n].at_hour_0(kernels, len(their_draws.release_h))
                their_draws = other.taken_up(draws, state, their_draws, their_state)
                theirs, again, their_spent = held_of[n].free(), 0, None
                in_time = other.coupled.at_hour_0(len(their_draws.release_h), their_inputs, k)
                if len(their_draws.come_h):
                    again, their_spent = machine.replication(
                        other.code.window,
                        tables,
                        their_draws,
                        their_state,
                        theirs,
                        other.code.by_kernel,
                        *in_time,
                    )
                    _raise_if_wrong(other.code, other.plan, their_state)
                other.note_outages(row, their_inputs, k)
                other.again[row] = again
                other.collector.visits[row] += again + other.add_shared(sums, theirs)
                held_of[n].put(row, theirs, None, their_state)
                hand_over_extra_lanes(other.code, other.collector, row, in_time[1])
                hand_over_leavers(other.code, other.collector, row, in_time[1])
                other.hand_over_levels(row, levels, state, their_spent, their_state)
            # Last, since the others read these sums and they may be set back now.
            held.put(row, base.joined(sums) if is_split else sums, spent, state)
    for one in (held, *held_of):
        one.hand_over()


def _inputs(other: Differing, block: Sequence[int], flows: Sequence[FlowInputs]) -> tuple[SampledInputs, DrawColumns]:
    """The draws of another plan, for those who are released in the base."""
    inputs = other.sampler.stream(block, released=other.released(flows)).next(math.inf)
    return inputs, DrawColumns(other.code, inputs.flows)


def prepare(plan: Plan) -> None:
    """Have the machine code compiled and kept, or found, by a run of a plan in which nothing happens."""
    from corridor_sim.engines.compiled import machine

    collector = Collector(plan, [0])
    code = coded(plan, collector, WINDOW_H)
    nobody, keys = np.zeros(0), np.zeros(len(code.columns), np.uint64)
    base, given_at = np.zeros(len(plan.flows) + 1, np.int64), np.full(len(code.columns), -1, dtype=np.int64)
    draws = Draws(base, nobody, np.zeros(0, np.int32), keys, keys, given_at, nobody, nobody)
    state, sums = Room(code).at_hour_0(code.kernels, 0), empty_sums(code, collector, {})
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
    if what == codes.NO_TIME:
        raise SimulationError(
            f"{id}: a service that starts at {value:g} h takes no time, and the station lies on a cycle of stations; "
            "the order within one instant would not be defined"
        )
    raise SimulationError(f"{id}: more than {value:g} services were under way at an end of the counted window")
