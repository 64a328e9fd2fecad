"""Who keeps which holidays: names looked up in the scenario, and those of countries in the package `holidays`.

`with_calendars` writes the dates of countries into the scenario, so that a stored run keeps them
(rule D32). To take the dates of countries from somewhere else, see `corridor_sim.core.public_holidays`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from corridor_sim.core.errors import MissingExtra, Problem, ScenarioError, nearest
from corridor_sim.core.public_holidays import CODES, PublicHolidays, public_holidays
from corridor_sim.model.days import WEEKDAYS
from corridor_sim.model.holidays import HolidayCalendar, KeptHolidays
from corridor_sim.model.scenario import Scenario

_BESIDE = dt.timedelta(days=3)
"""What lies so near to the run that its night, or its local time, may reach into it."""


def kept(scenario: Scenario, names: Sequence[str | dt.date]) -> KeptHolidays:
    """The holidays of some names; a date that is a holiday in one calendar is one, whatever the others say."""
    dates = {name for name in names if isinstance(name, dt.date)}
    calendars = [scenario.calendars[name] for name in names if isinstance(name, str)]
    for calendar in calendars:
        dates.update(calendar.dates)
    worked = {dt.date.fromisoformat(date): day for calendar in calendars for date, day in calendar.worked.items()}
    days = sorted((date, WEEKDAYS.index(day)) for date, day in worked.items() if date not in dates)
    return KeptHolidays(frozenset(dates), tuple(days))


def keepers(scenario: Scenario) -> Iterator[tuple[str, Sequence[str | dt.date]]]:
    """Everything that keeps holidays: its path and their names."""
    for table in ("places", "checkpoints", "staff_pools", "flows"):
        for id, thing in getattr(scenario, table).items():
            if thing.holidays:
                yield f"{table}.{id}.holidays", thing.holidays
    for id, leg in scenario.legs.items():
        for name, ban in leg.bans.items():
            if ban.holidays:
                yield f"legs.{id}.bans.{name}.holidays", ban.holidays
    for id, improvement in scenario.improvements.items():
        for name, ban in getattr(improvement, "bans", {}).items():
            if ban.holidays:
                yield f"improvements.{id}.bans.{name}.holidays", ban.holidays


def with_calendars(scenario: Scenario) -> tuple[Scenario, list[Problem]]:
    """The scenario with the dates of its countries as tables of `calendars`, and what is wrong or uncertain."""
    asked, made, found, lacking = _Asked(scenario), {}, [], []
    named: set[str] = set()
    for path, names in keepers(scenario):
        for name in names:
            if not isinstance(name, str) or name in named:
                continue
            named.add(name)
            if name in scenario.calendars:
                found += asked.incomplete(name, scenario.calendars[name])
                continue
            try:
                years = asked.of_package(name)
            except MissingExtra:
                lacking.append((path, name))
            except ScenarioError as error:
                found += [_unknown(path, name, problem, scenario.calendars) for problem in error.problems]
            else:
                made[name] = asked.table(years)
                found += asked.estimated(path, name, years)
        own = [name for name in names if isinstance(name, dt.date)]
        if own and not any(map(asked.holds, own)):
            found.append(Problem("names no date within the run", path, severity="warning"))
    if lacking:
        listed = ", ".join(name for _, name in lacking)
        text = f"needs the package holidays for {listed}: pip install 'corridor-sim[calendars]'"
        near = " ".join(filter(None, (nearest(name, scenario.calendars) for _, name in lacking)))
        hint = "or list the dates in a table of calendars" + (f"; {near}" if near else "")
        found.append(Problem(text, lacking[0][0], hint=hint))
    if idle := [id for id in scenario.calendars if id not in named]:
        found.append(Problem(f"nothing uses {', '.join(idle[:8])}", "calendars", severity="warning"))
    return (scenario.replace(calendars={**scenario.calendars, **made}) if made else scenario), found


class _Asked:
    """The dates for which calendars are asked: those of the run, and the days about it that reach into it."""

    def __init__(self, scenario: Scenario) -> None:
        run = scenario.run
        end = run.start_utc + dt.timedelta(hours=run.horizon_h)
        self.first, self.last = run.start_utc.date(), (end - dt.timedelta(seconds=1)).date()
        self.run_years = range(self.first.year, self.last.year + 1)

    def holds(self, date: dt.date) -> bool:
        """Whether a date lies in the run or so near that its night, or its local time, may."""
        return self.first - _BESIDE <= date <= self.last + _BESIDE

    def of_package(self, code: str) -> dict[int, PublicHolidays]:
        """What the package says of each year; a year that only touches the run may be missing."""
        found = {}
        for year in sorted({(self.first - _BESIDE).year, *self.run_years, (self.last + _BESIDE).year}):
            try:
                found[year] = public_holidays(code, year)
            except ScenarioError:
                if year in self.run_years:
                    raise
        return found

    def table(self, years: Mapping[int, PublicHolidays]) -> HolidayCalendar:
        """The dates of the years of the run, and those of the days beside it."""

        def kept_(dates: Iterable[dt.date]) -> list[dt.date]:
            return [day for day in dates if day.year in self.run_years or self.holds(day)]

        dates = kept_(day for one in years.values() for day in one.dates)
        worked = kept_(day for one in years.values() for day in one.worked if day not in one.dates)
        return HolidayCalendar(
            dates=tuple(dates),
            worked={day.isoformat(): "Mon" for day in worked},
            years=tuple(self.run_years),
            status="derived",
            source="Python package holidays",
        )

    def incomplete(self, name: str, calendar: HolidayCalendar) -> list[Problem]:
        """Years of the run that a table leaves out."""
        path = f"calendars.{name}"
        if calendar.years and (missing := [year for year in self.run_years if year not in calendar.years]):
            text = f"is complete for some years only, and the run lies in {', '.join(map(str, missing[:5]))} too"
            hint = "add the dates of these years; without the table they come from the package holidays"
            return [Problem(text, f"{path}.years", list(calendar.years), hint=hint)]
        dates = [*calendar.dates, *map(dt.date.fromisoformat, calendar.worked)]
        if not any(map(self.holds, dates)) and not calendar.years:
            return [Problem("has no date within the run", path, severity="warning")]
        return []

    def estimated(self, path: str, name: str, years: Mapping[int, PublicHolidays]) -> list[Problem]:
        """Dates within the run that the package does not know for sure."""
        dates = [date.isoformat() for one in years.values() for date in one.estimated if self.holds(date)]
        if not dates:
            return []
        shown = ", ".join(dates[:8]) + (f" and {len(dates) - 8} more" if len(dates) > 8 else "")
        text = f"holds dates of {name} that are estimated and may be a day off: {shown}"
        return [Problem(text, path, hint="list the announced dates in a table of calendars", severity="warning")]


def _unknown(path: str, name: str, problem: Problem, calendars: Mapping[str, Any]) -> Problem:
    own = "; or the name of a table of calendars" if problem.allowed == CODES else ""
    return Problem(problem.message, path, name, f"{problem.allowed}{own}", nearest(name, calendars))
