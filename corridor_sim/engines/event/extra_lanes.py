"""Lanes that the queue of a station opens and closes (rule S27), in one replication."""

from __future__ import annotations

from math import inf

from corridor_sim.engines.event.clock import DatedValue
from corridor_sim.plan.elements import ExtraLanesPlan


class QueueOpenedLanes:
    """How many are open, which one is being got ready, and what was opened and closed when.

    Attributes
    ----------
    open
        Extra lanes open now.
    ready_h
        When the one that is being got ready opens; infinity if there is none. [h]
    changes
        (instant, number open from then on) whenever the number changed.
    """

    __slots__ = ("_above", "_below", "_most", "_start_up_h", "changes", "open", "ready_h")

    def __init__(self, plan: ExtraLanesPlan, start_h: float) -> None:
        self._above, self._below = DatedValue(plan.above, start_h), DatedValue(plan.below, start_h)
        self._most, self._start_up_h = DatedValue(plan.most, start_h), DatedValue(plan.start_up_h, start_h)
        self.open = 0
        self.ready_h = inf
        self.changes: list[tuple[float, int]] = []

    def close_all(self, now: float) -> None:
        """The station closes: no lane stays open, none is got ready."""
        self.ready_h = inf
        self._have(0, now)

    def bring_to(self, now: float) -> bool:
        """What is ready opens, and what is beyond the limit closes; whether the number open has changed."""
        before, most = self.open, int(self._most.at(now))
        number = before
        if self.ready_h <= now:
            self.ready_h = inf
            number += 1
        if number >= most:
            # Nothing that would be beyond the limit is got ready.
            self.ready_h = inf
        self._have(min(number, most), now)
        return self.open != before

    def ask(self, waiting: int, in_service: int, lanes: int, now: float) -> bool:
        """Open or close by how many wait; whether the number open has changed.

        `lanes` are those that count for `in_service`, extra ones included.
        """
        if waiting > self._above.at(now):
            if self.ready_h == inf and self.open < self._most.at(now):
                self.ready_h = now + self._start_up_h.at(now)
                return self.bring_to(now)
            return False
        if waiting < self._below.at(now):
            self.ready_h = inf
            if self.open and in_service <= lanes:
                self._have(self.open - 1, now)
                return True
        return False

    def _have(self, number: int, now: float) -> None:
        if number != self.open:
            self.open = number
            self.changes.append((now, number))
