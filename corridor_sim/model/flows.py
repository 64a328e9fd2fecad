"""Flows: streams of like consignments, how many a day, when, and by which way.

To add a way in which consignments arrive, see `arrivals.py`. To add a field of
a flow, add it here and read it in `corridor_sim/plan`.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.limits import MAX_FACTOR
from corridor_sim.core.local_time import LocalTime
from corridor_sim.core.units import FloatArray
from corridor_sim.model.arrivals import ARRIVALS, Arrivals
from corridor_sim.model.base import Model, Sourced
from corridor_sim.model.field_types import (
    FrozenDict,
    Instant,
    NamesOf,
    NonNegative,
    OrderedTableOf,
    Positive,
    Probability,
    TableOf,
    TupleOf,
    at_most,
)
from corridor_sim.model.holidays import HolidayNames
from corridor_sim.model.local_clock import ONE_CLOCK, OffsetHours, ZoneName
from corridor_sim.model.schemas import KindOf, with_shares

DAYS_PER_YEAR = 365.25
CHOSEN = "chosen"
"""Name of the entry of `crossing_shares` that an equilibrium of choice writes: who has it can choose."""


class Profile(Sourced):
    """Relative weights of the hours, weekdays and months, each normalised to mean 1.

    Read at the local time of `zone` or `utc_offset_h`, or if neither is given at
    that of the first post on the way of the flow.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Profile(hour=[0.6] * 8 + [1.4] * 12 + [0.6] * 4).hour[8]
    1.4
    """

    hour: TupleOf[NonNegative] = ()
    """24 weights, from local midnight. [-]"""
    weekday: TupleOf[NonNegative] = ()
    """7 weights, Monday first. [-]"""
    month: TupleOf[NonNegative] = ()
    """12 weights, January first. [-]"""
    hour_amplitude: NonNegative = 1.0
    """How strong day and night are: distance of the hours from their mean, times this. 0 is a flat day. [-]"""
    month_amplitude: NonNegative = 1.0
    """How strong the season is: distance of the months from their mean, times this. 0 is a flat year. [-]"""
    zone: ZoneName = ""
    """IANA name of the local time. At most one of the two."""
    utc_offset_h: OffsetHours | None = None
    """Local time minus UTC. [h]"""

    @model_validator(mode="after")
    def _lengths(self) -> Self:
        problems: list[Problem] = []
        if not (self.hour or self.weekday or self.month):
            problems.append(Problem("has no weights; give hour, weekday or month"))
        for name, length in (("hour", 24), ("weekday", 7), ("month", 12)):
            weights = getattr(self, name)
            if weights and len(weights) != length:
                problems.append(Problem(f"must have {length} values, got {len(weights)}", name))
            elif weights and sum(weights) == 0:
                problems.append(Problem("must not all be 0", name))
            elif weights and (most := self._most(weights)) < (amplitude := self._amplitude(name)):
                text = f"must leave no {name} below 0"
                problems.append(Problem(text, f"{name}_amplitude", amplitude, f"at most {most:g}"))
        if self.zone and self.utc_offset_h is not None:
            problems.append(Problem("does not go with a `zone`", "utc_offset_h", self.utc_offset_h, hint=ONE_CLOCK))
        if problems:
            raise ScenarioError(problems)
        return self

    @property
    def local_time(self) -> LocalTime | None:
        """Local time of its own, None if it has none."""
        if not self.zone and self.utc_offset_h is None:
            return None
        return LocalTime(self.zone, 0.0 if self.utc_offset_h is None else self.utc_offset_h)

    def weight(self, hour: int, weekday: int, month: int) -> float:
        """Weight of an hour (0-23) of a weekday (Monday is 0) in a month (1-12), 1 on average."""
        by_hour, by_weekday, by_month = self.factors
        return float(by_hour[hour] * by_weekday[weekday] * by_month[month - 1])

    @property
    def factors(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Factors of the hours, weekdays and months, each of mean 1: shapes (24,), (7,) and (12,)."""

        def normalised(weights: tuple[float, ...], length: int, amplitude: float = 1.0) -> FloatArray:
            if not weights:
                return np.ones(length)
            found = np.array(weights) * length / math.fsum(weights)
            # At the amplitude of the weights they stay as they are, to the bit.
            return found if amplitude == 1.0 else np.maximum(1.0 + amplitude * (found - 1.0), 0.0)

        return (
            normalised(self.hour, 24, self.hour_amplitude),
            normalised(self.weekday, 7),
            normalised(self.month, 12, self.month_amplitude),
        )

    def _amplitude(self, name: str) -> float:
        return float(getattr(self, f"{name}_amplitude", 1.0))

    @staticmethod
    def _most(weights: tuple[float, ...]) -> float:
        """Amplitude at which the least weight is 0; what rounding adds is allowed."""
        least = min(weights) * len(weights) / math.fsum(weights)
        return 1.0 / (1.0 - least) + 1e-9 if least < 1.0 else math.inf


