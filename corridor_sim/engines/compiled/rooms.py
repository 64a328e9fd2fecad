"""What the pass works on in one replication, made once and set back for the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from corridor_sim.engines.compiled import codes, kernel_tables
from corridor_sim.engines.compiled.kernel_tables import KernelTables
from corridor_sim.engines.compiled.one_piece import in_one_piece
from corridor_sim.engines.compiled.state import PassState, Sums
from corridor_sim.engines.compiled.tables import Coded
from corridor_sim.indicators.base import Collector
from corridor_sim.indicators.queue_marks import QueueMarks
from corridor_sim.indicators.shared_sums import SpanDays, SpanHours, StationDays, StayTimes, WaitTimes
from corridor_sim.plan.steps import KINDS_OF_REST


class LongArrays:
    """The arrays as long as a replication has consignments; several plans that take turns may share them."""

    def __init__(self) -> None:
        self._size = self._slots = self._noted = 0
        self._arrays: dict[str, Any] = {}

    def of(self, consignments: int, slots: int, noted: int) -> dict[str, Any]:
        """Arrays by name, for at least so many consignments with so many spans under way and noted; the same as
        before where they do."""
        size = max(consignments, 1)
        if size > self._size or slots != self._slots or noted > self._noted:
            size = self._size = max(self._size, size + size // 16)
            self._slots, self._noted = slots, max(noted, self._noted)
            each, many = (size,), size * self._noted
            shapes: dict[str, tuple[tuple[int, ...], Any]] = {
                "step_of": (each, np.int32),
                "join_h": (each, np.float64),
                "behind": (each, np.int32),
                "begun": ((size, slots), np.float64),
                "who": (each, np.int32),
                "when_h": (each, np.float64),
                "line": (each, np.int64),
                "other": (each, np.int64),
                "span": ((many,), np.int32),
                "span_begin_h": ((many,), np.float64),
                "span_end_h": ((many,), np.float64),
                "bucket": ((codes.MOST_BUCKETS + 2,), np.int64),
                "hold_h": (each, np.float64),
                "arrival_h": (each, np.float64),
                "service_h": (each, np.float64),
                "start_h": (each, np.float64),
                "finish_h": (each, np.float64),
                "behind_of": (each, np.int64),
                "again_h": ((2, size), np.float64),
                "boarded_h": (each, np.float64),
                "landed_h": (each, np.float64),
                "landed_from": (each, np.int32),
            }
            # What is never written takes no memory: of most arrays that is what lies behind the visits of a window.
            self._arrays = dict(zip(shapes, in_one_piece(list(shapes.values()), mostly_unused=True), strict=True))
        return self._arrays


class Room:
    """The state of a replication; that of the one before is gone when the next asks for it."""

    def __init__(self, code: Coded, long: LongArrays | None = None) -> None:
        self.code = code
        self._long = long or LongArrays()
        self._arrays: dict[str, Any] | None = None
        self._state: PassState | None = None
        self._by_kernel = any(one.kept or one.scratch for one in code.kernels) or bool(code.drawn)

    @property
    def is_alike(self) -> bool:
        """Whether nothing has to be made anew for each replication; the pass itself sets back what is here."""
        return not self._by_kernel

    def at_hour_0(self, kernels: Sequence[KernelTables], consignments: int) -> PassState:
        """The state, with room for so many consignments; kernels remember nothing yet."""
        arrays = self._long.of(consignments, self.code.slots, self.code.noted)
        if self._state is None or arrays is not self._arrays:
            self._arrays, self._state = arrays, self._made(arrays)
        if self._by_kernel:
            self._state = self._state._replace(**self._remembered(kernels, consignments))
        return self._state

    def _made(self, arrays: dict[str, Any]) -> PassState:
        """The state with these long arrays."""
        code = self.code
        queues, lines, marks = len(code.tables.queue_kind), len(code.lines), int(code.tables.mark.max(initial=-1)) + 1
        size = len(arrays["who"]) if marks else 0
        drivers = len(arrays["who"]) if len(code.tables.rests) else 0
        return PassState(
            **arrays,
            driven_h=np.empty((drivers, KINDS_OF_REST)),
            stands_h=np.empty(drivers),
            inbox=np.empty(queues, np.int64),
            busy=np.empty((queues, int(code.tables.queue_lanes.max(initial=1)))),
            now_h=np.empty(queues),
            piece=np.empty(queues, np.int64),
            taken=np.empty(queues, np.int64),
            waiting=np.empty(queues, np.int64),
            head=np.empty((queues, code.classes), np.int64),
            tail=np.empty((queues, code.classes), np.int64),
            spots=np.zeros(len(code.tables.group_line) + 1, np.int64),
            level=np.empty(lines, np.int64),
            since=np.empty(lines, np.int64),
            wrong=np.empty(3),
            handed_h=np.empty((marks, size)),
            handed_begun=np.empty((marks, size, code.slots)),
            **self._remembered(code.kernels, 0),
        )

    def _remembered(self, kernels: Sequence[KernelTables], consignments: int) -> dict[str, Any]:
        """What the kernels remember, and what they work with."""
        kept, kept_at = kernel_tables.kept(kernels, consignments)
        scratch, scratch_at = kernel_tables.scratch(kernels)
        return {
            "kept": kept,
            "kept_at": kept_at,
            "scratch": scratch,
            "scratch_at": scratch_at,
            "kept_before": np.empty_like(kept),
        }


def shapes_of_sums(code: Coded, collector: Collector) -> list[tuple[tuple[int, ...], Any]]:
    """Shape and type of each array of `Sums`, of one replication."""
    days, hours, stays = collector.shared(SpanDays), collector.shared(SpanHours), collector.shared(StayTimes)
    steps, spans = len(code.step_cell), len(code.span_cell)
    own = {
        "inner": (steps, 4),
        "at_edge": (steps, 12),
        "passed": (spans, 2),
        "passed_edge": (spans, 7),
        "late": (steps,),
        "served": (len(code.tables.queue_kind),),
        "astride": (code.astride, 5),
        "found": (1,),
    }
    shared: dict[str, Any] = {
        "net": collector.shared(QueueMarks).net,
        "days": collector.shared(StationDays).joined_by_day,
        "waits": collector.shared(WaitTimes).counts.counts,
        "begun_days": days.begun_by_day,
        "ended_days": days.ended_by_day,
        "hours": hours.begun,
        "hours_h": hours.stay_h,
        "near": stays.counts.near,
    }
    whole = ("late", "served", "found")
    made: dict[str, tuple[tuple[int, ...], Any]] = {
        name: (shape, np.dtype(np.int64 if name in whole else np.float64)) for name, shape in own.items()
    }
    for name, array in shared.items():
        # One replication of the array of a reducer, shape (place, replication, ...).
        made[name] = (array.shape[0], *array.shape[2:]), array.dtype
    made["stays"] = (stays.counts.shape[0], stays.counts.shape[2]), stays.counts.counts.dtype
    return [made[name] for name in Sums._fields]
