"""JSON Schemas of the small files beside scenarios: observations, and what the packaged corridor is checked against.

These tables have no model class: `study/observations.py` reads those of users, tests read the packaged ones. Fields are
written out here, and tests hold them to what is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DATE = {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"}]}
_TABLE = {"type": "object"}


def _text(about: str, *, of: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"type": "string", **({"enum": list(of)} if of else {}), "description": about}


def _number(about: str, **limits: float) -> dict[str, Any]:
    return {"type": "number", **limits, "description": about}


def _texts(about: str) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "string"}, "description": about}


def _earlier() -> dict[str, Any]:
    one = {"anyOf": [{"type": "string"}, {"type": "number", "exclusiveMinimum": 0}]}
    about = "Earlier values of the same in order of time, or names of observations that they are. [unit of the value]"
    return {"type": "array", "items": one, "description": about}


OBSERVATION: dict[str, dict[str, Any]] = {
    "value": _number("What was observed. [unit]"),
    "unit": _text("Unit of the value, such as 1/day, h, min; that of the row if not given."),
    "sd": _number("Standard deviation of the observation. [unit of the value]", minimum=0),
    "discrepancy_sd": _number(
        "How far the model may be off with the right inputs, as a standard deviation. [unit of the value]", minimum=0
    ),
    "posts": {
        "type": "array",
        "items": {
            "type": "array",
            "prefixItems": [{"type": "string"}, {"enum": ["exit", "entry"]}],
            "minItems": 2,
            "maxItems": 2,
        },
        "description": "Of a count: posts and directions, each as [post, 'exit' or 'entry'], whose traffic is summed.",
    },
    "measure": _text("Of a count: what is counted at the posts.", of=("vehicles", "tonnes")),
    "share": _number(
        "The observation is this share of the row or sum: 0.5 for 'each way'. [fraction]", exclusiveMinimum=0
    ),
    "since": {**_DATE, "description": "Of a count: the first day that it is of."},
    "until": {**_DATE, "description": "Of a count: the day after the last that it is of."},
    "indicator": _text("The row of a run that answers it; a count of traffic has posts instead."),
    "where": {
        **_TABLE,
        "description": "Columns that find the row: kind, place, direction, cargo_class, of, hour, day.",
    },
    "use": _text(
        "Whether it judges draws of the inputs, or the model is held against it.", of=("calibration", "validation")
    ),
    "scenario": _text("For validation: the scenario whose run answers it, instead of the one that is asked about."),
    "settings": {**_TABLE, "description": "For validation: values that are set in that scenario, by path."},
    "earlier": _earlier(),
    "not_scored": _text("For validation: why it is listed and not scored."),
    "cause": _text("For validation: why the model misses it, where it does."),
}
"""Fields of an observation of a user (`cs.read_observations`)."""
FIGURE: dict[str, dict[str, Any]] = {
    "what": _text("The figure in words."),
    "quantity": _text(
        "What of the model it is held against.",
        of=(
            "trucks_per_day",
            "vehicles_per_day",
            "queue",
            "wait_h",
            "stay_min",
            "tfi1_h",
            "speed_kmh",
            "days",
            "tonnes",
            "usd",
            "share",
        ),
    ),
    "at": _text("Place that it is of: checkpoints.ID, border.ID, crossing.ID, flows.ID, legs.ID or country.ID."),
    "direction": _text("Direction that it is of: both, each, exit, entry, or a way that the test of the figure knows."),
    "posts": _texts("Of a border: posts at which each vehicle is counted once."),
    "value": _number("What was observed. [unit]"),
    "low": _number("Low end of its 95 % interval. [unit of the value]"),
    "high": _number("High end of its 95 % interval. [unit of the value]"),
    "unit": _text("Unit of the value; - is a pure number."),
    "from": {**_DATE, "description": "First day that it is of."},
    "until": {**_DATE, "description": "Day after the last that it is of."},
    "holds": _text(
        "How the model is held against it: within the tolerance, at most that value, or from half to twice of it "
        "(between low and high where they are given).",
        of=("level", "at_most", "order"),
    ),
    "tolerance": _number("How far the model may be off, fixed before it was run. [fraction of the value]", minimum=0),
    "use": _text(
        "Whether a figure of the model was derived from it or set by it, or none was.", of=("calibration", "validation")
    ),
    "missed": _text("What the model gives instead, where it does not reach the figure, and why."),
    "outside": _text("Why the 90 % prediction interval does not hold a figure that is held otherwise."),
    "not_scored": _text("Why a figure of validation is listed and not scored."),
    "earlier": _earlier(),
    "earlier_source": _text("Id of the source of the earlier values."),
    "indicator": _text("The row of a run that answers it."),
    "where": OBSERVATION["where"],
    "scenario": _text("The scenario whose run answers it."),
    "settings": {**_TABLE, "description": "Values that are set in that scenario, by path."},
    "status": _text("How it is known.", of=("published", "derived", "assumed", "conflicting")),
    "source": _text("Ids of its sources, as the scenario file names them."),
    "note": _text("What is to be known of it."),
}
"""Fields of a figure that was observed of the packaged corridor (`validation.toml`)."""
CHAIN: dict[str, dict[str, Any]] = {
    "branch": _text("The branch of the corridor that it is of."),
    "origin": _text("Id of the place where the chain begins."),
    "destination": _text("Id of the place where it ends."),
    "length_km": _number("Sum of the lengths of its legs. [km]", exclusiveMinimum=0),
    "moving_h": _number("Sum of the moving times of its legs. [h]", exclusiveMinimum=0),
    "legs": _texts("Ids of its legs in order."),
}
"""Fields of a chain of legs of the packaged corridor (`paths.toml`)."""


def observations_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a file of observations, as `read_observations` reads it.

    >>> sorted(observations_schema()["properties"])
    ['observations']
    """
    one = _fields(OBSERVATION, ("value",))
    one["oneOf"] = [{"required": ["indicator"]}, {"required": ["posts", "since", "until"]}]
    return _file("corridor_sim observations", "observations", "What was observed, by name.", one)


def observed_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the figures that the packaged corridor is held against (``validation.toml``)."""
    needed = ("what", "quantity", "at", "direction", "value", "unit", "holds", "use", "status", "source")
    about = "What was observed of the corridor, by name; not read by a run."
    return _file("corridor_sim observed figures", "observed", about, _fields(FIGURE, needed))


def paths_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the chains of legs that check the graph of the packaged corridor (``paths.toml``)."""
    about = "Chains of legs written out, by name; not read by a run."
    return _file("corridor_sim chains of legs", "paths", about, _fields(CHAIN, tuple(CHAIN)))


def _fields(fields: Mapping[str, Any], required: tuple[str, ...]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(fields),
        "required": sorted(required),
        "additionalProperties": False,
    }


def _file(title: str, table: str, about: str, one: Mapping[str, Any]) -> dict[str, Any]:
    """Schema of a file with one table of tables by name."""
    tables = {"type": "object", "minProperties": 1, "additionalProperties": dict(one), "description": about}
    return {
        "$schema": DIALECT,
        "title": title,
        "type": "object",
        "properties": {table: tables},
        "required": [table],
        "additionalProperties": False,
    }
