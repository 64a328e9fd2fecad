"""Itineraries of a plan: which elements a consignment passes in turn, for how long, and when it leaves the way.

A step names its element by number; `elements.py` says what these are, `plan.py` puts both together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import Any

import numpy as np

from corridor_sim.core.step_functions import StepFunction


@dataclass(frozen=True, slots=True, kw_only=True)
class Relief:
    """A dated share of the consignments skips the step (factor 0) or has it shortened.

    A consignment is relieved iff its uniform `draws` < share(join time). Used for
    pre-arrival processing, AEO and the like.
    """

    share: StepFunction
    factor: float
    draws: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanBalk:
    """Leave for another itinerary when the announced wait is too long.

    On reaching the step, if the wait announced over the stages is above the threshold,
    the consignment goes on with step `at_step` of `variant`. How a wait is announced:
    `engines/event/announced.py`.

    Attributes
    ----------
    stages
        Steps of this itinerary, all stations, whose waits add up; () is the step itself.
    since
        Where several steps of one post carry a balk, because the first may be skipped: the
        first of them. Whoever was asked from there on is not asked again. None: the step itself.
    """

    threshold_h: float
    variant: int
    at_step: int
    stages: tuple[int, ...] = ()
    since: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PatiencePlan:
    """Leave the queue of the step when the wait in it is longer than one's patience (rule S34).

    Attributes
    ----------
    law, draws
        Law of the time that one waits at most, and the entity id of its stream; one draw a consignment of the flow.
    variant, at_step
        Who leaves goes on with step `at_step` of `variant`; the steps of that itinerary before it are those so far.
    """

    law: Any
    draws: str
    variant: int
    at_step: int


KINDS_OF_REST = 3
"""A break, a daily and a weekly rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestPlan:
    """How long the drivers of a leg rest, at the step behind it (rule S36).

    Attributes
    ----------
    drive_h, rest_h
        Of each kind of rest, at most three, from the shortest to the longest: hours at the wheel before it, and its
        length; infinite where there is none. [h]
    waiting_is_rest
        Whether all the time since the drive before is a rest where it is as long as one; else the wait for the leg.
    after
        Steps of the leg before this one: that of the leg itself, and that of a ban.
    """

    drive_h: tuple[float, ...]
    rest_h: tuple[float, ...]
    waiting_is_rest: bool = True
    after: int = 1

    def __post_init__(self) -> None:
        if not len(self.drive_h) == len(self.rest_h) <= KINDS_OF_REST:
            found = f"{len(self.drive_h)} and {len(self.rest_h)}"
            raise ValueError(f"drive_h and rest_h must be as long, at most {KINDS_OF_REST}, got {found}")
        for name in ("drive_h", "rest_h"):
            given = getattr(self, name)
            object.__setattr__(self, name, (*given, *[inf] * (KINDS_OF_REST - len(given))))


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class Step:
    """One element of an itinerary.

    Attributes
    ----------
    element : int
        Index into ``Plan.elements``.
    laws : tuple of (from_h, law)
        Laws of the duration (service, dwell, travel) by the date at which it starts;
        empty where the step has no duration of its own. All laws of one step use
        the same stream, so a change of law keeps the draws paired.
    draws : str
        Entity id of the stream of the duration; one draw a consignment of the flow.
    factor : StepFunction or None
        Multiplies the duration, read as it starts; the product is rounded to the grid.
    share, share_draws
        The step is taken iff uniform `share_draws` < share(join time); None = always.
        Steps that name the same `share_draws` use one uniform (risk channels).
        With a relief of factor 0 that reads the same uniform it is taken iff relief share <= uniform < share.
    reliefs, balk, patience
        See there.
    opposite
        Whether a leg that both directions use in turn is passed in the second of them.
    rest
        How long the drivers of the leg before it rest here; the step has no duration of its own then.
    """

    element: int
    laws: tuple[tuple[float, Any], ...] = ()
    draws: str = ""
    factor: StepFunction | None = None
    share: StepFunction | None = None
    share_draws: str = ""
    reliefs: tuple[Relief, ...] = ()
    balk: PlanBalk | None = None
    opposite: bool = False
    patience: PatiencePlan | None = None
    rest: RestPlan | None = None

    @property
    def may_be_skipped(self) -> bool:
        """Whether some consignments pass the step by."""
        return self.share is not None or any(relief.factor == 0 for relief in self.reliefs)

    @property
    def passed_by(self) -> Relief | None:
        """The relief of factor 0 that reads the uniform of the share: the step is one of a channel in the middle."""
        if self.share is None:
            return None
        return next((one for one in self.reliefs if one.factor == 0 and one.draws == self.share_draws), None)

    @property
    def needed_share(self) -> StepFunction | None:
        """Share of those who take the step as far as its one uniform says; None = all."""
        if self.share is None or (lower := self.passed_by) is None:
            return self.share
        edges = np.union1d(self.share.from_h, lower.share.from_h)
        return StepFunction(edges, np.maximum(self.share(edges) - lower.share(edges), 0.0))

    @property
    def independent_reliefs(self) -> tuple[Relief, ...]:
        """Reliefs with a uniform of their own."""
        lower = self.passed_by
        return tuple(one for one in self.reliefs if one is not lower)

    @property
    def skipped_shares(self) -> tuple[StepFunction, ...]:
        """Dated shares of those who pass the step by, each by a uniform of its own."""
        return tuple(one.share for one in self.independent_reliefs if one.factor == 0)

    @property
    def changes_h(self) -> tuple[float, ...]:
        """Instants from which on a duration may be another one (law, factor, reliefs), in order. [h]"""
        found = {from_h for from_h, _ in self.laws[1:]}
        dated = [self.factor, *(relief.share for relief in self.reliefs if relief.factor != 0)]
        for function in dated:
            if function is not None:
                found.update(function.from_h[1:].tolist())
        return tuple(sorted(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Steps `first`..`last` of an itinerary that belong together: a post, a crossing, a leg.

    `kind` is ``"post"``, ``"crossing"`` or ``"leg"``. Legs carry their length,
    mode, cost and emission factors (0 where not given).
    """

    kind: str
    id: str
    first: int
    last: int
    direction: str = ""
    mode: str = ""
    length_km: float = 0.0
    cost_usd_tkm: float = 0.0
    co2_g_tkm: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class Variant:
    """One itinerary of a flow, with its dated share among the flow's variants (read at release)."""

    id: str
    steps: tuple[Step, ...]
    share: StepFunction = field(default_factory=lambda: StepFunction.constant(1.0))
    spans: tuple[Span, ...] = ()
    handling_usd: float = 0.0
    """Paid for handling one consignment on this itinerary. [US$]"""
    lost: bool = False
    """Whether those on it have left a queue for good: their journey ends there and is no delivery (rule S34)."""

    @property
    def length_km(self) -> float:
        """Length of all legs. [km]"""
        return sum(span.length_km for span in self.spans if span.kind == "leg")
