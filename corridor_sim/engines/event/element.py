"""What all elements share: taking consignments in, and handing them on."""

from __future__ import annotations

from collections.abc import Callable, MutableSequence, Sequence
from typing import TypeVar, cast

from simpy import Event

from corridor_sim.engines.event.clock import EventClock
from corridor_sim.engines.event.itinerary import Consignment, StepNow, Visit, by_turn
from corridor_sim.engines.event.ledger import Ledger

V = TypeVar("V", bound=Visit)


class Element:
    """An element of the plan in one replication.

    `limited` elements have a finite yard: they do not take all who come,
    and what comes from another element waits there until there is room.
    """

    limited: bool = False

    def __init__(self, clock: EventClock, index: int, id: str) -> None:
        self.clock, self.index, self.id = clock, index, id
        self.touched = False
        self.ledger = Ledger()
        self.visits = self.ledger.open
        self.on_end: list[Callable[[Event], None]] = [self._on_end]

    def arrive(self, consignment: Consignment, step: StepNow, now: float) -> None:
        """Let `consignment` join at `now`."""
        raise NotImplementedError

    def present(self, consignment: Consignment, step: StepNow, origin: Element, visit: Visit) -> None:
        """Let `consignment`, still at `origin`, ask for room (limited elements only)."""
        raise NotImplementedError

    def announced_h(self, consignment: Consignment, step: StepNow, now: float, after_h: float) -> float:
        """Wait announced at `now` to `consignment`, which would join `after_h` later (full stations only). [h]"""
        raise NotImplementedError

    @property
    def waiting_now(self) -> int:
        """How many wait here as it has settled last (stations and daily acceptance)."""
        raise NotImplementedError

    def durations_change(self, changes_h: Sequence[float]) -> None:
        """The durations of a step here change at these instants; matters where they decide whether one may start."""

    def settle(self, now: float) -> None:
        """Make every move and start that is due at `now`."""
        raise NotImplementedError

    def end(self, visit: Visit, now: float) -> None:
        """The stay is over: move on, or wait here until there is room."""
        visit.finish_h = now
        forward(visit.consignment, now, self, visit)

    def let_go(self, visit: Visit, now: float) -> None:
        """The consignment leaves the element."""
        visit.leave_h = now

    def _on_end(self, event: Event) -> None:
        self.end(cast(Visit, event), self.clock.now)


def forward(consignment: Consignment, now: float, origin: Element | None = None, visit: Visit | None = None) -> None:
    """Bring a consignment that is done at `origin` (None: from outside) to its next step.

    All who come from outside are taken: the road before the first station is unlimited (rule S15).
    """
    step = consignment.next_step(now)
    if step is None:
        consignment.flow.depart_h[consignment.index] = now
    elif origin is not None and visit is not None and step.element.limited:
        step.element.present(consignment, step, origin, visit)
        return
    if origin is not None and visit is not None:
        origin.let_go(visit, now)
    if step is not None:
        step.element.arrive(consignment, step, now)


def line_up(queue: MutableSequence[V], arrived: list[V]) -> None:
    """Add the visits that joined at one instant to a queue kept in the order of rule S04."""
    if len(arrived) > 1 or (queue and queue[-1].join_h == arrived[0].join_h):
        while queue and queue[-1].join_h == arrived[0].join_h:
            arrived.append(queue.pop())
        arrived.sort(key=by_turn)
    queue.extend(arrived)
    arrived.clear()
