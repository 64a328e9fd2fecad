"""Improvements of posts: lanes, service, inspection, hours, order of service, booking.

To add one, write a class with `changes` here and register it; it is then known
to scenario files, `corridor-sim kinds`, the schema and the comparison.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.limits import MAX_FACTOR, MAX_START_UP_H, MIN_GAP_H
from corridor_sim.model.calendars import CountByHour, Hours
from corridor_sim.model.changes import Change, Cycle, ReliefTerms
from corridor_sim.model.corridor import Corridor
from corridor_sim.model.field_types import (
    Factor,
    FrozenDict,
    LaneCount,
    NamesOf,
    NonNegative,
    Positive,
    PositiveCount,
    PositiveLanes,
    Probability,
    TableOf,
    WholeOrUnlimited,
    at_least,
    at_most,
)
from corridor_sim.model.improvements.base import (
    IMPROVEMENTS,
    PostImprovement,
    require,
    require_lanes,
    require_post,
    require_stage,
)
from corridor_sim.model.service_times import Deterministic
from corridor_sim.model.service_times.base import LONGEST_H
from corridor_sim.model.stage_lanes import ExtraLanes
from corridor_sim.model.stage_queues import QueueGate
from corridor_sim.model.stages import extra_lanes_problems
from corridor_sim.model.written_laws import Law

_STAGE = {"at": "checkpoints.post.exit.lanes"}
_WAY = {"at": "checkpoints.post.exit"}
ROUND_THE_CLOCK = ("00:00-24:00",)


def _exactly_one(thing: object, *names: str) -> None:
    given = [name for name in names if getattr(thing, name) not in (None, (), {})]
    if len(given) != 1:
        text = f"needs exactly one of {', '.join(names)}; found {', '.join(given) or 'none'}"
        raise ScenarioError([Problem(text)])


@IMPROVEMENTS.register("add_lanes", **_STAGE, lanes=1)
class AddLanes(PostImprovement):
    """More lanes at a stage (or more members of a staff pool, at ``staff_pools.ID``).

    Examples
    --------
    >>> import corridor_sim as cs
    >>> lanes = cs.AddLanes(at="checkpoints.northgate_a.exit.lanes", lanes=2, capex_usd=2.4e6)
    >>> more = cs.load_scenario("teaching").with_improvements(two_lanes=lanes)
    >>> more.improvements["two_lanes"].lanes
    2
    """

    lanes: PositiveLanes
    """How many more. [lanes]"""
    depth: ClassVar[tuple[int, ...]] = (2, 4)

    def changes(self, corridor: Corridor) -> list[Change]:
        """Lanes added."""
        return [self.change(lanes_path(corridor, self.path), "add", self.lanes)]


@IMPROVEMENTS.register("remove_lanes", **_STAGE, lanes=1)
class RemoveLanes(PostImprovement):
    """Fewer lanes at a stage; `lanes` is how many go.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.RemoveLanes(at="checkpoints.northgate_a.exit.lanes", lanes=1).lanes
    1
    """

    lanes: PositiveLanes
    """How many go. [lanes]"""
    depth: ClassVar[tuple[int, ...]] = (2, 4)

    def changes(self, corridor: Corridor) -> list[Change]:
        """Lanes taken away."""
        return [self.change(lanes_path(corridor, self.path), "add", -self.lanes)]


@IMPROVEMENTS.register("set_capacity", **_STAGE, trucks_per_day=600.0)
class SetCapacity(PostImprovement):
    """Capacity in trucks a day, the unit planners use: sets the lane cycle, and the lanes if given.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.SetCapacity(at="checkpoints.northgate_a.exit.lanes", trucks_per_day=400).trucks_per_day
    400.0
    """

    trucks_per_day: Positive
    """What the stage serves in a day of its hours when there is always a queue. [consignments/day]"""
    lanes: PositiveLanes | None = None
    """New number of lanes; as before if not given. [lanes]"""

    def changes(self, corridor: Corridor) -> list[Change]:
        """The service law becomes a fixed mean cycle: lane-hours a day / trucks a day."""
        stage = require_lanes(corridor, self.path)
        lane_h = stage.lane_h_per_day if self.lanes is None else self.lanes * stage.open_h_per_day
        if lane_h == 0:
            raise ScenarioError([Problem("is required: the stage has no lanes so far", "lanes")])
        cycle_h = lane_h / self.trucks_per_day
        if cycle_h > LONGEST_H:
            text = f"gives a mean service of {cycle_h:g} h; at most {LONGEST_H:g} h are allowed"
            raise ScenarioError([Problem(text, "trucks_per_day", self.trucks_per_day)])
        law = stage.service or Deterministic(value_h=cycle_h)
        changes = [self.change(f"{self.path}.service", "set", Cycle(law, cycle_h))]
        if self.lanes is not None:
            changes.append(self.change(f"{self.path}.lanes", "set", self.lanes))
        return changes


@IMPROVEMENTS.register("service_time", **_STAGE, factor=0.8)
class ServiceTimeChange(PostImprovement):
    """Faster (or slower) service: a factor, for one class if named, or a new law.

    A factor may be given for a whole post or direction; it then holds at every stage.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.ServiceTimeChange(at="checkpoints.northgate_b.entry.xray", factor=0.85).factor
    0.85
    """

    factor: Factor | None = None
    """Service time over what it would be. [-]"""
    service: Law | None = None
    """New law of the service time. [h]"""
    cargo_class: str = ""
    """Only this cargo class, with `factor`; every class if not given."""
    depth: ClassVar[tuple[int, ...]] = (2, 3, 4)

    @model_validator(mode="after")
    def _one(self) -> Self:
        _exactly_one(self, "factor", "service")
        if self.service is not None and self.cargo_class:
            raise ScenarioError([Problem("can be given with factor only", "cargo_class", self.cargo_class)])
        return self

    def changes(self, corridor: Corridor) -> list[Change]:
        """The time factor multiplied, or the law set."""
        paths = self.stage_paths(corridor)
        if self.factor is not None:
            field = f"factor_by_class.{self.cargo_class}" if self.cargo_class else "factor"
            return [self.change(f"{path}.{field}", "multiply", self.factor) for path in paths]
        if self.path not in paths:
            raise ScenarioError([Problem("must be the path of a stage when a law is set", "at", self.path)])
        return [self.change(f"{self.path}.service", "set", self.service)]


@IMPROVEMENTS.register("inspection_share", at="checkpoints.post.exit.xray", share=0.1)
class InspectionShare(PostImprovement):
    """Another share of the consignments at a stage, or other risk channels (at ``checkpoints.POST.channels.exit``).

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.InspectionShare(at="checkpoints.northgate_b.entry.xray", share=0.1).share
    0.1
    """

    share: Probability | None = None
    """New share of the consignments at the stage. [-]"""
    factor: Annotated[NonNegative, at_most(MAX_FACTOR)] | None = None
    """Share over what it would be. [-]"""
    channels: TableOf[Probability] = FrozenDict()
    """New shares of the risk channels, by channel; they sum to 1. [-]"""
    cargo_class: str = ""
    """Only this cargo class; every class if not given. Channels of a class win over those of every class."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        _exactly_one(self, "share", "factor", "channels")
        if self.channels and abs(sum(self.channels.values()) - 1) > 1e-9:
            text = f"the shares must sum to 1, they sum to {sum(self.channels.values()):g}"
            raise ScenarioError([Problem(text, "channels")])
        return self

    def changes(self, corridor: Corridor) -> list[Change]:
        """The share set or multiplied."""
        if self.channels:
            return self._channel_changes(corridor)
        stage = require_stage(corridor, self.path)
        if self.share is not None and stage.channels:
            hint = "at = checkpoints.POST.channels.DIRECTION with channels, or a factor here"
            text = "cannot be set: who needs this stage follows from its risk channels"
            raise ScenarioError([Problem(text, "share", self.share, hint=hint)])
        field = f"share_by_class.{self.cargo_class}" if self.cargo_class else "share"
        if self.share is not None:
            # A share for all classes replaces the base shares of single classes too.
            fields = (
                [field] if self.cargo_class else [field, *(f"share_by_class.{name}" for name in stage.share_by_class)]
            )
            return [self.change(f"{self.path}.{name}", "set", self.share) for name in fields]
        fields = [field] if self.cargo_class else [field, *(f"share_by_class.{name}" for name in stage.share_by_class)]
        return [self.change(f"{self.path}.{name}", "multiply", self.factor) for name in fields]

    def _channel_changes(self, corridor: Corridor) -> list[Change]:
        parts = self.path.split(".")
        if len(parts) == 4 and parts[2] in ("exit", "entry"):
            hint = f"checkpoints.{parts[1]}.channels.{parts[2]}"
            raise ScenarioError([Problem("channels belong to a direction, not to a stage", "at", self.path, hint)])
        post = require_post(corridor, ".".join(parts[:2]))
        if len(parts) != 4 or parts[2] != "channels":
            raise ScenarioError(
                [Problem("must be the path of channels", "at", self.path, "checkpoints.POST.channels.exit")]
            )
        require(post.channels, parts[3], "channels of direction")
        names = list(post.channels[parts[3]].shares)
        for name in self.channels:
            require(names, name, "channel", "channels")
        prefix = f"by_class.{self.cargo_class}" if self.cargo_class else "shares"
        return [self.change(f"{self.path}.{prefix}.{name}", "set", self.channels.get(name, 0.0)) for name in names]


