"""Scenario files: TOML text to `Scenario` and back, with every problem reported by file and line.

`load_scenario`, `save_scenario` and `check` are the ways in; the pieces are in
`corridor_sim/files`: `outline` (lines), `reading` (one file), `overlays`
(``extends`` and ``remove``), `packaged` (names), `writer`, `schema`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from corridor_sim.core import arguments
from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.files import packaged
from corridor_sim.files.overlay_sources import set_by_hand
from corridor_sim.files.overlays import Document, document_of, read_document
from corridor_sim.files.reading import MAX_CSV_BYTES, read_text, resolve
from corridor_sim.files.schema import scenario_schema as schema
from corridor_sim.files.toml_lines import key_parts
from corridor_sim.files.writer import to_toml
from corridor_sim.files.writing import write
from corridor_sim.model import resolution
from corridor_sim.model.corridor import Corridor
from corridor_sim.model.csv_columns import csv_files
from corridor_sim.model.provenance import range_problems
from corridor_sim.model.readable import with_names
from corridor_sim.model.scenario import Scenario, classes_of, former_classes

if TYPE_CHECKING:
    from corridor_sim.plan.build import Planned

__all__ = ["check", "dumps", "load_corridor", "load_scenario", "loads", "save_scenario", "schema"]

PathLike = str | os.PathLike[str]
Overrides = Mapping[str, Any]
T = TypeVar("T", Corridor, Scenario)

SHOWN = 5
"""Other values without a source that a warning names; the rest are counted."""
_FIRST = ("schema", "name", "about")


def load_scenario(path: PathLike, overrides: Overrides | None = None) -> Scenario:
    """The scenario in a file, or the packaged one of that name.

    Parameters
    ----------
    path : str or path
        A TOML file, or a name such as ``"baseline_2023"``. What exists as a file is read as one.
    overrides : dict, optional
        Values by dotted path that are laid over the file: ``{"flows.export.per_day": 150}``; None takes one out.

    Raises
    ------
    ScenarioError
        With every problem of the file and of those it extends, each with file and line.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> june = cs.load_scenario("do_nothing_2026", {"run.replications": 5})
    >>> june.run.replications
    5
    """
    return _scenario(_document(path, overrides), _paths(overrides))


def load_planned(path: PathLike, base: Planned | None = None) -> Planned:
    """The scenario in a file, or the packaged one of that name, with its plan.

    What is made from the same as in `base` is taken from it.

    Raises
    ------
    ScenarioError
        With every problem that forbids a run, each with file and line.
    """
    from corridor_sim.plan.build import Planned, plan_of

    document = _document(path, None)
    scenario = _made(Scenario, document.data, document)
    try:
        resolved = resolution.resolve(scenario, None if base is None else base.parts)
        unsound = [_located(document, problem) for problem in range_problems(scenario)]
        if problems := [*resolved.errors, *unsound]:
            raise ScenarioError(problems)
        return Planned(resolved.scenario, plan_of(resolved), resolved.parts)
    except ScenarioError as error:
        raise ScenarioError(document.locate(problem) for problem in error.problems) from None


def loads(text: str, name: str = "text", folder: PathLike | None = None) -> Scenario:
    """The scenario in a TOML text; files it names are looked for in `folder`.

    Raises
    ------
    ScenarioError
        As `load_scenario`.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> text = cs.dumps(cs.load_scenario("teaching"))
    >>> cs.loads(text) == cs.load_scenario("teaching")
    True
    """
    return _scenario(document_of(text, name, None if folder is None else Path(folder)))


def load_corridor(path: PathLike) -> Corridor:
    """The corridor in a file, or the packaged one of that name (``"north_south"``), without run settings.

    Raises
    ------
    ScenarioError
        As `load_scenario`.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> len(cs.load_corridor("north_south").checkpoints) > 10
    True
    """
    document = _document(path, None)
    known = {str(field.validation_alias or name) for name, field in Corridor.model_fields.items()}
    scenario_only = {str(field.validation_alias or name) for name, field in Scenario.model_fields.items()} - known
    data = {key: value for key, value in document.data.items() if key not in scenario_only}
    corridor = _made(Corridor, data, document)
    if problems := range_problems(corridor):
        raise ScenarioError(_located(document, problem) for problem in problems)
    return corridor


def dumps(scenario: Scenario) -> str:
    """The scenario as TOML text, complete in itself: ``loads(dumps(x)) == x``.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> text = cs.dumps(cs.load_scenario("teaching"))
    >>> cs.loads(text) == cs.load_scenario("teaching")
    True
    """
    return to_toml(scenario.to_data(), _FIRST)


def save_scenario(scenario: Scenario, path: PathLike, *, overwrite: bool = False) -> None:
    """Write the scenario to a TOML file; the file is there whole or not at all.

    Raises
    ------
    CorridorError
        If the file exists and `overwrite` is not set, or its folder does not exist.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "mine.toml"
    >>> written = cs.save_scenario(cs.load_scenario("teaching"), path)
    >>> cs.load_scenario(path) == cs.load_scenario("teaching")
    True
    """
    write(dumps(scenario), Path(path), overwrite=overwrite)


def check(path: PathLike, overrides: Overrides | None = None) -> list[Problem]:
    """Everything to say of a scenario file before it is run, errors and warnings, each with file and line.

    Nothing is raised for what is wrong with the file; an empty list means that
    nothing is.

    Raises
    ------
    ArgumentError
        If `path` is no path; a `Scenario` is checked by `make_plan`, and by every run.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.check("teaching")
    []
    """
    arguments.instance("path", path, (str, os.PathLike), "the path of a file or the name of a packaged scenario")
    try:
        document = _read(path)
        problems = _examined(_with_overrides(document, overrides), overrides)[1]
    except ScenarioError as error:
        return list(error.problems)
    if any(one.severity == "error" for one in problems):
        return problems
    return [*problems, *(document.locate(_without_source(paths)) for paths in document.assumed)]


def _without_source(paths: Sequence[str]) -> Problem:
    """Values of one file that extends another and names no source of them: they do not keep the one of the base."""
    text = "is new and has no source: it is assumed"
    others = paths[1 : SHOWN + 1]
    if others:
        more = len(paths) - 1 - len(others)
        are = "is" if len(paths) == 2 else "are"
        text += f", as {are} {', '.join(others)}{f' and {more} more' if more else ''}"
    hint = "give source and status of the new value beside it"
    return Problem(text, paths[0], hint=hint, severity="warning")


def examine(path: PathLike, overrides: Overrides | None = None) -> tuple[Planned | None, list[Problem]]:
    """The scenario of a file with its plan, and everything to say of it; read, checked and planned once.

    There is a plan if no problem forbids one. Nothing is raised for what is wrong with the file.
    """
    try:
        return _examined(_document(path, overrides), overrides)
    except ScenarioError as error:
        return None, list(error.problems)


def _examined(document: Document, overrides: Overrides | None) -> tuple[Planned | None, list[Problem]]:
    """`examine` of a document that has been read, with ScenarioError where it makes no scenario."""
    from corridor_sim.plan.load import examine as examine_scenario

    scenario = _made(Scenario, document.data, document)
    planned, problems = examine_scenario(scenario)
    unsound = range_problems(scenario, _paths(overrides))
    return None if unsound else planned, [
        *(_located(document, one) for one in unsound),
        *(document.locate(one) for one in problems),
    ]


def _located(document: Document, problem: Problem) -> Problem:
    """A problem of a range with the place that this file gives it, of its value or its range, before one of a base."""
    found = document.locate(problem)
    if found.file == document.name:
        return found
    parts = problem.path.split(".")
    paths = [f"{'.'.join(parts[:n])}.figures.{'.'.join(parts[n:])}" for n in range(len(parts) - 1, 0, -1)]
    for path in [*paths, *(f"ranges.{id}" for id in _RANGE.findall(problem.message))]:
        place = document.places.get(path)
        if place is not None and place.shown == document.name:
            stands = f"the value stands in {found.file}" + (f":{found.line}" if found.line else "")
            hint = f"{problem.hint}; {stands}" if problem.hint else stands
            return replace(problem, file=place.shown, line=place.line, hint=hint)
    return found


_RANGE = re.compile(r"\branges\.([^\s,;]+)")


def _paths(overrides: Overrides | None) -> list[str]:
    """Paths of values that are set: what is set on purpose may lie outside the range of what it replaces."""
    return [".".join(key_parts(path)) for path in overrides or ()]


def _document(path: PathLike, overrides: Overrides | None) -> Document:
    return _with_overrides(_read(path), overrides)


def _read(path: PathLike) -> Document:
    name = os.fspath(path)
    if not name:
        raise ScenarioError([Problem("the path of the scenario file is empty")])
    return read_document(packaged.located(name, "scenario", packaged.packaged_files))


def _with_overrides(document: Document, overrides: Overrides | None) -> Document:
    for dotted, value in (overrides or {}).items():
        document = _overridden(document, dotted, value)
    return document


def _overridden(document: Document, path: str, value: Any) -> Document:
    """The document with one value set by its path (None: taken out); tables on the way are made."""
    parts = key_parts(path)
    path = ".".join(parts)
    if not parts:
        raise ScenarioError([Problem("the path of a value to set is empty")])
    table: Any = document.data
    for n, part in enumerate(parts[:-1], start=1):
        inner = table.get(part)
        if inner is None:
            inner = table[part] = {}
        elif not isinstance(inner, dict):
            raise ScenarioError([Problem("cannot be set: " + ".".join(parts[:n]) + " is a value, not a table", path)])
        table = inner
    said = set_by_hand(document.data, parts, value)
    if value is None:
        table.pop(parts[-1], None)
    else:
        table[parts[-1]] = value
    said.put(document.data)
    return document.overridden(path)


def _scenario(document: Document, set_paths: Sequence[str] = ()) -> Scenario:
    scenario = _made(Scenario, document.data, document)
    errors = [problem for problem in resolution.problems(scenario) if problem.severity == "error"]
    errors += [_located(document, problem) for problem in range_problems(scenario, set_paths)]
    if errors:
        raise ScenarioError(document.locate(problem) for problem in errors)
    return scenario


def _made(model: type[T], data: dict[str, Any], document: Document) -> T:
    """An object of the model from a document; its problems get file and line."""
    folders = _csv_folders(data, document)

    def read_csv(name: str) -> str:
        folder = folders.get(name)
        if folder is None:
            raise ScenarioError([Problem("names a file, but a text has no folder", "csv", name)])
        file = resolve(name, folder, folder, "csv")
        try:
            return read_text(file, MAX_CSV_BYTES)
        except ScenarioError as error:
            raise ScenarioError(Problem(p.message, "csv", name, hint=p.hint) for p in error.problems) from None

    if model is Scenario:
        data = _with_former_classes(data, document)
    with csv_files(read_csv):
        try:
            return model.model_validate(data)
        except ScenarioError as error:
            found = with_names(data, error.problems) if model is Scenario else error.problems
            raise ScenarioError(document.locate(problem) for problem in found) from None


def _with_former_classes(data: dict[str, Any], document: Document) -> dict[str, Any]:
    """The tables with the cargo classes that the files extended have and no flow has any more."""
    given = data.get("former_classes", [])
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        return data  # what is wrong with it is told by the model
    former = former_classes({*given, *document.classes}, classes_of(data))
    return {**data, "former_classes": list(former)} if former or given else data


def _csv_folders(data: dict[str, Any], document: Document) -> dict[str, Path]:
    """Folder of the file that names each CSV file."""
    folders: dict[str, Path] = {}

    def walk(value: Any, path: tuple[str, ...]) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                if isinstance(item, (dict, list)):
                    walk(item, (*path, key))
            name = value.get("csv")
            if isinstance(name, str):
                place = document.places.get(".".join((*path, "csv")))
                if place is not None and place.file is not None:
                    folders.setdefault(name, place.file.parent)
        elif isinstance(value, list):
            for n, item in enumerate(value):
                walk(item, (*path, str(n)))

    walk(data, ())
    return folders
