"""Legs: what joins two nodes of the corridor, and how long it takes to travel.

To add a leg type, add one class here with `@LEGS.register`; override
`travel_law` when its time does not follow from length and speed.
"""

from __future__ import annotations

import functools
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.limits import MAX_COUNT, MAX_KM, MAX_SWITCH_H, MAX_VALUES, MIN_GAP_H
from corridor_sim.core.registry import Registry
from corridor_sim.model.base import Model, Sourced
from corridor_sim.model.calendars import Hours
from corridor_sim.model.drivers_hours import DriversHours
from corridor_sim.model.field_types import (
    FrozenDict,
    Instant,
    NamesOf,
    NonNegative,
    Positive,
    PositiveCount,
    Probability,
    TableOf,
    TupleOf,
    at_least,
    at_most,
)
from corridor_sim.model.holidays import HolidayHours, KeepsHolidays
from corridor_sim.model.schemas import KindOf
from corridor_sim.model.service_times import Deterministic, Lognormal, ServiceTime
from corridor_sim.model.service_times.base import LONGEST_H
from corridor_sim.model.spans import require_order
from corridor_sim.model.written_laws import Law

LEGS: Registry[type[Leg]] = Registry("leg type")


class LegClosure(Model):
    """A time in which a leg cannot be entered (weather, strike)."""

    from_: Instant = Field(validation_alias="from", serialization_alias="from")
    """When it begins; UTC where there is no offset."""
    until: Instant
    """When it ends; UTC where there is no offset."""

    @model_validator(mode="after")
    def _order(self) -> Self:
        require_order(self.from_, self.until)
        return self


def _places(value: Any) -> Any:
    numbers = value if isinstance(value, (list, tuple)) else [value]
    if any(isinstance(one, bool) or not isinstance(one, int) or one < 1 for one in numbers) or not numbers:
        raise ValueError("must be a whole number >= 1, or a list of them, one for each departure")
    if max(numbers) > MAX_COUNT or len(numbers) > MAX_VALUES:
        raise ValueError(f"must be at most {MAX_COUNT}, and at most {MAX_VALUES} of them")
    return tuple(value) if isinstance(value, list) else value


Gap = Annotated[Positive, at_least(MIN_GAP_H)]
"""Time between departures or entries. [h]"""
Places = Annotated[int | tuple[int, ...], BeforeValidator(_places)]


