"""What a disruption does: a scenario with it against the same without it, on common random numbers (rule D42)."""

from __future__ import annotations

import concurrent.futures as futures
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError, CorridorError, ScenarioError
from corridor_sim.core.limits import MAX_REPLICATIONS
from corridor_sim.core.streams import Rng
from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.places import PlaceKey
from corridor_sim.indicators.queue_readings import curve_of, curves_of
from corridor_sim.indicators.table import Table
from corridor_sim.model.scenario import Scenario
from corridor_sim.plan.build import Planned
from corridor_sim.results.comparison import other_question, refuse
from corridor_sim.results.disruptions import MEASURES, Disruption
from corridor_sim.results.results import Results
from corridor_sim.statistics.input_intervals import input_interval
from corridor_sim.statistics.intervals import require_confidence
from corridor_sim.statistics.recovery import back_h, normal_band
from corridor_sim.statistics.scrambles import scrambled_points, scrambles_of
from corridor_sim.study.asked_run import (
    Runnable,
    hands_of,
    options_of,
    planned,
    planned_together,
    replication_numbers,
    root_of,
)
from corridor_sim.study.designs import with_values
from corridor_sim.study.disturbed_times import disturbed_h
from corridor_sim.study.input_space import PRIORS
from corridor_sim.study.progress import Progress, shown
from corridor_sim.study.run import run_all
from corridor_sim.study.uncertainty import space_of

BANDS = ("week", "instant")
SHARE = 0.9
"""Share of the time that an undisturbed queue is within its normal band."""
MOST_OF_IT = 0.95
"""A place with so much of the most extra waiting at any is told rather than a larger one around it."""
H_PER_WEEK = 168
KINDS = (
    "queue_readings",
    "delay_truck_h",
    "user_cost_usd",
    "arrivals_per_day",
    "created",
    "saturation",
)


def disruption(
    base: Runnable,
    other: Runnable,
    *,
    at: str = "",
    since: dt.datetime | dt.date | None = None,
    until: dt.datetime | dt.date | None = None,
    band: str = "week",
    settle_h: float = 24.0,
    inputs: int | None = None,
    input_replications: int = 4,
    replications: int | Sequence[int] | None = None,
    rng: Rng = None,
    confidence: float = 0.95,
    engine: str = "auto",
    executor: futures.Executor | None = None,
    workers: int | None = None,
    memory_gb: float = 2.0,
    progress: Progress = None,
) -> Disruption:
    """How long a queue takes to be back to normal after a disruption, how long it gets, and what that costs.

    Parameters
    ----------
    base, other : Scenario, path or name of a packaged scenario
        Without and with the disruption: a closure, an outage, a campaign of inspections, a surge of demand, or anything
        else that has dates.
    at : str, optional
        The post, leg or crossing whose queue is told, with its direction where it has several (``"northgate A>B"``). By
        default the one where most is waited more.
    since, until : date or datetime, optional
        From when until when it is disturbed (UTC, or with an offset); by default the dates of the improvements and
        outages that `other` has and `base` has not.
    band : {"week", "instant"}
        Whether the normal band at an instant is that of the same hour of the week over all weeks of the run, or of that
        hour alone, for runs whose demand or capacity changes in time.
    settle_h : float
        For how long the queue must be within its band to be back. [h]
    inputs : int, optional
        Draws of all figures that have a range; a power of two.
    input_replications : int
        Of each draw.
    replications, rng, engine, executor, workers, memory_gb, progress
        As in `run`.
    confidence : float
        Of the intervals over the replications.

    Returns
    -------
    Disruption

    Raises
    ------
    ArgumentError
        If there is no date from which or until which it is disturbed, it is not within the counted window, nothing
        queues, or a setting is not allowed.
    CorridorError
        If the two scenarios do not answer the same question (horizon, window), or inputs have no range.
    ScenarioError
        If a scenario or a draw of it is not allowed.
    SimulationError
        If a replication failed.

    Notes
    -----
    For a fluid queue with arrivals at rate a and capacity c that is closed for T hours, the longest queue is a T and
    the time to recover a T / (c - a) [newell1982].

    Examples
    --------
    >>> import corridor_sim as cs
    >>> import datetime as dt
    >>> begin, end = dt.datetime(2024, 1, 8, 6), dt.datetime(2024, 1, 8, 18)
    >>> closed = cs.Closure(at="checkpoints.northgate_b.entry", from_=begin, until=end)
    >>> base = cs.load_scenario("teaching")
    >>> found = cs.disruption(base, base.with_improvements(closed), replications=10, rng=1, workers=1)
    >>> found.to_frame()["measure"].tolist()[:3]
    ['recover_h', 'peak_queue', 'peak_h']
    """
    require_confidence(confidence)
    arguments.one_of("band", band, BANDS)
    arguments.instance("at", at, str, "the name of a place")
    settle_h = arguments.number("settle_h", settle_h, above=0.0)
    workers = hands_of(workers, executor, progress)
    draws = _draws(inputs)
    input_replications = arguments.whole("input_replications", input_replications, 1, MAX_REPLICATIONS)
    given = planned_together(base, other)
    first, second = (one.scenario for one in given)
    if not isinstance(first, Scenario) or not isinstance(second, Scenario):
        raise ArgumentError("a disruption is of scenarios; a plan has no dates")
    asked = [(one.scenario.name or "run", one.plan, options_of(one.scenario)) for one in given]
    refuse(other_question(asked[0], asked[1]))
    when = _when(first, second, since, until)
    _refuse_outside(given[0], when)
    root = root_of(first, rng)
    settings: dict[str, Any] = {"rng": root, "engine": engine, "executor": executor, "workers": workers}
    settings |= {"memory_gb": memory_gb, "indicators": KINDS}
    numbers = replication_numbers(first, replications)
    if len(numbers) < 2:
        raise ArgumentError("a normal band needs at least two replications")
    runs = run_all(given, None, replications=numbers, progress=progress, **settings)
    found = _measured(runs, when, _place(runs, at), band, settle_h, confidence)
    if draws is None:
        return found
    return _with_inputs(found, (first, second), draws, input_replications, (since, until), root, settings, progress)


