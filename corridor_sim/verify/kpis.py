"""What happened to the trucks of a trace, and the sums and averages that it gives besides its instants."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from corridor_sim.core.units import FloatArray
from corridor_sim.plan.elements import Station
from corridor_sim.verify.trace_plans import TracePlan

RELATIVE = 1e-9
_SPAN = re.compile(r"^(?P<name>.+)\[(?P<start>[-\d.]+),\s*(?P<end>[-\d.]+)\]$")
_QUANTILE = re.compile(r"^wait_q(?P<percent>\d+(?:\.\d+)?)_type(?P<type>[17])$")


@dataclass(frozen=True, slots=True)
class TraceOutcome:
    """What a run did to the trucks of a trace, in file order.

    `visits[id][truck]` is a list of dicts, one a visit, of the columns of
    `ElementVisits`; NaN where something did not happen by the horizon.
    """

    trace: TracePlan
    visits: Mapping[str, Sequence[Sequence[Mapping[str, float]]]]
    depart: FloatArray

    @property
    def arrival(self) -> FloatArray:
        """Arrivals in file order."""
        return np.array([truck.arrival for truck in self.trace.trucks])


@dataclass(slots=True)
class KpiCheck:
    """What differs, what is not known, and the largest deviation (deviation, expected, found)."""

    differs: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    checked: int = 0
    worst: tuple[float, float, float] = (0.0, math.nan, math.nan)


def _columns(outcome: TraceOutcome, name: str, id: str | None) -> FloatArray:
    """One column of all visits, of one element or of all."""
    ids = [id] if id else list(outcome.visits)
    return np.array([visit[name] for key in ids for truck in outcome.visits[key] for visit in truck])


def _waits(outcome: TraceOutcome, id: str | None) -> FloatArray:
    waits = _columns(outcome, "start_h", id) - _columns(outcome, "join_h", id)
    return np.asarray(waits[~np.isnan(waits)])


def _overlap(start: FloatArray, end: FloatArray, a: float, b: float) -> float:
    """Total time of the spans within [a, b]; a span that has not ended lasts."""
    end = np.where(np.isnan(end), np.inf, end)
    there = ~np.isnan(start)
    return float(np.maximum(np.clip(end[there], a, b) - np.clip(start[there], a, b), 0.0).sum())


def _span_value(outcome: TraceOutcome, name: str, id: str | None, a: float, b: float) -> float | None:
    if name == "time_average_queue":
        return _overlap(_columns(outcome, "join_h", id), _columns(outcome, "start_h", id), a, b) / (b - a)
    if name == "time_average_number_in_system":
        if id:
            return _overlap(_columns(outcome, "join_h", id), _columns(outcome, "leave_h", id), a, b) / (b - a)
        return _overlap(outcome.arrival, outcome.depart, a, b) / (b - a)
    stations = [e for e in outcome.trace.plan.elements if isinstance(e, Station) and id in (None, e.id)]
    if name == "utilisation" and len(stations) == 1:
        busy = _overlap(
            _columns(outcome, "start_h", stations[0].id), _columns(outcome, "finish_h", stations[0].id), a, b
        )
        return busy / stations[0].lanes.integral(b, a)
    return None


def kpi(name: str, outcome: TraceOutcome, other: Callable[[str], TraceOutcome], ids: Mapping[str, Any]) -> float | None:
    """The value of a KPI by its name in the file; None if the name is not known.

    A name may end in ``_<element>``; without it all elements count.
    """
    if name.startswith("truck_minutes_saved_vs_"):
        base = name.removeprefix("truck_minutes_saved_vs_")
        if base not in ids:
            return None
        before = other(base)
        return float((before.depart - before.arrival).sum() - (outcome.depart - outcome.arrival).sum())
    element = next((id for id in outcome.visits if name.endswith(f"_{id}")), None)
    plain = name.removesuffix(f"_{element}") if element else name
    if span := _SPAN.match(name):
        return _span_value(outcome, span["name"], None, float(span["start"]), float(span["end"]))
    waits = _waits(outcome, element)
    sojourn = outcome.depart - outcome.arrival
    sojourn = sojourn[~np.isnan(sojourn)]
    blocked = _columns(outcome, "leave_h", element) - _columns(outcome, "finish_h", element)
    values: dict[str, Callable[[], float]] = {
        "sum_wait": lambda: waits.sum(),
        "mean_wait": lambda: waits.mean(),
        "max_wait": lambda: waits.max(),
        "p_wait": lambda: (waits > 1e-9).mean(),
        "sum_sojourn": lambda: sojourn.sum(),
        "mean_sojourn": lambda: sojourn.mean(),
        "max_sojourn": lambda: sojourn.max(),
        "sum_blocked": lambda: np.nansum(blocked),
        "mean_blocked": lambda: float(np.nanmean(blocked)),
        "last_departure": lambda: np.nanmax(outcome.depart),
        "finished": lambda: float(len(sojourn)),
        "unfinished": lambda: float(len(outcome.depart) - len(sojourn)),
    }
    if plain in values:
        return float(values[plain]())
    if quantile := _QUANTILE.match(plain):
        share = float(quantile["percent"]) / 100.0
        if quantile["type"] == "1":
            return float(np.quantile(waits, share, method="inverted_cdf"))
        return float(np.quantile(waits, share, method="linear"))
    return None


def check_kpis(
    expected: Mapping[str, Any], outcome: TraceOutcome, other: Callable[[str], TraceOutcome], ids: Mapping[str, Any]
) -> KpiCheck:
    """Compare the KPIs of a trace; texts are notes."""
    check = KpiCheck()
    for name, want in expected.items():
        if isinstance(want, str):
            continue
        found = kpi(name, outcome, other, ids)
        if found is None:
            check.unknown.append(f"kpi {name}")
            continue
        check.checked += 1
        deviation = abs(found - want)
        if not deviation <= RELATIVE * max(1.0, abs(want)):
            check.differs.append(f"{name}: expected {want:.10g}, found {found:.10g}")
            if deviation > check.worst[0]:
                check.worst = (deviation, float(want), found)
    return check