class Timetable(Sourced):
    """Departures with places: every so many hours, at given instants, or when full.

    Give one of `every_h` (with `first_h` after the start of the run), `departures`
    or `when_full`. `places` is one number for all departures or one for each.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Timetable(every_h=48, places=30).first_h
    0.0
    """

    every_h: Gap | None = None
    """Time between departures. [h]"""
    first_h: NonNegative = 0.0
    """First departure after the start of the run, with `every_h`. [h]"""
    departures: TupleOf[Instant] = ()
    """Departure instants. [UTC]"""
    places: Places | None = None
    """Consignments that one departure takes: one number, or one for each departure. [consignments]"""
    when_full: PositiveCount | None = None
    """Depart as soon as so many are there. [consignments]"""
    cancel: Probability = 0.0
    """Probability that a departure does not run; its load waits for the next. [-]"""
    landing: Literal["number", "boarding"] = "number"
    """Order in which consignments leave on arrival: by their numbers, or as they boarded."""
    priority: NamesOf = ()
    """Cargo classes that board first; empty means first come first served."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        given = [n for n in ("every_h", "departures", "when_full") if getattr(self, n) not in (None, ())]
        if len(given) != 1:
            found = ", ".join(given) or "none"
            raise ScenarioError([Problem(f"needs exactly one of every_h, departures, when_full; found {found}")])
        problems: list[Problem] = []
        if self.when_full is None and self.places is None:
            problems.append(Problem("is required", "places", hint="how many consignments one departure takes"))
        if self.when_full is not None and self.places is not None:
            problems.append(Problem("has no meaning with when_full", "places", self.places))
        if self.when_full is not None and self.cancel:
            problems.append(Problem("has no meaning with when_full", "cancel", self.cancel))
        if isinstance(self.places, tuple) and self.every_h is not None:
            problems.append(Problem("must be one number with every_h", "places", list(self.places)))
        elif isinstance(self.places, tuple) and len(self.places) != len(self.departures):
            text = f"must be one number, or one for each of the {len(self.departures)} departures"
            problems.append(Problem(text, "places", list(self.places)))
        if len({instant.tzinfo is None for instant in self.departures}) > 1:
            problems.append(Problem("must all have an offset from UTC, or none", "departures"))
        if problems:
            raise ScenarioError(problems)
        return self

    @property
    def mean_wait_h(self) -> float:
        """Half the time between departures, where it is known; else 0. [h]"""
        if self.every_h is not None:
            return self.every_h / 2
        if len(self.departures) > 1:
            first, last = min(self.departures), max(self.departures)
            return (last - first).total_seconds() / 3600 / (len(self.departures) - 1) / 2
        return 0.0


class LegBan(KeepsHolidays):
    """Hours in which some classes may not set out on a leg: by night, at weekends, on holidays (rule S30).

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.LegBan(hours=["22:00-06:00"], cargo_classes=["loaded"]).look_ahead
    False
    """

    hours: Hours | None = None
    """Lines of hours of the ban, local time: ``["22:00-06:00", "Sun 00:00-24:00"]``; none: on holidays only."""
    from_: Instant | None = Field(None, validation_alias="from", serialization_alias="from")
    """When it begins to hold; local time of the ban where there is no offset; always so far if not given."""
    until: Instant | None = None
    """When it holds no more; local time of the ban where there is no offset; never if not given."""
    direction: Literal["forward", "backward"] | None = None
    """The direction in which it holds: ``forward`` is the way in which the leg is written; both if not given."""
    cargo_classes: NamesOf = ()
    """Cargo classes that are banned; all if none is named."""
    look_ahead: bool = False
    """Whether nobody sets out who by the mean time of the leg would be on it as the ban begins."""
    holiday_hours: HolidayHours | None = None
    """Hours of the ban on a holiday, in the words of posts; all day if nothing is said, and for ``"closed"``."""

    @model_validator(mode="after")
    def _bans_something(self) -> Self:
        if self.hours is None and not self.holidays:
            raise ScenarioError([Problem("is required", "hours", hint="or name the holidays of the ban")])
        require_order(self.from_, self.until)
        return self


class SingleTrack(Sourced):
    """Both directions use the leg in turn (rule S28): a railway with one track, a bridge with one lane.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> one_lane = cs.SingleTrack(convoy=3)
    >>> cs.Rail(from_="a", to="b", length_km=30, speed_kmh=60, single_track=one_lane).single_track.convoy
    3
    """

    switch_h: Annotated[NonNegative, at_most(MAX_SWITCH_H)] = 0.0
    """Time from the instant at which the leg is empty until the first of the other direction may enter. [h]"""
    convoy: PositiveCount | None = None
    """Most that enter in one direction while others wait in the other one; none: all who wait. [consignments]"""


class Leg(Sourced):
    """An undirected link between two nodes; the graph has an edge each way.

    Give `speed_kmh` (with `speed_cv`), or `travel`, a law of the travel time.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> issubclass(cs.Rail, cs.Leg)
    True
    """

    kind: ClassVar[str] = ""

    name: str = ""
    """What tables and pictures call the leg; its id if not given."""
    from_: str = Field(validation_alias="from", serialization_alias="from")
    """Id of the place or post at one end."""
    to: str
    """Id of the place or post at the other end."""
    length_km: Annotated[float, Field(ge=0), at_most(MAX_KM)]
    """Length. [km]"""
    speed_kmh: Positive | None = None
    """Mean speed: length over the mean travel time. [km/h]"""
    speed_cv: Annotated[float, Field(ge=0, le=2)] = 0.0
    """Standard deviation of the travel time over its mean. [-]"""
    travel: Law | None = None
    """Law of the travel time, in place of a speed. [h]"""
    cost_usd_tkm: NonNegative = 0.0
    """Cost of transport. [US$/tkm]"""
    co2_g_tkm: NonNegative = 0.0
    """Emission of transport. [g/tkm]"""
    headway_h: Gap | None = None
    """Least time between two entries in one direction. [h]"""
    paths_per_day: Annotated[Positive, at_most(24 / MIN_GAP_H)] | None = None
    """The same as entries a day in one direction. [1/day]"""
    max_vehicles: PositiveCount | None = None
    """Most vehicles between entry and exit in one direction. [consignments]"""
    no_overtaking: bool = False
    """Whether consignments leave in the order in which they entered."""
    single_track: SingleTrack | None = None
    """Vehicles of one direction at a time; headway and limit then hold for both together."""
    closures: TableOf[LegClosure] = FrozenDict()
    """Times in which the leg cannot be entered, by name."""
    bans: TableOf[LegBan] = FrozenDict()
    """Hours in which some classes may not set out on the leg, by name."""
    drivers_hours: DriversHours | None = None
    """How long drivers may be at the wheel before they rest; without it the travel time holds their rests."""
    timetable: Timetable | None = None
    """Departures with places; consignments wait for one."""
    border: bool = False
    """Whether the leg joins the two posts of one crossing."""
    open: bool = True
    """Whether the leg is in use before any improvement opens it."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems: list[Problem] = []
        if self.from_ == self.to:
            problems.append(Problem("must be another node than from", "to", self.to))
        if self.headway_h is not None and self.paths_per_day is not None:
            problems.append(Problem("says the same as paths_per_day; give one of them", "headway_h", self.headway_h))
        if self.speed_kmh is not None and self.travel is not None:
            problems.append(Problem("gives the travel time twice; give speed_kmh or travel", "travel"))
        if self.travel is not None and self.speed_cv:
            problems.append(Problem("has no meaning with travel, which is a law already", "speed_cv", self.speed_cv))
        if self.timetable is not None:
            for name in (
                "headway_h",
                "paths_per_day",
                "max_vehicles",
                "no_overtaking",
                "single_track",
                "bans",
                "drivers_hours",
            ):
                if getattr(self, name):
                    problems.append(Problem("has no meaning on a leg with a timetable", name))
            if self.closures and self.timetable.when_full is not None:
                problems.append(Problem("has no meaning on a leg that departs when full", "closures"))
        if not problems:
            problems += self.travel_problems()
        if problems:
            raise ScenarioError(problems)
        return self

    def travel_problems(self) -> list[Problem]:
        """What is missing for the travel time; a leg type with another travel time overrides this."""
        if self.speed_kmh is None and self.travel is None:
            return [Problem("is required", "speed_kmh", hint="or give travel, a law of the travel time")]
        if self.speed_kmh is not None and self.length_km / self.speed_kmh > LONGEST_H:
            text = f"makes the leg take {self.length_km / self.speed_kmh:g} h; at most {LONGEST_H:g} h are allowed"
            return [Problem(text, "speed_kmh", self.speed_kmh)]
        return []

    def travel_law(self) -> ServiceTime:
        """Law of the travel time: mean length over speed, coefficient of variation `speed_cv`. [h]"""
        if self.travel is not None:
            return self.travel
        assert self.speed_kmh is not None
        mean_h = self.length_km / self.speed_kmh
        if self.speed_cv == 0 or mean_h == 0:
            return Deterministic(value_h=mean_h)
        return Lognormal.model_validate({"mean_h": mean_h, "cv": self.speed_cv})

    @functools.cached_property
    def mean_travel_h(self) -> float:
        """Mean travel time when nothing is in the way. [h]"""
        return float(self.travel_law().mean_h)

    @property
    def mean_speed_kmh(self) -> float:
        """Length over mean travel time; the given speed where there is one. [km/h]"""
        if self.speed_kmh is not None:
            return self.speed_kmh
        mean_h = self.mean_travel_h
        return self.length_km / mean_h if mean_h > 0 and self.length_km > 0 else 1.0

    @property
    def entry_headway_h(self) -> float | None:
        """Least time between entries, from `headway_h` or `paths_per_day`; None if there is none. [h]"""
        return 24 / self.paths_per_day if self.paths_per_day is not None else self.headway_h

    @property
    def mode(self) -> str:
        """Mode of transport as indicators name it: the leg type."""
        return type(self).kind


