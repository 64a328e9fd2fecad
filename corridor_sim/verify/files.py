"""Where vectors are read: the packaged set, or files in the same formats.

A file is recognised by what it holds: ``traces`` and ``arrival_traces``, ``cases``,
or a list of (``analytics`` of) formulas. Anything else is an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from corridor_sim.core.errors import Problem, ScenarioError, nearest

SECTIONS = ("traces", "arrival_traces", "cases", "analytics")
PACKAGED = ("traces.json", "cases.json", "analytics.json")

Vectors = dict[str, list[Mapping[str, Any]]]


def packaged() -> Vectors:
    """The vectors that come with the library."""
    folder = resources.files("corridor_sim") / "data" / "vectors"
    found: Vectors = {}
    for name in PACKAGED:
        _merge(found, sections_of(json.loads((folder / name).read_text("utf-8")), name))
    return found


def read(path: str | Path) -> Vectors:
    """Vectors of a file, or of all JSON files of a folder.

    Raises
    ------
    ScenarioError
        If it does not exist, is not JSON, or holds no vectors.
    """
    place = Path(path)
    if place.is_dir():
        files = sorted(place.glob("*.json"))
        if not files:
            raise ScenarioError([Problem("holds no JSON file", file=str(place))])
    elif place.is_file():
        files = [place]
    else:
        raise ScenarioError([Problem("no such file", file=str(place))])
    found: Vectors = {}
    for file in files:
        try:
            content = json.loads(file.read_text("utf-8-sig"), parse_constant=_no_constant)
        except UnicodeDecodeError as error:
            raise ScenarioError([Problem(f"is not UTF-8: {error}", file=str(file))]) from error
        except json.JSONDecodeError as error:
            raise ScenarioError([Problem(f"is not JSON: {error.msg}", file=str(file), line=error.lineno)]) from error
        except ValueError as error:
            raise ScenarioError([Problem(str(error), file=str(file))]) from error
        _merge(found, sections_of(content, str(file)))
    return found


def _no_constant(word: str) -> float:
    raise ValueError(f"holds {word}, which is not a number of JSON")


def sections_of(content: Any, file: str = "") -> Vectors:
    """The vectors in what a file holds, by section.

    Raises
    ------
    ScenarioError
        For unknown sections, vectors without an id, or an id that comes twice.
    """
    if isinstance(content, list):
        content = {"analytics": content}
    if not isinstance(content, Mapping):
        raise ScenarioError([Problem("must be a table or a list of vectors", file=file)])
    allowed = ", ".join(SECTIONS)
    problems = [
        Problem(
            "is not a section of a vector file", str(name), allowed=allowed, hint=nearest(name, SECTIONS), file=file
        )
        for name in content
        if name not in (*SECTIONS, "meta")
    ]
    found: Vectors = {name: list(content[name]) for name in SECTIONS if name in content}
    if not found and not problems:
        problems.append(Problem("holds no vectors", allowed=allowed, file=file))
    problems += [problem for name, listed in found.items() for problem in _id_problems(name, listed, file)]
    if problems:
        raise ScenarioError(problems)
    return found


NEEDED = {
    "traces": ("elements", "trucks", "expected"),
    "arrival_traces": ("expected_arrivals",),
    "cases": ("model", "run", "measures"),
    "analytics": ("inputs", "expected"),
}
OF_A_SCENARIO = ("scenario", "expected")
"""What a trace needs whose elements and trucks are those of a scenario."""


def _id_problems(section: str, listed: Sequence[Any], file: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for k, vector in enumerate(listed):
        if not isinstance(vector, Mapping) or not isinstance(vector.get("id"), str):
            yield Problem("must be a table with an id", f"{section}.{k}", file=file)
            continue
        name = vector["id"]
        if name in seen:
            yield Problem("comes twice", f"{section}.{name}", file=file)
        seen.add(name)
        for field in OF_A_SCENARIO if section == "traces" and "scenario" in vector else NEEDED[section]:
            if field not in vector:
                yield Problem(f"needs the field {field!r}", f"{section}.{name}", file=file)


def _merge(into: Vectors, more: Vectors) -> None:
    for name, listed in more.items():
        into.setdefault(name, []).extend(listed)
