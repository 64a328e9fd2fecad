"""Flows as arrival plans: the rate of each flow over the run, hour by hour."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from corridor_sim.core.local_time import LocalTime
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import H_PER_DAY, H_PER_YEAR, FloatArray, distinct
from corridor_sim.model.arrivals import ArrivalPlan
from corridor_sim.model.calendars import hours_after
from corridor_sim.model.changes import DatedChange, value_at
from corridor_sim.model.flows import Flow, Profile
from corridor_sim.model.holidays import KeptHolidays
from corridor_sim.model.kept_holidays import kept
from corridor_sim.model.resolution import Resolved
from corridor_sim.plan.timelines import RunClock, combine, is_one


def arrival_plan(resolved: Resolved, clock: RunClock, id: str, local: LocalTime) -> ArrivalPlan:
    """The arrival process of flow `id` with its rate; its profile is in `local` time."""
    flow = resolved.scenario.flows[id]
    rate = flow_rate(resolved, clock, id, local) if flow.arrivals.follows_rate else StepFunction.constant(0.0)
    return ArrivalPlan(process=flow.arrivals, rate=rate, start=clock.start)


def flow_rate(resolved: Resolved, clock: RunClock, id: str, local: LocalTime) -> StepFunction:
    """Consignments per hour: volume x growth x profile x changes.

    Notes
    -----
    Growth is compounded over the year and read at noon of each day of the run;
    the profile is read at each local hour.
    """
    flow = resolved.scenario.flows[id]
    profile = resolved.scenario.profiles[flow.profile] if flow.profile is not None else None
    volume = clock.number(flow.mean_per_day, resolved.of(f"flows.{id}.per_day"))
    growth = resolved.of(f"flows.{id}.growth_per_year")
    keeps = kept(resolved.scenario, flow.holidays)
    if profile is not None and profile.local_time is not None:
        local = profile.local_time
    edges = [np.asarray(volume.from_h, dtype=np.float64)]
    if profile is not None:
        edges.append(np.maximum(clock.hour_starts(local), 0.0))
    if growth or flow.growth_per_year:
        edges.append(np.arange(0.0, clock.horizon_h, H_PER_DAY))
    at = distinct(np.concatenate(edges))
    at = at[(at >= 0) & (at < clock.horizon_h)]
    factor = _growth(flow, growth, clock, at) * _weights(profile, clock, at, local, keeps)
    rate = StepFunction(at, volume(at) / H_PER_DAY * factor)
    if flow.holiday_factor is not None:
        rate = combine(np.multiply, rate, clock.on_holidays(flow.holiday_factor, local, keeps))
    return rate if not is_one(rate) else StepFunction.constant(1.0)


def _weights(
    profile: Profile | None, clock: RunClock, at: FloatArray, local_time: LocalTime, keeps: KeptHolidays
) -> FloatArray:
    if profile is None:
        return np.ones(len(at))
    # A few milliseconds later, so that an instant that the grid rounded down belongs to the hour that it begins.
    later_ms = np.rint((at + clock.offsets(local_time)(at)) * 3.6e6).astype(np.int64) + 4
    local = np.datetime64(clock.start, "ms") + later_ms.astype("timedelta64[ms]")
    days = local.astype("datetime64[D]")
    hour = (local - days).astype("timedelta64[h]").astype(np.int64)
    weekday = (days.astype(np.int64) + 3) % 7  # 1 January 1970 was a Thursday
    for date, worked_as in keeps.worked:
        weekday[days == np.datetime64(date, "D")] = worked_as
    month = local.astype("datetime64[M]").astype(np.int64) % 12
    by_hour, by_weekday, by_month = profile.factors
    return np.asarray(by_hour[hour] * by_weekday[weekday] * by_month[month])


def _growth(flow: Flow, changes: Sequence[DatedChange], clock: RunClock, at: FloatArray) -> FloatArray:
    """Volume over the volume at `growth_from`, at noon of the day of each instant."""
    if not changes and flow.growth_per_year == 0:
        return np.ones(len(at))
    since_h = 0.0 if flow.growth_from is None else hours_after(flow.growth_from, clock.start)
    noon = np.floor(at / H_PER_DAY) * H_PER_DAY + H_PER_DAY / 2
    edges = sorted({since_h, *(edge for dated in changes for edge in dated.edges())})
    logs = [math.log1p(value_at(flow.growth_per_year, changes, edge)) for edge in edges]
    before = math.log1p(value_at(flow.growth_per_year, changes, edges[0] - 1.0))

    def level(time_h: FloatArray) -> FloatArray:
        """Integral of the logarithmic growth from the first edge on."""
        total = np.zeros(len(time_h))
        for start, end, log in zip(edges, [*edges[1:], math.inf], logs, strict=True):
            total += np.where(start < time_h, (np.minimum(time_h, end) - start) * log, 0.0)
        return np.where(time_h < edges[0], (time_h - edges[0]) * before, total)

    days, day_of = np.unique(noon, return_inverse=True)
    grown = np.exp((level(days) - level(np.array([since_h]))) / H_PER_YEAR)
    return np.asarray(grown[day_of])
