"""Legs as elements and steps of the plan: a free road, a limited leg, a timetable."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import FloatArray, to_grid
from corridor_sim.model import legs as model
from corridor_sim.model.calendars import hours_after
from corridor_sim.model.paths import LEG_CLOSINGS
from corridor_sim.model.resolution import Resolved
from corridor_sim.model.routes import Pass
from corridor_sim.model.service_times import scaled
from corridor_sim.plan.bans import ban_place
from corridor_sim.plan.drivers_hours import rest_place
from corridor_sim.plan.elements import NO_LIMIT, Delay, Departures, Element, LimitedLeg, SingleTrackPlan
from corridor_sim.plan.posts import rank_of
from corridor_sim.plan.steps import Step
from corridor_sim.plan.timelines import RunClock, combine, is_one, steps

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LegPart:
    """An element of a leg with the step that uses it (its element number is filled in later)."""

    element: Element
    step: Step


class Legs:
    """Makes elements and steps of legs for one resolved scenario."""

    def __init__(self, resolved: Resolved, clock: RunClock, classes: Sequence[str]) -> None:
        self.resolved, self.clock, self.classes = resolved, clock, classes

    def parts(self, at: Pass, cargo_class: str) -> list[LegPart]:
        """The leg as one element, as two where a timetable begins or ends within the run.

        Before it stands where bans are met, behind it where its drivers rest.

        Raises
        ------
        ScenarioError
            For what cannot change within a run.
        """
        leg = self.resolved.scenario.legs[at.id]
        id = f"leg:{at.id}{at.direction}"
        tables = self.clock.values(leg.timetable, self.resolved.of(f"legs.{at.id}.timetable"))
        with_table = [table is not None for _, table in tables]
        if leg.single_track is not None:
            self._fits_a_single_track(at, with_table)
        ban = ban_place(self.resolved, self.clock, at, id, cargo_class)
        for what, there in (("bans", ban), ("drivers' hours", leg.drivers_hours)):
            if there is not None and any(with_table):
                text = f"cannot have a timetable within the run, because it has {what}"
                raise ScenarioError([Problem(text, f"legs.{at.id}.timetable")])
        if not any(with_table):
            found = [] if ban is None else [LegPart(ban, Step(element=-1))]
            found.append(self._road(at, leg, id, None))
            if leg.drivers_hours is not None:
                found.append(LegPart(*rest_place(leg.drivers_hours, id, after=len(found))))
            return found
        in_use = steps([(from_h, float(table is not None)) for from_h, table in tables])
        if all(with_table):
            return [self._boat(at, leg, id, tables, None)]
        free = combine(lambda used: 1.0 - used, in_use)
        return [self._road(at, leg, id, free), self._boat(at, leg, f"{id}.timetable", tables, in_use)]

    def _fits_a_single_track(self, at: Pass, with_table: list[bool]) -> None:
        if any(with_table):
            text = "cannot have a timetable within the run, because both directions share a single track"
            raise ScenarioError([Problem(text, f"legs.{at.id}.timetable")])
        for field in filter(None, LEG_CLOSINGS):
            if dated := self.resolved.of(f"legs.{at.id}.{LEG_CLOSINGS[field]}"):
                text = "cannot be closed in one direction, because both directions share a single track"
                hint = "close the leg as a whole"
                raise ScenarioError([Problem(text, f"improvements.{dated[-1].change.by}.direction", hint=hint)])

    def _speed_factor(self, at: Pass, leg: model.Leg) -> StepFunction | None:
        """Travel time over that at the base speed."""
        speed = self.clock.number(leg.mean_speed_kmh, self.resolved.of(f"legs.{at.id}.speed_kmh"))
        factor = combine(lambda kmh: leg.mean_speed_kmh / kmh, speed)
        return None if is_one(factor) else factor

    def _road(self, at: Pass, leg: model.Leg, id: str, share: StepFunction | None) -> LegPart:
        prefix = f"legs.{at.id}"
        law = leg.travel_law()
        step = Step(
            element=-1,
            laws=((0.0, law),) if law.mean_h > 0 else (),
            draws=id,
            factor=self._speed_factor(at, leg) if law.mean_h > 0 else None,
            share=share,
            share_draws=id if share is not None else "",
            opposite=leg.single_track is not None and at.direction == "<",
        )
        headway = self._limit(leg.entry_headway_h, self.resolved.of(f"{prefix}.headway_h"), 0.0)
        vehicles = self._limit(leg.max_vehicles, self.resolved.of(f"{prefix}.max_vehicles"), float(NO_LIMIT))
        is_open = self._open(at, leg)
        track = leg.single_track
        unlimited = headway is None and vehicles is None and is_open is None and not leg.no_overtaking
        if unlimited and track is None:
            return LegPart(Delay(id=id, component="travel"), step)
        limited_leg = LimitedLeg(
            id=id if track is None else f"leg:{at.id}<>",
            headway_h=headway,
            open=is_open,
            max_vehicles=vehicles,
            no_overtaking=leg.no_overtaking,
            single_track=None if track is None else SingleTrackPlan(switch_h=track.switch_h, convoy=track.convoy),
        )
        return LegPart(limited_leg, step)

    def _limit(self, base: float | None, changes: Sequence[Any], none: float) -> StepFunction | None:
        values = self.clock.values(base, changes)
        if all(value is None for _, value in values):
            return None
        return steps([(from_h, none if value is None else float(value)) for from_h, value in values])

    def _open(self, at: Pass, leg: model.Leg) -> StepFunction | None:
        """1 where the leg may be entered in this direction, None where it always may."""
        windows = [
            (hours_after(closure.from_, self.clock.start), hours_after(closure.until, self.clock.start))
            for closure in leg.closures.values()
        ]
        way = "forward" if at.direction == ">" else "backward"
        fields = (LEG_CLOSINGS[""], LEG_CLOSINGS[way])
        changes = [dated for field in fields for dated in self.resolved.of(f"legs.{at.id}.{field}")]
        opened = self.clock.opened(changes, windows)
        return None if is_one(opened) else opened

    def _boat(
        self, at: Pass, leg: model.Leg, id: str, tables: list[tuple[float, Any]], share: StepFunction | None
    ) -> LegPart:
        speeds = self.clock.number(leg.mean_speed_kmh, self.resolved.of(f"legs.{at.id}.speed_kmh"))
        path, law = f"legs.{at.id}", leg.travel_law()
        if not speeds.is_constant:
            text = "cannot change its speed within the run, because it has a timetable"
            raise ScenarioError([Problem(text, path, hint="run the time before and after as two scenarios")])
        if speeds.value[0] != leg.mean_speed_kmh:
            law = scaled(law, leg.mean_speed_kmh / float(speeds.value[0]))
        used = [table for _, table in tables if table is not None]
        first = used[0]
        alike = [(t.when_full, t.cancel, t.landing, t.priority) for t in used]
        if len(set(alike)) > 1 or (first.when_full is not None and len(tables) > 1):
            text = "may change its departures and places within the run, but not when_full, cancel, landing or priority"
            raise ScenarioError([Problem(text, f"{path}.timetable")])
        is_open = self._open(at, leg)
        if is_open is not None and first.when_full is not None:
            text = "cannot be closed within the run, because it departs whenever it is full"
            raise ScenarioError([Problem(text, path, hint="give the leg a timetable by hours or dates")])
        depart_h, places, draws = self._departures(leg.timetable, tables, is_open)
        timetable = Departures(
            id=id,
            depart_h=depart_h,
            places=places,
            draw_of=draws,
            crossing=law if law.mean_h > 0 else None,
            when_full=first.when_full,
            cancel=first.cancel,
            priority=rank_of(first.priority, self.classes),
            landing=first.landing,
        )
        step = Step(element=-1, draws=id, share=share, share_draws=id if share is not None else "")
        return LegPart(timetable, step)

    def _departures(
        self, base: model.Timetable | None, tables: list[tuple[float, Any]], is_open: StepFunction | None
    ) -> tuple[FloatArray, IntArray, IntArray | None]:
        """All departures of the run in order, their places, and the numbers of their draws (None: their own).

        Of equal instants the places add up. What a closure keeps from sailing stays in the list without
        places, and a departure of the base timetable draws what it draws without any change: so those
        that a change leaves alone keep their crossings.
        """
        found: dict[float, int] = {}
        horizon_h = self.clock.horizon_h
        for k, (from_h, table) in enumerate(tables):
            until_h = tables[k + 1][0] if k + 1 < len(tables) else horizon_h
            if table is None:
                if k:  # whoever still waits when a timetable ends goes at once, or when the leg opens again
                    free_h = from_h if is_open is None else _first_open(is_open, from_h)
                    if free_h < horizon_h:
                        found[free_h] = found.get(free_h, 0) + NO_LIMIT
                continue
            for hour, places in departures_of(table, self.clock, from_h, until_h):
                if from_h <= hour < until_h:
                    found[hour] = found.get(hour, 0) + places
        hours = sorted(found)
        depart_h = to_grid(np.asarray(hours, dtype=float))
        places_of = np.array([found[hour] for hour in hours], dtype=np.int64)
        if is_open is not None:
            places_of = np.where(is_open(depart_h) > 0, places_of, 0)
        if base is None or base.when_full is not None or len(tables) == 1:
            return depart_h, places_of, None
        own = sorted({hour for hour, _ in departures_of(base, self.clock, 0.0, horizon_h) if 0 <= hour < horizon_h})
        number = {hour: k for k, hour in enumerate(own)}
        for hour in hours:
            number.setdefault(hour, len(number))
        return depart_h, places_of, np.array([number[hour] for hour in hours], dtype=np.int64)


def _first_open(is_open: StepFunction, from_h: float) -> float:
    """The first instant from `from_h` on at which a leg is open, inf if there is none. [h]"""
    if is_open.at(from_h):
        return from_h
    later = is_open.from_h[(is_open.from_h > from_h) & (is_open.value > 0)]
    return float(later[0]) if len(later) else math.inf


def departures_of(table: model.Timetable, clock: RunClock, from_h: float, until_h: float) -> list[tuple[float, int]]:
    """Departures of one timetable in force over [from_h, until_h) with their places."""
    if table.every_h is not None:
        assert isinstance(table.places, int)
        # The phase is that of the run's calendar, whenever the timetable comes into force (rule D28).
        first = max(0, math.ceil((from_h - table.first_h) / table.every_h) - 1)
        last = max(first, math.ceil((until_h - table.first_h) / table.every_h) + 1)
        hours = [table.first_h + k * table.every_h for k in range(first, last)]
        return [(hour, table.places) for hour in hours if from_h <= hour < until_h]
    places = table.places if isinstance(table.places, tuple) else (table.places,) * len(table.departures)
    hours = [hours_after(instant, clock.start) for instant in table.departures]
    return [(hour, number) for hour, number in zip(hours, places, strict=True) if number is not None]