AnyLeg = Annotated[Leg, KindOf(LEGS)]


@LEGS.register("road", **{"from": "a", "to": "b", "length_km": 120.0, "speed_kmh": 60.0, "speed_cv": 0.1})
class Road(Leg):
    """A road; free travel unless a headway, a limit of vehicles or a closure is given.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Road(from_="a", to="b", length_km=120, speed_kmh=40, speed_cv=0.2).kind
    'road'
    """


@LEGS.register("rail", **{"from": "a", "to": "b", "length_km": 500.0, "speed_kmh": 26.4, "paths_per_day": 12.0})
class Rail(Leg):
    """A railway line; `headway_h` or `paths_per_day` limits entries, trains keep their order if `no_overtaking`.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Rail(from_="a", to="b", length_km=70, speed_kmh=35, paths_per_day=24).kind
    'rail'
    """


@LEGS.register(
    "sea",
    **{"from": "a", "to": "b", "length_km": 300.0, "speed_kmh": 20.0, "timetable": {"every_h": 24.0, "places": 50}},
)
class Sea(Leg):
    """A sea leg, usually with a timetable of sailings.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Sea(from_="a", to="b", length_km=470, speed_kmh=23.5, timetable=cs.Timetable(every_h=48, places=30)).kind
    'sea'
    """
