"""What the drivers of a block have driven, and how long they rest (rule S36), all at once."""

from __future__ import annotations

import numpy as np

from corridor_sim.core.units import FloatArray
from corridor_sim.engines.queues.layout import IntArray
from corridor_sim.plan.plan import FlowPlan
from corridor_sim.plan.steps import KINDS_OF_REST, RestPlan, Step


class Drivers:
    """The drivers of the consignments at the cells of a block.

    Attributes
    ----------
    driven_h
        Time at the wheel since each kind of rest, (cell, kind). [h]
    stands_h, enters_h
        Since when each one stands, and when he entered the leg that he is on. [h]
    """

    def __init__(self, driven_h: FloatArray, stands_h: FloatArray, enters_h: FloatArray) -> None:
        self.driven_h, self.stands_h, self.enters_h = driven_h, stands_h, enters_h

    @classmethod
    def of(cls, plan: FlowPlan, size: int) -> Drivers | None:
        """Drivers who set out rested; None where nobody of a flow has hours."""
        if not any(step.rest is not None for variant in plan.variants for step in variant.steps):
            return None
        return cls(np.zeros((size, KINDS_OF_REST)), np.full(size, -np.inf), np.zeros(size))

    def at(self, cells: IntArray) -> Drivers:
        """Those at some cells alone."""
        return Drivers(self.driven_h[cells], self.stands_h[cells], self.enters_h[cells])

    def come_to(self, steps: tuple[Step, ...], k: int, cells: IntArray, time_h: FloatArray) -> FloatArray | None:
        """Note that some come to a step; how long they rest there, None if it is no place of rest. [h]"""
        own = steps[k].rest
        if own is not None:
            return self._rest_h(own, cells, time_h)
        behind = steps[k + 1].rest if k + 1 < len(steps) else None
        if behind is not None:
            self.enters_h[cells] = time_h
        ahead = steps[k + 2].rest if k + 2 < len(steps) else None
        if ahead is not None and ahead.after > 1 and not ahead.waiting_is_rest:
            self.stands_h[cells] = time_h
        return None

    def _rest_h(self, plan: RestPlan, cells: IntArray, time_h: FloatArray) -> FloatArray:
        """As `plan.drivers_hours.rested`, of all of them."""
        most_h, length_h, kinds = np.array(plan.drive_h), np.array(plan.rest_h), np.arange(KINDS_OF_REST)
        enters_h, driven_h = self.enters_h[cells], self.driven_h[cells]
        stood_h = np.zeros(len(cells))
        if plan.waiting_is_rest or plan.after > 1:
            stood_h = enters_h - self.stands_h[cells]
        driven_h[kinds <= _longest(stood_h[:, None] >= length_h)[:, None]] = 0.0
        left_h, rest_h, on_way = time_h - enters_h, np.zeros(len(cells)), np.arange(len(cells))
        while len(on_way):
            free_h = np.maximum((most_h - driven_h[on_way]).min(axis=1), 0.0)
            now_h = np.minimum(left_h[on_way], free_h)
            driven_h[on_way] += now_h[:, None]
            left_h[on_way] -= now_h
            on_way = on_way[left_h[on_way] > 0]
            due = _longest(driven_h[on_way] >= most_h)
            rest_h[on_way] += length_h[due]
            driven_h[on_way] = np.where(kinds <= due[:, None], 0.0, driven_h[on_way])
        self.driven_h[cells], self.stands_h[cells] = driven_h, time_h + rest_h
        return rest_h


def _longest(which: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> IntArray:
    """The last kind that is true in each row, -1 where none is."""
    last = KINDS_OF_REST - 1 - np.argmax(which[:, ::-1], axis=1)
    return np.where(which.any(axis=1), last, -1)
