"""What a report shows besides its answer: tables, figures of the inputs with their sources, how to repeat the run."""

from __future__ import annotations

import hashlib
import math
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from corridor_sim.core.rounding import estimate
from corridor_sim.indicators.words import WORDS
from corridor_sim.plan.plan import Plan
from corridor_sim.report.deliveries import delivered_rows, whom
from corridor_sim.report.text import KINDS_OF_STUDY, MARKS, MARKS_TOLD, WHOM, not_counted_told
from corridor_sim.results.called import input_called, place_name
from corridor_sim.results.comparison import Comparison
from corridor_sim.results.reliability import UNRELIABLE, unreliable
from corridor_sim.results.results import OVERLOAD, Results, mean_interval

TABLES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Crossings", "crossing", ("tfi1", "tfi1_p95_pooled", "buffer_index", "delay_h", "throughput_per_day", "tfi2")),
    (
        "Posts",
        "post",
        ("wait_h", "stay_h", "stay_p95_pooled_h", "queue_mean", "queue_p95_km", "throughput_per_day", "saturation"),
    ),
    (
        "Flows",
        "flow",
        ("door_to_door_h", "door_to_door_p95_pooled_h", "tfi4_swod", "tfi4_swd", "tfi3", "delay_truck_h"),
    ),
    (
        "Whole corridor",
        "corridor",
        (
            "delay_truck_h",
            "delay_value_usd",
            "delivered_t",
            "delivered_value_usd",
            "co2_t",
            "created",
            "finished",
            "unfinished",
        ),
    ),
)
"""Title, kind of place and indicators of each table of a report."""
SHORT_ENOUGH = 30_000
"""Characters of scenario text up to which it is printed in full."""


def tables_of(data: Results | Comparison) -> list[dict[str, Any]]:
    """Tables of the page: title, header (name, unit), rows (name, cells)."""
    tables = [_summary(data.base if isinstance(data, Comparison) else data, *table) for table in TABLES]
    tables.append(_delivered(data.base if isinstance(data, Comparison) else data))
    return [table for table in tables if table["rows"]]


def _delivered(results: Results) -> dict[str, Any]:
    units, body = delivered_rows(results)
    rows = [(", ".join(name for name in names if name != "-"), cells) for names, cells in body]
    of_whom = whom(results)
    header = [("delivered", unit) for unit in units]
    about = f"{of_whom[:1].upper()}{of_whom[1:]}."
    return {"title": "Delivered", "header": header, "rows": rows, "marks": "", "whom": about}


def _summary(results: Results, title: str, kind: str, indicators: tuple[str, ...]) -> dict[str, Any]:
    table = results.rows
    known = [name for name in indicators if name in table.indicators]
    units: dict[str, str] = {}
    rows: dict[tuple[str, str], dict[str, str]] = {}
    flagged, marks = results.flagged(), set()
    for name in known:
        for label, mean, half, doubtful, n in _estimates(results, name, kind):
            units[name] = label.unit
            over = (kind, label.place, label.direction) in flagged and label.unit == "h" and not math.isnan(mean)
            mark = MARKS[OVERLOAD] if over else MARKS[UNRELIABLE] if doubtful else ""
            marks.add(mark)
            some = f" (n {n})" if 0 < n < results.replications else ""
            rows.setdefault((label.place, label.direction), {})[name] = estimate(mean, half) + mark + some
    whom = f"{WHOM[0].upper()}{WHOM[1:]}. " if {"wait_h", "stay_h"} <= set(units) else ""
    if any(" (n " in cell for cells in rows.values() for cell in cells.values()):
        whom += "n: so many of the replications have a value. "
    if any("_pooled" in name for name in units):
        whom += "95 of 100: of all consignments of all replications together."
    header = [(WORDS[name], units[name].replace("1/day", "a day").strip("-1")) for name in known if name in units]
    body = [
        (place_name(results, kind, *place), [cells.get(name, "") for name in known if name in units])
        for place, cells in rows.items()
        if any(cell not in ("-", "") for cell in cells.values())
    ]
    return {"title": title, "header": header, "rows": body, "marks": _told(marks), "whom": whom}


def _estimates(results: Results, name: str, kind: str) -> Iterator[tuple[Any, float, float, bool, int]]:
    """Rows of one indicator: what it is about, mean (of a pooled one the percentile), half-width, whether in doubt, and
    how many replications have a value."""
    for label, values in results.rows.select(name, kind=kind, cargo_class="", of="", hour=None, day=None):
        mean, low, high = mean_interval(values)
        yield label, mean, (high - low) / 2, unreliable(label, values), int((~np.isnan(values)).sum())
    for about, found, low, high in results.pooled_percentiles(name, kind=kind):
        doubtful = math.isnan(low) and results.replications > 1 and not math.isnan(found)
        yield about, found, (high - low) / 2, doubtful, results.replications


