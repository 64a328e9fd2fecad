"""What an engine runs: a scenario flattened to numbered elements and itineraries.

A Plan knows no corridor, improvement or file. It has

* **elements**: things that hold or delay consignments (`Station`, `Delay`,
  `LimitedLeg`, `Departures`, `Quota`), numbered in topological order, every change
  by date already resolved into step functions of time;
* **flows**: streams of consignments, in order of their id, each with one or
  more **variants** (itineraries), chosen by dated shares at release;
* **steps**: one element of one itinerary, with the law of its duration and the
  dated share, read when the consignment comes to it, and factors, read as the service starts.

Both engines read only a Plan and the sampled inputs. `build.py` makes Plans
from scenarios; tests and `verify.py` write them by hand.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.step_functions import StepFunction as StepFunction
from corridor_sim.core.units import FloatArray, counted, to_grid
from corridor_sim.model.initial_queues import Standing

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


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPlan:
    """A stream of like consignments.

    `arrivals` is an object that `sampling/` can draw release instants from
    (see `model/arrivals.py`), with its rate over the horizon already resolved;
    None when the releases are given.
    """

    id: str
    variants: tuple[Variant, ...]
    arrivals: Any = None
    cargo_class: str = ""
    vehicle: str = ""
    origin: str = ""
    destination: str = ""
    direction: str = ""
    load_t: float = 0.0
    value_usd_t: float = 0.0
    vehicle_length_m: float = 0.0
    labels: Mapping[str, Any] = field(default_factory=dict)

    @property
    def standing_h(self) -> tuple[float, ...]:
        """When those joined who wait at its first element as the run begins; () for other flows. [h]"""
        process = getattr(self.arrivals, "process", None)
        return process.times_h if isinstance(process, Standing) else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStaffPool:
    """People shared by several stations: a service needs a lane and a member of the pool.

    Rule: at one instant the pool's free members go to the stations in topological
    order, at each in queue order; a member is held from start to finish (also
    while interrupted, not while blocked).
    """

    id: str
    members: StepFunction


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A scenario as the engines see it. Elements in topological order, flows in order of id.

    Events later than `horizon_h` do not happen; consignments that join in
    [warm_up_h, count_until_h) are counted by per-consignment indicators
    (`count_until_h` < `horizon_h` gives a cool-down).
    """

    elements: tuple[Element, ...]
    flows: tuple[FlowPlan, ...]
    horizon_h: float
    warm_up_h: float = 0.0
    count_until_h: float | None = None
    staff_pools: tuple[PlanStaffPool, ...] = ()
    cyclic: bool = False
    name: str = ""
    start: Any = None
    """Date and time (UTC) of hour 0, or None."""
    labels: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        kinds = Counter(element.kind for element in self.elements)
        variants = sum(len(flow.variants) for flow in self.flows)
        name = textwrap.shorten(self.name, 80, placeholder="…")
        parts = [
            f"{counted(len(self.elements), 'element')} ({', '.join(f'{n} {kind}' for kind, n in kinds.most_common())})",
            f"{counted(len(self.flows), 'flow')} in {counted(variants, 'variant')}",
            f"{self.horizon_h:,g} h" + (f" from {self.start}" if self.start is not None else ""),
            f"counted from {self.warm_up_h:g} to {self.counted_until_h:g} h",
        ]
        return f"<Plan {name!r}: {', '.join(parts)}>"

    @property
    def counted_until_h(self) -> float:
        """End of the window in which joining consignments are counted. [h]"""
        return self.horizon_h if self.count_until_h is None else self.count_until_h

    def duration_changes_h(self) -> list[tuple[float, ...]]:
        """Of each element, the instants of the run from which on a duration there may be another one, in order. [h]"""
        found: list[set[float]] = [set() for _ in self.elements]
        for flow in self.flows:
            for variant in flow.variants:
                for step in variant.steps:
                    found[step.element].update(at for at in step.changes_h if at <= self.horizon_h)
        return [tuple(sorted(one)) for one in found]

    def element_index(self, id: str) -> int:
        """Number of the element of this id. Raises KeyError."""
        for index, element in enumerate(self.elements):
            if element.id == id:
                return index
        raise KeyError(id)
