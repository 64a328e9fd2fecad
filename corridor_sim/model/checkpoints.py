"""Border posts and the stages a consignment goes through there.

A `Checkpoint` is the post of one country. Its `exit` stages are for those who
leave the country of the post, its `entry` stages for those who enter it. A
stage is some lanes with one queue, or a stay that holds no lane. To add a field
of a stage, add it here and read it in `corridor_sim/plan`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from corridor_sim.core.errors import Problem, ScenarioError, nearest
from corridor_sim.core.limits import MAX_START_UP_H, MIN_GAP_H
from corridor_sim.core.units import H_PER_WEEK
from corridor_sim.model.base import (
    Factor,
    FrozenDict,
    Instant,
    KindOf,
    LaneCount,
    LanesOrUnlimited,
    Model,
    NamesOf,
    NonNegative,
    OrderedTable,
    OrderedTableOf,
    Positive,
    PositiveCount,
    PositiveLanes,
    Probability,
    Sourced,
    TableOf,
    WholeOrUnlimited,
    at_least,
    at_most,
    with_shares,
)
from corridor_sim.model.calendars import CountByHour, Hours, lane_h_per_week, open_h_per_week
from corridor_sim.model.holidays import NO_HOLIDAYS, HolidayHours, KeepsHolidays
from corridor_sim.model.ids import sound_ids
from corridor_sim.model.service_times import SERVICE_TIMES, ServiceTime
from corridor_sim.model.service_times.base import LONGEST_H, mean_parameter

Law = Annotated[ServiceTime, KindOf(SERVICE_TIMES)]
"""A law of durations: an object, or a table with a kind."""

DIRECTIONS = ("exit", "entry")


def known_directions(table: Any) -> Any:
    """The table, if its keys are directions."""
    wrong = [key for key in table if key not in DIRECTIONS]
    if wrong:
        raise ScenarioError(
            [Problem("is not a direction", key, allowed="exit, entry", hint=nearest(key, DIRECTIONS)) for key in wrong]
        )
    return table


def require_order(first: Any, last: Any, field: str = "until") -> None:
    """Raise ScenarioError unless `last` comes after `first` (either may be None)."""
    if first is None or last is None:
        return
    if (first.tzinfo is None) != (last.tzinfo is None):
        raise ScenarioError([Problem("must have an offset from UTC if the other instant has one", field, last)])
    if last <= first:
        raise ScenarioError([Problem("must be later than from", field, last, f"after {first}")])


Directed = AfterValidator(known_directions)


class Outage(Model):
    """A lane (or the whole stage, without `lane`) that is down from an instant until another.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> import datetime as dt
    >>> cs.Outage(from_=dt.datetime(2024, 1, 3, 8), until=dt.datetime(2024, 1, 3, 18)).lane is None
    True
    """

    lane: PositiveLanes | None = None
    """Number of the lane that is down, from 1; the whole stage if not given. [-]"""
    from_: Instant = Field(validation_alias="from", serialization_alias="from")
    """When it begins; local time of the post where there is no offset."""
    until: Instant
    """When it ends; local time of the post where there is no offset."""

    @model_validator(mode="after")
    def _order(self) -> Self:
        require_order(self.from_, self.until)
        return self


class Breakdown(Sourced):
    """Failures at random times: time up, time down, on the calendar clock (a lane fails whether busy or not).

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Breakdown(up=cs.Exponential(mean_h=200), down=cs.Gamma(mean_h=4, cv=0.5)).per_lane
    False
    """

    up: Law
    """Law of the time from a repair to the next failure. [h]"""
    down: Law
    """Law of the time from a failure until it is repaired. [h]"""
    per_lane: bool = False
    """Whether each lane fails by itself; else the whole stage does."""

    @model_validator(mode="after")
    def _both_last(self) -> Self:
        words = {"up": "it would always be down", "down": "it would never be down; leave the breakdown out"}
        problems = [
            Problem("must have a mean > 0", name, getattr(self, name).mean_h, hint=hint)
            for name, hint in words.items()
            if not getattr(self, name).mean_h > 0
        ]
        if problems:
            raise ScenarioError(problems)
        return self


class Reserved(Model):
    """Lanes kept for one class; with `overflow` the class may use the other lanes too.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Reserved(lanes=1, overflow=True).overflow
    True
    """

    lanes: LaneCount
    """How many are kept. [lanes]"""
    overflow: bool = False
    """Whether the class may use the other lanes too."""


class ExtraLanes(Sourced):
    """Lanes besides those of the hours, opened and closed by how many wait (rule S27).

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.ExtraLanes(above=10, below=3, most=2, start_up_h=0.5).most
    2
    """

    above: PositiveCount
    """One more is opened when more than so many wait. [consignments]"""
    below: PositiveCount
    """One is closed when fewer than so many wait; at most `above`. [consignments]"""
    most: PositiveLanes
    """Most extra lanes open at once: what the staff allows. [lanes]"""
    start_up_h: Annotated[NonNegative, at_most(MAX_START_UP_H)] = 0.0
    """Time from the decision until the lane is open. [h]"""
    most_by_hour: CountByHour | None = None
    """Most extra lanes by local time, in place of `most` where a roster says who can be called. [lanes]"""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        problems = []
        if self.below > self.above:
            hint = "a lane would close at the queue at which it opens"
            problems.append(Problem("must be at most above", "below", self.below, f"1 to {self.above}", hint))
        if self.most_by_hour is not None:
            highest = max(self.most_by_hour.values())
            if highest == 0:
                problems.append(Problem("never allows a lane", "most_by_hour", dict(self.most_by_hour)))
            elif highest > self.most:
                problems.append(Problem("is above most", "most_by_hour", highest, f"at most {self.most}"))
        if problems:
            raise ScenarioError(problems)
        return self


class QueueGate(Sourced):
    """Nobody more is taken while the queue at a place further on is long (rule S31).

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.QueueGate(queue_at="checkpoints.northgate_b.entry.xray", close_at=20, open_below=10).open_below
    10
    """

    queue_at: str
    """Path of the stage, or of the direction of a post, whose queue counts: ``"checkpoints.<post>.exit.<stage>"``."""
    close_at: PositiveCount
    """The gate closes when so many wait there, or more. [consignments]"""
    open_below: PositiveCount
    """It opens again when fewer wait there; at most `close_at`. [consignments]"""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.open_below > self.close_at:
            hint = "the gate would open at the queue at which it closes"
            allowed = f"1 to {self.close_at}"
            raise ScenarioError([Problem("must be at most close_at", "open_below", self.open_below, allowed, hint)])
        return self


class Patience(Sourced):
    """Who has waited longer than his patience leaves the queue (rule S34): for good, or for another crossing.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Patience(law=cs.Exponential(mean_h=12), by_class={"perishable": cs.Exponential(mean_h=4)}).to is None
    True
    """

    law: Law | None = None
    """Law of the longest wait in the queue, from joining it; without it only classes of `by_class` leave. [h]"""
    by_class: TableOf[Law] = FrozenDict()
    """The law of a cargo class, in place of `law`. [h]"""
    to: str | None = None
    """Crossing of the same border for which he leaves; not given, he turns back and is lost."""

    @model_validator(mode="after")
    def _of_somebody(self) -> Self:
        if self.law is None and not self.by_class:
            raise ScenarioError([Problem("is required", "law", hint="or give laws of classes by by_class")])
        return self


class WayBack(Sourced):
    """A share of those whose service ends at the stage goes back and comes again, at most so often (rule S33).

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.WayBack(share=0.2, to="weighbridge", most=2).most
    2
    """

    share: Probability
    """Share of those who come from the stage that go back, each time. [-]"""
    share_by_class: TableOf[Probability] = FrozenDict()
    """Share of a cargo class, in place of `share`. [-]"""
    to: str = ""
    """Id of the stage of the same direction where they begin again; this one if not given."""
    most: Annotated[PositiveCount, at_most(20)] = 1
    """Most times that a consignment goes back; after that it goes on whatever comes out. [-]"""


class Acceptance(Sourced):
    """Most consignments a local day that are taken over in one direction.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Acceptance(per_day=250).per_day
    250
    """

    per_day: PositiveCount
    """Most that are taken over from one local midnight to the next. [consignments/day]"""


class Slots(Sourced):
    """Booked slots: so many a local day, evenly spaced or in groups every `every_h`, or by the hour (rule S29).

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Slots(per_day=200, every_h=1).every_h
    1.0
    """

    per_day: PositiveCount | None = None
    """Slots from one local midnight to the next. [consignments/day]"""
    by_hour: CountByHour | None = None
    """Slots an hour by local time, in place of `per_day`: none while the post is closed. [consignments/h]"""
    every_h: Annotated[Positive, at_least(MIN_GAP_H)] | None = None
    """Time between groups of slots; without it every slot has its own time. [h]"""
    share: Probability = 1.0
    """Share of the consignments that book; the others come when they come. [-]"""
    no_show: Probability = 0.0
    """Share of the places whose holder does not come: they are lost, and he takes the next that is free. [-]"""
    late_share: Probability | None = None
    """Share of those with a slot that come after it, and stand in line as they come; nobody if not given. [-]"""
    late_by: Law | None = None
    """Law of the time by which they are late. [h]"""

    @model_validator(mode="after")
    def _group(self) -> Self:
        problems = []
        if self.every_h is not None and self.every_h > 24:
            problems.append(Problem("must be at most a day", "every_h", self.every_h, "> 0 and <= 24"))
        if (self.per_day is None) is (self.by_hour is None):
            problems.append(Problem("needs per_day or by_hour, one of them", "per_day", self.per_day))
        if self.by_hour is not None and self.every_h is not None:
            problems.append(Problem("has no meaning with by_hour", "every_h", self.every_h))
        if self.by_hour is not None and not any(self.by_hour.values()):
            problems.append(Problem("has no slot", "by_hour", dict(self.by_hour)))
        if self.no_show == 1:
            problems.append(Problem("leaves no place to anybody", "no_show", self.no_show, "< 1"))
        if self.late_share is None if self.late_by is not None else bool(self.late_share):
            problems.append(Problem("goes with late_by, a law of the time by which they are late", "late_share"))
        if problems:
            raise ScenarioError(problems)
        return self


class Channels(Sourced):
    """Risk channels of one direction with the share of each, from the lightest to the strictest.

    A stage names the channels that need it: the strictest ones where channels nest, or any that stand side by side.

    Written as a table of shares, ``{ green = 0.80, yellow = 0.15, red = 0.05 }``;
    `by_class` gives other shares for some cargo classes.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Channels(shares={"green": 0.8, "red": 0.2}).to_data()
    {'green': 0.8, 'red': 0.2}
    """

    shares: OrderedTableOf[Probability]
    """Share of the consignments by channel, the lightest first; they sum to 1. [-]"""
    by_class: TableOf[OrderedTableOf[Probability]] = FrozenDict()
    """Other shares for some cargo classes: by class, then by channel. [-]"""

    @model_validator(mode="before")
    @classmethod
    def _spread(cls, values: Any) -> Any:
        if isinstance(values, dict) and "shares" not in values:
            own = {key: values[key] for key in values if key in cls.model_fields}
            return {**own, "shares": {key: values[key] for key in values if key not in cls.model_fields}}
        return values

    @model_validator(mode="after")
    def _sums(self) -> Self:
        problems = []
        if not self.shares:
            raise ScenarioError([Problem("names no channel", hint="as in { green = 0.8, red = 0.2 }")])
        for name, shares in {
            "": self.shares,
            **{f"by_class.{key}": item for key, item in self.by_class.items()},
        }.items():
            if abs(sum(shares.values()) - 1) > 1e-9:
                problems.append(Problem(f"the shares must sum to 1, they sum to {sum(shares.values()):g}", name))
            if list(shares) != list(self.shares):
                allowed = ", ".join(self.shares)
                problems.append(Problem("must name the same channels in the same order", name, allowed=allowed))
        if problems:
            raise ScenarioError(problems)
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The shares stand in the table itself."""
        return with_shares(super().__get_pydantic_json_schema__(schema, handler), handler)

    def to_data(self) -> dict[str, Any]:
        """As a table of shares, as it stands in a file."""
        data = super().to_data()
        return {**data.pop("shares"), **data}


