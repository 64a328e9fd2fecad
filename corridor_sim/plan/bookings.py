"""Booked slots of a post as departures with places, and who books (rule S29)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

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
    if not departures and not any(used for _, used in in_use):
        return None
    no_show = 0.0 if base is None else base.no_show
    inside = [(hour, places) for hour, places in departures if 0 <= hour < clock.horizon_h]
    if no_show > 0:
        if any(places == NO_LIMIT for _, places in inside):
            text = "cannot be given where booking ends within the run"
            raise ScenarioError([Problem(text, f"{path}.no_show", no_show, hint="end the run where booking ends")])
        # Each place has a holder of its own.
        inside = [(hour, 1) for hour, places in inside for _ in range(places)]
    id = f"{at.id}.{at.direction}.slots"
    timetable = Departures(
        id=id,
        depart_h=to_grid(np.asarray([hour for hour, _ in inside], dtype=float)),
        places=np.array([places for _, places in inside], dtype=np.int64),
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
) -> tuple[list[tuple[float, int]], list[tuple[float, float]]]:
    """Slots with their places, and by date whether there are any, of a number a day."""
    per_day = by_day(clock, base.per_day if base else None, changes["per_day"], days)
    every_h = by_day(clock, base.every_h if base else None, changes["every_h"], days)
    departures: list[tuple[float, int]] = []
    in_use: list[tuple[float, float]] = []
    for k, day in enumerate(days):
        used = float(per_day[k] is not None)
        if not in_use or in_use[-1][1] != used:
            if in_use and not used:
                departures.append((float(day), NO_LIMIT))
            in_use.append((max(0.0, float(day)), used))
        if per_day[k] is not None:
            slots = slots_of_day(int(per_day[k]), every_h[k])
            times = clock.times_of_day(local, float(day), [hour for hour, _ in slots])
            departures += zip(times, (places for _, places in slots), strict=True)
    return departures, in_use


def _by_hour(per_h: StepFunction, days: FloatArray) -> list[tuple[float, int]]:
    """Slots of a number by the hour: the first of a day as it has any, then one as soon as a whole one is due."""
    edges = sorted({*per_h.from_h.tolist(), *days.tolist()})
    starts, found, due = set(days.tolist()), [], 0.0
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
    return found


def by_day(clock: RunClock, base: Any, changes: Sequence[Any], days: FloatArray) -> list[Any]:
    """The value in force at the start of each local day."""
    timeline = clock.values(base, changes)
    return [next(value for from_h, value in reversed(timeline) if from_h <= max(day, 0.0)) for day in days]


def slots_of_day(per_day: int, every_h: float | None) -> list[tuple[float, int]]:
    """Times after midnight and places of the slots of one day, evenly spaced. [h]"""
    if every_h is None:
        return [(H_PER_DAY * k / per_day, 1) for k in range(per_day)]
    groups = max(1, math.floor(H_PER_DAY / every_h))
    taken = [round(per_day * k / groups) for k in range(groups + 1)]
    sizes = [(every_h * k, taken[k + 1] - taken[k]) for k in range(groups)]
    return [(hour, size) for hour, size in sizes if size > 0]
