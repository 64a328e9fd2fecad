"""A run in words: what the command line prints, at most 80 columns wide.

Where demand exceeds capacity the overload comes first, with throughput, growth
of the queue, unserved and date: the mean wait there measures the horizon.
"""

from __future__ import annotations

import datetime as dt
import math
import textwrap
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from corridor_sim.core.rounding import estimate, narrow
from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.capacity import not_counted
from corridor_sim.indicators.table import Label, Table
from corridor_sim.indicators.words import component_called
from corridor_sim.report.deliveries import corridor_change_lines, delivered_lines
from corridor_sim.results.called import Called
from corridor_sim.results.doubts import warnings_of
from corridor_sim.results.moved_waits import MovedWait, TimeChange, moved_waits
from corridor_sim.results.overload import growing
from corridor_sim.results.reliability import UNRELIABLE, unreliable
from corridor_sim.results.results import OVERLOAD, mean_interval

if TYPE_CHECKING:
    import pandas as pd

    from corridor_sim.results.comparison import Comparison
    from corridor_sim.results.results import Results


MARKS = {OVERLOAD: "*", UNRELIABLE: "?"}
"""What stands behind a number whose row has that note."""
MARKS_TOLD = {
    "*": "a stage on the way is overloaded: the time measures the horizon",
    "?": "interval not reliable: what makes the difference is rare, or a value is shared by most replications",
}
WHOM = "wait is over those who started by the end, stay over those who left"
"""Of whom the means in one row of a post are: not the same consignments where some are still there at the end."""
KINDS_OF_STUDY = {
    "terminating": "terminating: this period with its dates, not a long-run average",
    "cyclic": "cyclic: the period repeats",
    "steady": "steady state: a long-run average after the warm-up",
}
"""What is said of a kind of study."""


def describe(results: Results, width: int = 80, *, ids: bool = False) -> str:
    """Scenario, dates, replications, engine; overload; then posts and crossings; places by name, by id with `ids`."""
    called = Called(results, ids)
    lines = _head(results, width)
    lines += _overload(called, width)
    lines += _queue_at_the_end(called, width)
    lines += _not_counted(called, width)
    lines += _posts(called, width)
    lines += _flows(called, width)
    lines += delivered_lines(called, width)
    for warning in warnings_of(results, ids=True) if ids and results.warnings else results.warnings:
        lines += ["", *textwrap.wrap(f"warning: {warning}", width, subsequent_indent="  ")]
    return "\n".join(line.rstrip() for line in lines)


def _head(results: Results, width: int) -> list[str]:
    plan, about = results.plan, results.about()
    days = plan.horizon_h / 24
    start, end = results.instant(0.0), results.instant(plan.horizon_h)
    dates = f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC, " if start and end else ""
    counted = f"; counted from day {plan.warm_up_h / 24:g}" if plan.warm_up_h else ""
    settings = getattr(results.scenario, "run", None)
    rows = [
        ("scenario", results.name),
        *([("study", KINDS_OF_STUDY[settings.kind])] if settings is not None else []),
        ("simulated", f"{dates}{days:g} days{counted}"),
        ("replications", f"{results.replications}, root entropy {results.root}"),
        ("engine", f"{results.engine}" + (f" ({results.engine_reason})" if results.engine_reason else "")),
        ("visits", f"{about['visits']:,} in {results.wall_s:.1f} s"),
    ]
    balance = [_all(results.rows, name) for name in ("created", "finished", "unfinished")]
    if None not in balance:
        rows.append(
            ("consignments", "{} created = {} finished + {} unfinished, a replication".format(*map(_rounded, balance)))
        )
    lines = []
    for name, text in rows:
        wrapped = textwrap.wrap(text, width - 14) or [""]
        lines += [f"{name:<13} {wrapped[0]}", *(" " * 14 + more for more in wrapped[1:])]
    return lines


def _overload(called: Called, width: int) -> list[str]:
    told = overload_told(called.results)
    if not told:
        return []
    lines = ["", "OVERLOAD: more comes than can pass; waits there measure the horizon"]
    for place, parts in told.items():
        lines += textwrap.wrap(
            f"{called.element(place)}: " + "; ".join(parts), width, initial_indent="  ", subsequent_indent="    "
        )
    return lines


