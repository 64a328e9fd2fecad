"""Traces by hand: every truck's instants given, every instant of the run checked exactly.

To add a word for an instant, add it to `WORDS`; for a sum or average, to `kpis.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from corridor_sim.core.errors import EngineRefusal
from corridor_sim.core.units import grid_point
from corridor_sim.plan.elements import Delay, Departures, LimitedLeg, Quota, Station
from corridor_sim.records.visits import Records
from corridor_sim.verify.engine import Simulate
from corridor_sim.verify.fields import Fields, Unsupported, readable
from corridor_sim.verify.kpis import TraceOutcome, check_kpis
from corridor_sim.verify.report import Item, Status
from corridor_sim.verify.scenario_traces import build_scenario_trace
from corridor_sim.verify.trace_plans import TracePlan, build_trace

Row = tuple[str, Sequence[Any], Sequence[Any]]
"""What is compared: its name, the values expected and the values found."""

COLUMNS = ("join_h", "start_h", "finish_h", "leave_h", "service_h")


def outcome_of(trace: TracePlan, records: Records) -> TraceOutcome:
    """Records read truck by truck, in file order."""
    visits: dict[str, list[list[dict[str, float]]]] = {}
    at = {cell: k for k, cell in enumerate(trace.cells)}
    for element, table in zip(trace.plan.elements, records.elements, strict=True):
        rows: list[list[dict[str, float]]] = [[] for _ in trace.trucks]
        for column in np.argsort(table.step[0], kind="stable"):
            if table.flow[0, column] < 0:
                continue
            truck = at[int(table.flow[0, column]), int(table.index[0, column])]
            rows[truck].append({name: float(getattr(table, name)[0, column]) for name in COLUMNS})
        visits[element.id] = rows
    depart = np.array([records.journeys[f].depart_h[0, j] for f, j in trace.cells])
    return TraceOutcome(trace, visits, depart)


WORDS: dict[str, dict[type, str]] = {
    # What a word of a trace means at each kind of element: a boat is left when it sails (rule S21).
    "join": dict.fromkeys((Station, Delay, LimitedLeg, Departures, Quota), "join_h"),
    "ready": dict.fromkeys((LimitedLeg, Departures), "join_h"),
    "start": dict.fromkeys((Station, Delay, LimitedLeg, Departures, Quota), "start_h"),
    "enter": {LimitedLeg: "start_h"},
    "entry": {LimitedLeg: "start_h"},
    "sail": {Departures: "start_h"},
    "finish": dict.fromkeys((Station, Delay, LimitedLeg, Quota), "finish_h"),
    "leave": {**dict.fromkeys((Station, Delay, LimitedLeg, Quota), "leave_h"), Departures: "start_h"},
    "exit": {LimitedLeg: "leave_h"},
    "land": {Departures: "leave_h"},
}


def _expected_rows(outcome: TraceOutcome, expected: Mapping[str, Any]) -> list[Row]:
    """Everything that a trace expects, with what was found."""
    rows: list[Row] = []
    kinds = {element.id: type(element) for element in outcome.trace.plan.elements}
    for word, values in expected.items():
        if word == "depart":
            rows.append(("depart", values, outcome.depart.tolist()))
            continue
        if word == "arrival":
            rows.append(("arrival", values, outcome.arrival.tolist()))
            continue
        if word not in WORDS:
            raise Unsupported(f"expected: unknown field {word!r} (known: depart, {', '.join(WORDS)})")
        for id, column in Fields(values, f"expected {word}").items():
            name = WORDS[word].get(kinds.get(id, object))
            if name is None:
                raise Unsupported(f"expected {word} at {id!r}")
            found: list[Any] = []
            for truck, visits in enumerate(outcome.visits[id]):
                times = [visit[name] for visit in visits]
                several = truck < len(column) and isinstance(column[truck], Sequence)
                if len(times) > 1 and not several:
                    raise Unsupported(f"expected {word} at {id!r}: one value for several visits; give a list")
                found.append(times if several else times[0] if times else math.nan)
            rows.append((f"{word} {id}", list(column), found))
    return rows


def _flat(values: Sequence[Any]) -> list[float]:
    flat: list[float] = []
    for value in values:
        flat += [math.nan if v is None else float(v) for v in (value if isinstance(value, Sequence) else [value])]
    return flat


def run_trace(values: Mapping[str, Any], simulate: Simulate) -> TraceOutcome:
    """Build and run one trace, of elements or of a scenario."""
    trace = build_scenario_trace(values) if "scenario" in values else build_trace(values)
    return outcome_of(trace, simulate(trace.plan, trace.inputs))


def check_trace(values: Mapping[str, Any], simulate: Simulate, others: Mapping[str, Mapping[str, Any]]) -> Item:
    """Run one trace and compare every instant it gives; `others` are the traces of the file by id."""
    item = partial(Item, section="traces", id=str(values.get("id")), title=str(values.get("feature", "")))
    try:
        outcome = run_trace(values, simulate)
        with readable("what is expected"):
            rows = _expected_rows(outcome, values.get("expected", {}))
        kpis = check_kpis(values.get("kpi", {}), outcome, lambda id: run_trace(others[id], simulate), others)
    except (Unsupported, EngineRefusal) as error:
        return item(status="refused", detail="; ".join(error.mechanisms))
    except Exception as error:  # whatever an engine raises is a finding, not the end of the verification
        return item(status="failed", detail=f"{type(error).__name__}: {error}")
    worst = (0.0, math.nan, math.nan)
    differs: list[str] = []
    allowed = _rounding(outcome.trace)
    for what, expected, found in rows:
        want, got = _flat(expected), _flat(found)
        if len(want) != len(got):
            differs.append(f"{what}: {len(want)} values for {len(got)} trucks")
            worst = (math.inf, len(want), len(got))
            continue
        for k, (one, other) in enumerate(zip(want, got, strict=True)):
            both = math.isnan(one) and math.isnan(other)
            deviation = 0.0 if both else abs(one - other) if not math.isnan(one + other) else math.inf
            if deviation > worst[0]:
                worst = (deviation, one, other)
            if deviation > allowed:
                differs.append(f"{what} [{k + 1}]: expected {_shown(one)}, found {_shown(other)}")
    differs += kpis.differs
    if kpis.worst[0] > max(worst[0], allowed):
        worst = kpis.worst
    if not rows and not kpis.checked:
        return item(status="not checked", detail="nothing is expected")
    status: Status = "failed" if differs else "not checked" if kpis.unknown else "passed"
    detail = "; ".join(differs[:6]) + (f"; and {len(differs) - 6} more" if len(differs) > 6 else "")
    if not differs and kpis.unknown:
        detail = f"instants are right; not checked: {', '.join(kpis.unknown)}"
    return item(
        status=status, detail=detail, deviation=worst[0], expected=worst[1], found=worst[2], tolerance=allowed, n=1
    )


def _shown(value: float) -> str:
    return "nothing" if math.isnan(value) else f"{value:.10g}"


def _rounding(trace: TracePlan) -> float:
    """0 if all times lie on the clock grid, else what their rounding can add up to."""
    times = [time for truck in trace.trucks for time in (truck.arrival, *truck.durations) if not math.isnan(time)]
    return 0.0 if all(grid_point(time) == time for time in times) else (len(times) + 1) * 2.0**-21
