"""Design files: TOML text to `Design`, with every problem reported by file and line.

A design names its base scenario; what a scenario file may do (`extends`, CSV files) is left to that.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from corridor_sim.core.errors import ArgumentError, Problem, ScenarioError, nearest
from corridor_sim.files import packaged
from corridor_sim.files.overlays import SCHEMA_VERSION, Document, FileLine
from corridor_sim.files.reading import parse, read_text, resolve, shown
from corridor_sim.files.scenario_files import load_scenario
from corridor_sim.files.toml_lines import outline
from corridor_sim.model.designs import Design, Switch
from corridor_sim.model.schemas import json_schema
from corridor_sim.model.values_by_path import paths_to_nowhere


def design(source: str | os.PathLike[str] | Mapping[str, Any] | None = None, /, **fields: Any) -> Design:
    """The design in a file, or of these fields, for `sweep`.

    Parameters
    ----------
    source : path, name or mapping, optional
        A design file (TOML), the name of a packaged design, or a table of the same keys.
    **fields
        As in a file; they win over those of `source`.

    Raises
    ------
    ScenarioError
        With every problem, with file and line where there is one.

    Examples
    --------
    >>> lanes = {"kind": "integer", "of": "checkpoints.northgate_a.exit.lanes.lanes", "low": 1, "high": 4}
    >>> trucks = {"kind": "number", "of": "flows.flour.per_day", "low": 50, "high": 150}
    >>> made = design(kind="lhs", base="teaching", points=16, seed=1, factors={"lanes": lanes, "trucks": trucks})
    >>> list(made.factors)
    ['lanes', 'trucks']
    """
    if isinstance(source, (str, os.PathLike)):
        return _read(os.fspath(source), fields)
    if source is not None and not isinstance(source, Mapping):
        raise ArgumentError(f"a design is the path of a file, or a table of its fields, got {source!r:.80}")
    return Design.model_validate({**(source or {}), **fields})


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a design file, with all kinds of factors registered now."""
    made = json_schema(Design)
    made["title"] = "corridor_sim design"
    made["required"] = sorted({*made.get("required", []), "schema", "base"})
    return made


def _read(name: str, fields: Mapping[str, Any]) -> Design:
    file = _file(name)
    told = shown(file)
    text = read_text(file)
    data = parse(text, told)
    places = {path: FileLine(file, told, line) for path, line in outline(text).lines.items()}
    document = Document(told, data, lambda: places)
    problems: list[Problem] = []
    version = data.get("schema")
    if version is None:
        hint = f"begin the file with schema = {SCHEMA_VERSION}"
        problems.append(Problem("is required: the version of the file format", "schema", hint=hint))
    elif version != SCHEMA_VERSION or isinstance(version, (bool, float)):
        text = f"is not a version of the file format that this program reads ({SCHEMA_VERSION})"
        problems.append(Problem(text, "schema", version))
    if "flows" in data or "extends" in data or "checkpoints" in data:
        text = "is a scenario; a design has base, kind and [factors.NAME]"
        raise ScenarioError([Problem(text, file=told, hint="run it with: corridor-sim run")])
    data = {key: value for key, value in data.items() if key != "schema"} | dict(fields)
    try:
        made = Design.model_validate(data)
    except ScenarioError as error:
        problems += error.problems
    base = data.get("base", "")
    if isinstance(base, str):
        try:
            data["base"] = _base(base, file)
        except ScenarioError as error:
            problems += error.problems
    if problems:
        problems += _names_beside(data, problems)
        raise ScenarioError(document.locate(problem) for problem in problems)
    made = Design.model_validate(data)
    made._lines = {"": (told, None)}
    made._lines |= {
        f"factors.{factor}": (told, places[path].line)
        for factor in made.factors
        if (path := f"factors.{factor}") in places
    }
    return made


def _names_beside(data: Mapping[str, Any], problems: Sequence[Problem]) -> list[Problem]:
    """Names in factors that point nowhere in the base, where it can be read: they are told with wrong values."""
    base, factors = data.get("base"), data.get("factors")
    if any(one.path == "base" for one in problems) or not isinstance(factors, Mapping):
        return []
    try:
        scenario = load_scenario(str(base))
    except ScenarioError:  # what is wrong with it is told when it is run
        return []
    found: list[Problem] = []
    for name, factor in factors.items():
        at = f"factors.{name}.of"
        of = factor.get("of") if isinstance(factor, Mapping) else None
        names = [of] if isinstance(of, str) else of if isinstance(of, list) else []
        names = [one for one in names if isinstance(one, str) and one]
        if any(one.path == at or one.path.startswith(f"{at}.") for one in problems) or not names:
            continue
        if factor.get("kind") == Switch.kind:
            known = scenario.improvements
            text, allowed = "is no improvement of the base", ", ".join(known) or "it has none"
            found += [Problem(text, at, one, allowed, nearest(one, known)) for one in names if one not in known]
        else:
            found += [Problem(one.message, at, one.path, hint=one.hint) for one in paths_to_nowhere(scenario, names)]
    return found


def _file(name: str) -> Path:
    if not name:
        raise ScenarioError([Problem("the path of the design file is empty")])
    return packaged.located(name, "design", packaged.design_files)


def _base(name: str, file: Path) -> str:
    """The base as it is found from anywhere: a packaged name, or the path of a file."""
    if not name:
        raise ScenarioError([Problem("is required: the scenario that is varied", "base")])
    if packaged.is_name(name):
        known = packaged.scenario_files()
        if name not in known:
            text = "is not the name of a packaged scenario; write a path with .toml at its end"
            raise ScenarioError([Problem(text, "base", name, ", ".join(known), nearest(name, known))])
        return name
    found = resolve(name, file.parent, file.parent, "base")
    if not found.exists():
        near = sorted(path.name for path in found.parent.glob("*.toml")) if found.parent.is_dir() else []
        raise ScenarioError([Problem("does not exist", "base", name, hint=nearest(found.name, near))])
    return str(found)