def _queue_at_the_end(called: Called, width: int) -> list[str]:
    """Queues that are longer at the end of the window than at its start, and no overload."""
    results = called.results
    days = results.scope.window_days
    longer = [(place, growth * days) for place, growth in growing(results.rows).items() if growth * days >= 1]
    if not longer:
        return []
    longer.sort(key=lambda item: -item[1])
    listed = ", ".join(f"{called.somewhere(place)} {estimate(more)}" for place, more in longer[:3])
    more = f" and {len(longer) - 3} more places" if len(longer) > 3 else ""
    text = f"queue at the end, longer than at the start of the window by: {listed}{more}"
    return ["", *textwrap.wrap(text, width, subsequent_indent="  ")]


def _not_counted(called: Called, width: int) -> list[str]:
    told = not_counted_told(called.results, ids=called.ids)
    return ["", *textwrap.wrap(f"capacity does not count {told}", width, subsequent_indent="  ")] if told else []


def not_counted_told(results: Results, *, ids: bool = False) -> str:
    """Mechanisms that planned capacity, load and saturation leave out, with places; "" if there are none."""
    if "saturation" not in results.rows.indicators:
        return ""
    found, called = [], Called(results, ids)
    for words, places in not_counted(results.plan).items():
        more = f" and {len(places) - 2} more" if len(places) > 2 else ""
        found.append(f"{words} at {', '.join(map(called.somewhere, places[:2]))}{more}")
    return "; ".join(found)


def overload_told(results: Results) -> dict[str, list[str]]:
    """What is to be said of every overloaded element, the worst first: load, throughput, growth, unserved, date."""
    table, told = results.rows, {}
    elements = {element.id: element for element in results.plan.elements}
    for place, over in results.overloaded().items():
        element = elements[place]
        parts = [over.words]
        passed = _row(table, "capacity_per_day", kind="stage" if element.post else "leg", place=place)
        if passed is not None and not math.isnan(passed[0]):
            parts.append(f"capacity {estimate(*passed)} a day")
        left = _row(table, "throughput_per_day", kind="post", place=element.post, direction=element.direction)
        if left is not None:
            parts.append(f"post passes {estimate(*left)} a day")
        # What is short at one stage may stand before another one of the post.
        at = (
            {"kind": "post", "place": element.post, "direction": element.direction}
            if element.post
            else {"place": place}
        )
        growth = _row(table, "queue_growth_per_day", **at)
        if growth is not None:
            parts.append(f"queue {estimate(*growth, sign='+')} a day")
        unserved = _row(table, "unserved", **at)
        if unserved is not None:
            parts.append(f"unserved {estimate(*unserved)}")
        since = _row(table, "saturation_day", kind="post", place=element.post, direction=element.direction)
        if since is not None and not math.isnan(since[0]):
            date = results.scope.first_date(element.post)
            day = round(since[0])
            parts.append(f"saturated from {date + dt.timedelta(days=day) if date else f'day {day}'}")
        told[place] = parts
    return told


OTHER_WAITS = {"slot_wait": "away from the border", "acceptance_wait": "in the stay, not in the wait"}
"""Waits at a post that are not for a lane, and where they are spent."""


def _posts(called: Called, width: int) -> list[str]:
    results = called.results
    table = results.rows
    wanted = ("wait_h", "stay_h", "throughput_per_day", "saturation")
    places = [(label.place, label.direction) for label in table.labels if label.kind == "post"]
    places = list(dict.fromkeys(places))
    if not places or not set(wanted[:2]) <= set(table.indicators):
        return []
    crossings = _crossings(results)
    flagged = results.flagged()
    rows: list[tuple[str, ...]] = [("post", "dir", "wait h", "stay h", "crossing h", "left/day", "load")]
    for place, direction in places:
        at = {"kind": "post", "place": place, "direction": direction}
        found = {indicator: _row(table, indicator, **at) for indicator in wanted}
        if found["stay_h"] is None or math.isnan(found["stay_h"][0]):
            continue
        crossing = crossings.get((place, direction))
        beyond = {"kind": "crossing", "place": crossing[0], "direction": crossing[1]} if crossing else None
        asked: list[tuple[str, dict[str, str] | None]] = [("wait_h", at), ("stay_h", at), ("tfi1", beyond)]
        over = ("post", place, direction) in flagged
        times = [_time(table, indicator, where, over) for indicator, where in asked]
        load = found["saturation"]
        text = f"{load[0]:.2f}" if load and not math.isnan(load[0]) else "-"
        rows.append((called.post(place), direction, *times, _cell(found["throughput_per_day"]), text))
    lines = ["", *_columns(rows, width)]
    for wait, spent in OTHER_WAITS.items():
        others = {
            (post, way): _row(table, "component_h", kind="post", place=post, direction=way, of=wait)
            for post, way in places
        }
        waits = [
            f"{called.post(post)} {way} {_cell(cell)} h" for (post, way), cell in others.items() if cell and cell[0] > 0
        ]
        if waits:
            text = f"{wait.replace('_', ' ')}, {spent}: {', '.join(waits)}"
            lines += textwrap.wrap(text, width, subsequent_indent="  ")
    late = [
        f"{called.post(post)} {way} {_cell(left)}"
        for post, way in places
        if (left := _row(table, "unserved", kind="post", place=post, direction=way)) and left[0] > 0
    ]
    more = f"; not started by then, a replication: {', '.join(late)}" if late else ""
    lines += textwrap.wrap(WHOM + more, width, subsequent_indent="  ")
    few = "; one replication has no interval" if results.replications < 2 else ""
    lines += textwrap.wrap(f"mean ± half the width of the 95 % interval: sampling noise only{few}", width)
    return lines + _marks_told({text[-1] for row in rows[1:] for text in row[2:] if text}, width)


