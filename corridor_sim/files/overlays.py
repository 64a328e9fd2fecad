"""A file and the files it extends become one set of tables that remembers where each value stands.

Tables merge, everything else replaces. A table inside an object (a law, a
timetable) whose ``kind`` changes is replaced as a whole, because the values of
one kind mean nothing to another. ``remove = ["legs.x"]`` takes things out of
the base before the file's own tables are laid over it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePath
from typing import Any

from corridor_sim.core.errors import Problem, ScenarioError, nearest
from corridor_sim.files import packaged
from corridor_sim.files.overlay_sources import resaid
from corridor_sim.files.reading import parse, read_text, resolve, shown
from corridor_sim.files.toml_lines import key_parts, outline
from corridor_sim.model.scenario import classes_of

SCHEMA_VERSION = 1
OVERLAY_KEYS = ("extends", "remove")
MAX_CHAIN = 32
"""Most files that may extend each other in a row."""
_OBJECT_DEPTH = 2
"""``legs.x`` and the like are objects: they are always merged."""


@dataclass(frozen=True, slots=True)
class FileLine:
    """File and line where a value stands."""

    file: Path | None
    shown: str
    line: int | None


@dataclass
class Document:
    """Merged tables of a file and its bases, with the place of every value by dotted path."""

    name: str
    data: dict[str, Any]
    find_places: Callable[[], dict[str, FileLine]] = dict
    """Works out `places`; not called where nothing is wrong."""
    classes: frozenset[str] = frozenset()
    """Cargo classes of the flows of the file and of all that it extends, also of flows taken out since."""

    assumed: tuple[tuple[str, ...], ...] = ()
    """Paths of new values without a source, file by file: who says them in what the file extends says the old ones."""

    @cached_property
    def places(self) -> dict[str, FileLine]:
        """File and line of every value by its dotted path."""
        return self.find_places()

    def overridden(self, path: str) -> Document:
        """The same tables, with the value at a path and all below it set by hand."""

        def find() -> dict[str, FileLine]:
            places = dict(self.places)
            _forget(places, path)
            return {**places, path: FileLine(None, "override", None)}

        return replace(self, find_places=find)

    def locate(self, problem: Problem) -> Problem:
        """The problem with file and line of the value it speaks of, or of the table around it."""
        if problem.file:
            return problem
        for path, least in _candidates(problem.path):
            parts = path.split(".")
            for n in range(len(parts), least - 1, -1):
                place = self.places.get(".".join(parts[:n]))
                if place is not None:
                    return replace(problem, file=place.shown, line=place.line)
        return replace(problem, file=self.name)


def _candidates(path: str) -> list[tuple[str, int]]:
    """Paths to look a problem up under, and how many parts must be found.

    Elements of a plan are named without their table.
    """
    if path.startswith("leg:"):
        return [(f"legs.{path[4:].partition('.')[0].rstrip('<>')}", 2)]
    return [(path, 1), (f"checkpoints.{path}", 2), (f"places.{path}", 2)]


def read_document(path: Path) -> Document:
    """The tables of the file at `path` laid over those it extends.

    Raises
    ------
    ScenarioError
        With every problem of the first file that cannot be read or does not fit.
    """
    return _read(path, path.parent, ())


def document_of(text: str, name: str, folder: Path | None) -> Document:
    """The same for a text; what it extends is looked for in `folder` (None: packaged names only)."""
    return _assemble(text, name, None, folder, folder, ())


def _read(path: Path, root: Path, chain: tuple[Path, ...]) -> Document:
    if _real(path) in [_real(earlier) for earlier in chain]:
        circle = " -> ".join(shown(file) for file in (*chain, path))
        raise ScenarioError([Problem(f"extends itself in a circle: {circle}", "extends", file=shown(chain[-1]))])
    if len(chain) >= MAX_CHAIN:
        raise ScenarioError([Problem(f"more than {MAX_CHAIN} files extend each other", "extends", file=shown(path))])
    return _assemble(read_text(path), shown(path), path, path.parent, root, (*chain, path))


def _real(path: Path) -> str:
    return os.path.realpath(path)


def _assemble(
    text: str, name: str, file: Path | None, folder: Path | None, root: Path | None, chain: tuple[Path, ...]
) -> Document:
    data = parse(text, name)

    def places() -> dict[str, FileLine]:
        return {path: FileLine(file, name, line) for path, line in outline(text).lines.items()}

    own = Document(name, {key: value for key, value in data.items() if key not in OVERLAY_KEYS}, places)
    own.classes = classes_of(own.data)
    problems = [*_version_problems(data, own)]
    base: Document | None = None
    if "extends" in data:
        try:
            base = _base(data["extends"], folder, root, chain)
        except ScenarioError as error:
            problems += [own.locate(problem) for problem in error.problems]
    removed: dict[str, Any] = {}
    if "remove" in data and not problems:
        if base is None:
            problems.append(own.locate(Problem("needs a file to remove from; name it with extends", "remove")))
        else:
            problems += [own.locate(problem) for problem in _remove(base, data["remove"], removed)]
    if problems:
        raise ScenarioError(problems)
    return own if base is None else _laid_over(base, own, removed)


def _version_problems(data: dict[str, Any], own: Document) -> list[Problem]:
    if not data:
        text = "is empty; expected keys and tables such as schema = 1, name, [run], [checkpoints.NAME], [flows.NAME]"
        return [Problem(text, file=own.name)]
    version = data.get("schema")
    if version is None:
        hint = f"begin the file with schema = {SCHEMA_VERSION}"
        return [Problem("is required: the version of the file format", "schema", file=own.name, hint=hint)]
    if version != SCHEMA_VERSION or isinstance(version, (bool, float)):
        text = f"is not a version of the file format that this program reads ({SCHEMA_VERSION})"
        return [own.locate(Problem(text, "schema", version))]
    return []


def _base(name: Any, folder: Path | None, root: Path | None, chain: tuple[Path, ...]) -> Document:
    if not isinstance(name, str) or not name:
        raise ScenarioError([Problem("must be the path of a file, or the name of a packaged one", "extends", name)])
    if packaged.is_name(name):
        known = packaged.packaged_files()
        if name not in known:
            text = "is not the name of a packaged corridor or scenario; write a path with .toml at its end"
            raise ScenarioError([Problem(text, "extends", name, ", ".join(known), nearest(name, known))])
        beside = None if folder is None else folder / f"{name}.toml"
        if beside is not None and beside.is_file() and beside.resolve() != known[name].resolve():
            text = f"is a packaged scenario, and a file {name}.toml is in this folder"
            hint = f"write {name}.toml for the file; for the packaged one rename or move the file"
            raise ScenarioError([Problem(text, "extends", name, hint=hint)])
        return _read(known[name], known[name].parent, chain)
    if "://" in name:
        hint = "save it beside this file and name that"
        raise ScenarioError([Problem("is an address; only files are read", "extends", name, hint=hint)])
    if folder is None or root is None:
        raise ScenarioError([Problem("names a file, but a text has no folder", "extends", name)])
    file = resolve(name, folder, root, "extends")
    try:
        return _read(file, root, chain)
    except ScenarioError as error:
        # A base that cannot be read at all is the mistake of the file that names it.
        if [(one.file, one.line, one.path) for one in error.problems] == [(shown(file), None, "")]:
            only = error.problems[0]
            raise ScenarioError([replace(only, path="extends", value=name, file="")]) from None
        raise


def _remove(base: Document, paths: Any, removed: dict[str, Any]) -> list[Problem]:
    """Take `paths` out of the tables of `base` and put what stood there into `removed`; what cannot be is reported."""
    if not isinstance(paths, list) or not all(isinstance(path, str) and path for path in paths):
        return [Problem('must be a list of paths such as ["legs.ferry"]', "remove", paths)]
    found: list[Problem] = []
    for n, path in enumerate(paths):
        parts = key_parts(path)
        table: Any = base.data
        for part in parts[:-1]:
            table = table.get(part) if isinstance(table, dict) else None
        if not isinstance(table, dict) or not parts or parts[-1] not in table:
            known = _paths(base.data, len(parts)) if parts else []
            text = "is not in the files that this one extends"
            found.append(Problem(text, f"remove.{n}", path, hint=nearest(path, known)))
            continue
        removed[".".join(parts)] = table.pop(parts[-1])
    return found


def _paths(table: dict[str, Any], depth: int) -> list[str]:
    if depth <= 1:
        return list(table)
    return [
        f"{key}.{rest}" for key, item in table.items() if isinstance(item, dict) for rest in _paths(item, depth - 1)
    ]


def _forget(places: dict[str, FileLine], path: str) -> None:
    for known in [known for known in places if known == path or known.startswith(f"{path}.")]:
        del places[known]


def _place_of(path: tuple[str, ...], known: dict[str, FileLine]) -> FileLine | None:
    """Where a value stands, or the innermost table around it: what follows from others stands nowhere."""
    inside = (known.get(".".join(path[:n])) for n in range(len(path), 0, -1))
    return next((place for place in inside if place is not None), None)


def _laid_over(base: Document, own: Document, removed: dict[str, Any]) -> Document:
    """The tables of `own` over those of `base`, from which some paths have been taken."""
    replaced = list(_replaced(base.data, own.data))
    taken = {tuple(key_parts(path)): value for path, value in removed.items()}
    gone = [path for path, is_table in replaced if is_table]
    said = resaid(base.data, own.data, gone, PurePath(own.name).name, taken)
    if said.problems:
        raise ScenarioError(own.locate(problem) for problem in said.problems)
    data = _merged(base.data, own.data)
    said.put(data)

    def places() -> dict[str, FileLine]:
        known = dict(base.places)
        for path in (*removed, *(".".join(path) for path, _ in replaced)):
            _forget(known, path)
        for gone_at in said.dropped:
            known.pop(".".join(gone_at), None)
        known |= own.places
        said_anew = {".".join(at): _place_of(value, known) for at, value in said.put_at.items()}
        return {**{path: place for path, place in said_anew.items() if place is not None}, **known}

    # What is wrong in a table that both files write is looked for in the later one.
    known = base.classes | own.classes | classes_of(data)
    return Document(own.name, data, places, known, said.assumed_with(base.assumed))


def _merged(base: dict[str, Any], over: dict[str, Any], at: tuple[str, ...] = ()) -> dict[str, Any]:
    """Tables laid over others."""
    result = dict(base)
    for key, value in over.items():
        old, path = base.get(key), (*at, key)
        result[key] = _merged(old or {}, value, path) if _go_together(old, value, path) else value
    return result


def _replaced(
    base: dict[str, Any], over: dict[str, Any], at: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Paths of tables and lists that are replaced as a whole, and whether each is a table."""
    for key, value in over.items():
        old, path = base.get(key), (*at, key)
        if _go_together(old, value, path):
            yield from _replaced(old or {}, value, path)
        elif isinstance(old, (dict, list)):
            yield path, isinstance(old, dict)


def _go_together(old: Any, new: Any, path: tuple[str, ...]) -> bool:
    return isinstance(old, dict) and isinstance(new, dict) and not _other_kind(old, new, path)


def _other_kind(old: dict[str, Any], new: dict[str, Any], path: tuple[str, ...]) -> bool:
    return len(path) > _OBJECT_DEPTH and "kind" in old and "kind" in new and old["kind"] != new["kind"]
