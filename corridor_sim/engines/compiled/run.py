"""Replications of a plan by the compiled pass, their sums handed to the reducers of a collector.

One replication is worked through after the other, so memory does not grow with their number; the
arrays are as long as one replication has consignments.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from corridor_sim.core import freed_memory
from corridor_sim.core.errors import SimulationError
from corridor_sim.engines.batch.streaming import DrawSource
from corridor_sim.engines.compiled import codes
from corridor_sim.engines.compiled.coupled import Coupled, Together
from corridor_sim.engines.compiled.differing import Base, Differing, Other
from corridor_sim.engines.compiled.draw_columns import drawn_block, drawn_tables
from corridor_sim.engines.compiled.full_tables import Full
from corridor_sim.engines.compiled.handing_over import (
    HeldSums,
    Levels,
    hand_over_blocked,
    hand_over_extra_lanes,
    hand_over_leavers,
    listed,
)
from corridor_sim.engines.compiled.kept_tables import coded_once
from corridor_sim.engines.compiled.lines import YardLines, YardLinesOfPlan
from corridor_sim.engines.compiled.listing import Ints
from corridor_sim.engines.compiled.rooms import LongArrays, Room
from corridor_sim.engines.compiled.state import BlockDraws, Draws, PassState, Sums
from corridor_sim.engines.compiled.tables import Coded, Tables
from corridor_sim.indicators.base import Collector
from corridor_sim.indicators.many_distributions import Occurring
from corridor_sim.indicators.places import Options
from corridor_sim.plan.plan import Plan
from corridor_sim.records.inputs import FlowInputs

WINDOW_H = 168.0
"""Hours worked through at once: those of one queue in a window should fit into the cache, and be so many that what a
part is handed for each queue and window, all tables, costs little beside them. [h]"""
DRAWN_TOGETHER = 250_000
"""Releases drawn at once, over several replications; their arrays are held as long as these are worked through."""

InTime = tuple[Coupled | None, Full | None, YardLines | None]
"""Queues that are worked through in time order, in one replication."""


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
    if not window_h > 0:
        raise ValueError(f"window_h must be > 0, got {window_h}")
    freed_memory.serves_again()
    # Loaded before anything is drawn: who has numba draws with it from the first block on.
    from corridor_sim.engines.compiled import machine  # noqa: F401

    base = Base(plan, coded_once(plan, collector, window_h), collector, others, window_h)
    code, together, lines = base.code, Together(plan, base.code), YardLinesOfPlan(plan, base.code)
    at_once = max(1, min(len(replications), int(DRAWN_TOGETHER / max(sum(sampler.expected), 1.0))))
    room, long, held = Room(code), LongArrays(), HeldSums(code, collector, base.more_rows)
    of_others = [_OfOther(other, Room(other.code, long)) for other in base.others]
    # Where replications have tables or sums of their own, they are handed to the machine one by one.
    one_by_one = bool(others or code.drawn or code.timetables or together.tables or lines.tables or not room.is_alike)
    for begin in range(0, len(replications), at_once):
        block = replications[begin : begin + at_once]
        inputs = sampler.stream(block).next(math.inf)
        draws = drawn_block(code, inputs.flows, len(block))
        for one in of_others:
            one.draw(block, inputs.flows)
        # What was drawn of flows is copied by now, and not held twice.
        inputs = replace(inputs, flows=())
        for e, drawn in inputs.outages.items():
            for k in range(len(block)):
                collector.note_outages(e, begin + k, drawn[k])
        k = 0
        while k < len(block):
            upto = k + 1 if one_by_one else min(k + held.left, len(block))
            most = int(np.diff(draws.at[k : upto + 1]).max())
            tables, kernels = drawn_tables(code, plan, inputs, k)
            state = room.at_hour_0(kernels, most)
            in_time = *together.at_hour_0(most, inputs, k), lines.at_hour_0(most)
            row = begin + k
            done, visits, levels, stays = _worked(
                code, tables, draws, k, upto, state, held.sums, held.number, in_time, (row, len(replications))
            )
            _raise_if_wrong(code, plan, state)
            collector.visits[row : row + done] += visits
            hand_over_extra_lanes(code, collector, row, in_time[1])
            hand_over_leavers(code, collector, row, in_time[1])
            hand_over_blocked(code, collector, row, in_time[2])
            for one in of_others:
                assert stays is not None
                one.reduce(row, k, draws.alone(k), state, held.free(), stays)
            # Last, since the others read these sums and they may be set back now.
            held.put(row, done, levels, stays)
            k += done
        # Those of the next block may have their place.
        del draws, inputs
    held.hand_over()
    for one in of_others:
        one.held.hand_over()
        one.other.take_places(collector)


def _worked(
    code: Coded,
    tables: Tables,
    draws: BlockDraws,
    k: int,
    upto: int,
    state: PassState,
    sums: Sums,
    place: int,
    in_time: InTime,
    rows: tuple[int, int] | None = None,
) -> tuple[int, Ints, list[Levels], Occurring | None]:
    """Have the machine work through some replications; how many it did, and of each its visits and levels.

    With `rows`, the row of the first and how many there are, it lists the times of passages too.
    """
    from corridor_sim.engines.compiled import machine

    done, visits, wide, level, since, kept, *stays = machine.replications(
        code.window, tables, draws, k, upto, state, sums, place, code.by_kernel, *in_time, rows is not None
    )
    ends, lines = np.cumsum(wide[:done] * len(code.lines)).tolist(), len(code.lines)
    begins = [0, *ends[:-1]]
    # Copied, since what is held should not hold the room that was left.
    levels = [
        (kept[first:end].reshape(lines, -1).copy() if lines else kept[:0].reshape(0, 1), level[n], since[n])
        for n, (first, end) in enumerate(zip(begins, ends, strict=True))
    ]
    found = None if rows is None else listed(rows[0], done, sums.stays.shape[1], rows[1], *stays)
    return done, visits[:done], levels, found


class _OfOther:
    """Another plan that is run on the same root, from where it differs."""

    def __init__(self, other: Differing, room: Room) -> None:
        self.other, self.room = other, room
        self.held = HeldSums(other.code, other.collector, queues=other.own_queues(), lines=other.own_lines())

    def draw(self, block: Sequence[int], flows: Sequence[FlowInputs]) -> None:
        """The draws of a block, for those who are released in the base."""
        inputs = self.other.sampler.stream(block, released=self.other.released(flows)).next(math.inf)
        self.draws = drawn_block(self.other.code, inputs.flows, len(block))
        self.inputs = replace(inputs, flows=())

    def reduce(
        self,
        row: int,
        k: int,
        base: Draws,
        base_state: PassState,
        base_sums: Sums,
        base_stays: Occurring,
    ) -> None:
        """Run the k-th replication of the block, once the base has been run."""
        other, held = self.other, self.held
        code, collector = other.code, other.collector
        tables, kernels = drawn_tables(code, other.plan, self.inputs, k)
        draws = self.draws.alone(k)
        state = self.room.at_hour_0(kernels, len(draws.release_h))
        draws = other.taken_up(base, base_state, draws, state)
        many = len(draws.release_h)
        in_time = *other.coupled.at_hour_0(many, self.inputs, k), other.lines_with_yards.at_hour_0(many)
        again, levels, stays = 0, other.nobody_waits(), None
        # Before the machine lists what occurs, own and shared.
        other.add_shared_stays(base_stays, held.sums.stays[0])
        if len(draws.come_h):
            rows = row, len(collector.scope.replications)
            _, visits, (levels,), stays = _worked(
                code, tables, BlockDraws.of(draws), 0, 1, state, held.sums, held.number, in_time, rows
            )
            _raise_if_wrong(code, other.plan, state)
            again = int(visits[0])
        other.note_outages(row, self.inputs, k)
        other.again[row] = again
        collector.visits[row] += again + other.add_shared(base_sums, held.free())
        held.put(row, 1, [levels], stays)
        hand_over_extra_lanes(code, collector, row, in_time[1])
        hand_over_leavers(code, collector, row, in_time[1])
        hand_over_blocked(code, collector, row, in_time[2])


def prepare(plan: Plan, options: Options | None = None) -> None:
    """Have the machine code compiled and kept, or found, by a run of a plan in which nothing happens.

    Its tables are kept for a run with these options.
    """
    collector = Collector(plan, [0], options=options)
    code = coded_once(plan, collector, WINDOW_H)
    nobody, keys = np.zeros(0), np.zeros(len(code.columns), np.uint64)
    base, given_at = np.zeros(len(plan.flows) + 1, np.int64), np.full(len(code.columns), -1, dtype=np.int64)
    draws = BlockDraws.of(Draws(base, nobody, np.zeros(0, np.int32), keys, keys, given_at, nobody, nobody))
    state, held = Room(code).at_hour_0(code.kernels, 0), HeldSums(code, collector)
    in_time = *Together(plan, code).at_hour_0(0, None, 0), YardLinesOfPlan(plan, code).at_hour_0(0)
    _worked(code, code.tables, draws, 0, 1, state, held.sums, 0, in_time)


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
