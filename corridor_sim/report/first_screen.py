"""What a notebook shows of results: the answer in sentences and one picture, for every kind of result.

`first_screen` makes the HTML that ``_repr_html_`` of each class hands over. A new class of results joins by a
function here that says its sentences and names its picture.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from corridor_sim.core.errors import CorridorError
from corridor_sim.core.units import counted
from corridor_sim.indicators.words import WORDS
from corridor_sim.plots.names import clean
from corridor_sim.plots.source_line import source_line
from corridor_sim.report.answers import MOST, Sentence, amount, answers
from corridor_sim.results.annex import criteria_told
from corridor_sim.results.appraisal import Appraisal
from corridor_sim.results.called import place_name
from corridor_sim.results.comparison import Comparison
from corridor_sim.results.programme import Programme
from corridor_sim.results.results import NOISE, Results, mean_interval
from corridor_sim.results.uncertain import Uncertainty
from corridor_sim.results.worth import Worth

INK, SOFT, MARK, WARN = "#1d2329", "#5a646e", "#0072b2", "#b34700"
TONES = {"overload": f"color:{WARN}", "same": f"color:{SOFT}"}


@dataclass(frozen=True, slots=True)
class Screen:
    """What is shown: a heading, paragraphs of sentences, the picture's name, what holds of all, how to see more."""

    title: str
    paragraphs: Sequence[tuple[str, Sequence[Sentence]]]
    pictures: Sequence[str]
    """The first that can be drawn is."""
    note: str
    more: str


def first_screen(data: Any) -> str:
    """The answer and one picture as HTML that stands inside a page; names are escaped, nothing is asked for.

    Parameters
    ----------
    data : Results, Comparison, Uncertainty, Sweep, Appraisal, Worth or Programme
    """
    screen = _screen(data)
    line = source_line(data)
    parts = [Markup('<p style="margin:.2rem 0;font-size:1.15em"><b><bdi>{}</bdi></b></p>').format(screen.title)]
    if line:
        parts.append(_soft(line))
    for heading, sentences in screen.paragraphs:
        if heading and heading != screen.title:
            parts.append(Markup('<p style="margin:.6rem 0 .1rem"><b><bdi>{}</bdi></b></p>').format(heading))
        shown = list(sentences[: MOST + 2])
        if len(sentences) > len(shown):
            shown.append(Sentence(f"{len(sentences) - len(shown)} more sentences are in the report.", tone="same"))
        items = Markup("").join(_item(sentence) for sentence in shown)
        parts.append(Markup('<ul style="margin:.2rem 0;padding-left:1.2rem">{}</ul>').format(items))
    parts.append(_soft(screen.note))
    parts.append(_picture(data, screen.pictures))
    parts.append(_soft(screen.more))
    body = Markup("").join(parts)
    style = (
        f"max-width:58rem;color:{INK};background:#fff;border-left:4px solid {MARK};padding:.3rem 1rem;"
        "line-height:1.45;overflow-wrap:anywhere;text-align:left"
    )
    return str(Markup('<div style="{}">{}</div>').format(style, body))


def _item(sentence: Sentence) -> Markup:
    text = sentence.text if sentence.place else sentence.text[:1].upper() + sentence.text[1:]
    place = Markup("<b><bdi>{}</bdi></b>: ").format(sentence.place) if sentence.place else Markup("")
    return Markup('<li style="{}">{}{}</li>').format(TONES.get(sentence.tone, ""), place, text)


def _soft(text: str) -> Markup:
    return Markup('<p style="margin:.2rem 0;color:{};font-size:.88em"><bdi>{}</bdi></p>').format(SOFT, text)


def _picture(data: Any, names: Sequence[str]) -> Markup:
    """The first picture that can be drawn, with its caption; nothing where none can."""
    from corridor_sim.plots import PLOTS
    from corridor_sim.plots.accessor import Plots
    from corridor_sim.report.figures import svg_of

    for name in names:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                axes = getattr(Plots(data), name)()
        except (CorridorError, ValueError):  # the run was asked for other indicators
            continue
        if axes.axison:
            caption = (PLOTS[name].__doc__ or name).partition("\n")[0]
            svg = svg_of(axes.figure, caption)
            # On a narrow screen it is moved sideways: letters of a picture that shrinks cannot be read.
            around, style = "margin:.6rem 0;overflow-x:auto", "min-width:32rem;max-width:46rem"
            return Markup('<div style="{}"><div style="{}">{}</div></div>{}').format(around, style, svg, _soft(caption))
    return Markup("")


def _screen(data: Any) -> Screen:
    if isinstance(data, Uncertainty):
        return _of_uncertainty(data)
    if isinstance(data, Comparison):
        question = f"{', '.join(data.names[1:])} against {data.names[0]}"
        return Screen(question, answers(data), ("differences", "delay"), f"Brackets: {NOISE}.", MORE)
    if isinstance(data, Results):
        return Screen(data.name, answers(data), ("delay", "components", "queue"), f"Brackets: {NOISE}.", MORE)
    if isinstance(data, Appraisal):
        return _of_appraisal(data)
    if isinstance(data, Worth):
        return _of_worth(data)
    if isinstance(data, Programme):
        return _of_programme(data)
    return _of_sweep(data)


MORE = "All rows: .table(); in words: .describe(); as one page: .to_html('report.html'); pictures: .plot."