def _draws(inputs: int | None) -> int | None:
    if inputs is None:
        return None
    draws = arguments.whole("inputs", inputs, 2, MAX_REPLICATIONS)
    try:
        scrambles_of(draws)
    except ValueError as error:
        raise ArgumentError(str(error)) from None
    return draws


# ---------------------------------------------------------------- when and where


def _when(base: Scenario, other: Scenario, since: Any, until: Any) -> tuple[float, float]:
    """From when until when it is disturbed. [h of the run]"""
    given = [None if one is None else _hour(other, name, one) for name, one in (("since", since), ("until", until))]
    if None in given:
        dated = disturbed_h(base, other)
        given = [one if mine is None else mine for mine, one in zip(given, dated, strict=True)]
    begin, end = (float(one) for one in given if one is not None)
    if not begin < end:
        raise ArgumentError(f"a disruption must end after it begins, got hour {begin:g} to hour {end:g} of the run")
    return begin, end


def _hour(scenario: Scenario, name: str, when: Any) -> float:
    arguments.instance(name, when, dt.date, "a date, or a date and time")
    instant = when if isinstance(when, dt.datetime) else dt.datetime.combine(when, dt.time())
    if instant.tzinfo is not None:
        instant = instant.astimezone(dt.UTC).replace(tzinfo=None)
    return (instant - scenario.run.start_utc) / dt.timedelta(hours=1)


def _refuse_outside(one: Planned, when: tuple[float, float]) -> None:
    """Refuse a disruption that the counted window does not hold."""
    plan = one.plan
    if not plan.warm_up_h <= when[0] or not when[1] < plan.counted_until_h:
        raise ArgumentError(
            f"the disruption (hour {when[0]:g} to {when[1]:g} of the run) must lie within what is counted "
            f"(hour {plan.warm_up_h:g} to {plan.counted_until_h:g}): another start, warm-up or length of the run"
        )


