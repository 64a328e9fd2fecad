"""An answer with both uncertainties in words: noise of sampling and inputs apart, what it hangs on, what is assumed.

`uncertain_answers` makes one `UncertainAnswer` a place for every surface; `describe_uncertainty`
is the text of the terminal.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from corridor_sim.core.errors import CorridorError
from corridor_sim.core.rounding import decimals, ends, rounded
from corridor_sim.core.units import counted
from corridor_sim.indicators.words import indicator_called
from corridor_sim.plots.names import clean
from corridor_sim.report.answers import told_in_minutes
from corridor_sim.report.text import describe, describe_comparison
from corridor_sim.results.called import Called
from corridor_sim.results.uncertain import LEVEL, Uncertainty
from corridor_sim.statistics.input_intervals import InputInterval, SignChance

MOST = 4
"""Answers that are told in words; the table holds all rows."""
FIRST = (
    ("tfi1", "crossing"),
    ("door_to_door_h", "flow"),
    ("delay_truck_h", "corridor"),
    ("wait_h", "post"),
    ("throughput_per_day", "post"),
)
"""Rows of the answers told, the first of which one is more than noise."""
NO_CLEAR = "no difference of the main rows is more than noise of sampling; the largest are"
PERCENT = f"{100 * LEVEL:.0f} %"
HANGS_ON = 3
"""Inputs named that an answer hangs on."""


@dataclass(frozen=True, slots=True)
class UncertainAnswer:
    """One answer: its sentence, both intervals and what is said of them; texts without marks of any surface.

    `holds` is whether every draw and corner has the sign.
    """

    place: str
    sentence: str
    sampling: str
    inputs: str
    sign: str
    hangs_on: str
    holds: bool
    clear: bool = True
    """Whether it is more than noise of sampling at the stated values."""


def uncertain_answers(
    data: Uncertainty, *, ids: bool = False, minutes: bool = False
) -> list[tuple[str, list[UncertainAnswer]]]:
    """(scenario, its answers, largest difference first) for each scenario that is compared, or for the base alone.

    With `minutes` times are told as in the sentences of a report: in minutes where base and difference are below an
    hour.
    """
    numbers = range(1, len(data.runs)) if len(data.runs) > 1 else [0]
    return [
        (data.names[other], [_answer(data, row, other, ids, minutes) for row in _rows(data, other)])
        for other in numbers
    ]


def _rows(data: Uncertainty, other: int) -> list[int]:
    """Rows of the answers that are told: where the first indicator changes most, by more than noise if any does."""
    told: list[list[int]] = []
    for indicator, kind in FIRST:
        rows = [
            k
            for k, label in enumerate(data.labels)
            if label.indicator == indicator and label.kind == kind and not label.cargo_class and not label.of
        ]
        size = {row: abs(data.stated(row, other)) for row in rows}
        there = [row for row in rows if size[row] > 0]
        clear = {row: data.is_clear(row, other) for row in there}
        there.sort(key=lambda row: (not clear[row], -size[row]))
        if any(clear.values()):
            return [row for row in there if clear[row]][:MOST]
        told.append(there[:MOST])
    return next((rows for rows in told if rows), [])


def _answer(data: Uncertainty, row: int, other: int, ids: bool, minutes: bool) -> UncertainAnswer:
    label, stated = data.labels[row], data.stated(row, other)
    run = data.runs[other]
    what = indicator_called(label.indicator)
    low, high = data.sampling(row, other)
    unit, times = label.unit.replace("1/day", "a day").strip("-1"), 1.0
    if minutes and unit == "h" and told_in_minutes(data.stated(row, 0), stated, low, high):
        unit, times = "min", 60.0
    stated, low, high = times * stated, times * low, times * high
    if other == 0:
        sentence = f"{what}: {_number(stated, stated / 10)} {unit}".rstrip()
    else:
        verb = "falls by" if stated < 0 else "rises by"
        sentence = f"{what} {verb} {_number(abs(stated), abs(stated) / 10)} {unit}".rstrip()
    replications = data.runs[0].replications
    sampling = (
        f"{_between(low, high, unit)} (95 %, {replications} replications at the stated values)"
        if not math.isnan(low)
        else "not available from one replication"
    )
    found = data.interval(row, other)
    signs = {prior: data.sign(row, other, prior) for prior in data.drawn}
    return UncertainAnswer(
        place=Called(run, ids).place(label.kind, label.place, label.direction),
        sentence=sentence,
        sampling=sampling,
        inputs=_inputs(data, found, unit, times),
        sign=_sign(signs) if other else "",
        hangs_on=_hangs_on(data, row, other, ids),
        holds=all(sign.holds for sign in signs.values()),
        clear=data.is_clear(row, other),
    )


def _inputs(data: Uncertainty, found: InputInterval, unit: str, times: float) -> str:
    if math.isnan(found.low):
        return "no value in any draw"
    share = "the smallest to the largest" if found.few else PERCENT
    error = ""
    if not math.isnan(found.width_error) and not found.few:
        width = times * found.width_error
        error = f", width known to within {_number(width, width)}"
    between = _between(times * found.low, times * found.high, unit)
    return f"{between} ({share} of {found.draws} draws of {len(data.inputs)} inputs{error})"


def _sign(signs: dict[str, SignChance]) -> str:
    if not all(sign.draws for sign in signs.values()):
        return "no draw is left to tell it by"
    shares = [
        f"{round(sign.chance * sign.draws)} of {sign.draws} draws ({prior}"
        + (f"; no change in {sign.unchanged})" if sign.unchanged else ")")
        for prior, sign in signs.items()
    ]
    corners = next(iter(signs.values())).corners
    if all(sign.holds for sign in signs.values()):
        bound = max(sign.against_most for sign in signs.values())
        return (
            f"the same in {', '.join(shares)} and in {corners} corners tried; "
            f"that leaves another sign a chance of at most about {bound:.0%} for inputs drawn so"
        )
    against = "" if any(sign.chance < 1 for sign in signs.values()) else f", but not in all of {corners} corners tried"
    return f"the same in {', '.join(shares)}{against}: it does not hold in the whole box of the ranges"


def _hangs_on(data: Uncertainty, row: int, other: int, ids: bool = False) -> str:
    """The inputs that explain more than chance, and what knowing the first would do."""
    try:
        effects = data.effects(row, other)
    except CorridorError:
        return "not told from so few draws"
    told = effects[~effects["by_chance"] & (effects["share"] > 0)].head(HANGS_ON)
    if not len(told):
        bound = effects.attrs["by_chance"]
        acting = sum(one.acts for one in data.inputs)
        return (
            f"no input alone of the {acting} that may act shows more than chance would ({bound:.0%}): take more draws"
        )
    name = "input" if ids else "called"
    named = [f"{clean(getattr(line, name), 90)} ({line.share:.0%} of the variance)" for line in told.itertuples()]
    first = told.sort_values("width_left", kind="stable").iloc[0]
    measure = f"; measure {clean(first[name], 90)} first: known exactly, it would narrow the interval by"
    return ", ".join(named) + (f"{measure} {first['narrows']:.0%}" if first["narrows"] > 0.05 else "")


def assumed_told(data: Uncertainty) -> str:
    """How many figures have a range, and how much of that is assumed."""
    ranged, assumed = data.figures.get("ranged", 0), data.figures.get("assumed", 0)
    share = f" ({data.assumed_share:.0%})" if ranged else ""
    are = "is assumed, without a source of its own" if assumed == 1 else "are assumed, without a source of their own"
    return f"{ranged} figures are drawn from ranges; {assumed} of these{share} {are}"


def draws_told(data: Uncertainty) -> list[str]:
    """What is to be said of the draws: interaction, few draws, part of the corridor."""
    found = [
        f"{counted(data.draws, 'draw')} under each prior ({', '.join(data.drawn)}), of "
        f"{counted(data.replications, 'replication')} each; {counted(data.runs[0].replications, 'replication')} "
        "at the stated values"
    ]
    if data.replications == 1:
        found.append(
            "one replication a draw: the interaction of inputs and streams cannot be told apart and stands in the "
            "inputs' part"
        )
    if data.interval(0, 0).few if data.labels else False:
        found.append(
            f"{data.draws} draws are too few for {PERCENT}: the interval is from the smallest to the largest answer"
        )
    if data.part:
        found.append(
            f"run on the part of the corridor that {', '.join(data.part)} hangs on; its numbers are those of the whole"
        )
    for prior, judged in data.judged.items():
        for number, wave in enumerate(data.waves.get(prior, ()), start=1):
            space = "the ranges" if number == 1 else f"the {wave.space:.1%} of the ranges that emulators leave"
            found.append(f"{prior}, wave {number}: {wave.kept} of {wave.draws} draws from {space} survive")
        for name, out, alone in judged.table():
            found.append(f"{prior}: {name} rules out {out} of {len(judged.kept)} draws, {alone} of them alone")
        found += [f"{prior}: {warning}" for warning in judged.warnings]
    return found


def describe_uncertainty(data: Uncertainty, width: int = 80, *, ids: bool = False) -> str:
    """The answer in words with both intervals, then the run or comparison at the stated values."""
    lines: list[str] = []
    for name, answers in uncertain_answers(data, ids=ids):
        against = f" against {data.names[0]}" if len(data.runs) > 1 else ""
        lines += textwrap.wrap(f"{name}{against}: the answer, with both uncertainties", width)
        if not answers:
            lines.append("  no difference in the main rows")
        elif not any(answer.clear for answer in answers):
            lines += textwrap.wrap(f"{NO_CLEAR}:", width, initial_indent="  ", subsequent_indent="  ")
        for answer in answers:
            lines += ["", *textwrap.wrap(f"{answer.place}: {answer.sentence}", width, subsequent_indent="  ")]
            lines += _told("sampling noise", answer.sampling, width)
            lines += _told("inputs", answer.inputs, width)
            if answer.sign:
                lines += _told("sign", answer.sign, width)
            lines += _told("hangs on", answer.hangs_on, width)
        lines.append("")
    lines += textwrap.wrap(assumed_told(data), width, subsequent_indent="  ")
    for text in draws_told(data):
        lines += textwrap.wrap(text, width, subsequent_indent="  ")
    alone = len(data.runs) == 1
    rest = describe(data.runs[0], width, ids=ids) if alone else describe_comparison(data.comparison, width, ids=ids)
    return "\n".join([*(line.rstrip() for line in lines), "", "At the stated values:", "", rest])


def _told(name: str, text: str, width: int) -> Iterator[str]:
    first, *more = textwrap.wrap(text, width - 19) or [""]
    yield f"  {name:<16} {first}"
    for line in more:
        yield f"{'':<19}{line}"


def _between(low: float, high: float, unit: str) -> str:
    return f"{' to '.join(ends(low, high))} {unit}".rstrip()


def _number(value: float, half: float) -> str:
    """A number to two digits of `half`."""
    return rounded(value, decimals(half)) if half > 0 else f"{value:,.3g}"
