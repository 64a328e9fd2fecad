"""Observations from a file: one table each, with its use marked once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.files.reading import parse, read_text, shown
from corridor_sim.files.toml_lines import Outline, outline
from corridor_sim.study.observations import Observation, observation_faults


def read_observations(path: str | os.PathLike[str]) -> list[Observation]:
    r"""The observations of a TOML file, in its order.

    ::

        [observations.queue_in_may]
        value = 120.0
        sd = 15.0                          # how far the count may be off
        discrepancy_sd = 10.0              # how far the model may be off with the right inputs
        indicator = "queue_mean"
        where = { kind = "post", place = "northgate_b", direction = "entry" }
        use = "calibration"                # or "validation", which `validate` holds the model against

        [observations.trucks_in_may]
        value = 165.0                      # a day
        discrepancy_sd = 8.0
        posts = [["northgate_b", "entry"]]
        since = 2026-05-01
        until = 2026-06-01
        use = "validation"
        earlier = [150.0, 158.0]           # values before it, or names of observations
        not_scored = "one snapshot"        # listed only
        cause = "a strike, not modelled"   # why the model misses it

    Raises
    ------
    ScenarioError
        With everything that is wrong with the file, each with its line.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "seen.toml"
    >>> text = "[observations.passed]\nvalue = 170.0\nsd = 3.0\nindicator = 'throughput_per_day'\n"
    >>> size = path.write_text(text + "where = { kind = 'post', place = 'northgate_b', direction = 'entry' }\n")
    >>> [one.name for one in cs.read_observations(path)]
    ['passed']
    """
    file = shown(Path(path))
    text = read_text(Path(path))
    data = parse(text, file)
    tables = data.get("observations")
    problems = [Problem("is not known here", key, allowed="observations") for key in data if key != "observations"]
    if not isinstance(tables, Mapping) or not tables:
        problems.append(Problem("must hold at least one table [observations.NAME]", "observations"))
        tables = {}
    observations = []
    for name, table in tables.items():
        faults = observation_faults(table) if isinstance(table, Mapping) else [Problem("must be a table")]
        problems += [fault.at(f"observations.{name}") for fault in faults]
        if not faults:
            observations.append(Observation(name=name, **table))
    if problems:
        found = outline(text)
        raise ScenarioError(replace(problem, file=file, line=_line(found, problem.path)) for problem in problems)
    return observations


def _line(found: Outline, path: str) -> int | None:
    """Line of a path, or of the table that it would be in."""
    while path and path not in found.lines:
        path = path.rpartition(".")[0]
    return found.lines.get(path)
