"""Predict the queue of the next days from its counts: weeks that may come, each run by the simulator.

A week that may come is drawn from past weeks (`statistics.weekly_flow`), with a capacity from its range; the scenario
with these inputs and the queue of the origin is run once with random streams of its own. So the bands hold
what week differs from week, what is not known of the capacity, and the noise of arrivals and services.
"""

from __future__ import annotations

import datetime as dt
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError, CorridorError, CorridorWarning
from corridor_sim.core.streams import Rng, generator, key
from corridor_sim.core.units import FloatArray
from corridor_sim.model.values_by_path import set_values
from corridor_sim.plan.build import make_plan
from corridor_sim.plan.plan import Plan
from corridor_sim.records.queue_counts import LONGEST_GAP_H, QueueCounts, present, queue_counts
from corridor_sim.results.queue_predictions import QueuePrediction, RollingScores
from corridor_sim.statistics.weekly_flow import (
    WEEK_H,
    by_week,
    drawn_week,
    hours_of_the_last,
    joining_per_h,
    mean_week,
    only_joining,
    smoothed,
)
from corridor_sim.study.asked_run import planned, root_of
from corridor_sim.study.designs import with_values
from corridor_sim.study.progress import Progress, shown
from corridor_sim.study.run import run
from corridor_sim.study.spread import cores, spread

if TYPE_CHECKING:
    from corridor_sim.model.scenario import Scenario

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FEWEST_WEEKS = 3
"""Whole weeks of counts before an origin, below which nothing is predicted: how weeks differ would not be known."""
HORIZONS_H = (24.0, 72.0, 168.0)


@dataclass(frozen=True, kw_only=True)
class WeeklyQueue:
    """How a scenario takes counts of a queue: which of its names stand for what, and what is assumed of the post.

    Attributes
    ----------
    scenario : Scenario, path or name
        With a flow for each weekday (``<flow>_mon`` ... ``<flow>_sun``), each with a profile of its own that is that
        day only, on the clock of UTC, and a flow of those who are there at the start in each of two places.
    post, direction, stay, lanes : str
        Where the count is taken; the stage of the way through, without a queue, and the stage with the line before it.
    flow, inside : str
        Flows: the first part of the weekdays' names, and those on the way through at the start.
    line : str
        The queue of `run.initial_queue` that stands before the lanes at the start.
    capacity_per_h : (low, high)
        Vehicles that leave in an hour while there is a line.
    on_the_way : float
        Vehicles that are on the way through then, in no line.
    drift_sd, level_sd : float
        Drift of a day, and of the whole week, that past weeks have not shown; standard deviations. Assumed. [1/h]
    smooth_h : int
        Over which hourly rates are smoothed; odd. [h]
    begins : sequence of int
        Hours of the week (0 is Monday, 00:00 UTC) at which parts begin that are drawn from weeks of their own.
    weeks : int
        Most past weeks that are used.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> import inspect
    >>> inspect.signature(cs.WeeklyQueue).parameters["weeks"].default
    6
    """

    scenario: Any
    post: str
    direction: str
    stay: str
    lanes: str
    flow: str
    line: str
    inside: str
    capacity_per_h: tuple[float, float]
    on_the_way: float
    drift_sd: float
    level_sd: float
    smooth_h: int = 3
    begins: tuple[int, ...] = (0,)
    weeks: int = 6

    def __post_init__(self) -> None:
        low, high = self.capacity_per_h
        arguments.number("capacity_per_h", low, above=0.0)
        arguments.number("capacity_per_h", high, low)
        arguments.number("on_the_way", self.on_the_way, above=0.0)
        arguments.number("drift_sd", self.drift_sd, 0.0)
        arguments.number("level_sd", self.level_sd, 0.0)
        arguments.whole("weeks", self.weeks, FEWEST_WEEKS)
        if arguments.whole("smooth_h", self.smooth_h, 1, 23) % 2 == 0:
            raise ArgumentError(f"smooth_h must be an odd number of hours, got {self.smooth_h}")
        for hour in self.begins or (-1,):
            arguments.whole("begins", hour, 0, WEEK_H - 1)

    def values(
        self,
        week: FloatArray,
        capacity_per_h: float,
        count: int,
        start: dt.datetime,
        horizon_h: float,
        joined_h: float,
    ) -> dict[str, Any]:
        """Values of the scenario by path, for one week that may come (hour 0 is Monday, 00:00 UTC).

        `joined_h` is how long before the start the first of those counted there joined.
        """
        stages = f"checkpoints.{self.post}.{self.direction}"
        through = min(count, round(self.on_the_way))
        stay_h = self.on_the_way / capacity_per_h
        found: dict[str, Any] = {
            "run.start": start,
            "run.horizon_h": horizon_h,
            f"{stages}.{self.stay}.service.mean_h": stay_h,
            f"{stages}.{self.lanes}.service.mean_h": 1.0 / capacity_per_h,
            f"flows.{self.inside}.arrivals.count": through,
            f"run.initial_queue.{self.line}.count": count - through,
            f"run.initial_queue.{self.line}.over_h": max(joined_h - stay_h, 0.0),
        }
        for day, name in enumerate(WEEKDAYS):
            hours = week[24 * day : 24 * (day + 1)]
            found[f"flows.{self.flow}_{name}.per_day"] = float(hours.sum() / 7.0)
            if hours.sum() > 0:
                found[f"profiles.{self.flow}_{name}.hour"] = [round(float(one), 6) for one in hours]
        return found


