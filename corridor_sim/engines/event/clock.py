"""What happens next: SimPy's event set, the phases of one instant, and dated values.

All events of one instant are taken first, in the order of their phase (what
ends, the calendar, what arrives). They only move consignments and mark elements
as touched. Then every touched element settles, in topological order, until none
is left (rules S03, D14), and only then does time go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from math import inf
from typing import Final, Protocol

from simpy import Environment, Event
from simpy.events import EventPriority

from corridor_sim.core.step_functions import StepFunction

ENDINGS: Final = EventPriority(1)
"""Service completions, leg exits, landings."""
CALENDAR: Final = EventPriority(2)
"""Hours, dated capacity, outages, departures that fall due, day starts."""
ARRIVALS: Final = EventPriority(3)
"""Releases join their first element."""


class Settles(Protocol):
    """An element that can be touched and then settles once its turn comes."""

    index: int
    touched: bool

    def settle(self, now: float) -> None:
        """Make every move and start that is due at `now`."""


class Happening(Event):
    """A SimPy event without a process: callbacks, and nothing to wait for.

    `callbacks` may be shared between happenings, SimPy only reads them.
    """

    __slots__ = ("callbacks",)
    _ok = True
    _value = None

    def __init__(self, callbacks: list[Callable[[Event], None]]) -> None:
        self.callbacks = callbacks


class EventClock:
    """The event set of one replication and the list of touched elements.

    Attributes
    ----------
    now
        The instant being worked on. [h]
    env
        SimPy's environment; elements schedule their happenings in it.
    """

    __slots__ = ("_touched", "elements", "env", "horizon_h", "now")

    def __init__(self, start_h: float, horizon_h: float) -> None:
        self.env = Environment(start_h)
        self.now = start_h
        self.horizon_h = horizon_h
        self.elements: list[Settles] = []
        self._touched: list[int] = []

    def touch(self, element: Settles) -> None:
        """Mark `element` to settle at this instant."""
        if not element.touched:
            element.touched = True
            heappush(self._touched, element.index)

    def touch_at(self, instants_h: Iterable[float], elements: Sequence[Settles]) -> None:
        """Touch `elements` at each of the instants, in the calendar phase; past ones are left out."""
        ahead = sorted({at for at in instants_h if self.now <= at <= self.horizon_h}, reverse=True)
        if not ahead:
            return

        def ring(_: Event) -> None:
            for element in elements:
                self.touch(element)
            if ahead:
                self.env.schedule(Happening(callbacks), CALENDAR, ahead.pop() - self.now)

        callbacks: list[Callable[[Event], None]] = [ring]
        self.env.schedule(Happening(callbacks), CALENDAR, ahead.pop() - self.now)

    def run(self) -> None:
        """Take instant after instant until nothing is left or the horizon is passed."""
        step, peek, touched, elements = self.env.step, self.env.peek, self._touched, self.elements
        horizon_h = self.horizon_h
        at = peek()
        while at <= horizon_h:
            self.now = at
            step()
            then = peek()
            if then != at and touched:
                while touched:
                    element = elements[heappop(touched)]
                    element.touched = False
                    element.settle(at)
                then = peek()
            at = then


class DatedValue:
    """A step function read at instants that never go back, each reading O(1) on average."""

    __slots__ = ("_ahead", "next_change", "value")

    def __init__(self, function: StepFunction, start_h: float) -> None:
        self._ahead = list(zip(function.from_h.tolist(), function.value.tolist(), strict=True))[::-1]
        self.value: float = self._ahead.pop()[1]
        self.next_change: float = self._ahead[-1][0] if self._ahead else inf
        self.at(start_h)

    def at(self, now: float) -> float:
        """The value on [now, next_change)."""
        while now >= self.next_change:
            self.value = self._ahead.pop()[1]
            self.next_change = self._ahead[-1][0] if self._ahead else inf
        return self.value
