"""Volume and hours of the flows from a time release study, as far as its arrivals say them."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.units import FloatArray
from corridor_sim.model.flows import Flow, Profile
from corridor_sim.plan.build import make_plan
from corridor_sim.plan.elements import Delay, LimitedLeg
from corridor_sim.plan.plan import FlowPlan, Plan
from corridor_sim.records.release_study import ReleaseStudy
from corridor_sim.results.release_fits import FittedFigure
from corridor_sim.statistics.arrival_shape import FLAT_P, ShapeFit, fit_shape, fit_volume
from corridor_sim.study.release_gathered import Gathered

FEWEST = 48
"""Arrivals below which no hours are fitted: two an hour of the day."""
STEP_H = 0.25
"""Between the instants at which the clock is read for how much of a usual day the study holds. [h]"""


def arrivals_of(found: Gathered) -> None:
    """Fit volume and hours of each flow of the study; what cannot be is refused."""
    columns, study = found.columns, found.study
    named = list(columns.flows)
    if not named:
        found.refused.append(("flows", "the study does not say which flows it is of (flows)"))
        return
    if not columns.flow and len(named) > 1:
        found.refused.append(("flows", "the study has several flows and no column that tells them apart (flow)"))
        return
    plan: Plan = make_plan(found.scenario)
    for name in named:
        path = f"flows.{name}"
        flow = found.scenario.corridor.flows.get(name)
        if flow is None:
            found.refused.append(
                (path, f"the scenario has no such flow; it has {', '.join(found.scenario.corridor.flows)}")
            )
            continue
        mine = study.time_h[:, 0] if not columns.flow else study.time_h[study.flow == name, 0]
        lead = _lead_h(plan, next(one for one in plan.flows if one.id == name), columns.post, columns.direction)
        if why := _against(found, flow, lead, len(mine)):
            found.refused.append((path, why))
            continue
        _fit_flow(found, name, flow, mine, lead)


def _against(found: Gathered, flow: Flow, lead: tuple[float, str] | None, count: int) -> str:
    """Why neither volume nor hours follow, "" if they do."""
    if not found.columns.census:
        return "not everybody was written down (census): a sample says neither how many come nor when"
    if not (math.isfinite(found.study.since_h) and math.isfinite(_end_h(found.study))):
        return "when the study began and ended is not known (since, until or arrivals_until)"
    if lead is None:
        return "it does not pass the post of the study"
    if flow.crossing_shares or flow.balk is not None:
        return "only a part of it passes the post of the study: it goes over several crossings"
    if flow.arrivals.to_data()["kind"] != "poisson":
        return "its arrivals are not Poisson"
    if flow.holidays:
        return "it has holidays, which the study's days are not weighed by"
    return "" if count >= 2 else f"{count} came"


def _end_h(study: ReleaseStudy) -> float:
    """When the study ended to write down who came. [h]"""
    return min(study.until_h, study.came_until_h)


def _lead_h(plan: Plan, flow: FlowPlan, post: str, direction: str) -> tuple[float, str] | None:
    """Mean time from the release of a flow to the first event of a post, and what lies between that holds it up."""
    variant = flow.variants[0]
    hours, held = 0.0, ""
    for step in variant.steps:
        element = plan.elements[step.element]
        if element.post == post and element.direction in (direction, "both"):
            return hours, held
        if isinstance(element, (Delay, LimitedLeg)):
            hours += float(step.laws[0][1].mean_h) if step.laws else 0.0
        else:
            held = held or element.id
    return None


def _fit_flow(found: Gathered, name: str, flow: Flow, arrival_h: FloatArray, lead: tuple[float, str] | None) -> None:
    assert lead is not None
    study = found.study
    lead_h, held = lead
    profile = found.scenario.corridor.profiles.get(flow.profile or "")
    release = arrival_h - lead_h
    ticks = np.arange(study.since_h - lead_h, _end_h(study) - lead_h, STEP_H) + STEP_H / 2.0
    hour, day, weight = _clock(found, ticks, profile)
    own_hour, own_day, _ = _clock(found, release, profile)
    exposure = np.asarray(np.bincount(hour, weight * STEP_H, 24), dtype=float)
    count = np.bincount(own_hour, minlength=24).astype(float)
    shape: ShapeFit | None = None
    if held:
        found.refused.append((f"flows.{name}.profile", f"its arrivals at the post are what {held} lets through"))
    elif exposure.min() <= 0 or len(release) < FEWEST:
        found.refused.append(
            (f"flows.{name}.profile", f"hours need {FEWEST} arrivals and a whole day, came {len(release)}")
        )
    else:
        shape = fit_shape(count, exposure, confidence=found.confidence)
        if shape.p_value > FLAT_P:
            found.refused.append(
                (f"flows.{name}.profile", f"hours do not differ more than by chance (p = {shape.p_value:.2f})")
            )
            shape = None
    _fit_volume(found, name, flow, (day, hour, weight), own_day, shape, profile)
    if shape is not None:
        _set_profile(found, name, flow, shape, profile, len(release))


def _clock(
    found: Gathered, time_h: FloatArray, profile: Profile | None
) -> tuple[NDArray[np.int64], NDArray[np.int64], FloatArray]:
    """Local hour of the day, local date and weight of weekday and month at instants of the study."""
    study = found.study
    local = study.columns.local_time
    factors = profile.factors if profile is not None else (np.ones(24), np.ones(7), np.ones(12))
    hours, days, weights = [], [], []
    for value in time_h:
        utc = study.start + dt.timedelta(hours=float(value))
        there = utc + dt.timedelta(hours=local.offset_h(utc))
        hours.append(there.hour)
        days.append(there.toordinal())
        weights.append(factors[1][there.weekday()] * factors[2][there.month - 1])
    return np.array(hours, np.int64), np.array(days, np.int64), np.array(weights, dtype=float)


def _fit_volume(
    found: Gathered,
    name: str,
    flow: Flow,
    clock: tuple[NDArray[np.int64], NDArray[np.int64], FloatArray],
    own_day: NDArray[np.int64],
    shape: ShapeFit | None,
    profile: Profile | None,
) -> None:
    """Consignments a day, each day for as much of a usual one as the study has of it."""
    path = f"flows.{name}.per_day"
    if flow.per_day is None:
        found.refused.append((path, "the scenario has its volume in tonnes a year"))
        return
    if flow.growth_per_year:
        found.refused.append((path, "the scenario has a growth of it: say by hand which day the study is of"))
        return
    day, hour, weight = clock
    if shape is not None:
        by_hour = 1.0 + shape.amplitude * (shape.weight - 1.0)
    else:
        by_hour = profile.factors[0] if profile is not None else np.ones(24)
    first = int(min(day.min(), own_day.min(initial=day.min())))
    usual = np.asarray(np.bincount(day - first, weight * by_hour[hour] * STEP_H / 24.0), dtype=float)
    counted = np.bincount(np.clip(own_day - first, 0, len(usual) - 1), minlength=len(usual))
    there = usual > 0
    fit = fit_volume(counted[there], usual[there], found.confidence)
    note = f"days differ {fit.spread:.1f} times as much as independent arrivals" if fit.spread > 1.5 else ""
    found.set_figure(("flows", name), "per_day", fit.per_day, fit.low, fit.high, len(own_day), flow.per_day, note)


def _set_profile(found: Gathered, name: str, flow: Flow, shape: ShapeFit, profile: Profile | None, count: int) -> None:
    columns = found.columns
    own = f"{columns.name}_{name}"
    most = float(1.0 / max(1.0 - shape.weight.min(), 1e-9))
    low, high = shape.low, min(shape.high, most)
    table = found.table("profiles", own)
    table["hour"] = [float(f"{one:.4g}") for one in shape.weight]
    if profile is not None:
        table |= {key: list(getattr(profile, key)) for key in ("weekday", "month") if getattr(profile, key)}
        if profile.month and profile.month_amplitude != 1.0:
            table["month_amplitude"] = profile.month_amplitude
    table |= {"zone": columns.zone} if columns.zone else {"utc_offset_h": columns.utc_offset_h}
    table |= {"status": "derived", "source": columns.name}
    note = "hours as counted; the amplitude takes off what a small count adds to their spread"
    found.set_figure(("profiles", own), "hour_amplitude", min(shape.amplitude, most), low, high, count, None, note)
    found.table("flows", name)["profile"] = own
    found.figures.append(FittedFigure(f"flows.{name}.profile", flow.profile, own, math.nan, math.nan, count))