CHOP = WeeklyQueue(
    scenario="chop_zahony_2025",
    post="chop_ua",
    direction="exit",
    stay="stay",
    lanes="lanes",
    flow="trucks",
    line="line",
    inside="inside",
    # 420 s a vehicle, the source's own formula, is 8.57/h; the largest fall over half a day is 10.6/h.
    capacity_per_h=(60.0 / 7.0, 10.5),
    on_the_way=29.0,
    drift_sd=1.0,
    level_sd=0.5,
    # Monday, and Friday noon: the weekend's rise and the week's drain.
    begins=(0, 108),
)
"""Trucks at Chop (Tysa), out of Ukraine; what is assumed is said in docs/measured.md."""


@dataclass(frozen=True, slots=True)
class _Shared:
    """What all draws of a prediction share."""

    scenario: Scenario
    data: dict[str, Any]
    post: str
    direction: str
    time_h: FloatArray
    root: int
    engine: str


@dataclass(frozen=True, slots=True)
class _Week:
    """One draw: its number and the values of the scenario."""

    number: int
    values: Mapping[str, Any] = field(default_factory=dict)


def past_weeks(counts: QueueCounts, ends_h: int, capacity_per_h: float, queue: WeeklyQueue) -> FloatArray:
    """Vehicles that joined in each hour of the past weeks, shape (weeks, 168); hour 0 is Monday, 00:00 UTC. [1/h]

    Raises
    ------
    ArgumentError
        If fewer than three whole weeks were counted before the hour `ends_h`.
    """
    count = min(int((ends_h - counts.time_h[0]) // WEEK_H), queue.weeks)
    if count < FEWEST_WEEKS:
        have = (ends_h - counts.time_h[0]) / WEEK_H
        raise ArgumentError(f"a prediction needs {FEWEST_WEEKS} weeks of counts before its origin, got {have:.1f}")
    hours = np.arange(ends_h - WEEK_H * count, ends_h + 1, dtype=float)
    rates = joining_per_h(counts.at(hours), capacity_per_h, queue.on_the_way)
    monday_h = 24 * counts.start.weekday()
    return by_week(rates, ends_h + monday_h)


def predict_queue(
    counts: QueueCounts | str | os.PathLike[str],
    origin: dt.datetime | None = None,
    *,
    queue: WeeklyQueue = CHOP,
    horizon_h: float = 168.0,
    time_h: Any = None,
    draws: int = 64,
    rng: Rng = None,
    engine: str = "auto",
    workers: int | None = 1,
    progress: Progress = None,
) -> QueuePrediction:
    """Predict a queue from its counts up to an origin; nothing later is looked at.

    Parameters
    ----------
    counts : QueueCounts, or what `queue_counts` reads
    origin : datetime, optional
        The last count that is known is the last one up to here; by default the last of all. [UTC]
    queue : WeeklyQueue
        The scenario and what is assumed of it; by default that of Chop.
    horizon_h : float
        How far ahead, at most a week. [h]
    time_h : array, optional
        Hours after the origin at which the queue is told; by default every full one. [h]
    draws : int
        Weeks that may come, each run once.
    rng
        Seed of the weeks and of the streams; by default that of the scenario.
    workers : int, optional
        Processes; None takes all cores. The prediction does not depend on it.

    Returns
    -------
    QueuePrediction

    Raises
    ------
    ArgumentError
        If there are fewer than three weeks of counts before the origin, or the last count is more than three hours
        older than the origin.

    Examples
    --------
    >>> import datetime as dt, corridor_sim as cs
    >>> made = cs.predict_queue("chop_zahony_2025", dt.datetime(2025, 7, 12, 12), horizon_h=24, draws=8)
    >>> made.origin
    datetime.datetime(2025, 7, 12, 11, 2, 8)
    """
    held = counts if isinstance(counts, QueueCounts) else queue_counts(counts)
    arguments.instance("queue", queue, WeeklyQueue, "a WeeklyQueue")
    horizon_h = arguments.number("horizon_h", horizon_h, 1.0, float(WEEK_H))
    draws = arguments.whole("draws", draws, 2)
    wanted = held.time_h[-1] if origin is None else held.hour(origin)
    known = held.between(-np.inf, wanted)
    if not len(known) or wanted - known.time_h[-1] > LONGEST_GAP_H:
        raise ArgumentError(f"origin must be at most {LONGEST_GAP_H:g} h after a count, got {origin}")
    last_h, last = float(known.time_h[-1]), round(float(known.count[-1]))
    hours = np.arange(1.0, np.floor(horizon_h) + 1.0) if time_h is None else arguments.array("time_h", time_h)
    if hours.ndim != 1 or not len(hours) or (hours < 0).any() or (hours > horizon_h).any():
        raise ArgumentError(f"time_h must be hours from 0 to horizon_h = {horizon_h:g}, got {time_h!r}"[:200])
    base = _scenario_of(queue)
    root = root_of(base, rng)
    jobs = []
    for number in range(draws):
        stream = generator(key(root, number, "week"))
        low, high = queue.capacity_per_h
        capacity_per_h = float(stream.uniform(low, high))
        weeks = past_weeks(known, int(np.floor(last_h)), capacity_per_h, queue)
        week = drawn_week(weeks, queue.begins, queue.drift_sd, queue.level_sd, queue.smooth_h, stream)
        joined_h = _joined_before(known, last_h, last, capacity_per_h, queue)
        values = queue.values(week, capacity_per_h, last, held.instant(last_h), horizon_h, joined_h)
        jobs.append(_Week(number, values))
    data = base.to_data()
    for name in ("horizon_days", "warm_up_days", "warm_up_h", "cool_down_days", "cool_down_h"):
        data["run"].pop(name, None)
    shared = _Shared(base, data, queue.post, queue.direction, hours, root, engine)
    found = np.zeros((draws, len(hours)))
    with shown(progress, "", draws, unit="draw") as tell:
        for number, row in spread(_counted, shared, jobs, cores() if workers is None else workers):
            found[number] = row
            tell(1)
    return QueuePrediction("simulated", held.instant(last_h), hours, found, held.name)


def _joined_before(counts: QueueCounts, last_h: float, last: int, capacity_per_h: float, queue: WeeklyQueue) -> float:
    """How long before the last count the first of those counted then joined, a week at most. [h]"""
    hours = np.arange(max(np.ceil(counts.time_h[0]), np.floor(last_h) - WEEK_H), np.floor(last_h) + 1.0)
    return hours_of_the_last(joining_per_h(counts.at(hours), capacity_per_h, queue.on_the_way), last)


def _scenario_of(queue: WeeklyQueue) -> Scenario:
    base = planned(queue.scenario).scenario
    if isinstance(base, Plan):
        raise CorridorError("the weeks of a scenario are drawn; a plan has none")
    return base


def _counted(shared: _Shared, week: _Week) -> FloatArray:
    """Run one draw and count the queue; runs in workers too."""
    set_values(shared.data, week.values)
    plan = make_plan(type(shared.scenario).model_validate(shared.data))
    with warnings.catch_warnings():
        # One replication, an overload: that is what a queue is.
        warnings.simplefilter("ignore", CorridorWarning)
        results = run(
            plan,
            replications=[week.number],
            rng=shared.root,
            engine=shared.engine,
            workers=1,
            records=True,
            indicators=(),
        )
    assert results.records is not None
    return np.asarray(present(results.records, shared.post, shared.direction, shared.time_h)[0])


# ---------------------------------------------------------------- what it is compared with


def last_value(counts: QueueCounts, origin: dt.datetime, time_h: FloatArray, weeks: int = 6) -> QueuePrediction:
    """The last count for ever, with the changes over as many hours that were seen before.

    Its median is the last count itself: changes are taken around theirs.
    """
    known = counts.between(-np.inf, counts.hour(origin))
    last_h, last = float(known.time_h[-1]), float(known.count[-1])
    since = np.arange(max(known.time_h[0], last_h - WEEK_H * weeks), last_h, 1.0)
    columns = []
    shares = np.linspace(0.0025, 0.9975, 200)
    for hour in time_h:
        changes = known.at(since[since + hour <= last_h] + hour) - known.at(since[since + hour <= last_h])
        changes = changes[~np.isnan(changes)]
        columns.append(last + np.quantile(changes - np.median(changes), shares))
    draws = np.maximum(np.stack(columns, axis=1), 0.0)
    return QueuePrediction("last value", counts.instant(last_h), time_h, draws, counts.name)


def hour_of_week(counts: QueueCounts, origin: dt.datetime, time_h: FloatArray, weeks: int = 6) -> QueuePrediction:
    """The mean of the same hour of past weeks, with how far each of them was from it.

    Distances are widened as those of `drawn_week`, and pooled over all hours: so few weeks tell no more of one.
    """
    known = counts.between(-np.inf, counts.hour(origin))
    last_h = float(known.time_h[-1])
    count = min(int((last_h - known.time_h[0]) // WEEK_H), weeks)
    if count < 2:
        raise ArgumentError("the mean of the hours of the week needs two weeks of counts before the origin")
    back = WEEK_H * np.arange(1, count + 1)[:, None]
    ahead = np.arange(1.0, WEEK_H + 1.0)
    # Over gaps on the straight line: a rule has nothing better.
    seen = np.interp(last_h + ahead - back, known.time_h, known.count)
    away = (seen - seen.mean(axis=0)) * np.sqrt((count + 1.0) / (count - 1.0))
    spread_out = np.quantile(away, np.linspace(0.0025, 0.9975, 200))
    mean = np.interp(last_h + time_h - back, known.time_h, known.count).mean(axis=0)
    draws = np.maximum(mean + spread_out[:, None], 0.0)
    return QueuePrediction("hour-of-week mean", counts.instant(last_h), time_h, draws, counts.name)


def rolling_scores(
    counts: QueueCounts | str | os.PathLike[str],
    origins: Sequence[dt.datetime] | None = None,
    *,
    queue: WeeklyQueue = CHOP,
    horizons_h: Sequence[float] = HORIZONS_H,
    every_h: float = 24.0,
    draws: int = 64,
    rng: Rng = None,
    workers: int | None = None,
    progress: Progress = None,
) -> RollingScores:
    """Predict from several origins, each from what was known there, and hold it against what came [tashman2000].

    Parameters
    ----------
    counts : QueueCounts, or what `queue_counts` reads
    origins : sequence of datetime, optional
        By default every `every_h` hours from three weeks after the first count to the shortest horizon before the last,
        but those in a gap of the counts.
    horizons_h : sequence of float
        Over which predictions are scored, each from the origin on. [h]
    draws, rng, workers
        As for `predict_queue`.

    Returns
    -------
    RollingScores
        Of ``"simulated"``, ``"last value"`` and ``"hour-of-week mean"``; each at the instants at which it was counted.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> import datetime as dt
    >>> origins = [dt.datetime(2025, 7, 12), dt.datetime(2025, 7, 13)]
    >>> found = cs.rolling_scores("chop_zahony_2025", origins, horizons_h=(24.0,), draws=8, rng=1, workers=1)
    >>> len(found.table())
    3
    """
    held = counts if isinstance(counts, QueueCounts) else queue_counts(counts)
    horizons = sorted(arguments.number("horizons_h", one, 1.0, float(WEEK_H)) for one in horizons_h)
    if not horizons:
        raise ArgumentError("horizons_h must name at least one horizon")
    every_h = arguments.number("every_h", every_h, above=0.0)
    if origins is None:
        first_h = float(np.ceil(held.time_h[0])) + WEEK_H * FEWEST_WEEKS + 1.0
        hours = np.arange(first_h, held.time_h[-1] - horizons[0] + 1.0, every_h)
        last = held.time_h[np.searchsorted(held.time_h, hours, side="right") - 1]
        begins = [held.instant(hour) for hour in hours[hours - last <= LONGEST_GAP_H]]
    else:
        begins = list(origins)
    if not begins:
        raise ArgumentError(f"there is no origin with {FEWEST_WEEKS} weeks before it and {horizons[0]:g} h after it")
    made: dict[str, list[QueuePrediction]] = {}
    with shown(progress, "", len(begins), unit="origin") as tell:
        for origin in begins:
            last_h = float(held.between(-np.inf, held.hour(origin)).time_h[-1])
            ahead = held.between(last_h, last_h + horizons[-1]).time_h - last_h
            if not len(ahead):
                raise ArgumentError(f"nothing was counted within {horizons[-1]:g} h after {origin}")
            simulated = predict_queue(
                held, origin, queue=queue, horizon_h=horizons[-1], time_h=ahead, draws=draws, rng=rng, workers=workers
            )
            others = (rule(held, origin, ahead, queue.weeks) for rule in (last_value, hour_of_week))
            for one in (simulated, *others):
                made.setdefault(one.method, []).append(one)
            tell(1)
    return RollingScores({name: tuple(found) for name, found in made.items()}, held, tuple(horizons))


def calibrated_scenario(
    counts: QueueCounts, until: dt.datetime, *, queue: WeeklyQueue = CHOP, horizon_h: float = 168.0
) -> Scenario:
    """The scenario at the mean of the weeks before an instant, with the queue of that instant: no draw.

    The capacity is the low end of its range.
    """
    base = _scenario_of(queue)
    known = counts.between(-np.inf, counts.hour(until))
    last_h = float(known.time_h[-1])
    capacity_per_h = queue.capacity_per_h[0]
    weeks = past_weeks(known, int(np.floor(last_h)), capacity_per_h, queue)
    week = only_joining(smoothed(mean_week(weeks), queue.smooth_h))
    last = round(float(known.count[-1]))
    joined_h = _joined_before(known, last_h, last, capacity_per_h, queue)
    values = queue.values(week, capacity_per_h, last, counts.instant(last_h), horizon_h, joined_h)
    return with_values(base, values)