def _of_uncertainty(data: Uncertainty) -> Screen:
    from corridor_sim.report.uncertain import NO_CLEAR, assumed_told, uncertain_answers

    paragraphs = []
    for name, told in uncertain_answers(data, minutes=True):
        sentences = []
        if told and not any(one.clear for one in told):
            sentences.append(Sentence(f"{NO_CLEAR}:", tone="same"))
        for one in told:
            sentences.append(Sentence(f"{one.sentence}.", one.place, "change"))
            sentences.append(Sentence(f"sampling noise: {one.sampling}; inputs: {one.inputs}."))
            if one.sign:
                sentences.append(Sentence(f"sign: {one.sign}.", tone="" if one.holds else "overload"))
            sentences.append(Sentence(f"hangs on: {one.hangs_on}.", tone="same"))
        paragraphs.append((name, sentences or [Sentence("no difference in the main rows.", tone="same")]))
    title = f"{', '.join(data.names[1:])} against {data.names[0]}" if len(data.runs) > 1 else data.names[0]
    note = assumed_told(data)
    return Screen(title, paragraphs, ("differences", "tornado"), f"{note[:1].upper()}{note[1:]}.", MORE)


def _of_appraisal(data: Appraisal) -> Screen:
    sentences = [Sentence(f"{value}.", name) for name, value in criteria_told(data)]
    if data.unpriced:
        names = ", ".join(data.unpriced)
        sentences.insert(
            0, Sentence(f"no cost is stated for {names}: what is said of money leaves it out.", "", "overload")
        )
    title = f"{data.name} against {data.base_name}" if data.base_name else data.name
    note = f"Resource costs in constant prices at {100 * data.discount_rate:g} % a year; intervals are {NOISE}."
    return Screen(
        title, [("", sentences)], ("cash_flows",), note, "By year: .to_frame(), .annex(); in words: .describe(); .plot."
    )


def _of_worth(data: Worth) -> Screen:
    def between(of: tuple[float, float, float], scale: float, places: int) -> str:
        mean, low, high = (one * scale for one in of)
        if mean != mean:
            return "none"
        return f"{mean:,.{places}f}" + (f" ({low:,.{places}f} to {high:,.{places}f})" if low == low else "")

    sentences = [
        Sentence(f"US$ {between(data.npv_usd, 1e-6, 2)} m; above 0 in {data.probability_positive:.0%} of the "
                 "replications.", "net present value"),
        Sentence(f"{between(data.benefit_cost_ratio, 1.0, 2)}.", "benefit-cost ratio"),
        Sentence(f"{between(data.first_year_return, 100.0, 1)} %.", "first-year return"),
        Sentence(f"{between(data.truck_h_saved_per_1000_usd, 1.0, 1)} truck-hours a US$ 1000.", "delay saved"),
    ]  # fmt: skip
    note = f"{counted(data.replications, 'replication')}; brackets: {NOISE}."
    return Screen("What it is worth", [("", sentences)], ("npv",), note, "Each value is (mean, low, high): .npv_usd.")


def _of_programme(data: Programme) -> Screen:
    sentences = [Sentence(part) for part in re.split(r"(?<=\.)\s+(?=[A-Z])", data.answer())]
    sentences += [Sentence(text, tone="overload") for text in data.warnings]
    title = f"What to build at {data.base}"
    return Screen(
        title, [("", sentences)], ("frontier", "build_order"), data.guarantee, "All sets: .table(); .describe(); .plot."
    )


def _of_sweep(data: Any) -> Screen:
    from corridor_sim.plots.sweeps import factor_words, main_indicator, main_row, values_of

    def _factor(data: Any, name: str, value: Any) -> str:
        words, unit = factor_words(data, name)
        return f"{words} = {_value(value)} {unit}".strip()

    sentences: list[Sentence] = []
    over = sum(bool(run.overloaded()) for run in data.runs if "saturation" in run.rows.indicators)
    if over:
        text = f"more comes than can pass at {over} of {len(data.runs)} points: times there measure the horizon."
        sentences.append(Sentence(text, tone="overload"))
    indicator = main_indicator(data)
    label = main_row(data, indicator, {}) if indicator else None
    if label is not None:
        what = {"delay_truck_h_per_day": "truck-hours of delay a day"}.get(indicator, WORDS.get(indicator, indicator))
        if label.kind != "corridor":
            what += f", {place_name(data.runs[0], label.kind, label.place, label.direction)}"
        found = [mean_interval(values_of(run, label)) for run in data.runs]
        known = [k for k, (mean, *_) in enumerate(found) if mean == mean]
        for word, choose in (("least", min), ("most", max)):
            k = choose(known, key=lambda k: found[k][0])
            at = ", ".join(_factor(data, *pair) for pair in data.points[k].items())
            sentences.append(Sentence(f"{what}: {word} {amount(*found[k], label.unit)} at {at}."))
    for text in (data.left_out and f"{len(data.left_out)} points are not allowed", data.failed and
                 f"{len(data.failed)} runs failed"):  # fmt: skip
        if text:
            sentences.append(Sentence(f"{text}; see .left_out and .failed.", tone="overload"))
    note = f"Brackets: {NOISE}; all points share random numbers."
    return Screen(
        data.name,
        [("", sentences)],
        ("points",),
        note,
        "A line a point: .table(); long: .to_frame(); .compare(); .plot.",
    )


def _value(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else clean(value, 60)