def _place(runs: Sequence[Results], at: str) -> PlaceKey:
    """The place asked for, or where most is waited more: a post or leg rather than a crossing with hardly more."""
    usual, disturbed = (curves_of(run.rows) for run in runs)
    both = [place for place in usual if place in disturbed]
    if at:
        id, _, direction = at.partition(" ")
        fitting = [place for place in both if place[1] == id and direction.strip() in ("", place[2])]
        if not fitting:
            known = ", ".join(sorted({f"{id} {direction}".strip() for _, id, direction in both}))
            raise ArgumentError(f"nothing queues at {at!r}; places with a queue: {known}")
        both = fitting
    if not both:
        raise ArgumentError("nothing queues in this scenario")
    grown = {place: float((disturbed[place][1] - usual[place][1]).sum(axis=1).mean()) for place in both}
    most = max(grown.values())
    return next(
        place
        for place in sorted(both, key=lambda one: (("post", "leg", "crossing").index(one[0]), -grown[one]))
        if grown[place] >= MOST_OF_IT * most
    )


# ---------------------------------------------------------------- measures


def _measured(
    runs: Sequence[Results], when: tuple[float, float], place: PlaceKey, band: str, settle_h: float, confidence: float
) -> Disruption:
    begin, end = when
    mark_h, usual = curve_of(runs[0].rows, place)
    disturbed = curve_of(runs[1].rows, place)[1]
    clock = runs[0].scope.clock(place[1] if place[0] == "post" else "")
    hour = clock.hour_before(mark_h)
    low, high = normal_band(usual, hour % H_PER_WEEK if band == "week" else hour, SHARE)
    beyond = disturbed > np.maximum(high, usual)
    recover_h = back_h(beyond, mark_h, end, settle_h)
    from_then = mark_h >= begin
    peak = disturbed[:, from_then].argmax(axis=1)
    values: dict[str, FloatArray] = {
        "recover_h": recover_h,
        "peak_queue": disturbed[:, from_then].max(axis=1),
        "peak_h": mark_h[from_then][peak] - begin,
        "extra_queue": (disturbed - usual)[:, from_then].max(axis=1),
    }
    rows = [run.rows for run in runs]
    values["extra_wait_h"] = _more(rows, "delay_truck_h", kind="corridor")
    here_h = (disturbed - usual).sum(axis=1) * float(np.diff(mark_h[:2]).sum())
    last = np.where(np.isnan(recover_h), mark_h[-1], end + np.where(np.isnan(recover_h), 0.0, recover_h))
    came = _per_h(runs[0], place) * (last - begin)
    values["extra_wait_h_each"] = np.divide(here_h, came, out=np.full(len(came), np.nan), where=came > 0)
    values["diverted"] = _diverted(runs)
    values["lost"] = _lost(rows[1]) - _lost(rows[0])
    values["not_arrived"] = _more(rows, "unfinished", kind="corridor")
    values["cost_usd"] = _more(rows, "user_cost_usd", kind="corridor")
    values["cost_waiting_usd"] = _waiting_usd(rows[1]) - _waiting_usd(rows[0])
    other_usd = values["cost_usd"] - values["cost_waiting_usd"]
    # What is left of rounding is no cost.
    values["cost_other_usd"] = np.where(np.abs(other_usd) > 1e-9 * np.abs(values["cost_usd"]), other_usd, 0.0)
    return Disruption(
        runs=(_without_curves(runs[0]), _without_curves(runs[1])),
        place=place,
        since_h=begin,
        until_h=end,
        mark_h=mark_h,
        usual=usual,
        disturbed=disturbed,
        low=low,
        high=high,
        values={name: values[name] for name in MEASURES},
        band=band,
        settle_h=settle_h,
        confidence=confidence,
        notes=_notes(runs),
    )


def _more(rows: Sequence[Table], indicator: str, **where: str) -> FloatArray:
    mine, theirs = (one.row(indicator, **where) for one in reversed(rows))
    return np.asarray(mine - theirs)