def _marks_told(marks: Iterable[str], width: int) -> list[str]:
    """What the marks that were set mean, a line each."""
    found = set(marks)
    return [
        line
        for mark, told in MARKS_TOLD.items()
        if mark in found
        for line in textwrap.wrap(f"{mark} {told}", width, subsequent_indent="  ")
    ]


def _time(table: Table, indicator: str, where: dict[str, str] | None, over: bool) -> str:
    """A mean time with its half-width and mark."""
    if where is None:
        return _cell(None)
    doubtful = _doubtful(table, indicator, **where)
    return _cell(_row(table, indicator, **where)) + (MARKS[OVERLOAD] if over else MARKS[UNRELIABLE] if doubtful else "")


def _columns(rows: list[tuple[str, ...]], width: int) -> list[str]:
    """Post and direction, then cells as wide as they need, to the right; the posts' names take what is left."""
    sizes = [max(map(len, column)) for column in list(zip(*rows, strict=True))[2:]]
    room = width - 6 - sum(size + 2 for size in sizes)
    name = max(8, min(room, max(len(post) for post, *_ in rows)))
    lines = []
    for post, direction, *cells in rows:
        rest = "".join(f"  {cell:>{size}}" for cell, size in zip(cells, sizes, strict=True))
        lines += _line(post, name, f" {direction[:5]:<5}{rest}")
    return lines


def _line(name: str, size: int, rest: str) -> list[str]:
    """A name in its column and what stands beside it; a name that is longer has a line before."""
    return [f"{name:<{size}}{rest}"] if len(name) <= size else [name, f"{'':<{size}}{rest}"]


def _flows(called: Called, width: int) -> list[str]:
    results = called.results
    table = results.rows
    flows = [label for label in table.labels if label.kind == "flow" and label.indicator == "door_to_door_h"]
    if not flows:
        return []
    name = max(8, min(width - 46, max(len(called.flow(label.place)) for label in flows)))
    lines = ["", f"{'flow':<{name}} {'door to door h':>16} {'p95 all h':>9} {'arrived/day':>13}"]
    for label in flows:
        at = {"kind": "flow", "place": label.place, "direction": label.direction}
        mean, high = _row(table, "door_to_door_h", **at), _percentile(results, "door_to_door_p95_pooled_h", **at)
        left = _row(table, "throughput_per_day", **at)
        texts = [_cell(mean), estimate(high) if high is not None else "-", _cell(left)]
        lines += _line(called.flow(label.place), name, f" {texts[0]:>16} {texts[1]:>9} {texts[2]:>13}")
    return lines


def _percentile(results: Results, indicator: str, **where: Any) -> float | None:
    """A percentile of all consignments of all replications together."""
    return next((found for _, found, *_ in results.pooled_percentiles(indicator, **where)), None)


def _cell(found: tuple[float, float] | None) -> str:
    return "-" if found is None else narrow(*found)


def _crossings(results: Results) -> dict[tuple[str, str], tuple[str, str]]:
    """The crossing that each (post, direction) is part of."""
    found = {}
    for flow in results.plan.flows:
        for variant in flow.variants:
            for crossing in (span for span in variant.spans if span.kind == "crossing"):
                for post in (span for span in variant.spans if span.kind == "post"):
                    if crossing.first <= post.first and post.last <= crossing.last:
                        found[post.id, post.direction] = results.scope.place_of(variant, crossing)[1:]
    return found


