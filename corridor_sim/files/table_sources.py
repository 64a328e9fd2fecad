"""Whose the values of tables are: a new value never keeps the source of the one that it replaces (rule D34).

Tables of flows, rosters and costs give values, and may say of each where it comes from and how far it may be off. What
they leave open is filled in here, before they are laid over the base.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from corridor_sim.core.errors import Problem
from corridor_sim.files.table_cells import InputTables
from corridor_sim.model.base import SAID
from corridor_sim.model.provenance import FigureRow, figures_of
from corridor_sim.model.scenario import Scenario

OF_FIGURES = ("low", "high", "status", "source", "note", "range_source", "range_reason", "exact")
"""What a table may say of one value, in a column beside it: ``per_day.low``."""
SHOWN = 6
"""Cells of a sheet that a warning names; the others are counted."""
_DEPTHS = {"flows": 2, "improvements": 2, "staff_pools": 2, "checkpoints": 4}
_NO_VALUES = (*SAID, "figures", "name")
Keys = tuple[str, ...]
"""Where a table stands in the tables of a scenario file."""


def drop_old(tables: InputTables, base: dict[str, Any]) -> None:
    """Take out of the base the rosters that tables replace, and what it says of values or ranges that are no more."""
    rosters, tables.removed = tables.removed, []
    for path, table in _tables(tables.data):
        known = _inside(base, path)
        if known is None:
            continue
        replaced = [key for key in known if (*path, key) in rosters]
        figures = known.get("figures", {})
        for name in list(figures):
            first, _, entry = name.partition(".")
            told = table.get("figures", {}).get(name, {})
            is_gone = first in replaced and entry not in table[first]
            if is_gone or {"low", "high", "exact"} & set(told):
                old = figures.pop(name)
                tables.removed.append((*path, "figures", name))
                if not is_gone:
                    kept = SAID if "exact" in told else (*SAID, "group", "opposite")
                    table["figures"][name] = {key: old[key] for key in kept if old.get(key)} | told
        for key in replaced:
            del known[key]
            tables.removed.append((*path, key))


def fill_in_sources(tables: InputTables, base: Scenario, made: Scenario) -> list[Problem]:
    """Say of each value of tables where it comes from; those without a source become a warning of the tables.

    A source, status or note of a row is of the values that the row gives, not of those that it leaves to the base. A
    value that the base has not, or has otherwise, is new; where neither the row nor a column beside it names a source,
    it is *assumed*, and its source is the cell.

    Returns
    -------
    list of Problem
        New values that are said to be published, by nobody.
    """
    before = {row.path: row for row in figures_of(base)}
    after = {row.path: row for row in figures_of(made)}
    data = base.to_data()
    without: list[str] = []
    problems: list[Problem] = []
    for path, table in list(_tables(tables.data)):
        known = _inside(data, path)
        words = {key: table[key] for key in SAID if table.get(key)}
        names = list(_values(table))
        numbers = [name for name, is_number in names if is_number]
        lacking = []
        for name in numbers:
            at = ".".join((*path, name))
            row, old = after.get(at), before.get(at)
            if row is None or table.get("figures", {}).get(name, {}).get("source") or words.get("source"):
                continue
            if old is None or old.value != row.value:
                lacking.append(name)
                without.append(tables.places[at])
            else:
                _keep(table, name, words, old)
        problems += [_unsaid(path, table, name) for name in lacking if _status(table, name) == "published"]
        if known is None:
            if lacking:
                table.update({"status": words.get("status", "assumed"), "source": _as_source(tables, path)})
            continue
        for name in lacking:
            exact = {"exact": ""} if known.get("figures", {}).get(name, {}).get("exact") else {}
            _put(table, name, {"status": "assumed", **words, "source": _as_source(tables, (*path, name)), **exact})
        if words.get("source") and names:
            for name in numbers or dict.fromkeys(name.split(".")[0] for name, _ in names):
                own = table.get("figures", {}).get(name, {})
                _put(table, name, {} if own.get("source") else words)
        if names:
            for key in ("status", "source"):
                table.pop(key, None)
    if without:
        tables.warnings.append(
            "new values without a source are assumed, and their source is the cell (give it in a column source): "
            + _cells(without)
        )
    return problems


def _keep(table: dict[str, Any], name: str, words: Mapping[str, Any], old: FigureRow) -> None:
    """A status that a table gives of a value that stays goes with the source that the value has."""
    status = table.get("figures", {}).get(name, {}).get("status") or words.get("status")
    if status:
        _put(table, name, {"status": status, **({"source": old.source} if old.source else {})})


def _status(table: Mapping[str, Any], name: str) -> Any:
    return table.get("figures", {}).get(name, {}).get("status") or table.get("status")


def _unsaid(path: Keys, table: Mapping[str, Any], name: str) -> Problem:
    own = "status" in table.get("figures", {}).get(name, {})
    at = ".".join((*path, "figures", name, "status") if own else (*path, "status"))
    text = f"{name} is new and has no source"
    allowed = "derived, conflicting, assumed"
    return Problem(text, at, "published", allowed, "name who publishes it in a column source")


def _put(table: dict[str, Any], name: str, told: Mapping[str, Any]) -> None:
    """What is said of a value, unless a column beside it has said it."""
    if told:
        figures = table.setdefault("figures", {})
        figures[name] = {**told, **figures.get(name, {})}


def _as_source(tables: InputTables, path: Keys) -> str:
    """The cell of a value with the name of its file, not with the folder where it lay."""
    found = re.fullmatch(r"(.*?)((?:, sheet .*)?, cell \w+)", tables.places[".".join(path)])
    return f"{PurePath(found[1]).name}{found[2]}" if found else tables.places[".".join(path)]


def _cells(places: Sequence[str]) -> str:
    """Cells by file and sheet: ``flows.xlsx, sheet flows, cells B2, C2 and 5 more``."""
    sheets: dict[str, list[str]] = {}
    for place in places:
        sheet, _, ref = place.rpartition(", cell ")
        sheets.setdefault(sheet, []).append(ref)
    told = []
    for sheet, refs in sheets.items():
        more = f" and {len(refs) - SHOWN} more" if len(refs) > SHOWN else ""
        told.append(f"{sheet}, cell{'s' if len(refs) > 1 else ''} {', '.join(refs[:SHOWN])}{more}")
    return "; ".join(told)


def _inside(data: Mapping[str, Any], path: Keys) -> Any:
    """The table at a path, or None."""
    table: Any = data
    for part in path:
        table = table.get(part) if isinstance(table, Mapping) else None
    return table if isinstance(table, Mapping) else None


def _tables(data: dict[str, Any], path: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    """Tables with figures that tables give values of, with their paths."""
    for key, inner in data.items():
        at = (*path, key)
        if not isinstance(inner, dict) or at[0] not in _DEPTHS:
            continue
        if len(at) == _DEPTHS[at[0]]:
            yield at, inner
        else:
            yield from _tables(inner, at)


def _values(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, bool]]:
    """Paths of the values of a table, within it, and whether each is a number."""
    for key, value in table.items():
        if not before and key in _NO_VALUES:
            continue
        if isinstance(value, Mapping):
            yield from _values(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", isinstance(value, (int, float)) and not isinstance(value, bool)