def _lost(rows: Table) -> FloatArray:
    """Consignments that left a queue for good in the run, shape (replication,); 0 where nobody may."""
    if "lost" not in rows.indicators:
        return np.zeros(len(rows.replications))
    return np.asarray(rows.row("lost", kind="corridor"))


def _per_h(run: Results, place: PlaceKey) -> FloatArray:
    """Consignments that reach a place, an hour of the window, shape (replication,)."""
    kind, id, direction = place
    return run.rows.row("arrivals_per_day", kind=kind, place=id, direction=direction) / 24.0


def _waiting_usd(rows: Table) -> FloatArray:
    return np.asarray(rows.select("user_cost_usd", kind="flow", of="waiting").values.sum(axis=0))


def _diverted(runs: Sequence[Results]) -> FloatArray:
    """Consignments that reached another crossing of the same border than they would have, shape (replication,).

    A border is told by its two countries: what one of its crossings has less and another one more.
    """
    days = runs[0].scope.window_days
    gained: dict[str, FloatArray] = {}
    less: dict[str, FloatArray] = {}
    theirs = dict(runs[0].rows.select("arrivals_per_day", kind="crossing"))
    total = np.zeros(runs[0].replications)
    for label, mine in runs[1].rows.select("arrivals_per_day", kind="crossing"):
        change = np.round((mine - theirs.get(label, np.zeros(len(mine)))) * days)
        none = np.zeros(len(mine))
        gained[label.direction] = gained.get(label.direction, none) + np.maximum(change, 0.0)
        less[label.direction] = less.get(label.direction, none) + np.maximum(-change, 0.0)
    for border, more in gained.items():
        total = total + np.minimum(more, less[border])
    return total


def _without_curves(run: Results) -> Results:
    rows = run.rows
    kept = [k for k, label in enumerate(rows.labels) if label.indicator != "queue_readings"]
    return run.with_rows(Table(tuple(rows.labels[k] for k in kept), rows.values[kept], rows.replications))


def _notes(runs: Sequence[Results]) -> tuple[str, ...]:
    found = []
    if over := list(runs[0].overloaded().values()):
        named = "; ".join(f"{one.place} ({one.words})" for one in over[:3])
        found.append(
            f"Without the disruption more comes than can pass at {named}: there the queue grows all the time, and what "
            "is normal hangs on when one looks."
        )
    return tuple(found)


# ---------------------------------------------------------------- inputs


def _with_inputs(
    found: Disruption,
    scenarios: tuple[Scenario, Scenario],
    draws: int,
    replications: int,
    dates: tuple[Any, Any],
    root: int,
    settings: Mapping[str, Any],
    progress: Progress,
) -> Disruption:
    """The same measures in draws of the inputs, at the same place: the mean over the replications of each draw."""
    space = space_of(scenarios)
    if not len(space):
        raise CorridorError("no figure of these scenarios has a range: there is nothing to draw")
    points, scramble = scrambled_points(draws, len(space), root)
    # Short runs, as most draws are, are done before other processes have started.
    how = {**settings, "workers": 1 if settings["workers"] == 1 else None}
    answers: dict[str, list[float]] = {name: [] for name in MEASURES}
    late = 0
    problems = []
    with shown(progress, "", draws, unit="draw") as tell:
        for n, point in enumerate(points):
            try:
                drawn = [
                    with_values(one, space.values(number, point, PRIORS[0])) for number, one in enumerate(scenarios)
                ]
                when = _when(drawn[0], drawn[1], *dates)
                plans = [planned(one) for one in drawn]
            except ScenarioError as error:
                problems += [replace(one, path=f"draw {n}: {one.path}") for one in error.problems]
                continue
            runs = run_all(plans, None, replications=tuple(range(replications)), warn=False, **how)
            one = _measured(runs, when, found.place, found.band, found.settle_h, found.confidence)
            late += one.recovered < replications
            for name in MEASURES:
                answers[name].append(float(np.mean(one.at_least(name))))
            tell(1)
    if problems:
        raise ScenarioError(problems[:20])
    inputs = {name: input_interval(values, scramble) for name, values in answers.items()}
    return replace(found, inputs=inputs, draws=draws, draws_late=late)
