"""The answer of a report in sentences, each with its interval; overload first, uncertainty stated.

A sentence is `Sentence`: what is meant, about which place, and a tone from which
the page picks its mark. To say more, add a function here and call it in `answers`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from corridor_sim.core.rounding import NO_SPREAD, decimals, ends, estimate, rounded
from corridor_sim.core.units import counted
from corridor_sim.indicators.words import WORDS
from corridor_sim.report.deliveries import DELIVERED, corridor_called, corridor_changes
from corridor_sim.report.text import moved_wait_told, overload_told
from corridor_sim.results.called import flow_name, place_name
from corridor_sim.results.comparison import EQUAL, LESS, MORE, SAME, Comparison
from corridor_sim.results.delivered import CONSERVATION, told_of_corridors
from corridor_sim.results.moved_waits import moved_waits
from corridor_sim.results.reliability import UNRELIABLE
from corridor_sim.results.results import OVERLOAD, Results, mean_interval

MOST = 8
"""Places named in one list; the tables hold all."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """`place` is a name as the user gave it and comes first, `text` is ours.

    `tone` is overload, change, same or plain.
    """

    text: str
    place: str = ""
    tone: str = "plain"


def amount(
    mean: float, low: float = math.nan, high: float = math.nan, unit: str = "", beside: Sequence[float] = ()
) -> str:
    """A mean with its interval in the unit a reader would choose: minutes below an hour.

    What is told `beside` it has the same unit: minutes only where all of it is below an hour.

    >>> amount(1.96, 0.96, 2.96, "h")
    '2.0 h (1.0 to 3.0)'
    >>> amount(0.11, 0.04, 0.18, "h")
    '6.6 min (2.4 to 10.8)'
    >>> amount(431.0, unit="1/day")
    '431 a day'
    >>> amount(0.11, 0.04, 0.18, "h", beside=[1.96])
    '0.110 h (0.040 to 0.180)'
    """
    if math.isnan(mean):
        return "no value"
    known = not (math.isnan(low) or math.isnan(high))
    if unit == "h" and told_in_minutes(mean, low, high, *beside):
        mean, low, high, unit = mean * 60, low * 60, high * 60, "min"
    word = {"1/day": " a day", "-": "", "1": "", "": ""}.get(unit, f" {unit}")
    half = (high - low) / 2 if known else 0.0
    if half <= NO_SPREAD * abs(mean):
        return f"{estimate(mean)}{word}" + (f" ({estimate(low)} to {estimate(high)})" if known else "")
    low_text, high_text = ends(low, high)
    return f"{rounded(mean, decimals(half))}{word} ({low_text} to {high_text})"


def told_in_minutes(*values_h: float) -> bool:
    """Whether hours that are told together are told in minutes: all that are known are below an hour."""
    return max((abs(value) for value in values_h if not math.isnan(value)), default=math.inf) < 1.0


def answers(data: Results | Comparison) -> list[tuple[str, list[Sentence]]]:
    """Paragraphs of the answer: (scenario, its sentences); overload of any run leads."""
    if isinstance(data, Comparison):
        runs = list(zip(data.names, data.runs, strict=True))
        found = [(name, list(_overload(run))) for name, run in runs]
        return [part for part in found if part[1]] + [
            (name, list(_compared(data, k))) for k, name in enumerate(data.names[1:], start=1)
        ]
    return [(data.name, [*_overload(data), *_single(data)])]


def _overload(results: Results) -> Iterator[Sentence]:
    elements = {element.id: element for element in results.plan.elements}
    for place, parts in overload_told(results).items():
        kind = "stage" if elements[place].post else "leg"
        text = f"more comes than can pass: {'; '.join(parts)}. Times there measure the horizon, not the post."
        yield Sentence(text, place_name(results, kind, place), "overload")


def _compared(comparison: Comparison, other: int) -> Iterator[Sentence]:
    base, run, name = comparison.base, comparison.runs[other], comparison.names[other]
    if all(np.array_equal(a, b, equal_nan=True) for a, b in _common(comparison, other)):
        yield Sentence("every indicator is exactly the same as in the base, to the last bit.", tone="same")
        return
    days = base.scope.window_days
    for row in _rows(comparison, name, "delay_truck_h", kind="corridor"):
        share = f", {abs(row.difference) / row.base:.0%} of the base" if row.base > 0 else ""
        yield _change(row, f"truck-hours of delay in the {days:g} counted days", share, several=True)
    yield from _corridors_compared(base, run)
    yield from _by_place(comparison, name, run, "tfi1", "time to cross")
    for moved in moved_waits(comparison, other):
        told = moved_wait_told(moved, called=partial(flow_name, run))
        yield Sentence(f"{told}.", place_name(run, *moved.place), "change")
    yield from _by_place(comparison, name, run, "throughput_per_day", "vehicles crossing", several=True)
    if not {"delay_truck_h", "tfi1", "throughput_per_day"} & set(base.rows.indicators):
        for indicator, kind in _asked_for(base):
            yield from _by_place(comparison, name, run, indicator, WORDS[indicator], kind=kind)


def _asked_for(results: Results) -> Iterator[tuple[str, str]]:
    """Indicators of a run that has none of those that an answer is made of, each with a kind of place that has it."""
    for indicator in WORDS:
        if indicator in results.rows.indicators:
            kinds = {label.kind for label, _ in results.rows.select(indicator, cargo_class="", of="")}
            kind = next(
                (kind for kind in ("crossing", "post", "flow", "leg", "stage", "corridor") if kind in kinds), ""
            )
            if kind:
                yield indicator, kind


_NOTED = {OVERLOAD: " Overloaded: this time measures the horizon.", UNRELIABLE: " Interval not reliable."}


def _by_place(
    comparison: Comparison,
    name: str,
    run: Results,
    indicator: str,
    what: str,
    several: bool = False,
    kind: str = "crossing",
) -> Iterator[Sentence]:
    """The crossings where an indicator differs, largest first; then those where it may not, or does not."""
    rows = [row for row in _rows(comparison, name, indicator, kind=kind) if row.n > 0]
    clear = sorted((row for row in rows if row.verdict in (MORE, LESS)), key=lambda row: -abs(row.difference))
    for row in clear[:MOST]:
        flag = _NOTED.get(row.note, "")
        yield _change(row, what, "", place_name(run, row.kind, row.place, row.direction), flag, several)
    if len(clear) > MOST:
        yield Sentence(f"{what}: {len(clear) - MOST} more places differ; see the table.")
    same = [place_name(run, row.kind, row.place, row.direction) for row in rows if row.verdict == SAME]
    if same:
        more = f" ({len(same) - MOST} more such places are in the table)" if len(same) > MOST else ""
        yield Sentence(f"{what}: not distinguishable from the base{more}.", "; ".join(same[:MOST]), "same")
    for row in rows:
        if row.verdict not in (MORE, LESS, SAME, EQUAL):
            yield _change(row, what, "", place_name(run, row.kind, row.place, row.direction))
    equal = sum(row.verdict == EQUAL for row in rows)
    if equal:
        places = counted(len(rows), kind)
        yield Sentence(f"{what}: exactly the same as in the base at {equal} of {places}.", tone="same")


def _change(row: Any, what: str, more: str = "", place: str = "", flag: str = "", several: bool = False) -> Sentence:
    base = amount(row.base, unit=row.unit, beside=[row.difference, row.low, row.high])
    flag += of_how_many(int(row.n), row.replications)
    if row.verdict == LESS:
        change = amount(-row.difference, -row.high, -row.low, row.unit, [row.base])
        return Sentence(
            f"{what} {'fall' if several else 'falls'} by {change}{more}, from {base}.{flag}", place, "change"
        )
    change = amount(row.difference, row.low, row.high, row.unit, [row.base])
    if row.verdict == MORE:
        return Sentence(
            f"{what} {'rise' if several else 'rises'} by {change}{more}, from {base}.{flag}", place, "change"
        )
    if row.verdict == SAME:
        return Sentence(f"{what}: not distinguishable from the base, {base}; difference {change}.{flag}", place, "same")
    return Sentence(f"{what}: {change} against {base}; {row.verdict}.{flag}", place)


def of_how_many(n: int, replications: int) -> str:
    """In how many replications there is a value, where it is not all of them.

    >>> of_how_many(7, 20), of_how_many(20, 20)
    (' In 7 of 20 replications.', '')
    """
    return f" In {n} of {replications} replications." if n < replications else ""


def _single(results: Results) -> Iterator[Sentence]:
    table = results.rows

    def rows(indicator: str, **where: Any) -> list[tuple[Any, tuple[float, float, float]]]:
        if indicator not in table.indicators:
            return []
        where = {"cargo_class": "", "of": "", "hour": None, "day": None} | where
        return [(label, mean_interval(values)) for label, values in table.select(indicator, **where)]

    def some(label: Any) -> str:
        values = table.row(label.indicator, kind=label.kind, place=label.place, direction=label.direction)
        return of_how_many(int(np.isfinite(values).sum()), len(values))

    for _, (mean, low, high) in rows("delay_truck_h_per_day", kind="corridor"):
        told = amount(mean, low, high, "truck-hours a day")
        yield Sentence(f"delay on the whole corridor: {told}.")
    yield from _corridors(results)
    crossings = [row for row in rows("tfi1", kind="crossing") if not math.isnan(row[1][0])]
    p95 = {(label.place, label.direction): high for label, high, *_ in results.pooled_percentiles("tfi1_p95_pooled")}
    flagged = results.flagged()
    for label, (mean, low, high) in sorted(crossings, key=lambda row: -row[1][0])[:MOST]:
        most = p95.get((label.place, label.direction), math.nan)
        flag = " Overloaded: measures the horizon." if ("crossing", label.place, label.direction) in flagged else ""
        told = amount(mean, low, high, "h", [most])
        text = f"time to cross {told}; 95 of 100 within {amount(most, unit='h', beside=[mean, low, high])}"
        text += f".{flag}{some(label)}"
        yield Sentence(text, place_name(results, "crossing", label.place, label.direction))
    limit = results.options.saturation_limit
    known = {(element.id, element.post, element.direction) for element in results.plan.elements}
    said = {(post, direction) for id, post, direction in known if id in results.overloaded()}
    loads = rows("saturation", kind="post")
    # Of overloaded posts the load stands in the first sentences.
    full = [row for row in loads if row[1][0] >= limit and (row[0].place, row[0].direction) not in said]
    for label, (mean, low, high) in sorted(full, key=lambda row: -row[1][0])[:MOST]:
        text = f"load is {estimate(mean, (high - low) / 2)} of capacity: little or no headroom."
        yield Sentence(
            text, place_name(results, "post", label.place, label.direction), "overload" if mean >= 1 else "plain"
        )
    if not {"delay_truck_h_per_day", "tfi1", "saturation"} & set(table.indicators):
        for indicator, kind in _asked_for(results):
            found = [row for row in rows(indicator, kind=kind) if not math.isnan(row[1][0])]
            for label, (mean, low, high) in sorted(found, key=lambda row: -row[1][0])[:MOST]:
                text = f"{WORDS[indicator]} {amount(mean, low, high, label.unit)}."
                yield Sentence(text, place_name(results, label.kind, label.place, label.direction))
    if loads and not full:
        yield Sentence(f"no {'other ' if said else ''}post is loaded to {limit:.0%} of its capacity or more.")


def _corridors(results: Results) -> Iterator[Sentence]:
    """What was delivered over each corridor at each border, one sentence a corridor."""
    found = told_of_corridors(results)
    for corridor in dict.fromkeys(id for id, _ in found):
        parts = []
        for border, sums in ((border, sums) for (id, border), sums in found.items() if id == corridor):
            given = [
                amount(mean / scale, (mean - half) / scale, (mean + half) / scale, unit)
                for quantity, (unit, scale) in DELIVERED.items()
                if quantity in sums and (quantity == "tonnes" or not border)
                for mean, half in (sums[quantity],)
            ]
            parts.append(f"{f'at {border}' if border else 'in all'} {', '.join(given)}")
        yield Sentence(f"delivered {'; '.join(parts)}.", corridor_called(corridor))


def _corridors_compared(base: Results, other: Results) -> Iterator[Sentence]:
    """How many times what it delivered before each corridor delivers, one sentence a corridor."""
    found = corridor_changes(base, other)
    for corridor in dict.fromkeys(change.corridor for change in found):
        mine = [change for change in found if change.corridor == corridor]
        parts = [f"{f'at {change.border}' if change.border else 'in all'} {change.amounts()}" for change in mine]
        kind = f" This is a {CONSERVATION}: the demands differ." if any(change.of_inputs for change in mine) else ""
        yield Sentence(f"delivered {'; '.join(parts)}.{kind}", corridor_called(corridor), "change")


def _rows(comparison: Comparison, name: str, indicator: str, **where: Any) -> list[Any]:
    if indicator not in comparison.base.rows.indicators:
        return []
    frame = comparison.table(indicator, **({"cargo_class": "", "of": ""} | where))
    frame["replications"] = comparison.base.replications
    return list(frame[frame["scenario"] == name].itertuples())


def _common(comparison: Comparison, other: int) -> Iterator[tuple[Any, Any]]:
    first, second = comparison.differences(other)
    if len(first) != len(comparison.base.rows):
        yield np.zeros(1), np.ones(1)
    yield first.values, second.values
