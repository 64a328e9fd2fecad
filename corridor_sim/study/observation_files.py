"""Observations from a file: one table each, with its use marked once."""

from __future__ import annotations

import datetime as dt
import os
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from corridor_sim.core.errors import Problem, ScenarioError, nearest
from corridor_sim.study.observations import Observation

KNOWN = tuple(field.name for field in fields(Observation) if field.name != "name")
"""What a table may hold; its key is the name."""
NUMBERS = ("value", "sd", "discrepancy_sd", "share")
WORDS = ("unit", "indicator", "use", "measure", "scenario", "not_scored", "cause")
DATES = ("since", "until")


def read_observations(path: str | os.PathLike[str]) -> list[Observation]:
    """The observations of a TOML file, in its order.

    ::

        [observations.queue_in_may]
        value = 120.0
        sd = 15.0                          # how far the count may be off
        discrepancy_sd = 10.0              # how far the model may be off with the right inputs
        indicator = "queue_mean"
        where = { kind = "post", place = "northgate_b", direction = "entry" }
        use = "calibration"                # or "validation", which `validate` holds the model against
        earlier = [95.0, 110.0]            # of validation: values before it, or names of observations
        not_scored = "one snapshot"        # of validation: listed only
        cause = "a strike, not modelled"   # of validation: why the model misses it

    Raises
    ------
    ScenarioError
        With everything that is wrong with the file.
    """
    try:
        data = tomllib.loads(Path(path).read_bytes().decode("utf-8"))
    except OSError as error:
        raise ScenarioError([Problem(f"cannot be read: {error.strerror}", file=str(path))]) from None
    except ValueError as error:
        raise ScenarioError([Problem(f"is not TOML: {error}", file=str(path))]) from None
    tables = data.get("observations")
    others = [key for key in data if key != "observations"]
    problems = [Problem("is not known here", key, allowed="observations", file=str(path)) for key in others]
    if not isinstance(tables, Mapping) or not tables:
        problems.append(Problem("must hold at least one table [observations.NAME]", "observations", file=str(path)))
        raise ScenarioError(problems)
    found = []
    for name, table in tables.items():
        at = f"observations.{name}"
        wrong = _wrong(table) if isinstance(table, Mapping) else [Problem("must be a table")]
        problems += [replace(one.at(at), file=str(path)) for one in wrong]
        if wrong:
            continue
        given: dict[str, Any] = dict(table)
        if "posts" in given:
            given["posts"] = tuple((post, way) for post, way in given["posts"])
        if "earlier" in given:
            given["earlier"] = tuple(given["earlier"])
        try:
            found.append(Observation(name=name, **given))
        except ScenarioError as error:
            problems += [Problem(p.message, at, file=str(path)) for p in error.problems]
    if problems:
        raise ScenarioError(problems)
    return found


def _wrong(table: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the fields of one table."""
    problems = [
        Problem("is not a field of an observation", key, hint=nearest(key, KNOWN)) for key in table if key not in KNOWN
    ]
    if "value" not in table:
        problems.append(Problem("is required", "value"))
    for key, value in table.items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if key in NUMBERS and not (number and value == value and abs(value) != float("inf")):
            problems.append(Problem("must be a finite number", key, value))
        if key in WORDS and not isinstance(value, str):
            problems.append(Problem("must be text", key, value))
        if key in DATES and (not isinstance(value, dt.date) or isinstance(value, dt.datetime)):
            problems.append(Problem("must be a date", key, value))
        if key == "where" and not isinstance(value, Mapping):
            problems.append(Problem("must be a table such as { kind = 'post', place = 'northgate_b' }", key, value))
        if key == "settings" and not isinstance(value, Mapping):
            problems.append(Problem("must be a table of values by path", key, value))
        if key == "earlier" and not (isinstance(value, list) and all(_is_earlier(one) for one in value)):
            problems.append(Problem("must be a list of numbers above 0 or names of observations", key, value))
        pairs = isinstance(value, list) and all(
            isinstance(one, list) and len(one) == 2 and all(isinstance(part, str) for part in one) for one in value
        )
        if key == "posts" and not pairs:
            problems.append(Problem('must be a list of [post, "exit" or "entry"]', key, value))
    return problems


def _is_earlier(one: Any) -> bool:
    """Whether it is a name, or a number that a ratio can be taken of."""
    return isinstance(one, str) or (
        isinstance(one, (int, float)) and not isinstance(one, bool) and 0 < one < float("inf")
    )
