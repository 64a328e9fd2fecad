"""What a count of a queue says of those who join it: only the difference between them and those who leave.

Whoever is counted stands in a line or is on the way through. As long as the line is not empty, so many leave as can be
passed; without a line those leave who have stayed their time. Both are assumed, and with them the joining of each
hour follows from the change of the count.
"""

from __future__ import annotations

import numpy as np

from corridor_sim.core.errors import ArgumentError
from corridor_sim.core.units import FloatArray

WEEK_H = 168


def joining_per_h(count: FloatArray, capacity_per_h: float, inside: float) -> FloatArray:
    """Vehicles that joined in each hour, from counts at full hours.

    The count grows by those who join and falls by ``capacity_per_h * min(count / inside, 1)``: with less than
    `inside` there is no line, and everybody stays ``inside / capacity_per_h``.

    Parameters
    ----------
    count : array, shape (hours + 1,)
        NaN where it is not known.
    capacity_per_h : float
        Vehicles that leave while there is a line. [1/h]
    inside : float
        Vehicles that are on the way through then.

    Returns
    -------
    array, shape (hours,)
        Below 0 where the count fell faster than the capacity. [1/h]

    Examples
    --------
    >>> joining_per_h(np.array([100.0, 95.0, 95.0]), capacity_per_h=8.0, inside=30.0)
    array([3., 8.])
    """
    left = capacity_per_h * np.minimum((count[:-1] + count[1:]) / (2.0 * inside), 1.0)
    return np.asarray(np.diff(count) + left)


def hours_of_the_last(rates: FloatArray, count: float) -> float:
    """In how many of the last hours so many joined; all hours if they are too few. [h]

    Parameters
    ----------
    rates : array, shape (hours,)
        The last at the end; below 0 and NaN is nobody. [1/h]

    Examples
    --------
    >>> hours_of_the_last(np.array([9.0, 4.0, 2.0]), 4.0)
    1.5
    """
    joined = np.concatenate([[0.0], np.cumsum(np.maximum(np.nan_to_num(rates[::-1]), 0.0))])
    if count >= joined[-1]:
        return float(len(rates))
    after = int(np.searchsorted(joined, count, side="right"))
    return float(after - 1 + (count - joined[after - 1]) / (joined[after] - joined[after - 1]))


def by_week(rates: FloatArray, ends_h: int) -> FloatArray:
    """Hourly rates that end at an hour as weeks, shape (weeks, 168); hour 0 is where `ends_h` is a multiple of 168."""
    if len(rates) % WEEK_H:
        raise ArgumentError(f"needs whole weeks of hours, got {len(rates)} hours")
    return np.roll(rates.reshape(-1, WEEK_H), ends_h % WEEK_H, axis=1)


def mean_week(weeks: FloatArray) -> FloatArray:
    """Mean of each hour of the week over the weeks in which it is known.

    Raises
    ------
    ArgumentError
        If an hour is known in none.
    """
    known = ~np.isnan(weeks)
    if not known.any(axis=0).all():
        missing = int((~known.any(axis=0)).sum())
        raise ArgumentError(f"{missing} hours of the week were counted in none of the {len(weeks)} weeks")
    return np.asarray(np.where(known, weeks, 0.0).sum(axis=0) / known.sum(axis=0))


def smoothed(rates: FloatArray, hours: int) -> FloatArray:
    """Mean over some hours around each, the last axis being a circle."""
    reach = hours // 2
    return np.asarray(np.mean([np.roll(rates, k, axis=-1) for k in range(-reach, reach + 1)], axis=0))


def only_joining(rates: FloatArray) -> FloatArray:
    """Rates of a week without those below 0, each day scaled so that as many join in it as before.

    A count that falls faster than the capacity gives a rate below 0: taken for 0 alone, the week would have too many.

    Parameters
    ----------
    rates : array, shape (168,)

    Examples
    --------
    >>> week = only_joining(np.array([4.0, -2.0] * 84))
    >>> week[:2], round(float(week.sum()), 6)
    (array([2., 0.]), 168.0)
    """
    days = rates.reshape(7, 24)
    joining = np.maximum(days, 0.0)
    there = joining.sum(axis=1, keepdims=True)
    wanted = np.maximum(days.sum(axis=1, keepdims=True), 0.0)
    return np.asarray((joining * np.divide(wanted, there, out=np.zeros_like(there), where=there > 0)).reshape(-1))


def drawn_week(
    weeks: FloatArray,
    begins: tuple[int, ...],
    drift_sd: float,
    level_sd: float,
    hours: int,
    rng: np.random.Generator,
) -> FloatArray:
    """One week that may come, after weeks that were, shape (168,). [1/h]

    The mean week, and on it what one past week had more or less: the week is cut where `begins` says, and each
    part is of a past week of its own (Sunday with the Saturday before it, not with that of another week). Deviations
    are widened by sqrt((k + 1) / (k - 1)), since the mean is of the same k weeks and is not known better than that.
    Besides, each day has a drift of its own and the whole week one, for what weeks so few have not shown.

    Parameters
    ----------
    weeks : array, shape (weeks, 168)
        Hour 0 of a week as everywhere where this is used; NaN where it is not known.
    begins : tuple of int
        Hours at which parts of the week begin.
    drift_sd, level_sd : float
        Standard deviations of the drift of a day and of that of the week. [1/h]
    hours : int
        Over which rates are smoothed, so that the noise of single counts is no rate.
    """
    mean, count = mean_week(weeks), len(weeks)
    wider = np.sqrt((count + 1.0) / (count - 1.0))
    part = np.searchsorted(np.sort(begins), np.arange(WEEK_H), side="right") % len(begins)
    chosen = rng.integers(count, size=len(begins))[part]
    more = np.nan_to_num(weeks[chosen, np.arange(WEEK_H)] - mean)
    drift = np.repeat(drift_sd * rng.standard_normal(7), 24) + level_sd * rng.standard_normal()
    return only_joining(smoothed(mean + wider * more, hours) + drift)
