"""Days that an entry of a calendar names, by weekday and season: ``"Mon-Fri"``, ``"Apr-Sep"``, ``"Nov 15-Mar Sat"``.

Seasons come back every year and may run over its end; their last day belongs to them. To
add a way of naming days, add it to `named`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.errors import Problem, ScenarioError, nearest

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS_FORM = (
    "weekdays Mon Tue Wed Thu Fri Sat Sun, as in 'Mon-Fri' or 'Sat,Sun', "
    "after a season as in 'Apr-Sep' or 'Apr 15-Sep 30'"
)
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DATE = rf"(?:{'|'.join(MONTHS)})(?: \d{{1,2}})?"
_SEASON = rf"{_DATE}(?:-{_DATE})?"
_SEASONS = re.compile(rf"{_SEASON}(?:,{_SEASON})*(?= |$)")

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Days:
    """Dates one after the other, as calendars read them; one value a date.

    Attributes
    ----------
    date
        The dates.
    month_day
        Month times 100 plus day of the month: 415 is 15 April.
    weekday
        Monday is 0; the one that the date is worked as.
    holiday
        Whether the date is a holiday.
    """

    date: NDArray[np.datetime64]
    month_day: IntArray
    weekday: IntArray
    holiday: BoolArray

    @classmethod
    def of(cls, first: dt.date, count: int) -> Days:
        """`count` dates from `first` on."""
        date = np.datetime64(first, "D") + np.arange(count)
        month = date.astype("datetime64[M]")
        day = (date - month.astype("datetime64[D]")).astype(np.int64) + 1
        month_day = (month.astype(np.int64) % 12 + 1) * 100 + day
        return cls(date, month_day, (date.astype(np.int64) + 3) % 7, np.zeros(count, dtype=bool))

    def keeping(
        self, holidays: Collection[dt.date], worked: Iterable[tuple[dt.date, int]] = (), holiday_as: int | None = None
    ) -> Days:
        """The same dates with holidays, and with those worked as another weekday; holidays as one too, if given.

        Examples
        --------
        >>> days = Days.of(dt.date(2024, 4, 26), 4).keeping([dt.date(2024, 4, 29)], [(dt.date(2024, 4, 27), 0)])
        >>> days.weekday, days.holiday
        (array([4, 0, 6, 0]), array([False, False, False,  True]))
        """
        holiday = np.isin(self.date, np.array(sorted(holidays), dtype="datetime64[D]"))
        weekday = self.weekday.copy()
        for date, other in worked:
            weekday[self.date == np.datetime64(date, "D")] = other
        if holiday_as is not None:
            weekday[holiday] = holiday_as
        return replace(self, weekday=weekday, holiday=holiday)


@dataclass(frozen=True, slots=True)
class Named:
    """The days that an entry names: some weekdays, all year or in some seasons.

    `seasons` are (first, last) as month times 100 plus day; none means all year.
    """

    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    seasons: tuple[tuple[int, int], ...] = ()

    def among(self, days: Days) -> BoolArray:
        """Which of the dates are named."""
        return np.isin(days.weekday, self.weekdays) & self.in_season(days.month_day)

    def in_season(self, month_day: IntArray) -> BoolArray:
        """Which of the days of the year lie in one of the seasons."""
        found = np.full(len(month_day), not self.seasons)
        for first, last in self.seasons:
            after, before = month_day >= first, month_day <= last
            found |= (after & before) if first <= last else (after | before)
        return found


def named(text: str) -> Named:
    """The days that a text names; "" names all.

    Raises
    ------
    ScenarioError
        If there is no such weekday or date.

    Examples
    --------
    >>> named("Apr-Sep Sat,Sun")
    Named(weekdays=(5, 6), seasons=((401, 930),))
    >>> named("Nov 15-Mar 1").seasons
    ((1115, 301),)
    """
    found = _SEASONS.match(text)
    seasons = tuple(_season(part) for part in found[0].split(",")) if found else ()
    rest = text[found.end() :].lstrip() if found else text
    return Named(tuple(_weekdays(rest)), seasons) if rest else Named(seasons=seasons)


def words_of(named_: Named) -> str:
    """The weekdays of an entry in words.

    Examples
    --------
    >>> words_of(Named((4, 5)))
    'Fri, Sat'
    """
    return ", ".join(WEEKDAYS[day] for day in named_.weekdays)


def _season(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    begin, end = _date(first, end=False), _date(last or first, end=True)
    return begin, end


def _date(text: str, end: bool) -> int:
    """Month times 100 plus day; a month alone is its first day, or its last as an end."""
    name, _, number = text.partition(" ")
    month = MONTHS.index(name)
    day = int(number) if number else _LENGTHS[month] if end else 1
    if not 1 <= day <= _LENGTHS[month]:
        raise ScenarioError([Problem("is no date", value=text, allowed=f"{name} 1 to {name} {_LENGTHS[month]}")])
    return 100 * (month + 1) + day


def _weekdays(text: str) -> Sequence[int]:
    """Numbers of the weekdays in ``Mon-Fri`` or ``Sat,Sun``."""
    days: list[int] = []
    for part in text.split(","):
        ends = part.split("-")
        if strange := [name for name in ends if name not in WEEKDAYS]:
            known = (*WEEKDAYS, *MONTHS)
            name = next((name for name in strange if name not in MONTHS), strange[0])
            of_season = " " in text or any(end in MONTHS for end in ends)
            what = "is neither a weekday nor a season" if of_season else "is not a weekday"
            hint = nearest(name[:3].title(), known)
            raise ScenarioError([Problem(what, value=name, allowed=DAYS_FORM, hint=hint)])
        if len(ends) > 2:
            raise ScenarioError([Problem("is not a range of weekdays", value=part, allowed=DAYS_FORM)])
        first, last = WEEKDAYS.index(ends[0]), WEEKDAYS.index(ends[-1])
        days += [(first + k) % 7 for k in range((last - first) % 7 + 1)]
    return days
