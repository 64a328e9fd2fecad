"""Booked slots of a post as departures with places, and who books (rule S29)."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.local_time import LocalTime
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import H_PER_DAY, FloatArray, to_grid
from corridor_sim.model.routes import Pass
from corridor_sim.model.takeovers import Slots
from corridor_sim.plan.elements import NO_LIMIT, Delay, Departures, Element
from corridor_sim.plan.steps import Step
from corridor_sim.plan.timelines import RunClock, combine, is_one, steps

Dated = Mapping[str, Sequence[Any]]
"""Changes of a field of the slots, by the field."""
_Slots: TypeAlias = tuple[FloatArray, NDArray[np.int64]]
"""Times of slots [h] and how many places each has."""


@dataclass(frozen=True, slots=True)
class Bookings:
    """What somebody passes who books a slot: elements with their steps (numbered later), in order."""

    parts: tuple[tuple[Element, Step], ...]


def bookings(clock: RunClock, at: Pass, local: LocalTime, base: Slots | None, changes: Dated) -> Bookings | None:
    """Slots of one direction of a post, None if there are never any in the run.

    A local day has the number of slots in force at its start; their times of
    day are local (rule D32). When booking ends, those who still wait for a slot go at once.

    Raises
    ------
    ScenarioError
        For changes that slots by the hour, or with no-shows, do not take.
    """
    days = clock.day_starts(local)
    path = f"checkpoints.{at.id}.slots.{at.direction}"
    if base is not None and base.by_hour is not None:
        if dated := [*changes["per_day"], *changes["every_h"]]:
            text = f"sets a number a day, and {path} has numbers by the hour"
            raise ScenarioError([Problem(text, f"improvements.{dated[-1].change.by}")])
        departures, in_use = _by_hour(clock.roster(base.by_hour, clock.observed(local)), days), [(0.0, 1.0)]
    else:
        departures, in_use = _by_number(clock, local, base, changes, days)
    depart_h, places = departures
    if not len(depart_h) and not any(used for _, used in in_use):
        return None
    no_show = 0.0 if base is None else base.no_show
    inside = (depart_h >= 0) & (depart_h < clock.horizon_h)
    depart_h, places = depart_h[inside], places[inside]
    if no_show > 0:
        if (places == NO_LIMIT).any():
            text = "cannot be given where booking ends within the run"
            raise ScenarioError([Problem(text, f"{path}.no_show", no_show, hint="end the run where booking ends")])
        # Each place has a holder of its own.
        depart_h, places = np.repeat(depart_h, places), np.ones(places.sum(), dtype=np.int64)
    id = f"{at.id}.{at.direction}.slots"
    timetable = Departures(
        id=id,
        depart_h=to_grid(depart_h),
        places=places,
        cancel=no_show,
        component="slot_wait",
        post=at.id,
        direction=at.direction,
        stage="slots",
    )
    booking = 1.0 if base is None else base.share
    share = combine(lambda used: used * booking, steps(in_use))
    every = is_one(share)
    found: list[tuple[Element, Step]] = [
        (timetable, Step(element=-1, draws=id, share=None if every else share, share_draws="" if every else id))
    ]
    late_share = 0.0 if base is None or base.late_share is None else base.late_share
    if base is not None and base.late_by is not None and late_share > 0:
        # One uniform for both: who is late has booked. Until he is there he is on the road.
        late = combine(lambda part: part * late_share, share)
        step = Step(element=-1, laws=((0.0, base.late_by),), draws=f"{id}.late", share=late, share_draws=id)
        found.append((Delay(id=f"{id}.late", component="travel"), step))
    return Bookings(tuple(found))


def _by_number(
    clock: RunClock, local: LocalTime, base: Slots | None, changes: Dated, days: FloatArray
) -> tuple[_Slots, list[tuple[float, float]]]:
    """Slots with their places, and by date whether there are any, of a number a day."""
    per_day = by_day(clock, base.per_day if base else None, changes["per_day"], days)
    every_h = by_day(clock, base.every_h if base else None, changes["every_h"], days)
    departures: list[_Slots] = []
    in_use: list[tuple[float, float]] = []
    for k, day in enumerate(days):
        used = float(per_day[k] is not None)
        if not in_use or in_use[-1][1] != used:
            if in_use and not used:
                departures.append(_slots([(float(day), NO_LIMIT)]))
            in_use.append((max(0.0, float(day)), used))
        if per_day[k] is not None:
            hours, places = slots_of_day(int(per_day[k]), every_h[k])
            departures.append((clock.times_of_day(local, float(day), hours), places))
    first, second = zip(*departures, strict=True) if departures else ((), ())
    return (np.concatenate([np.empty(0), *first]), np.concatenate([np.empty(0, np.int64), *second])), in_use


def _slots(listed: Sequence[tuple[float, int]]) -> _Slots:
    return np.array([hour for hour, _ in listed], dtype=float), np.array([n for _, n in listed], dtype=np.int64)


def _by_hour(per_h: StepFunction, days: FloatArray) -> _Slots:
    """Slots of a number by the hour: the first of a day as it has any, then one as soon as a whole one is due."""
    edges = sorted({*per_h.from_h.tolist(), *days.tolist()})
    starts, due = set(days.tolist()), 0.0
    found: list[tuple[float, int]] = []
    for k, since in enumerate(edges):
        until = edges[k + 1] if k + 1 < len(edges) else float(days[-1]) + H_PER_DAY
        rate = per_h.at(max(since, 0.0))
        if since in starts:
            due = 0.0
        if rate <= 0:
            continue
        while since + due / rate < until - 1e-9:
            found.append((since + due / rate, 1))
            due += 1.0
        due = max(due - (until - since) * rate, 0.0)
    return _slots(found)


def by_day(clock: RunClock, base: Any, changes: Sequence[Any], days: FloatArray) -> list[Any]:
    """The value in force at the start of each local day."""
    timeline = clock.values(base, changes)
    starts = [from_h for from_h, _ in timeline]
    return [timeline[bisect_right(starts, max(day, 0.0)) - 1][1] for day in days.tolist()]


@lru_cache(maxsize=256)
def slots_of_day(per_day: int, every_h: float | None) -> _Slots:
    """Times after midnight and places of the slots of one day, evenly spaced. [h]

    Examples
    --------
    >>> hours, places = slots_of_day(10, 6.0)
    >>> hours.tolist(), places.tolist()
    ([0.0, 6.0, 12.0, 18.0], [2, 3, 3, 2])
    """
    if every_h is None:
        return H_PER_DAY * np.arange(per_day) / per_day, np.ones(per_day, dtype=np.int64)
    groups = max(1, math.floor(H_PER_DAY / every_h))
    taken = [round(per_day * k / groups) for k in range(groups + 1)]
    sizes = [(every_h * k, taken[k + 1] - taken[k]) for k in range(groups)]
    return _slots([(hour, size) for hour, size in sizes if size > 0])