def differences_of(comparison: Comparison) -> list[dict[str, Any]]:
    """For each scenario the rows of the main indicators, with intervals, Holm-adjusted p and verdict."""
    found = []
    wanted = [
        n for n in dict.fromkeys(n for _, _, names in TABLES for n in names) if n in comparison.base.rows.indicators
    ]
    frame = comparison.table(wanted, cargo_class="", of="")
    shown = {(kind, name): place for place, (_, kind, names) in enumerate(TABLES) for name in names}
    frame = frame[[(row.kind, row.indicator) in shown for row in _tuples(frame)]]
    order = {kind: place for place, (_, kind, _) in enumerate(TABLES)}
    for name, run in zip(comparison.names[1:], comparison.runs[1:], strict=True):
        mine = frame[frame["scenario"] == name].sort_values("kind", key=lambda kind: kind.map(order), kind="stable")
        verdicts = Counter(mine["verdict"])
        rows = [
            {
                "indicator": WORDS[row.indicator],
                "unit": row.unit.replace("1/day", "a day").strip("-1"),
                "place": place_name(run, row.kind, row.place, row.direction),
                "base": estimate(row.base),
                "other": estimate(row.other),
                "difference": estimate(row.difference, (row.high - row.low) / 2, "+") + MARKS.get(row.note, ""),
                "n": f"{int(row.n)} of {comparison.base.replications}" if row.n < comparison.base.replications else "",
                "p": "" if math.isnan(row.p_holm) else f"{row.p_holm:.3f}" if row.p_holm >= 0.001 else "<0.001",
                "ratio": _ratio(row.variance_ratio),
                "verdict": row.verdict,
            }
            for row in _tuples(mine)
            if row.verdict not in ("no difference", "nobody")
        ]
        counts = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
        marks = {row["difference"][-1] for row in rows}
        found.append({"name": name, "rows": rows, "counts": counts, "number": len(mine), "marks": _told(marks)})
    return found


def _ratio(value: float) -> str:
    """A variance ratio, without decimals where it is large; "" where there is none.

    >>> _ratio(17.84), _ratio(256658.4), _ratio(math.inf)
    ('17.8', '256,658', '')
    """
    return "" if not math.isfinite(value) else f"{value:,.{0 if value >= 100 else 1}f}"


def _told(marks: set[str]) -> str:
    """What the marks of a table mean, in words."""
    return " ".join(f"{mark} {told}." for mark, told in MARKS_TOLD.items() if mark in marks)


def _tuples(frame: Any) -> list[Any]:
    return list(frame.itertuples())


# ---------------------------------------------------------------- inputs and their sources


def figures_used(results: Results) -> list[Any]:
    """Figures of the legs, posts, flows and improvements that take part in the run."""
    from corridor_sim.model.provenance import figures_of

    if isinstance(results.scenario, Plan):
        return []
    used = {("flows", flow.id) for flow in results.plan.flows}
    for flow in results.plan.flows:
        for variant in flow.variants:
            used |= {({"leg": "legs", "post": "checkpoints"}.get(span.kind, ""), span.id) for span in variant.spans}
    return [row for row in figures_of(results.scenario) if _is_used(row.path, used)]


def _is_used(path: str, used: set[tuple[str, str]]) -> bool:
    table, _, rest = path.partition(".")
    if table in ("legs", "checkpoints", "flows"):
        return any(rest.startswith(f"{id}.") for kind, id in used if kind == table)
    return table not in ("run", "places")


def inputs_of(data: Results | Comparison) -> dict[str, Any]:
    """Figures by status, the assumed ones, all of them, and the sources they name."""
    runs = data.runs if isinstance(data, Comparison) else (data,)
    rows = {row.path: row for results in runs for row in figures_used(results)}
    scenarios = [results.scenario for results in runs]
    sources: dict[str, Any] = {}
    for results in runs:
        sources |= dict(getattr(results.scenario, "sources", {}))
    count = Counter(
        source for row in rows.values() for source in {*_ids(row.source, sources), *_ids(row.range_source, sources)}
    )
    named = [{"id": id, "source": sources[id], "figures": count[id]} for id in sorted(count) if id in sources]
    status = Counter(row.status or "none given" for row in rows.values())
    return {
        "status": sorted(status.items(), key=lambda item: -item[1]),
        "total": len(rows),
        "assumed": [_shown(row, scenarios) for row in rows.values() if row.status in ("assumed", "conflicting", "")],
        "known": [_shown(row, scenarios) for row in rows.values() if row.status not in ("assumed", "conflicting", "")],
        "sources": named,
    }