class CrossingShares(Model):
    """Shares of a flow over the crossings of one border, from a date on.

    Written ``{ from = 2023-03-17, samur = 0.6, khanoba = 0.4 }``; without `from`
    they hold from the beginning. They hold until the next entry that names one
    of the same crossings.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.CrossingShares(shares={"samur": 0.7, "khanoba": 0.3}).shares["samur"]
    0.7
    """

    from_: Instant | None = Field(None, validation_alias="from", serialization_alias="from")
    """When the shares begin to hold; from the beginning if not given."""
    shares: OrderedTableOf[Probability]
    """Share of the flow by crossing; they sum to 1. [-]"""

    @model_validator(mode="before")
    @classmethod
    def _spread(cls, values: Any) -> Any:
        if isinstance(values, dict) and "shares" not in values:
            own = {key: value for key, value in values.items() if key in ("from", "from_")}
            return {**own, "shares": {key: value for key, value in values.items() if key not in own}}
        return values

    @model_validator(mode="after")
    def _sums(self) -> Self:
        total = math.fsum(self.shares.values())
        if abs(total - 1) > 1e-9:
            raise ScenarioError([Problem(f"the shares must sum to 1, they sum to {total:g}")])
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The shares stand in the table itself."""
        return with_shares(super().__get_pydantic_json_schema__(schema, handler), handler)

    def to_data(self) -> dict[str, Any]:
        """As a table of shares, as it stands in a file."""
        data = super().to_data()
        return {**data.pop("shares"), **data}


def _route(value: Any) -> Any:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise ValueError("must be 'cheapest' or a list of leg ids")
    return value if isinstance(value, str) else tuple(value)


Route = Annotated[str | tuple[str, ...], BeforeValidator(_route)]


class Balk(Model):
    """Go on by another crossing when the wait announced at a post is longer than `threshold_h`.

    A driver who reaches the first post of another crossing of the same border, at its first
    stage with lanes, is told the sum over the stages of that post of
    (waiting ahead + 1 - free lanes) x mean service / open lanes, plus the time until a closed
    stage opens (endless if it never does in the run). A stage counts by the share of the
    driver's class that needs it, one with unlimited lanes does not count; mean services are
    the planned ones, not those drawn. The rule in full: `corridor_sim/engines/event/announced.py`.

    Above the threshold he drives back to where the ways part, in the time that the same legs
    took him on the way in, and goes on by `crossing`. The event engine does this, and the compiled pass.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Balk(crossing="khanoba", threshold_h=12).scope
    'post'
    """

    crossing: str
    """The crossing to go on by; one of the same border."""
    threshold_h: Positive
    """Longest announced wait that is accepted. [h]"""
    scope: Literal["post", "first_stage"] = "post"
    """What the announced wait adds up: all stages of the post where the driver stands, or its first stage."""


class Flow(Sourced):
    """A stream of like consignments from an origin to a destination.

    The volume is `per_day`, or `tonnes_per_year` over `load_t`. The route is the
    cheapest by generalised cost, or a list of leg ids from origin to destination.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Flow(origin="mill", destination="market", tonnes_per_year=73_000, load_t=20).mean_per_day
    9.99315537303217
    """

    name: str = ""
    """What tables and pictures call the flow; its id if not given."""
    origin: str
    """Id of the place or post where consignments are released."""
    destination: str
    """Id of the place or post where their journey ends."""
    direction: str = ""
    """A label such as northbound, for tables."""
    cargo_class: str = "loaded"
    """Cargo class, by which shares, priorities and factors are given."""
    vehicle: str = "truck"
    """Kind of vehicle, for tables."""
    per_day: NonNegative | None = None
    """Mean number of consignments, before growth, profile and improvements. [consignments/day]"""
    tonnes_per_year: NonNegative | None = None
    """The volume as weight, over `load_t`. [t/year]"""
    growth_per_year: Annotated[float, Field(gt=-1, le=10)] = 0.0
    """Growth of the volume, compounded: 0.05 is 5 % a year. [1/year]"""
    growth_from: Instant | None = None
    """Date at which the volume is the one given; the start of the run if not given. [UTC]"""
    profile: str | None = None
    """Id of the profile of hours, weekdays and months; evenly spread if not given."""
    holidays: HolidayNames = ()
    """Codes of countries (``"AZ"``), names of tables in `calendars`, dates: days on which `holiday_factor` holds."""
    holiday_factor: Annotated[NonNegative, at_most(MAX_FACTOR)] | None = None
    """Rate on holidays over what it would be; other days stay as they are. [-]"""
    route: Route = "cheapest"
    """The cheapest by generalised cost, or ids of the legs from origin to destination."""
    modes: NamesOf = ()
    """Leg types the cheapest route may use; none named means any."""
    handled_at: TupleOf[Literal["origin", "destination"]] = ()
    """Ends at which it passes the transfer of the place: cargo that comes there or goes on by a way left out."""
    handled_as: Literal["tonnes", "teu", "rolling"] = "tonnes"
    """What handling at places is paid for: tonnes, containers, or nothing because the vehicle drives on and off."""
    crossing_shares: TableOf[CrossingShares] = FrozenDict()
    """Shares over the crossings of a border, with dates, by name of the entry."""
    balk: Balk | None = None
    """Who leaves a long queue for another crossing."""
    arrivals: Annotated[Arrivals, KindOf(ARRIVALS)] = Field(default_factory=lambda: ARRIVALS["poisson"]())
    """How releases come about: by chance, at fixed times, from a list."""
    load_t: NonNegative = 0.0
    """Cargo on one consignment. [t]"""
    value_usd_t: NonNegative = 0.0
    """Value of the cargo. [US$/t]"""
    vehicle_length_m: NonNegative = 0.0
    """Length of a vehicle, for the length of queues. [m]"""
    value_of_time_usd_h: NonNegative = 0.0
    """What an hour of one consignment is worth. [US$/h]"""
    teu: NonNegative = 0.0
    """Containers on one consignment, in units of twenty feet. [TEU]"""
    commodity: str = ""
    """What is carried, for tables of what was delivered; by default the cargo class."""
    trade: Literal["", "bilateral", "transit"] = ""
    """Trade between the two countries of a border that is crossed, or through them; by default by the countries of
    origin and destination, which are not those of the cargo where it comes from beyond the network."""
    corridor: str = ""
    """The corridor whose cargo it is counted as, for tables of what was delivered."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems: list[Problem] = []
        if self.per_day is not None and self.tonnes_per_year is not None:
            problems.append(Problem("gives the volume twice; give per_day or tonnes_per_year", "tonnes_per_year"))
        if self.tonnes_per_year is not None and self.load_t == 0:
            problems.append(Problem("must be > 0 with tonnes_per_year", "load_t", self.load_t))
        if bool(self.holidays) != (self.holiday_factor is not None):
            given, lacking = ("holidays", "holiday_factor") if self.holidays else ("holiday_factor", "holidays")
            problems.append(Problem(f"is required with {given}", lacking))
        if self.origin == self.destination:
            problems.append(Problem("must be another node than origin", "destination", self.destination))
        if isinstance(self.route, str) and self.route != "cheapest":
            problems.append(Problem("must be 'cheapest' or a list of leg ids", "route", self.route))
        if not isinstance(self.route, str) and not self.route:
            problems.append(Problem("must name at least one leg", "route"))
        if not isinstance(self.route, str) and self.crossing_shares:
            hint = "shares over crossings need route = 'cheapest'"
            problems.append(Problem("cannot be given together with a list of legs", "crossing_shares", hint=hint))
        if self.balk is not None and not isinstance(self.route, str):
            problems.append(Problem("needs route = 'cheapest'", "balk"))
        if problems:
            raise ScenarioError(problems)
        return self

    @property
    def mean_per_day(self) -> float:
        """Consignments a day before growth, profile and improvements. [1/day]"""
        if self.tonnes_per_year is not None:
            return self.tonnes_per_year / DAYS_PER_YEAR / self.load_t
        return self.per_day or 0.0