@IMPROVEMENTS.register("opening_hours", **_STAGE, opening_hours=["Mon-Sat 06:00-22:00"])
class OpeningHours(PostImprovement):
    """Other opening hours, of a stage or of all stages with lanes of a post or direction.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> longer = cs.OpeningHours(at="checkpoints.northgate_b.entry.xray", opening_hours=["Mon-Sun 05:00-24:00"])
    >>> longer.kind
    'opening_hours'
    """

    opening_hours: Hours
    """Local opening hours from then on, as "Mon-Fri 08:00-20:00"."""
    depth: ClassVar[tuple[int, ...]] = (2, 3, 4)

    def changes(self, corridor: Corridor) -> list[Change]:
        """The hours set."""
        paths = [path for path in self.stage_paths(corridor) if require_stage(corridor, path).lanes != "unlimited"]
        if not paths:
            require_lanes(corridor, self.path)
        return [self.change(f"{path}.opening_hours", "set", self.opening_hours) for path in paths]


@IMPROVEMENTS.register("priority_class", **_STAGE, priority=["perishable"])
class PriorityClass(PostImprovement):
    """Classes served first, the most urgent first; a service in progress is interrupted only by `preemption`.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.PriorityClass(at="checkpoints.northgate_b.entry.lanes", priority=["perishable"]).priority
    ('perishable',)
    """

    priority: NamesOf
    """Cargo classes, the most urgent first."""

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.priority:
            raise ScenarioError([Problem("must name at least one cargo class", "priority", [])])
        return self

    def changes(self, corridor: Corridor) -> list[Change]:
        """The order of service set."""
        require_lanes(corridor, self.path)
        return [self.change(f"{self.path}.priority", "set", self.priority)]


