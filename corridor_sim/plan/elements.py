"""What holds or delays consignments in a plan: stations, delays, limited legs, departures and daily acceptances.

Each is as an engine sees it: changes by date are resolved into step functions of time, and what an element looks at
elsewhere (a staff pool, queues behind a gate) is named by id.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import FloatArray, to_grid

Closing = Literal["finish", "suspend", "restart", "no_overrun", "clear_queue"]
NO_LIMIT = 10**9
"""Stands for "no limit" where a number is needed before a limit begins or after it ends."""
OutagePolicy = Literal["resume", "restart", "finish", "requeue"]
Preemption = Literal["resume", "restart"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOutage:
    """Lane `lane` (from 1; None = the whole station) is down in [from_h, until_h)."""

    from_h: float
    until_h: float
    lane: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanBreakdown:
    """Outages to be drawn: calendar clock, a lane fails whether idle or busy (rule S26).

    `up` and `down` are laws of the time to failure and to repair. With
    `per_lane` each lane has its own draws, else the whole station fails.
    """

    up: Any
    down: Any
    per_lane: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """Lanes kept for some flows: `lanes` of the station's open lanes serve only `flows`.

    With `overflow` those flows may also use the other lanes when the reserved
    ones are taken; without it they use only the reserved ones. While `lanes` is 0
    nobody is bound: the flows are served as all others (rule D28).
    """

    flows: frozenset[int]
    lanes: StepFunction
    overflow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraLanesPlan:
    """Lanes besides those of the hours, opened and closed by how many wait (rule S27), each number by date.

    Attributes
    ----------
    above, below
        One more is opened when more than `above` wait, one is closed when fewer than `below` do.
    most
        Most extra lanes at once; 0 where there are none.
    start_up_h
        Time from the decision until the lane is open. [h]
    """

    above: StepFunction
    below: StepFunction
    most: StepFunction
    start_up_h: StepFunction

    @property
    def instants_h(self) -> set[float]:
        """Instants at which a number changes. [h]"""
        return {at for one in (self.above, self.below, self.most, self.start_up_h) for at in one.from_h.tolist()}


NEVER_REACHED = 2.0**53
"""A number of those who wait that stands for no limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePlan:
    """A station takes nobody more while the queue elsewhere is long (rule S31), each number by date.

    Attributes
    ----------
    queues
        Ids of the stations and daily acceptances whose queues are added up.
    close_at, open_below
        It closes when so many wait there or more, and opens when fewer than `open_below` do;
        `NEVER_REACHED` while there is no gate.
    """

    queues: tuple[str, ...]
    close_at: StepFunction
    open_below: StepFunction

    @property
    def instants_h(self) -> set[float]:
        """Instants at which a number changes. [h]"""
        return {at for one in (self.close_at, self.open_below) for at in one.from_h.tolist()}


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class Station:
    """Parallel lanes with one queue (rules S04 to S17, S22, S24).

    Attributes
    ----------
    lanes
        Pooled number of open lanes c(t): a start is allowed iff the services in
        progress are fewer than c(t). Reserved lanes are counted in it.
    closing
        What happens to a service in progress when c falls to 0.
    named
        One 0/1 calendar a lane when lanes keep their identity (rule S07, named); then
        `lanes` is their sum.
    outages, breakdown, outage_policy
        Given and drawn outages and what happens to the service they interrupt.
    rank
        Priority rank of each flow, smaller is more urgent; None is FIFO.
    rank_changes
        (from_h, rank) by date where the order changes within the run, the first being
        `rank`; read when the consignment joins, which keeps its rank from then on.
    preemption
        Whether a more urgent consignment interrupts a service of a less urgent one, and what becomes of that
        service (rule S35); None: nobody is interrupted.
    yard_changes
        (from_h, yard) by date where the places change within the run, the first being
        `yard`; fewer places send no consignment away.
    yard
        Waiting places in front of the lanes; None is unlimited. A finite yard
        blocks the element before it (after service, rules S14 to S16).
    staff_pool, staff_per_service
        Shared pool that a service also needs members of, if any.
    extra_lanes
        Lanes that the queue opens and closes, besides `lanes`; they are general lanes.
    gates
        While one of them is closed no service starts but of those whom an outage has put back.
    post, direction, stage, crossing
        Labels for indicators; "" where there is none.
    """

    id: str
    lanes: StepFunction
    closing: Closing = "finish"
    named: tuple[StepFunction, ...] | None = None
    outages: tuple[PlanOutage, ...] = ()
    breakdown: PlanBreakdown | None = None
    outage_policy: OutagePolicy = "resume"
    rank: tuple[int, ...] | None = None
    rank_changes: tuple[tuple[float, tuple[int, ...] | None], ...] = ()
    preemption: Preemption | None = None
    yard: int | None = None
    yard_changes: tuple[tuple[float, int | None], ...] = ()
    reserved: tuple[Reservation, ...] = ()
    staff_pool: str | None = None
    staff_per_service: int = 1
    extra_lanes: ExtraLanesPlan | None = None
    gates: tuple[GatePlan, ...] = ()
    post: str = ""
    direction: str = ""
    stage: str = ""
    crossing: str = ""
    kind: ClassVar[str] = "station"
    wait_component: ClassVar[str] = "wait"

    @property
    def keeps_lanes_apart(self) -> bool:
        """Whether reserved lanes are stations of their own: kept all the time, their flows using no other lane."""
        return all(one.lanes.value.all() and not one.overflow for one in self.reserved)

    @property
    def may_be_full(self) -> bool:
        """Whether the yard is finite at any time."""
        return self.yard is not None or any(places is not None for _, places in self.yard_changes)


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class Delay:
    """Time without a queue: the stay at a post outside the lanes, or a free road.

    `component` is ``"dwell"`` at a post, ``"travel"`` on a leg and ``"rest"`` of its drivers.
    """

    id: str
    component: str = "travel"
    post: str = ""
    direction: str = ""
    stage: str = ""
    crossing: str = ""
    kind: ClassVar[str] = "delay"
    wait_component: ClassVar[str] = "wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleTrackPlan:
    """A leg that vehicles of one direction at a time are on (rule S28).

    Attributes
    ----------
    switch_h
        Time that the change of the direction takes once the leg is empty; rounded to the clock grid. [h]
    convoy
        Most vehicles that enter in one direction while others wait in the other one; None = no limit.
    """

    switch_h: float
    convoy: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "switch_h", float(to_grid(self.switch_h)))


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class LimitedLeg:
    """A leg whose entry is limited (rules S18, S19); the step's duration is the travel time.

    Attributes
    ----------
    headway_h
        Least time between entries, read at the entry of the one before; rounded to the
        clock grid; None = none.
    open
        1 where the leg may be entered, 0 where it is closed (weather, strike).
    max_vehicles
        Most vehicles between entry and exit; a place freed at t can be used at t.
    no_overtaking
        No vehicle leaves before one that entered earlier: exit(n) = max(own, exit(n-1)).
    single_track
        Both directions use the leg in turn; steps say which is theirs (`Step.opposite`). None = one direction.
    """

    id: str
    headway_h: StepFunction | None = None
    open: StepFunction | None = None
    max_vehicles: StepFunction | None = None
    no_overtaking: bool = False
    single_track: SingleTrackPlan | None = None
    post: str = ""
    direction: str = ""
    stage: str = ""
    crossing: str = ""

    def __post_init__(self) -> None:
        if self.headway_h is not None:
            on_grid = StepFunction(self.headway_h.from_h, to_grid(self.headway_h.value))
            object.__setattr__(self, "headway_h", on_grid)

    kind: ClassVar[str] = "limited_leg"
    wait_component: ClassVar[str] = "entry_wait"


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class Departures:
    """Departures with places (rules S12, S13): ferries, trains, booked slots.

    A departure at s takes, in order of (join time, number), all who joined
    at or before s until its places are taken; the whole load lands at
    s + crossing. `crossing` is a law drawn once a departure (None = 0).
    With `when_full` there is no timetable: a departure takes place at the
    instant `when_full` consignments are there. `cancel` is the probability that a
    departure does not run, drawn once each; its load waits for the next.
    `priority` is the rank of each flow when the boat boards by class, else None.
    `draw_of` are the numbers of the draws (crossing, cancellation) of the departures, None for
    their own numbers: a departure keeps its draws whatever other departures come or go.
    `landing` gives the order at the next element: by ``"number"`` (rule S12, default)
    or in ``"boarding"`` order. `component` names the waiting: ``"sailing_wait"``
    or ``"slot_wait"``.
    """

    id: str
    depart_h: FloatArray = field(default_factory=lambda: np.empty(0))
    places: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    crossing: Any = None
    draw_of: NDArray[np.int64] | None = None
    when_full: int | None = None
    cancel: float = 0.0
    priority: tuple[int, ...] | None = None
    landing: Literal["number", "boarding"] = "number"
    component: str = "sailing_wait"
    post: str = ""
    direction: str = ""
    stage: str = ""
    kind: ClassVar[str] = "departures"

    def __post_init__(self) -> None:
        if self.when_full is None and len(self.places) != len(self.depart_h):
            found = f"{len(self.places)} for {len(self.depart_h)}"
            raise ValueError(f"{self.id}: places must be one a departure, got {found}")

    @property
    def wait_component(self) -> str:
        """Name of the time between joining and departing."""
        return self.component


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class Quota:
    """Daily acceptance: at most N(day) consignments pass in one local day, first come first.

    `day_start_h` are the instants at which local days begin (first <= 0) and
    `per_day` the number taken over in each; after the last day nobody passes.
    Nobody passes while `open` is 0 (None = never closed): what a day takes over
    waits for the opening and lapses at the end of the day (rule D31). So the
    n-th to pass does so at the first open instant, not before its joining, of
    the first day that has room for it.
    """

    id: str
    day_start_h: FloatArray
    per_day: NDArray[np.int64]
    open: StepFunction | None = None
    post: str = ""
    direction: str = ""
    stage: str = ""
    crossing: str = ""
    kind: ClassVar[str] = "quota"
    wait_component: ClassVar[str] = "acceptance_wait"


Element = Station | Delay | LimitedLeg | Departures | Quota
