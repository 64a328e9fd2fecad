"""Local time of a place: a named zone with its changes of the clock, or a fixed offset from UTC.

The rules are those of D32 (docs/rules.md): a calendar holds by what the local
clock shows; a local time that does not exist is the instant of the change; one
that comes twice is the first of both. Zones come from the `tzdata` package, not
from the system, so that every machine gives the same answer.
"""

from __future__ import annotations

import datetime as dt
import functools
import importlib
import importlib.resources
import math
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from corridor_sim.core.errors import Problem, ScenarioError, nearest
from corridor_sim.core.units import H_PER_DAY, FloatArray

_HOUR = dt.timedelta(hours=1)
_LOOK_EVERY = dt.timedelta(hours=6)

OffsetPieces = tuple[tuple[float, float], ...]
"""(from hour of the run, local time minus UTC in hours); the first holds from before the run."""


@dataclass(frozen=True, slots=True)
class LocalTime:
    """Local time by an IANA name, or by an offset where there is none.

    Examples
    --------
    >>> tehran = LocalTime("Asia/Tehran")
    >>> tehran.offset_h(dt.datetime(2022, 3, 21, 20, 29)), tehran.offset_h(dt.datetime(2022, 3, 21, 20, 30))
    (3.5, 4.5)
    >>> tehran.utc(dt.datetime(2022, 3, 22, 0, 15))  # 00:00 to 01:00 did not exist that day
    datetime.datetime(2022, 3, 21, 20, 30)
    """

    zone: str = ""
    utc_offset_h: float = 0.0

    def offset_h(self, utc: dt.datetime) -> float:
        """Local time minus UTC at an instant given in UTC without an offset of its own. [h]"""
        if not self.zone:
            return self.utc_offset_h
        offset = utc.replace(tzinfo=dt.UTC).astimezone(zone_info(self.zone)).utcoffset()
        assert offset is not None
        return offset / _HOUR

    def utc(self, local: dt.datetime) -> dt.datetime:
        """The instant in UTC at which the local clock shows `local` (both without an offset of their own)."""
        if not self.zone:
            return local - dt.timedelta(hours=self.utc_offset_h)
        info = zone_info(self.zone)
        earlier, later = (
            local.replace(tzinfo=info, fold=fold).astimezone(dt.UTC).replace(tzinfo=None) for fold in (0, 1)
        )
        if earlier <= later:  # once, or twice: the first
            return earlier
        # In a gap each fold reads the clock of the other side: the change lies between them.
        return self._change(later, earlier)

    def occurrences(self, local: dt.datetime) -> tuple[dt.datetime, ...]:
        """The instants in UTC at which the clock shows `local`: one; two where it is set back; none where it skips it.

        Examples
        --------
        >>> berlin = LocalTime("Europe/Berlin")
        >>> [len(berlin.occurrences(dt.datetime(2026, *day, 2, 30))) for day in ((3, 28), (3, 29), (10, 25))]
        [1, 0, 2]
        """
        if not self.zone:
            return (self.utc(local),)
        info = zone_info(self.zone)
        first, second = (
            local.replace(tzinfo=info, fold=fold).astimezone(dt.UTC).replace(tzinfo=None) for fold in (0, 1)
        )
        if first == second:
            return (first,)
        return (first, second) if first < second else ()

    def pieces(self, start_utc: dt.datetime, until_h: float) -> OffsetPieces:
        """The offset over a run that begins at `start_utc` and lasts `until_h` hours, two days on either side included.

        Examples
        --------
        >>> LocalTime("Asia/Tehran").pieces(dt.datetime(2022, 3, 20), 72.0)
        ((-48.0, 3.5), (44.5, 4.5))
        """
        return _pieces(self, start_utc, until_h)

    def _change(self, before: dt.datetime, after: dt.datetime) -> dt.datetime:
        """The instant, to the second, at which the offset at `after` begins, if it changes once from `before`."""
        new = self.offset_h(after)
        while after - before > dt.timedelta(seconds=1):
            middle = before + (after - before) // 2
            middle = middle.replace(microsecond=0) if middle.replace(microsecond=0) > before else middle
            before, after = (before, middle) if self.offset_h(middle) == new else (middle, after)
        return after


UTC = LocalTime()


@functools.lru_cache(maxsize=256)
def _pieces(local: LocalTime, start_utc: dt.datetime, until_h: float) -> OffsetPieces:
    first, last = start_utc - dt.timedelta(hours=48), start_utc + dt.timedelta(hours=until_h + 48)
    found = [(-48.0, local.offset_h(first))]
    at = first.replace(microsecond=0)
    while local.zone and at < last:
        following = at + _LOOK_EVERY
        if local.offset_h(following) != found[-1][1]:
            change = local._change(at, following)
            found.append(((change - start_utc) / _HOUR, local.offset_h(change)))
        at = following
    return tuple(found)


def day_starts(pieces: OffsetPieces, utc_clock_h: float, horizon_h: float) -> FloatArray:
    """Instants at which local days begin, one a day: the first at or before 0, the last at or after the end.

    `utc_clock_h` is the hour of the day in UTC at the start of the run. A day
    begins when the clock first shows its date: at the change itself where the
    clock skips midnight, once where midnight comes twice. [h]

    Examples
    --------
    >>> day_starts(((-48.0, 3.5), (44.5, 4.5)), 0.0, 72.0)  # Tehran, the spring of 2022: the third day has 23 hours
    array([-3.5, 20.5, 44.5, 67.5, 91.5])
    """
    found: list[tuple[float, float]] = []  # date as days after that of the start in UTC, instant
    for k, (from_h, offset) in enumerate(pieces):
        until_h = pieces[k + 1][0] if k + 1 < len(pieces) else math.inf
        midnight = H_PER_DAY * math.floor((from_h + offset + utc_clock_h) / H_PER_DAY) - offset - utc_clock_h
        while midnight < min(until_h, horizon_h + 2 * H_PER_DAY):
            date = round((midnight + offset + utc_clock_h) / H_PER_DAY)
            if not found or date > found[-1][0]:
                found.append((date, max(midnight, from_h) if k else midnight))
            midnight += H_PER_DAY
    begun = max(k for k, (_, instant) in enumerate(found) if instant <= 0)
    ended = min(k for k, (_, instant) in enumerate(found) if instant >= horizon_h)
    return np.array([instant for _, instant in found[begun : ended + 1]])


def offset_at(pieces: OffsetPieces, time_h: float) -> float:
    """The offset in force at an hour of the run. [h]"""
    return [offset for from_h, offset in pieces if from_h <= time_h or from_h == pieces[0][0]][-1]


@functools.lru_cache(maxsize=64)
def zone_info(name: str) -> zoneinfo.ZoneInfo:
    """The zone of that name in the `tzdata` package.

    Raises
    ------
    ScenarioError
        If there is no zone of that name.
    """
    if name not in zone_names():
        text, example = "is no IANA time zone", "a name such as 'Asia/Baku'"
        raise ScenarioError([Problem(text, value=name, allowed=example, hint=nearest(name, zone_names()))])
    with importlib.resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).open("rb") as file:
        return zoneinfo.ZoneInfo.from_file(file, key=name)


@functools.cache
def zone_names() -> Sequence[str]:
    """Names of all zones of the `tzdata` package."""
    return tuple(importlib.resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


def zone_release() -> str:
    """Release of the time zone database in use, such as ``2026b``."""
    return str(importlib.import_module("tzdata").IANA_VERSION)