@IMPROVEMENTS.register("priority_lane", **_STAGE, cargo_class="perishable", lanes=1)
class PriorityLane(PostImprovement):
    """Lanes kept for one class; `new_lanes` of them are built for it, the others are taken from all.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.PriorityLane(at="checkpoints.northgate_b.entry.lanes", cargo_class="perishable", lanes=1, new_lanes=1).lanes
    1
    """

    cargo_class: str
    """Cargo class that the lanes are kept for."""
    lanes: PositiveLanes
    """How many are kept. [lanes]"""
    new_lanes: LaneCount = 0
    """How many of them are built for it. [lanes]"""
    overflow: bool = False
    """Whether the class may use the other lanes too."""

    def changes(self, corridor: Corridor) -> list[Change]:
        """Reserved lanes set, new lanes added."""
        require_lanes(corridor, self.path)
        at = f"{self.path}.reserved.{self.cargo_class}"
        changes = [self.change(f"{at}.lanes", "set", self.lanes)]
        if self.overflow:
            changes.append(self.change(f"{at}.overflow", "set", True))
        if self.new_lanes:
            changes.append(self.change(f"{self.path}.lanes", "add", self.new_lanes))
        return changes


@IMPROVEMENTS.register("lanes_by_queue", **_STAGE, above=10, below=4, most=2)
class LanesByQueue(PostImprovement):
    """Lanes opened when many wait and closed when few do (rule S27), in place of those that the stage had so far.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.LanesByQueue(at="checkpoints.northgate_a.exit.lanes", above=10, below=3, most=2).most
    2
    """

    above: PositiveCount
    """One more lane is opened when more than so many wait. [consignments]"""
    below: PositiveCount
    """One is closed when fewer than so many wait; at most `above`. [consignments]"""
    most: PositiveLanes
    """Most extra lanes open at once. [lanes]"""
    start_up_h: Annotated[NonNegative, at_most(MAX_START_UP_H)] = 0.0
    """Time from the decision until the lane is open. [h]"""
    most_by_hour: CountByHour | None = None
    """Most extra lanes by local time, in place of `most`. [lanes]"""

    @model_validator(mode="after")
    def _as_of_a_stage(self) -> Self:
        self._terms()
        return self

    def _terms(self) -> ExtraLanes:
        return ExtraLanes(
            above=self.above,
            below=self.below,
            most=self.most,
            start_up_h=self.start_up_h,
            most_by_hour=self.most_by_hour,
        )

    def changes(self, corridor: Corridor) -> list[Change]:
        """What the stage says of extra lanes set."""
        stage = require_lanes(corridor, self.path)
        terms = self._terms()
        if problems := extra_lanes_problems(stage, terms):
            raise ScenarioError(problems)
        return [self.change(f"{self.path}.extra_lanes", "set", terms)]