def _ids(source: str, sources: Mapping[str, Any]) -> list[str]:
    """Sources that a figure names; text that is no id of a source stands for itself."""
    if source in sources:
        return [source]
    return [part for part in source.replace(",", " ").replace(";", " ").split() if part in sources]


def _shown(row: Any, scenarios: list[Any]) -> dict[str, str]:
    within = f"{row.low:g} to {row.high:g}" if row.low is not None and row.high is not None else ""
    if row.alternatives:
        within = " or ".join(f"{one:g}" for one in row.alternatives)
    within += f", {row.range_status}" if within else row.range_status
    return {
        "path": row.path,
        "called": input_called(scenarios, row.path),
        "value": f"{row.value:g}",
        "range": within,
        "status": row.status or "none given",
        "source": row.source,
        "note": row.note,
    }


# ---------------------------------------------------------------- how it was run


def method_of(results: Results) -> list[tuple[str, str]]:
    """How the run was set up, for a reader."""
    plan, start, end = results.plan, results.instant(0.0), results.instant(results.plan.horizon_h)
    settings = getattr(results.scenario, "run", None)
    counted = f"from day {plan.warm_up_h / 24:g} to day {plan.counted_until_h / 24:g}"
    dates = f", {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC" if start and end else ""
    rows = [
        ("Simulated", f"{plan.horizon_h / 24:g} days{dates}"),
        ("Counted", counted + (" (the beginning fills the road)" if plan.warm_up_h else "")),
        ("Replications", f"{results.replications}, the same random numbers in every scenario"),
        ("Delay is", _BASELINES[results.options.delay_baseline]),
    ]
    if settings is not None:
        rows.insert(2, ("Kind of study", KINDS_OF_STUDY[settings.kind]))
    if not_counted := not_counted_told(results):
        rows.append(("Capacity does not count", not_counted))
    return rows


_BASELINES = {
    "unqueued": "time spent waiting, blocked or interrupted, against the same passage without queues",
    "free_flow": "time above the 5th percentile of the crossing times (free flow)",
    "low_volume": "time above the mean of the six quietest hours (low volume)",
}


def repeat_of(data: Results | Comparison) -> dict[str, Any]:
    """Everything needed to run it again to the same bits."""
    runs = data.runs if isinstance(data, Comparison) else (data,)
    names = data.names if isinstance(data, Comparison) else (data.name,)
    base = runs[0]
    scenarios = [{"name": name, **_text_of(results)} for name, results in zip(names, runs, strict=True)]
    numbers = [int(r) for r in base.rows.replications]
    first = numbers == list(range(len(numbers)))
    given = [shlex.quote(results.name) for results in runs]
    wanted = f"--replications {len(numbers)} --seed {base.root}"
    command = (
        f"corridor-sim report {' '.join(given)} {wanted} -o report.html"
        if len(runs) > 1
        else f"corridor-sim run {given[0]} {wanted}"
    )
    return {
        "scenarios": scenarios,
        "command": command if first and not isinstance(base.scenario, Plan) else "",
        "rows": list(_facts(base, numbers, first)),
    }


def _facts(base: Results, numbers: list[int], first: bool) -> Iterator[tuple[str, str]]:
    yield "Root entropy", str(base.root)
    yield "Replications", f"{numbers[0]} to {numbers[-1]}" if first else ", ".join(map(str, numbers))
    yield "Engine", f"{base.engine} ({base.engine_reason})" if base.engine_reason else base.engine
    for name, version in sorted(base.versions.items()):
        yield (
            {"corridor_sim": "corridor_sim", "stream_scheme": "Scheme of the random streams"}.get(
                name, name.capitalize() if name == "python" else name
            ),
            version,
        )


def _text_of(results: Results) -> dict[str, str]:
    if isinstance(results.scenario, Plan):
        from corridor_sim.core.fingerprints import fingerprint

        return {"hash": f"{fingerprint(results.plan)} (of the plan)", "text": ""}
    from corridor_sim.files.scenario_files import dumps

    text = dumps(results.scenario)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {"hash": f"sha256 {digest}", "text": text if len(text) <= SHORT_ENOUGH else ""}
