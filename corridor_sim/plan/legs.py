"""Legs as elements and steps of the plan: a free road, a limited leg, a timetable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import to_grid
from corridor_sim.model import legs as model
from corridor_sim.model.calendars import hours_after
from corridor_sim.model.resolution import Resolved
from corridor_sim.model.routes import Pass
from corridor_sim.model.service_times import scaled
from corridor_sim.plan.plan import Delay, Departures, Element, LimitedLeg, Step
from corridor_sim.plan.posts import NO_LIMIT, rank_of
from corridor_sim.plan.timelines import RunClock, combine, is_one, steps


@dataclass(frozen=True, slots=True)
class LegPart:
    """An element of a leg with the step that uses it (its element number is filled in later)."""

    element: Element
    step: Step


class Legs:
    """Makes elements and steps of legs for one resolved scenario."""

    def __init__(self, resolved: Resolved, clock: RunClock, classes: Sequence[str]) -> None:
        self.resolved, self.clock, self.classes = resolved, clock, classes

    def parts(self, at: Pass) -> list[LegPart]:
        """The leg as one element; as two where a timetable begins or ends within the run.

        Raises
        ------
        ScenarioError
            For what cannot change within a run.
        """
        leg = self.resolved.scenario.legs[at.id]
        id = f"leg:{at.id}{at.direction}"
        tables = self.clock.values(leg.timetable, self.resolved.of(f"legs.{at.id}.timetable"))
        with_table = [table is not None for _, table in tables]
        if not any(with_table):
            return [self._road(at, leg, id, None)]
        in_use = steps([(from_h, float(table is not None)) for from_h, table in tables])
        if all(with_table):
            return [self._boat(at, leg, id, tables, None)]
        free = combine(lambda used: 1.0 - used, in_use)
        return [self._road(at, leg, id, free), self._boat(at, leg, f"{id}.timetable", tables, in_use)]

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
        )
        headway = self._limit(leg.entry_headway_h, self.resolved.of(f"{prefix}.headway_h"), 0.0)
        vehicles = self._limit(leg.max_vehicles, self.resolved.of(f"{prefix}.max_vehicles"), float(NO_LIMIT))
        is_open = self._open(at, leg)
        if headway is None and vehicles is None and is_open is None and not leg.no_overtaking:
            return LegPart(Delay(id=id, component="travel"), step)
        limited_leg = LimitedLeg(
            id=id, headway_h=headway, open=is_open, max_vehicles=vehicles, no_overtaking=leg.no_overtaking
        )
        return LegPart(limited_leg, step)

    def _limit(self, base: float | None, changes: Sequence[Any], none: float) -> StepFunction | None:
        values = self.clock.values(base, changes)
        if all(value is None for _, value in values):
            return None
        return steps([(from_h, none if value is None else float(value)) for from_h, value in values])

    def _open(self, at: Pass, leg: model.Leg) -> StepFunction | None:
        windows = [
            (hours_after(closure.from_, self.clock.start), hours_after(closure.until, self.clock.start))
            for closure in leg.closures.values()
        ] + [(dated.from_h, dated.until_h) for dated in self.resolved.of(f"legs.{at.id}.closed")]
        edges = sorted({0.0, *(edge for window in windows for edge in window if 0 < edge < self.clock.horizon_h)})
        values = [float(not any(start <= edge < end for start, end in windows)) for edge in edges]
        return StepFunction(edges, values) if not all(values) else None

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
        depart_h, places = self._departures(tables)
        timetable = Departures(
            id=id,
            depart_h=depart_h,
            places=places,
            crossing=law if law.mean_h > 0 else None,
            when_full=first.when_full,
            cancel=first.cancel,
            priority=rank_of(first.priority, self.classes),
            landing=first.landing,
        )
        step = Step(element=-1, draws=id, share=share, share_draws=id if share is not None else "")
        return LegPart(timetable, step)

    def _departures(self, tables: list[tuple[float, Any]]) -> tuple[Any, Any]:
        """All departures of the run in order; of equal instants the places add up."""
        found: dict[float, int] = {}
        horizon_h = self.clock.horizon_h
        for k, (from_h, table) in enumerate(tables):
            until_h = tables[k + 1][0] if k + 1 < len(tables) else horizon_h
            if table is None:
                if k:  # those who still wait when a timetable ends go at once
                    found[from_h] = found.get(from_h, 0) + NO_LIMIT
                continue
            for hour, places in departures_of(table, self.clock, from_h, until_h):
                if from_h <= hour < until_h:
                    found[hour] = found.get(hour, 0) + places
        hours = sorted(found)
        return to_grid(np.asarray(hours, dtype=float)), np.array([found[hour] for hour in hours], dtype=np.int64)


def departures_of(table: model.Timetable, clock: RunClock, from_h: float, until_h: float) -> list[tuple[float, int]]:
    """Departures of one timetable in force over [from_h, until_h) with their places."""
    if table.every_h is not None:
        assert isinstance(table.places, int)
        count = max(0, int(np.ceil((until_h - from_h - table.first_h) / table.every_h)))
        return [(from_h + table.first_h + k * table.every_h, table.places) for k in range(count)]
    places = table.places if isinstance(table.places, tuple) else (table.places,) * len(table.departures)
    hours = [hours_after(instant, clock.start) for instant in table.departures]
    return [(hour, number) for hour, number in zip(hours, places, strict=True) if number is not None]
