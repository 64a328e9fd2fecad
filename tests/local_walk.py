"""A walk through the local times of a zone by the standard library, to hold plans against."""

import datetime as dt
import functools
import zoneinfo


@functools.cache
def zone_of(name):
    """The zone of the `tzdata` package; the system's database may be older."""
    path = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=())
    try:
        return zoneinfo.ZoneInfo.no_cache(name)
    finally:
        zoneinfo.reset_tzpath(to=path)


HOUR = dt.timedelta(hours=1)
WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
ZONES = (
    ("Asia/Tehran", dt.date(2021, 1, 1)),  # changes at midnight, until 2022
    ("Africa/Cairo", dt.date(2023, 3, 1)),  # midnight that does not exist, 23:00 that comes twice
    ("Australia/Lord_Howe", dt.date(2024, 1, 1)),  # by half an hour
    ("Europe/Kyiv", dt.date(2024, 1, 1)),
    ("Africa/Casablanca", dt.date(2024, 1, 1)),  # back for a month each year
    ("America/Havana", dt.date(2024, 1, 1)),  # midnight that comes twice
    ("Asia/Baku", dt.date(2024, 1, 1)),
)


def walk(zone, start, days, minutes=30):
    """(hour of the run, local date and time) every `minutes`, by the standard library."""
    begin = dt.datetime.combine(start, dt.time(), dt.UTC)
    for n in range(days * 24 * 60 // minutes):
        yield n * minutes / 60, (begin + n * dt.timedelta(minutes=minutes)).astimezone(zone_of(zone))


def element(plan, id):
    return next(one for one in plan.elements if one.id == id)
