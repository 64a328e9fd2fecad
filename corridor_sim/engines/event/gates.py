"""Gates: a station takes nobody more while the queue at places further on is long (rule S31)."""

from __future__ import annotations

from collections.abc import Sequence

from corridor_sim.core.errors import SimulationError
from corridor_sim.engines.event.clock import DatedValue, EventClock
from corridor_sim.engines.event.element import Element
from corridor_sim.plan.elements import GatePlan


class QueueGateNow:
    """One gate in one replication: open as the run begins, asked whenever a queue at which it looks has settled."""

    __slots__ = ("_close_at", "_open_below", "_queues", "closed")

    def __init__(self, plan: GatePlan, queues: Sequence[Element], start_h: float) -> None:
        self._close_at, self._open_below = DatedValue(plan.close_at, start_h), DatedValue(plan.open_below, start_h)
        self._queues = queues
        self.closed = False

    def ask(self, now: float) -> bool:
        """Close or open by how many wait; whether it has changed."""
        waiting = sum(element.waiting_now for element in self._queues)
        before = self.closed
        if waiting >= self._close_at.at(now):
            self.closed = True
        elif waiting < self._open_below.at(now):
            self.closed = False
        return self.closed != before


def gates_of(
    station: Element, plans: Sequence[GatePlan], elements: Sequence[Element], clock: EventClock
) -> list[QueueGateNow]:
    """The gates of a station, which are asked whenever a queue has settled at which they look."""
    by_id = {element.id: element for element in elements}
    if absent := [id for plan in plans for id in plan.queues if id not in by_id]:
        raise SimulationError(f"{station.id}: there is no queue {absent[0]!r} in the plan for its gate")
    gates = [QueueGateNow(plan, [by_id[id] for id in plan.queues], clock.now) for plan in plans]
    for plan, gate in zip(plans, gates, strict=True):
        clock.touch_at(plan.instants_h, [station])
        for id in plan.queues:
            _ask_after_settling(by_id[id], gate, station, clock)
    return gates


def _ask_after_settling(element: Element, gate: QueueGateNow, station: Element, clock: EventClock) -> None:
    settle = element.settle

    def settle_and_ask(now: float) -> None:
        settle(now)
        if gate.ask(now):
            clock.touch(station)

    element.settle = settle_and_ask  # type: ignore[method-assign]
