"""Visits on their way into the records: objects while they last, arrays afterwards.

A visit that is over takes 72 bytes in the arrays and several times that as an
object, so long runs pack as they go.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.units import FloatArray
from corridor_sim.engines.event.itinerary import Visit
from corridor_sim.records.visits import ElementVisits, IntArray

PACK_FROM = 10_000
"""Fewest visits worth packing."""


class Ledger:
    """All visits to one element in one replication, in the order in which they began."""

    __slots__ = ("_packed", "_worth", "open")

    def __init__(self) -> None:
        self.open: list[Visit] = []
        """Visits not packed yet; elements append to it."""
        self._packed: list[tuple[IntArray, FloatArray]] = []
        self._worth = PACK_FROM

    def tidy(self) -> None:
        """Pack the visits that are over, if there may be enough of them.

        The list is looked through again only when it has doubled, so that a long
        queue costs no more than a short one.
        """
        if len(self.open) < self._worth:
            return
        over = [visit for visit in self.open if visit.leave_h == visit.leave_h]
        # In place: elements hold on to the list.
        self.open[:] = [visit for visit in self.open if visit.leave_h != visit.leave_h]
        self._pack(over)
        self._worth = max(PACK_FROM, 2 * len(self.open))

    def _pack(self, visits: list[Visit]) -> None:
        whole = np.empty((4, len(visits)), dtype=np.int64)
        times = np.empty((5, len(visits)))
        whole[0] = [visit.consignment.flow.index for visit in visits]
        whole[1] = [visit.consignment.index for visit in visits]
        whole[2] = [visit.step for visit in visits]
        whole[3] = [visit.consignment.number for visit in visits]
        times[0] = [visit.join_h for visit in visits]
        times[1] = [visit.start_h for visit in visits]
        times[2] = [visit.finish_h for visit in visits]
        times[3] = [visit.leave_h for visit in visits]
        times[4] = [visit.service_h for visit in visits]
        self._packed.append((whole, times))

    def close(self) -> ElementVisits:
        """The records of the element, in order of joining time, then number."""
        self._pack(self.open)
        self.open = []
        whole: NDArray[np.int64] = np.concatenate([part[0] for part in self._packed], axis=1)
        times: FloatArray = np.concatenate([part[1] for part in self._packed], axis=1)
        order = np.lexsort((whole[2], whole[3], times[0]))
        flow, index, step, _ = whole[:, order]
        join_h, start_h, finish_h, leave_h, service_h = times[:, order]
        return ElementVisits(
            flow[None], index[None], step[None], join_h[None], start_h[None], finish_h[None], leave_h[None],
            service_h[None],
        )  # fmt: skip
