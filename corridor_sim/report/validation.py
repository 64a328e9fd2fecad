"""A validation in words: what it comes to over all, misses first, each with its cause."""

from __future__ import annotations

import math
import textwrap

from corridor_sim.report.tables import to_text
from corridor_sim.results.validations import NO_CAUSE, Predicted, Validation


def describe_validation(data: Validation, width: int = 100) -> str:
    """The answer in words: figures over all, misses with their causes, those met, those only listed."""
    parts = [_folded(text, width) for text in _over_all(data)]
    missed, met = data.missed, tuple(one for one in data.scored if one.held)
    listed = tuple(one for one in data.predicted if one.not_scored)
    if missed:
        parts.append(_section("Missed", missed, width) + _reasons(missed, width))
    if met:
        parts.append(_section("Met", met, width))
    if listed:
        parts.append(_section("Listed, not scored", listed, width) + _notes(listed, width))
    if data.unanswered:
        lines = [_item(f"{name}: {why}", width) for name, why in data.unanswered]
        parts.append("Nothing of the model answers\n" + "\n".join(lines))
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _over_all(data: Validation) -> list[str]:
    percent = f"{100 * data.confidence:.0f} %"
    told = []
    if data.scored:
        held = sum(one.held for one in data.scored)
        told.append(
            f"The {percent} prediction intervals hold {held} of {len(data.scored)} observations that are scored "
            f"({data.coverage:.0%})."
        )
    else:
        told.append("No observation is scored.")
    against = [one for one in data.scored if one.is_against_last]
    if against:
        better = "better than" if data.score < data.last_score else "NOT better than"
        held = sum(one.last_low <= one.value <= one.last_high for one in against)
        told.append(
            f'Against "last value", on the {len(against)} observations that have an earlier one: mean interval score '
            f"over the value observed {data.score:.2f}, {better} {data.last_score:.2f} (smaller is better); "
            f"the model has the smaller one in {data.better} of {len(against)}. Last value held {held}, the model "
            f"{sum(one.held for one in against)}."
        )
        if (one := data.deciding) is not None:
            mine, last = data.without(one.name)
            share = one.score / (data.score * len(against))
            why = f" {_overload(one)}" if one.overloads else ""
            told.append(f"{one.name} alone is {share:.0%} of that mean; without it {mine:.2f} against {last:.2f}.{why}")
    else:
        told.append('Nothing is held against "last value": no scored observation has earlier values enough.')
    kinds = list(dict.fromkeys(one.holds.partition(", and the error")[0] for one in data.predicted))
    if any(", and the error" in one.holds for one in data.predicted):
        kinds[-1] += "; the error of an observation is added where it is stated"
    runs = f"{data.draws} draws of the inputs, {data.replications} run{'s' * (data.replications != 1)} of each"
    told.append(f"An interval holds {'; or '.join(kinds)} ({runs}, {data.prior} prior).")
    return told


def _overload(one: Predicted) -> str:
    """In how many draws more comes than can pass, and where."""
    where = ", ".join(f"{post} ({draws})" for post, draws in one.overloads)
    return (
        f"In {one.overloaded_draws} of its {len(one.draws)} draws more comes than can pass at {where}: "
        "a mean time measures the length of the run there, and the interval with it."
    )


def _section(title: str, given: tuple[Predicted, ...], width: int) -> str:
    rows = []
    for one in given:
        low, high = one.interval
        last = "" if math.isnan(one.last_low) else f"{_short(one.last_low)} to {_short(one.last_high)}"
        rows.append(
            [one.name, _short(one.value), one.unit, _short(one.median), f"{_short(low)} to {_short(high)}", last]
        )
    head = ["observation", "observed", "unit", "model", "interval", "last value"]
    return f"{title}\n" + to_text(head, rows, width)


def _reasons(missed: tuple[Predicted, ...], width: int) -> str:
    return "\n" + "\n".join(_item(f"{one.name}: {one.cause or NO_CAUSE}", width) for one in missed) + "\n"


def _notes(listed: tuple[Predicted, ...], width: int) -> str:
    lines = []
    for one in listed:
        missed = "" if one.held else f"; outside: {one.cause or NO_CAUSE}"
        lines.append(_item(f"{one.name}: {one.not_scored}{missed}", width))
    return "\n" + "\n".join(lines) + "\n"


def _item(text: str, width: int) -> str:
    return textwrap.fill(text, width, initial_indent="- ", subsequent_indent="  ")


def _folded(text: str, width: int) -> str:
    return textwrap.fill(text, width)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
