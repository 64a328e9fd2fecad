"""What is a stage: some lanes with one queue, or a stay that holds no lane?

To add a field of a stage, add it to `Stage` and read it in `corridor_sim/plan`. What a
field holds that is a table of its own stands beside, in `stage_lanes.py` and `stage_queues.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, model_validator

from corridor_sim.core.errors import Problem, ScenarioError, nearest
from corridor_sim.core.units import H_PER_WEEK
from corridor_sim.model.base import Sourced
from corridor_sim.model.calendars import CountByHour, Hours, lane_h_per_week, open_h_per_week
from corridor_sim.model.field_types import (
    Factor,
    FrozenDict,
    LanesOrUnlimited,
    NamesOf,
    OrderedTableOf,
    Positive,
    PositiveLanes,
    Probability,
    TableOf,
    WholeOrUnlimited,
)
from corridor_sim.model.holidays import NO_HOLIDAYS, HolidayHours, KeepsHolidays
from corridor_sim.model.ids import sound_ids
from corridor_sim.model.service_times.base import LONGEST_H, mean_parameter
from corridor_sim.model.stage_lanes import Breakdown, ExtraLanes, Outage, Reserved
from corridor_sim.model.stage_queues import Patience, QueueGate, WayBack
from corridor_sim.model.written_laws import Law


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
    problems += _one_lane_down(stage, "preemption", hint)
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
    problems += _one_lane_down(stage, "extra_lanes", hint)
    if stage.yard != "unlimited" and extra.above >= stage.yard:
        text = f"is never passed: the yard has {stage.yard} waiting places"
        problems.append(Problem(text, "extra_lanes.above", extra.above))
    return problems


def _one_lane_down(stage: Stage, beside: str, hint: str) -> list[Problem]:
    """Outages of a certain lane, beside what knows no certain lanes."""
    return [
        Problem(f"cannot be given with {beside}", f"outages.{name}.lane", outage.lane, hint=hint)
        for name, outage in stage.outages.items()
        if outage.lane is not None
    ]


def _stage_ids(table: Any) -> Any:
    taken = [Problem("is kept for the element of that name; choose another id", key) for key in _KEPT if key in table]
    if taken:
        raise ScenarioError(taken)
    return sound_ids(table)


_KEPT = ("acceptance", "slots")
Stages = Annotated[OrderedTableOf[Stage], AfterValidator(_stage_ids)]
"""Stages in the order in which they are passed."""


def holiday_problems(where: KeepsHolidays, stages: Mapping[str, Mapping[str, Stage]]) -> list[Problem]:
    """Stages that say what they do on holidays of which there are none."""
    return [
        Problem(
            "needs holidays of the post or place", f"{way}.{name}.holiday_hours", stage.holiday_hours, hint=NO_HOLIDAYS
        )
        for way, table in stages.items()
        for name, stage in table.items()
        if stage.holiday_hours is not None and not where.holidays
    ]


def way_back_problems(direction: str, stages: Mapping[str, Stage]) -> list[Problem]:
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
