"""Ids: short names that become file names, table cells and parts of paths."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from typing import TypeVar

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.text import JOINERS, is_invisible

V = TypeVar("V")

LONGEST_ID = 100
_FORBIDDEN = frozenset('/\\<>:"|?*')
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{k}" for port in ("com", "lpt") for k in range(1, 10))}


def id_fault(id: str) -> str:
    """What is wrong with an id, or ``""``."""
    if not id:
        return "must not be empty"
    if len(id) > LONGEST_ID:
        return f"must have at most {LONGEST_ID} characters, got {len(id)}"
    if id != id.strip():
        return "must not begin or end with a blank"
    if not (id.isascii() and id.isprintable()) and any(is_invisible(sign) for sign in id):
        return "must not hold control, line-break, text-direction or other invisible characters"
    if id[0] in JOINERS or id[-1] in JOINERS:
        return "must not begin or end with a joiner, which is not seen there"
    if not _FORBIDDEN.isdisjoint(id) or ".." in id:
        return 'must not hold / \\ < > : " | ? * or ..'
    if "." in id:
        return "must not hold a dot: dots separate the parts of a path"
    if id[0] in "=+-@":
        return "must not begin with = + - or @, which a spreadsheet reads as a formula"
    if id.casefold().split(".")[0] in _DEVICES:
        return "is the name of a device on Windows"
    return ""


def folded(id: str) -> str:
    """The form in which two ids that look alike are the same."""
    if id.isascii():
        return id.casefold()
    id = id.translate(dict.fromkeys(map(ord, JOINERS)))
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", id).casefold())


def alike(ids: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of ids that differ only in case, in joiners or in how accents are written."""
    seen: dict[str, str] = {}
    found = []
    for id in ids:
        key = folded(id)
        if key in seen:
            found.append((seen[key], id))
        seen.setdefault(key, id)
    return found


def sound_ids(table: Mapping[str, V]) -> Mapping[str, V]:
    """The table, if all its keys are fit to be ids and no two look alike."""
    problems = [Problem(f"as an id {fault}", _path(id), id) for id in table if (fault := id_fault(id))]
    problems += [
        Problem(f"is the same id as {one!r} but for case or accents", _path(other)) for one, other in alike(table)
    ]
    if problems:
        raise ScenarioError(problems)
    return table


def _path(id: str) -> str:
    shown = id if len(id) <= 40 else id[:37] + "..."
    return shown if shown.isprintable() and shown else repr(shown)
