"""Public holidays of countries, year by year, from the package `holidays` (extra `calendars`).

What the package says changes with its version: days that follow the moon are announced late and
governments move days off. So a run keeps the dates it was made with (rule D32).
"""

from __future__ import annotations

import datetime as dt
import functools
import importlib.metadata
import re
from dataclasses import dataclass

from corridor_sim.core.errors import MissingExtra, Problem, ScenarioError

CODES = "an ISO code of two letters such as AZ or IR, with a part of the country as in DE-BY"
_CODE = re.compile(r"[A-Z]{2}(-[A-Z0-9]+)?")


@dataclass(frozen=True, slots=True)
class PublicHolidays:
    """Days off in one year, weekend days that are worked in exchange, and which days off are estimates."""

    dates: tuple[dt.date, ...]
    worked: tuple[dt.date, ...]
    estimated: tuple[dt.date, ...]


@functools.lru_cache(maxsize=1024)
def public_holidays(code: str, year: int) -> PublicHolidays:
    """Holidays of a country, or of a part of it, in one year.

    Raises
    ------
    MissingExtra
        If the package is not installed.
    ScenarioError
        If the package does not know the country, or nothing of that year.
    """
    try:
        import holidays
    except ImportError:
        raise MissingExtra(f"holidays = {code!r}", "the package holidays", "calendars") from None
    country, _, part = code.partition("-")
    known = holidays.list_supported_countries(include_aliases=False)
    if not _CODE.fullmatch(code) or country not in known:
        raise ScenarioError([Problem("is no country of the package holidays", allowed=CODES)])
    if part and part not in known[country]:
        parts = ", ".join(known[country][:12]) + (", ..." if len(known[country]) > 12 else "")
        raise ScenarioError([Problem(f"is no part of {country} in the package holidays", allowed=parts or "none")])
    found = holidays.country_holidays(country, subdiv=part or None, years=year, language="en_US")
    if not found:
        raise ScenarioError([Problem(f"has no holidays in {year} in the package holidays {holidays_release()}")])
    return PublicHolidays(
        dates=tuple(sorted(found)),
        worked=tuple(sorted(day for day in found.weekend_workdays if day.year == year)),
        estimated=tuple(sorted(day for day, name in found.items() if "estimated" in name)),
    )


@functools.cache
def holidays_release() -> str:
    """Version of the package `holidays`, "" where it is not installed."""
    try:
        return importlib.metadata.version("holidays")
    except importlib.metadata.PackageNotFoundError:
        return ""