def _row(table: Table, indicator: str, **where: str) -> tuple[float, float] | None:
    """Mean and half the width of the interval of such a row."""
    found = _found(table, indicator, **where)
    if found is None:
        return None
    mean, low, high = mean_interval(found[1])
    return mean, (high - low) / 2


def _doubtful(table: Table, indicator: str, **where: str) -> bool:
    """Whether the interval of such a row is there, and is not to be relied on."""
    found = _found(table, indicator, **where)
    return found is not None and unreliable(*found)


def _found(table: Table, indicator: str, **where: str) -> tuple[Label, FloatArray] | None:
    if indicator not in table.indicators:
        return None
    found = table.select(indicator, **{"cargo_class": "", "hour": None, "day": None, "of": "", **where})
    return next(iter(found), None)


def _all(table: Table, indicator: str) -> float | None:
    found = _row(table, indicator, kind="corridor")
    return None if found is None else found[0]


def _rounded(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"


def describe_comparison(comparison: Comparison, width: int = 80, *, ids: bool = False) -> str:
    """What was run, what differs in the inputs, overloads, then the main differences, at most `width` columns wide."""
    lines = _comparison_head(comparison, width)
    for name, changes in comparison.inputs_diff(ids=ids).items():
        lines += ["", f"{name}:" + ("" if changes else " the same inputs")]
        for change in changes[:12]:
            lines += wrapped_change(change, width)
        if len(changes) > 12:
            lines.append(f"  and {len(changes) - 12} more")
    for name, results in zip(comparison.names, comparison.runs, strict=True):
        told = _overload(Called(results, ids), width)
        if told:
            lines += ["", *textwrap.wrap(f"{name}: {told[1]}", width, subsequent_indent="  "), *told[2:]]
    frame = _main_differences(comparison)
    for name in comparison.names[1:]:
        other = comparison.names.index(name)
        called = Called(comparison.runs[other], ids)
        lines += _differences(frame[frame["scenario"] == name], name, comparison, called, width)
        lines += corridor_change_lines(Called(comparison.base, ids), called, width)
        for moved in moved_waits(comparison, other):
            text = f"{called.place(*moved.place)}: {moved_wait_told(moved, called=called.flow)}"
            lines += textwrap.wrap(text, width, subsequent_indent="  ")
    joint = "" if len(comparison.names) == 2 else ", together for all scenarios of a row"
    lines += [
        "",
        *textwrap.wrap(f"difference ± half the width of the 95 % interval{joint}: sampling noise only", width),
    ]
    shown = frame.loc[frame["verdict"].isin(["more", "less"]), "note"]
    lines += _marks_told({MARKS[note] for note in shown if note in MARKS}, width)
    return "\n".join(line.rstrip() for line in lines)


def wrapped_change(change: str, width: int) -> list[str]:
    """A difference of the inputs as lines; old and new value stand together."""
    held = change.replace(" -> ", "\xa0->\xa0")
    lines = textwrap.wrap(held, width, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
    return [line.replace("\xa0", " ") for line in lines]


def moved_wait_told(moved: MovedWait, most: int = 3, called: Callable[[str], str] = str) -> str:
    """What is to be said of a wait that went elsewhere; `called` names a flow by its id.

    >>> from corridor_sim.results.moved_waits import MovedWait, TimeChange
    >>> longer = (("out", TimeChange(0.4, 0.25, 0.55)),)
    >>> moved_wait_told(MovedWait(("crossing", "north", "A>B"), TimeChange(-3.1, -3.4, -2.8), longer, ()))
    'the wait moved away from the border: clearing the posts -3.10 ±0.30 h, door to door +0.40 ±0.15 h (out): no gain'
    """
    what = "clearing the posts" if moved.place[0] == "crossing" else "waiting for lanes"
    doors = [f"{_signed(change)} h ({called(flow)})" for flow, change in moved.longer[:most]]
    if len(moved.longer) > most:
        more = len(moved.longer) - most
        doors.append(f"longer for {more} more flow{'s' if more > 1 else ''}")
    # Where all who lose by it wait longer at the place itself, the wait went to them and not elsewhere.
    there = len(moved.later) == len(moved.longer)
    begins = "faster on average, not for all" if there else "the wait moved away from the border"
    text = f"{begins}: {what} {_signed(moved.gain)} h, door to door {', '.join(doors)}"
    text += ", who wait longer there: no gain" if there else ": no gain"
    return f"{text} for them; door to door falls for {', '.join(map(called, moved.shorter))}" if moved.shorter else text


def _signed(change: TimeChange) -> str:
    return estimate(change.difference, (change.high - change.low) / 2, "+")


def _comparison_head(comparison: Comparison, width: int) -> list[str]:
    """Base, dates, replications, engine and visits of all runs together."""
    runs = comparison.runs
    lines = [line.replace("scenario     ", "base         ", 1) for line in _head(comparison.base, width)]
    lines = [line for line in lines if not line.startswith("visits ")]
    while lines and not lines[-1].startswith("engine"):  # each run shows its balance of consignments
        lines.pop()
    engines = {run.engine: run.engine_reason for run in runs}
    if len(engines) > 1:
        lines[-1] = f"{'engine':<13} {', '.join(sorted(engines))}"
    visits = sum(int(run.about()["visits"]) for run in runs)
    lines.append(f"{'visits':<13} {visits:,} in {len(runs)} scenarios, {sum(run.wall_s for run in runs):.1f} s")
    again = [
        f"{100 * run.simulated_again:.1f} % of visits of {run.name}" for run in runs if run.simulated_again is not None
    ]
    if again:
        more = f" and {len(again) - 5} more" if len(again) > 5 else ""
        text = f"{', '.join(again[:5])}{more} simulated again, the others are those of the base"
        wrapped = textwrap.wrap(text, width - 14)
        lines += [f"{'differs':<13} {wrapped[0]}", *(" " * 14 + line for line in wrapped[1:])]
    return lines


def _main_differences(comparison: Comparison) -> pd.DataFrame:
    """Rows of the main indicators at posts, crossings, flows and in all."""
    import pandas as pd

    base = comparison.base
    known = base.rows.indicators
    wanted = [
        name for name in ("delay_truck_h", "tfi1", "wait_h", "throughput_per_day", "door_to_door_h") if name in known
    ]
    frame = comparison.table(wanted, of="")
    frame = frame[(frame["cargo_class"] == "") & frame["kind"].isin(["post", "crossing", "flow", "corridor"])]
    frame = frame[(frame["kind"] != "flow") | (frame["indicator"] == "door_to_door_h")]
    frame = frame[(frame["indicator"] != "delay_truck_h") | (frame["kind"] == "corridor")]
    if "component_h" in known:
        for name in OTHER_WAITS:
            moved = comparison.table("component_h", kind="post", of=name).assign(indicator=f"{name}_h")
            frame = pd.concat([frame, moved[(moved["base"] > 0) | (moved["other"] > 0)]], ignore_index=True)
    order = [*wanted, *(f"{name}_h" for name in OTHER_WAITS)]
    return frame.sort_values("indicator", key=lambda names: names.map(order.index), kind="stable")


def _differences(rows: pd.DataFrame, name: str, comparison: Comparison, called: Called, width: int) -> list[str]:
    """The rows that differ, by indicator, and how many do not."""
    base, replications = comparison.names[0], comparison.base.replications
    told = rows[rows["verdict"].isin(["more", "less"])]
    lines = ["", f"{name} against {base} ({len(told)} of {len(rows)} rows differ)"]
    room = width - 38
    for indicator, group in told.groupby("indicator", sort=False):
        head = f"{TITLES.get(str(indicator), str(indicator))} [{group['unit'].iloc[0]}]"
        lines.append(f"{head:<{room}} {'base':>11} {'difference':>20}")
        row: Any
        for row in group.itertuples():
            mark = MARKS.get(row.note, "")
            change = estimate(row.difference, (row.high - row.low) / 2) + mark
            some = f" (n {int(row.n)})" if row.n < replications else ""
            cells = f" {estimate(row.base):>11} {change:>20} {row.verdict}"
            lines += _line(f"  {called.place(row.kind, row.place, row.direction)}{some}", room, cells)
    rest = rows["verdict"].value_counts()
    parts = [f"{rest[verdict]} {verdict}" for verdict in rest.index if verdict not in ("more", "less")]
    if parts:
        lines += textwrap.wrap("the others: " + ", ".join(parts), width)
    return lines


TITLES = {
    "delay_truck_h": "truck-hours of delay",
    "tfi1": "clearing both posts (TFI1)",
    "wait_h": "wait for lanes at a post",
    "throughput_per_day": "throughput",
    "door_to_door_h": "door to door",
    **{f"{name}_h": component_called(name) for name in ("slot_wait", "acceptance_wait")},
}
"""What the terminal calls the main indicators."""
