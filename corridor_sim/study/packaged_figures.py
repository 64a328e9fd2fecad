"""What was observed of the packaged corridor (`validation.toml`), as observations that judge draws or the model."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from corridor_sim.study.observations import (
    CALIBRATION,
    TONNES,
    TWO_SIDED_95,
    VALIDATION,
    VEHICLES,
    Observation,
)

TRAFFIC = ("trucks_per_day", "vehicles_per_day")
COUNTED = (*TRAFFIC, "tonnes")
YEAR_WITH_PRESENT_FLOWS = 2024
"""Counts from this year on are answered by the demand of 2024 and later, where they name no scenario."""
NO_ROW = "no row of a run is this quantity; a test of its own compares it"


def observed() -> dict[str, dict[str, Any]]:
    """The tables of the file by name."""
    text = (files("corridor_sim") / "data/north_south/validation.toml").read_text(encoding="utf-8")
    found: dict[str, dict[str, Any]] = tomllib.loads(text)["observed"]
    return found


def packaged_observations(use: str = CALIBRATION) -> list[Observation]:
    """Counts of the packaged corridor that can judge draws: those with a time and a tolerance, marked for `use`.

    The tolerance of a count was stated before the model was run: it is read as the 95 % half-width of what the model
    may be off, the range of a count as its own 95 % interval.
    """
    return [
        _count(name, figure)
        for name, figure in observed().items()
        if figure["use"] == use
        and figure["quantity"] in TRAFFIC
        and posts_of(figure)
        and {"from", "until", "tolerance"} <= set(figure)
    ]


def packaged_figures() -> tuple[list[Observation], list[tuple[str, str]]]:
    """All that were observed, and those marked for validation that nothing of the model answers, with the reason.

    Those marked for calibration are there because they may be earlier values of the others. A range is read as the
    95 % interval of the observation, a tolerance as that of what the model may be off.
    """
    found, unanswered = [], []
    for name, figure in observed().items():
        if figure["quantity"] in COUNTED and posts_of(figure) and {"from", "until"} <= set(figure):
            one = _count(name, figure)
        elif "indicator" in figure:
            one = _row(name, figure)
        elif figure["use"] == VALIDATION:
            unanswered.append((name, figure.get("not_scored", NO_ROW)))
            continue
        else:
            # An earlier value at most: what answers it is not asked.
            one = Observation(name=name, value=float(figure["value"]), indicator="none", use=CALIBRATION, sd=1.0)
        found.append(one)
    return found, unanswered


def _count(name: str, figure: Mapping[str, Any]) -> Observation:
    """A count at posts; tonnes of a time as those of a day of it."""
    tonnes = figure["quantity"] == "tonnes"
    days = (figure["until"] - figure["from"]).days if tonnes else 1
    checked: dict[str, Any] = {}
    if figure["use"] == VALIDATION:
        present = figure["from"].year >= YEAR_WITH_PRESENT_FLOWS
        checked = {"scenario": figure.get("scenario", "base_2024" if present else "base")} | _told(figure)
    return Observation(
        name=name,
        posts=posts_of(figure),
        share=0.5 if figure["direction"] == "each" else 1.0,
        since=figure["from"],
        until=figure["until"],
        measure=TONNES if tonnes else VEHICLES,
        unit="t/day" if tonnes else figure["unit"],
        earlier=tuple(figure.get("earlier", ())),
        use=figure["use"],
        **_values(figure, 1.0 / days),
        **checked,
    )


def _row(name: str, figure: Mapping[str, Any]) -> Observation:
    """A row of a run of the scenario that the figure names."""
    return Observation(
        name=name,
        unit=figure["unit"],
        indicator=figure["indicator"],
        where=figure["where"],
        scenario=figure["scenario"],
        settings=figure.get("settings", {}),
        earlier=tuple(figure.get("earlier", ())),
        use=figure["use"],
        **_values(figure),
        **_told(figure),
    )


def _values(figure: Mapping[str, Any], factor: float = 1.0) -> dict[str, Any]:
    value = float(figure["value"])
    spread = (float(figure.get("high", value)) - float(figure.get("low", value))) / 2.0
    return {
        "value": value * factor,
        "sd": spread * factor / TWO_SIDED_95,
        "discrepancy_sd": float(figure.get("tolerance", 0.0)) * value * factor / TWO_SIDED_95,
    }


def _told(figure: Mapping[str, Any]) -> dict[str, Any]:
    return {"not_scored": figure.get("not_scored", ""), "cause": figure.get("missed", figure.get("outside", ""))}


def posts_of(figure: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Posts and directions of a count; none if it is of something else.

    The count of a whole border names its posts: those of one of its countries, where each vehicle is seen once.
    """
    table, _, name = figure["at"].partition(".")
    ways = {"both": ("exit", "entry"), "each": ("exit", "entry"), "exit": ("exit",), "entry": ("entry",)}
    names = figure.get("posts", [name] if table == "checkpoints" else [])
    if figure["direction"] not in ways:
        return ()
    return tuple((name, way) for name in names for way in ways[figure["direction"]])
