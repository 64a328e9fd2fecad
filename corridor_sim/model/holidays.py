"""Public holidays: which dates are no usual days, and what a post does on them (rule D32).

A calendar is named by the code of a country, whose dates come from the package `holidays`, or by a
table of `calendars` with dates of its own: `kept_holidays.py`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from corridor_sim.core.errors import Problem, ScenarioError, nearest
from corridor_sim.core.limits import FIRST_YEAR, LAST_YEAR
from corridor_sim.model.base import Sourced
from corridor_sim.model.calendars import readable
from corridor_sim.model.days import WEEKDAYS
from corridor_sim.model.field_types import FrozenDict, TableOf, TupleOf
from corridor_sim.model.local_clock import OnLocalTime
from corridor_sim.model.schemas import InSchema

_ISO = re.compile(r"\d{4}-\d\d-\d\d")
MOST_DATES = 10_000
"""Most dates of one calendar."""


def _as_date(value: Any) -> Any:
    if isinstance(value, str) and _ISO.fullmatch(value):
        try:
            value = dt.date.fromisoformat(value)
        except ValueError as error:
            raise ValueError(f"must be a date such as 2026-03-20 ({error})") from None
    if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
        raise ValueError("must be a date such as 2026-03-20")
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"must lie in the years {FIRST_YEAR} to {LAST_YEAR}")
    return value


Date = Annotated[dt.date, BeforeValidator(_as_date), InSchema({"type": "string", "format": "date"})]
"""A date without a time."""
Weekday = Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def _in_order(dates: tuple[dt.date, ...]) -> tuple[dt.date, ...]:
    twice = [Problem("is listed twice", str(k), date) for k, date in enumerate(dates) if date in dates[:k]]
    if len(dates) > MOST_DATES:
        twice = [Problem(f"has {len(dates)} dates; at most {MOST_DATES} are read")]
    if twice:
        raise ScenarioError(twice)
    return tuple(sorted(dates))


def _as_table(value: Any) -> Any:
    """A list of dates as a table of dates that are worked as Mondays."""
    if isinstance(value, (list, tuple)):
        return {_as_date(item).isoformat(): "Mon" for item in value}
    return value


def _date_keys(table: Mapping[str, Any]) -> Mapping[str, Any]:
    problems = []
    for key in table:
        try:
            _as_date(key)
        except ValueError as error:
            problems.append(Problem(str(error), key))
    if problems:
        raise ScenarioError(problems)
    return table


Worked = Annotated[
    TableOf[Weekday],
    AfterValidator(_date_keys),
    BeforeValidator(_as_table),
    InSchema(
        {
            "anyOf": [
                {"type": "array", "items": {"type": "string", "format": "date"}},
                {"type": "object", "additionalProperties": {"enum": list(WEEKDAYS)}},
            ]
        }
    ),
]


class HolidayCalendar(Sourced):
    """Holidays, and days that are worked although they lie at a weekend.

    Examples
    --------
    >>> HolidayCalendar(dates=["2024-04-29"], worked=["2024-04-27"]).worked
    {'2024-04-27': 'Mon'}
    """

    name: str = ""
    """What tables call it; its id if not given."""
    dates: Annotated[TupleOf[Date], AfterValidator(_in_order)] = ()
    """The days, as 2024-03-20."""
    worked: Worked = FrozenDict()
    """Dates that are worked as another weekday: ``{ "2024-04-27" = "Mon" }``; a list of dates is worked as Mondays."""
    years: TupleOf[Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)]] = ()
    """Years for which the dates are complete; none named means that nothing is said of it. [calendar years]"""

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        both = [date for date in self.dates if date.isoformat() in self.worked]
        if both:
            raise ScenarioError(
                Problem("is a holiday too", f"worked.{date.isoformat()}", hint="take one of the two out")
                for date in both
            )
        return self


def _names(value: Any) -> Any:
    """Names of calendars and dates of its own, in a tuple."""
    items = list(value) if isinstance(value, (list, tuple)) else [value]
    if not items:
        raise ScenarioError([Problem("names no holiday", hint="leave it out, or name a country as in 'AZ'")])
    found: list[str | dt.date] = []
    for k, item in enumerate(items):
        one = _as_date(item) if not isinstance(item, str) or _ISO.fullmatch(item) else item
        if one in found:
            raise ScenarioError([Problem("is listed twice", str(k), one)])
        found.append(one)
    return tuple(found)


_NAME_SCHEMA = {"type": "string", "description": "A code of a country, a table of `calendars`, or a date."}
HolidayNames = Annotated[
    tuple[str | dt.date, ...],
    BeforeValidator(_names),
    InSchema({"anyOf": [_NAME_SCHEMA, {"type": "array", "items": _NAME_SCHEMA}]}),
]
"""Codes of countries, names of tables in `calendars`, and dates: ``"AZ"``, ``["AZ", "IR"]``, ``[2026-07-01]``."""
WORDS = ("closed", "usual", *WEEKDAYS)


def _holiday_hours(value: Any) -> Any:
    if isinstance(value, str):
        if value not in WORDS:
            allowed = f"{', '.join(WORDS)}, or a list of opening hours"
            raise ScenarioError(
                [Problem("is nothing that a post does on holidays", "", value, allowed, nearest(value, WORDS))]
            )
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(line, str) for line in value):
        return readable(tuple(value))
    raise ValueError(f"must be one of {', '.join(WORDS)}, or a list of opening hours")


HolidayHours = Annotated[
    str | tuple[str, ...],
    BeforeValidator(_holiday_hours),
    InSchema({"anyOf": [{"enum": list(WORDS)}, {"type": "array", "items": {"type": "string"}}]}),
]
"""What is done on a holiday: ``"closed"``, ``"usual"`` (as if it were none), the hours and numbers of a weekday
(``"Sun"``), or hours of its own (``["10:00-14:00"]``)."""


class KeepsHolidays(OnLocalTime):
    """An object with a local time that may keep holidays."""

    holidays: HolidayNames = ()
    """Codes of countries (``"AZ"``), names of tables in `calendars`, dates. A date in any of them is a holiday."""
    holiday_hours: HolidayHours | None = None
    """What is done on a holiday; closed if nothing is said."""

    @model_validator(mode="after")
    def _of_which(self) -> Self:
        if self.holiday_hours is not None and not self.holidays:
            raise ScenarioError([Problem("needs holidays", "holiday_hours", self.holiday_hours, hint=NO_HOLIDAYS)])
        return self


NO_HOLIDAYS = "name a country or dates, as in holidays = 'AZ'"


@dataclass(frozen=True, slots=True)
class KeptHolidays:
    """The holidays that somebody keeps: dates, and the weekday that other dates are worked as."""

    dates: frozenset[dt.date] = frozenset()
    worked: tuple[tuple[dt.date, int], ...] = ()


NOTHING_KEPT = KeptHolidays()