@IMPROVEMENTS.register("gate_by_queue", **_STAGE, queue_at="checkpoints.beyond.entry", close_at=40, open_below=25)
class GateByQueue(PostImprovement):
    """Nobody more is taken while the queue at a place further on is long (rule S31), in place of the gate so far.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> far = "checkpoints.northgate_b.entry.xray"
    >>> gate = cs.GateByQueue(at="checkpoints.northgate_a.exit.lanes", queue_at=far, close_at=20, open_below=10)
    >>> gate.close_at
    20
    """

    queue_at: str
    """Path of the stage, or of the direction of a post, whose queue counts."""
    close_at: PositiveCount
    """The gate closes when so many wait there, or more. [consignments]"""
    open_below: PositiveCount
    """It opens again when fewer wait there; at most `close_at`. [consignments]"""

    @model_validator(mode="after")
    def _as_of_a_stage(self) -> Self:
        self._terms()
        return self

    def _terms(self) -> QueueGate:
        return QueueGate(queue_at=self.queue_at, close_at=self.close_at, open_below=self.open_below)

    def changes(self, corridor: Corridor) -> list[Change]:
        """What the stage says of its gate set."""
        require_lanes(corridor, self.path)
        return [self.change(f"{self.path}.gate", "set", self._terms())]


@IMPROVEMENTS.register("pre_arrival", **_WAY, share=0.3, factor=0.5)
class PreArrival(PostImprovement):
    """A share of the consignments has a stage (or all stages of a direction) shortened, or skips it (factor 0).

    The same consignments at every stage; `cargo_classes` limits it to some classes.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.PreArrival(at="checkpoints.northgate_a.exit.documents", share=0.6, factor=0.3).share
    0.6
    """

    share: Probability
    """Share of the consignments that are cleared before. [-]"""
    factor: Annotated[NonNegative, at_most(MAX_FACTOR)] = 0.0
    """Service time of who is cleared before, over what it would be; 0 skips the stage. [-]"""
    cargo_classes: NamesOf = ()
    """Only these cargo classes; every class if none is named."""
    depth: ClassVar[tuple[int, ...]] = (2, 3, 4)

    def changes(self, corridor: Corridor) -> list[Change]:
        """A relief of every stage meant."""
        terms = ReliefTerms(self.share, self.factor, self.cargo_classes)
        return [self.change(f"{path}.reliefs", "add", terms) for path in self.stage_paths(corridor)]


@IMPROVEMENTS.register("slot_booking", **_WAY, per_day=300)
class SlotBooking(PostImprovement):
    """Electronic queue: consignments come in booked slots and wait for them away from the border.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.SlotBooking(at="checkpoints.northgate_a.exit", per_day=200).per_day
    200
    """

    per_day: PositiveCount
    """Slots from one local midnight to the next. [consignments/day]"""
    every_h: Annotated[float, Field(gt=0, le=24), at_least(MIN_GAP_H)] | None = None
    """Time between groups of slots; without it every slot has its own time. [h]"""
    depth: ClassVar[tuple[int, ...]] = (3,)

    def changes(self, corridor: Corridor) -> list[Change]:
        """Slots a day set."""
        require_post(corridor, self.path)
        _, post, direction = self.path.split(".")
        at = f"checkpoints.{post}.slots.{direction}"
        changes = [self.change(f"{at}.per_day", "set", self.per_day)]
        if self.every_h is not None:
            changes.append(self.change(f"{at}.every_h", "set", self.every_h))
        return changes


@IMPROVEMENTS.register("daily_acceptance", **_WAY, per_day=360)
class DailyAcceptance(PostImprovement):
    """Another number of consignments a day that are taken over in one direction.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.DailyAcceptance(at="checkpoints.astara_ir.exit", per_day=360).per_day
    360
    """

    per_day: PositiveCount
    """Most that are taken over a day from then on. [consignments/day]"""
    depth: ClassVar[tuple[int, ...]] = (3,)

    def changes(self, corridor: Corridor) -> list[Change]:
        """The daily number set."""
        require_post(corridor, self.path)
        _, post, direction = self.path.split(".")
        return [self.change(f"checkpoints.{post}.acceptance.{direction}.per_day", "set", self.per_day)]


@IMPROVEMENTS.register("yard_places", **_STAGE, places=300)
class YardPlaces(PostImprovement):
    """Another number of waiting places in front of a stage.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.YardPlaces(at="checkpoints.northgate_a.exit.lanes", places=40).places
    40
    """

    places: WholeOrUnlimited
    """Waiting places from then on, or "unlimited". [consignments]"""

    def changes(self, corridor: Corridor) -> list[Change]:
        """The places set."""
        require_lanes(corridor, self.path)
        return [self.change(f"{self.path}.yard", "set", self.places)]


def lanes_path(corridor: Corridor, path: str) -> str:
    """Path of the number of lanes of a stage, or of the members of a staff pool."""
    parts = path.split(".")
    if parts[0] == "staff_pools":
        require(corridor.staff_pools, parts[1], "staff pool")
        return f"{path}.members"
    require_lanes(corridor, path)
    return f"{path}.lanes"