class Stage(Sourced):
    """One step at a post: parallel lanes with one queue, or a stay without lanes.

    The law of service is the time a lane is held. Put no stay time on a lane:
    a stage with ``lanes = "unlimited"`` is a stay without waiting.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Stage(lanes=5, trucks_per_day=500).cycle_h
    0.24
    """

    name: str = ""
    """What tables and pictures call the stage; its id if not given."""
    lanes: LanesOrUnlimited
    """Parallel servers, each with one consignment at a time, or "unlimited" for a stay without a queue. [lanes]"""
    service: Law | None = None
    """Time one consignment holds a lane (or stays, where lanes are unlimited)."""
    trucks_per_day: Positive | None = None
    """Capacity in a day of the stage's hours: sets the mean lane cycle from its lane-hours a day. [consignments/day]

    Where it is not stated it follows from lanes and mean time, and may have a range all the same (`derived`)."""
    share: Probability = 1.0
    """Share of the consignments that need the stage. [-]"""
    share_by_class: TableOf[Probability] = FrozenDict()
    """Share of a cargo class that needs the stage, in place of `share`. [-]"""
    channels: NamesOf = ()
    """Risk channels that need the stage; none named means every channel."""
    factor_by_class: TableOf[Factor] = FrozenDict()
    """Service time of a cargo class over that of the law. [-]"""
    opening_hours: Hours | None = None
    """Local opening hours, as "Mon-Fri 08:00-20:00"; always open if not given."""
    closing: Literal["finish", "suspend", "restart", "no_overrun", "clear_queue"] = "finish"
    """What becomes of services and queue at closing time: services are finished, suspended, begun again at the
    next opening, not begun unless they end in time, or the queue is cleared first."""
    lanes_by_hour: CountByHour | None = None
    """A roster: lanes from a local time on, as { "Mon-Fri 06:00" = 4, "20:00" = 2 }. [lanes]"""
    holiday_hours: HolidayHours | None = None
    """What this stage does on the holidays of its post or place; as the post if nothing is said."""
    discipline: Literal["fifo", "priority"] = "fifo"
    """Order of service: first come first served, or by the classes in `priority`."""
    priority: NamesOf = ()
    """Cargo classes, the most urgent first; classes not listed come last."""
    preemption: Literal["resume", "restart"] | None = None
    """Whether a more urgent class interrupts the service of a less urgent one, which goes on later where it stopped,
    or begins anew; without it nobody is interrupted."""
    reserved: TableOf[Reserved] = FrozenDict()
    """Lanes kept for a cargo class."""
    yard: WholeOrUnlimited = "unlimited"
    """Waiting places in front of the stage; when they are full the step before is blocked. [consignments]"""
    shared: bool = False
    """Whether the stage of the same id in the other direction uses the same lanes."""
    named_lanes: bool = False
    """Whether each lane has a calendar of its own; else lanes are counted together."""
    outages: TableOf[Outage] = FrozenDict()
    """Times in which a lane or the stage is down, by name."""
    outage_policy: Literal["resume", "restart", "finish", "requeue"] = "resume"
    """What becomes of a service at an outage: it goes on afterwards, begins again, is finished first, or its
    consignment goes back to the queue."""
    breakdown: Breakdown | None = None
    """Failures at random times."""
    staff_pool: str | None = None
    """Id of the pool whose people the services of this stage need."""
    staff_per_service: PositiveLanes = 1
    """People of the pool whom one service holds. [people]"""
    extra_lanes: ExtraLanes | None = None
    """Lanes that are opened when the queue is long and closed when it is short."""
    gate: QueueGate | None = None
    """Whether the stage takes nobody more while the queue at a place further on is long."""
    patience: Patience | None = None
    """How long one waits here before he leaves the queue; as long as it takes if not given."""
    back: WayBack | None = None
    """Who goes back from here to this stage or an earlier one, as for a second weighing."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems: list[Problem] = []
        if self.service is None and self.trucks_per_day is None:
            problems.append(Problem("is required", "service", hint="or give trucks_per_day"))
        if self.lanes == "unlimited":
            for name in (
                "trucks_per_day",
                "opening_hours",
                "lanes_by_hour",
                "holiday_hours",
                "breakdown",
                "staff_pool",
                "extra_lanes",
                "gate",
                "patience",
            ):
                if getattr(self, name) is not None:
                    problems.append(Problem("needs a number of lanes", name, hint="this stage has unlimited lanes"))
            for name in ("reserved", "outages", "priority", "named_lanes", "shared"):
                if getattr(self, name):
                    problems.append(Problem("needs a number of lanes", name, hint="this stage has unlimited lanes"))
            if self.yard != "unlimited":
                problems.append(Problem("needs a number of lanes", "yard", self.yard))
        elif self.trucks_per_day is not None and self.lane_h_per_day == 0:
            problems.append(Problem("needs lanes >= 1 to set the lane cycle", "trucks_per_day", self.trucks_per_day))
        if self.discipline == "priority" and not self.priority:
            problems.append(Problem("is required", "priority", hint="name the classes, the most urgent first"))
        if self.discipline == "fifo" and self.priority:
            problems.append(Problem('needs discipline = "priority"', "priority", list(self.priority)))
        if self.preemption is not None:
            problems += preemption_problems(self)
        if isinstance(self.lanes, int):
            most = max([self.lanes, *(self.lanes_by_hour or {}).values()])
            kept = sum(item.lanes for item in self.reserved.values())
            if kept > most:
                problems.append(Problem(f"keeps {kept} lanes, the stage has {most}", "reserved"))
        if self.extra_lanes is not None and self.lanes != "unlimited":
            problems += extra_lanes_problems(self, self.extra_lanes)
        if self.staff_pool is None and self.staff_per_service != 1:
            problems.append(Problem("needs a staff_pool", "staff_per_service", self.staff_per_service))
        if not problems and self.cycle_h > LONGEST_H:
            text = f"gives a mean service of {self.cycle_h:g} h; at most {LONGEST_H:g} h are allowed"
            field = "service" if self.trucks_per_day is None else "trucks_per_day"
            problems.append(Problem(text, field, self.trucks_per_day))
        if problems:
            raise ScenarioError(problems)
        return self

    def derived(self) -> Mapping[str, float]:
        """What its lanes pass a day in their mean time, where the stage states both and not the product."""
        stated = self.trucks_per_day is not None or not isinstance(self.lanes, int)
        name = "" if stated else mean_parameter(self.service)
        if not name or not self.lane_h_per_day > 0 or not self.cycle_h > 0:
            return {}
        return {"trucks_per_day": self.lane_h_per_day / self.cycle_h}

    @property
    def cycle_h(self) -> float:
        """Mean time one consignment holds a lane, before any factor of class or date. [h]"""
        if self.trucks_per_day is not None and isinstance(self.lanes, int):
            return self.lane_h_per_day / self.trucks_per_day
        assert self.service is not None
        return float(self.service.mean_h)

    @property
    def lane_h_per_day(self) -> float:
        """Mean lane-hours a day: of `lanes_by_hour` where it is given, else of `lanes`. [h]"""
        if self.lanes_by_hour:
            return lane_h_per_week(self.opening_hours, self.lanes_by_hour) / H_PER_WEEK * 24
        assert isinstance(self.lanes, int)
        return self.lanes * self.open_h_per_day

    @property
    def open_h_per_day(self) -> float:
        """Mean hours a day in which lanes can be open: an hour with 0 in `lanes_by_hour` is closed. [h]"""
        if self.lanes_by_hour:
            is_open = {hour: min(lanes, 1) for hour, lanes in self.lanes_by_hour.items()}
            return lane_h_per_week(self.opening_hours, is_open) / H_PER_WEEK * 24
        return open_h_per_week(self.opening_hours) / H_PER_WEEK * 24


def preemption_problems(stage: Stage) -> list[Problem]:
    """What a priority that interrupts services needs, and what it does not go together with."""
    if stage.discipline != "priority":
        return [Problem('needs discipline = "priority"', "preemption", stage.preemption)]
    hint = "lanes have to be alike, and services free to stop, where one is interrupted for another"
    there: dict[str, Any] = {
        "reserved": stage.reserved,
        "named_lanes": stage.named_lanes,
        "staff_pool": stage.staff_pool,
        "gate": stage.gate,
        "breakdown.per_lane": stage.breakdown is not None and stage.breakdown.per_lane,
    }
    problems = [
        Problem("cannot be given with preemption", name, True if name == "gate" else value, hint=hint)
        for name, value in there.items()
        if value
    ]
    problems += [
        Problem("cannot be given with preemption", f"outages.{name}.lane", outage.lane, hint=hint)
        for name, outage in stage.outages.items()
        if outage.lane is not None
    ]
    if stage.closing == "no_overrun":
        problems.append(Problem("cannot be given with preemption", "closing", stage.closing, hint=hint))
    if stage.outage_policy == "requeue":
        problems.append(Problem("cannot be given with preemption", "outage_policy", stage.outage_policy, hint=hint))
    return problems


def extra_lanes_problems(stage: Stage, extra: ExtraLanes) -> list[Problem]:
    """What lanes opened by the queue do not go together with, and thresholds that no queue reaches."""
    hint = "extra lanes are counted, and nobody stands in a certain one"
    problems = []
    if stage.named_lanes:
        problems.append(Problem("cannot be given with extra_lanes", "named_lanes", True, hint=hint))
    if stage.breakdown is not None and stage.breakdown.per_lane:
        problems.append(Problem("cannot be given with extra_lanes", "breakdown.per_lane", True, hint=hint))
    problems += [
        Problem("cannot be given with extra_lanes", f"outages.{name}.lane", outage.lane, hint=hint)
        for name, outage in stage.outages.items()
        if outage.lane is not None
    ]
    if stage.yard != "unlimited" and extra.above >= stage.yard:
        text = f"is never passed: the yard has {stage.yard} waiting places"
        problems.append(Problem(text, "extra_lanes.above", extra.above))
    return problems


def _stage_ids(table: Any) -> Any:
    taken = [Problem("is kept for the element of that name; choose another id", key) for key in _KEPT if key in table]
    if taken:
        raise ScenarioError(taken)
    return sound_ids(table)


_KEPT = ("acceptance", "slots")
Stages = Annotated[OrderedTableOf[Stage], AfterValidator(_stage_ids)]
"""Stages in the order in which they are passed."""


class Place(KeepsHolidays):
    """A city, port, terminal or border of the map; a node of the graph.

    `transfer` are the stages (cranes, gauge change, berths) of consignments
    that change the kind of leg here.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Place(name="Baku", country="AZ", lat=40.4, lon=49.9).name
    'Baku'
    """

    name: str = ""
    """What tables and pictures call the place; its id if not given."""
    country: str = ""
    """ISO 3166 code of two letters."""
    kind: str = ""
    """City, port, terminal, border, ..."""
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    """Latitude, WGS 84, north positive. [deg]"""
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    """Longitude, WGS 84, east positive. [deg]"""
    transfer: Stages = OrderedTable()
    """Stages of consignments that change the kind of leg here, in order, by id."""
    handling_usd_t: NonNegative | None = None
    """Paid for a tonne handled here: where the kind of leg changes, and at ends that `handled_at` names. [US$/t]"""
    handling_usd_teu: NonNegative | None = None
    """The same for a container of twenty feet, of flows that are `handled_as = "teu"`. [US$/TEU]"""
    handled_through: bool = False
    """Whether cargo is handled here also where it goes on by the same kind of leg, as at a change of gauge."""

    @model_validator(mode="after")
    def _stages_fit(self) -> Self:
        if problems := _holiday_problems(self, {"transfer": self.transfer}) + _back_problems("transfer", self.transfer):
            raise ScenarioError(problems)
        return self


class Checkpoint(KeepsHolidays):
    """One country's post at a border; a node of the graph.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> gate = cs.Stage(lanes=2, trucks_per_day=200)
    >>> cs.Checkpoint(crossing="hill", exit={"gate": gate}).stages("exit")["gate"].cycle_h
    0.24
    """

    name: str = ""
    """What tables and pictures call the post; its id if not given."""
    country: str = ""
    """ISO 3166 code of two letters: whose post it is."""
    crossing: str
    """Id of the crossing, shared by the posts on both sides of the border."""
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    """Latitude, WGS 84, north positive. [deg]"""
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    """Longitude, WGS 84, east positive. [deg]"""
    open: bool = True
    """Whether the post is in use before any improvement opens it."""
    exit: Stages = OrderedTable()
    """Stages of consignments that leave the country, in order, by id."""
    entry: Stages = OrderedTable()
    """Stages of consignments that enter the country, in order, by id."""
    acceptance: Annotated[TableOf[Acceptance], Directed] = FrozenDict()
    """Most that are taken over a day, by direction (exit, entry)."""
    slots: Annotated[TableOf[Slots], Directed] = FrozenDict()
    """Booked slots, by direction (exit, entry)."""
    channels: Annotated[TableOf[Channels], Directed] = FrozenDict()
    """Risk channels, by direction (exit, entry)."""
    hosts: Literal["entry", "exit", "both"] | None = None
    """Directions whose controls of both countries are made here, first those of the country that is left. Where each
    post of a crossing hosts its entry, a consignment stops once, after the border (juxtaposed posts)."""

    @model_validator(mode="after")
    def _directions_agree(self) -> Self:
        problems = _holiday_problems(self, {"exit": self.exit, "entry": self.entry})
        for direction in DIRECTIONS:
            other = DIRECTIONS[1 - DIRECTIONS.index(direction)]
            channels = self.channels.get(direction)
            problems += _back_problems(direction, self.stages(direction))
            for name, stage in self.stages(direction).items():
                at = f"{direction}.{name}"
                if stage.channels:
                    problems += _channel_problems(stage, channels, f"{at}.channels")
                if stage.shared:
                    twin = self.stages(other).get(name)
                    if twin is None:
                        hint = f"the direction {other} has no stage {name!r}"
                        problems.append(Problem("must exist in both directions", f"{at}.shared", True, hint=hint))
                    elif direction == "exit" or not twin.shared:
                        differ = [f for f in _LANE_FIELDS if getattr(stage, f) != getattr(twin, f)]
                        problems += [
                            Problem(f"must equal {other}.{name}.{f}: both directions use these lanes", f"{at}.{f}")
                            for f in differ
                        ]
        if problems:
            raise ScenarioError(problems)
        return self

    def stages(self, direction: str) -> OrderedTable[Stage]:
        """Stages of one direction, ``exit`` or ``entry``, in order."""
        stages = self.exit if direction == "exit" else self.entry
        assert isinstance(stages, OrderedTable)
        return stages

    def is_shared(self, stage: str) -> bool:
        """Whether both directions use the lanes of this stage."""
        return any(stage in self.stages(way) and self.stages(way)[stage].shared for way in DIRECTIONS)


_LANE_FIELDS = (
    "lanes",
    "opening_hours",
    "closing",
    "lanes_by_hour",
    "holiday_hours",
    "discipline",
    "priority",
    "reserved",
    "yard",
    "named_lanes",
    "outages",
    "outage_policy",
    "breakdown",
    "staff_pool",
    "staff_per_service",
    "extra_lanes",
    "gate",
)
"""What a stage with lanes shared by both directions must say alike in both."""


def _holiday_problems(where: KeepsHolidays, stages: Mapping[str, Mapping[str, Stage]]) -> list[Problem]:
    """Stages that say what they do on holidays of which there are none."""
    return [
        Problem(
            "needs holidays of the post or place", f"{way}.{name}.holiday_hours", stage.holiday_hours, hint=NO_HOLIDAYS
        )
        for way, table in stages.items()
        for name, stage in table.items()
        if stage.holiday_hours is not None and not where.holidays
    ]


def _back_problems(direction: str, stages: Mapping[str, Stage]) -> list[Problem]:
    """Ways back to what is no earlier stage, and ways back within a way back."""
    found = []
    names = list(stages)
    for k, (name, stage) in enumerate(stages.items()):
        if stage.back is None:
            continue
        at, to = f"{direction}.{name}.back.to", stage.back.to or name
        if to not in names[: k + 1]:
            text = "is not this stage or an earlier one of this direction"
            found.append(Problem(text, at, to, ", ".join(names[: k + 1]), nearest(to, names[: k + 1])))
        elif patient := [one for one in names[names.index(to) : k + 1] if stages[one].patience is not None]:
            text = f"goes back over {', '.join(patient)}, where one has patience: who gives up does not come again"
            found.append(Problem(text, at, to))
        elif inner := [one for one in names[names.index(to) : k] if stages[one].back is not None]:
            text = f"lies before {', '.join(inner)}, from where a way goes back too: ways back may not hold one another"
            found.append(Problem(text, at, to))
    return found


def neighbours(channels: Iterable[str], names: Sequence[str]) -> bool:
    """Whether channels stand side by side in the order of all of them.

    Examples
    --------
    >>> neighbours(["yellow"], ["green", "yellow", "red"]), neighbours(["green", "red"], ["green", "yellow", "red"])
    (True, False)
    """
    places = sorted(names.index(name) for name in set(channels))
    return places == list(range(places[0], places[-1] + 1))


def _channel_problems(stage: Stage, channels: Channels | None, path: str) -> list[Problem]:
    if channels is None:
        return [Problem("needs the channels of this direction", path, list(stage.channels))]
    names = list(channels.shares)
    wrong = [name for name in stage.channels if name not in names]
    if wrong:
        return [
            Problem("is not a channel of this direction", path, name, ", ".join(names), nearest(name, names))
            for name in wrong
        ]
    if not neighbours(stage.channels, names):
        text = "must be channels that follow each other: write the shares of the channels in an order in which they do"
        return [Problem(text, path, list(stage.channels), f"some that stand side by side in {', '.join(names)}")]
    return []
