"""Files of upgrades: improvements as in a scenario file, and what may be chosen of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from corridor_sim.core import arguments
from corridor_sim.core.errors import Problem, ScenarioError, nearest
from corridor_sim.files import packaged
from corridor_sim.files.overlays import read_document
from corridor_sim.model.readable import with_names
from corridor_sim.model.scenario import Scenario
from corridor_sim.model.upgrades import Upgrade, upgrade_problems

TABLES = ("schema", "name", "about", "sources", "improvements", "upgrades")
FIELDS = ("of", "name", "excludes", "needs", "earliest_year")
EARLIEST, LATEST = 1990, 2200
"""Calendar years that an upgrade may be built in."""


def read_upgrades(path: str | os.PathLike[str], base: Scenario) -> tuple[tuple[Upgrade, ...], Scenario]:
    """The upgrades of a file (or of a packaged list), and the base with the sources that they name.

    Parameters
    ----------
    path : str or path
        A TOML file: ``[improvements.ID]`` as in a scenario, ``[upgrades.ID]`` with ``of`` (improvements that are built
        together; by default the one of that id), ``excludes``, ``needs``, ``earliest_year``. An improvement that no
        upgrade names is an upgrade of its own.
    base : Scenario
        What the improvements are improvements of.

    Raises
    ------
    ScenarioError
        With every problem of the file, with file and line.
    """
    arguments.instance("upgrades", path, (str, os.PathLike), "the path of a file or the name of a packaged list")
    document = read_document(packaged.located(os.fspath(path), "list of upgrades", packaged.upgrade_files))
    data = document.data
    unknown = [
        Problem("is not a table of a file of upgrades", key, allowed=", ".join(TABLES), hint=nearest(key, TABLES))
        for key in data
        if key not in TABLES
    ]
    listed, chosen = data.get("improvements", {}), data.get("upgrades", {})
    problems: list[Problem] = []
    for key, table in (("improvements", listed), ("upgrades", chosen), ("sources", data.get("sources", {}))):
        if not isinstance(table, dict):
            problems.append(Problem("must be a table of tables", key, table))
    if not problems and not listed:
        problems.append(Problem("has no improvement: there is nothing to choose", "improvements"))
    if problems:
        raise ScenarioError(document.locate(one) for one in (*unknown, *problems))
    improvements, problems = _improvements(base, data)
    upgrades, more = _upgrades(listed, chosen, improvements)
    unread = {one.id for one in upgrades if not {*_of(one.id, chosen)} & {*listed} <= {*improvements}}
    problems = [*unknown, *problems, *more, *upgrade_problems(upgrades, taken=base.improvements, unread=unread)]
    if problems:
        raise ScenarioError(document.locate(one) for one in problems)
    tables = base.to_data()
    tables["sources"] = {**tables.get("sources", {}), **data.get("sources", {})}
    return upgrades, Scenario.model_validate(tables)


def _of(id: str, chosen: Mapping[str, Any]) -> list[str]:
    """Improvements that an upgrade names, or the one of its id."""
    table = chosen.get(id)
    of = table.get("of", [id]) if isinstance(table, dict) else [id]
    return [one for one in of if isinstance(one, str)] if isinstance(of, list) else []


def _improvements(base: Scenario, data: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Each improvement that can be read, tried on the base alone with the sources of the file; what is wrong."""
    tables = base.to_data()
    tables["sources"] = {**tables.get("sources", {}), **data.get("sources", {})}
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for id, table in data["improvements"].items():
        tried = {**tables, "improvements": {**tables.get("improvements", {}), id: table}}
        try:
            found[id] = Scenario.model_validate(tried).improvements[id]
        except ScenarioError as error:
            at = f"improvements.{id}"
            told = with_names(tried, error.problems)
            problems += [one for one in told if one in error.problems or f"{one.path}.".startswith(f"{at}.")]
            continue
        try:
            found[id].changes(base)
        except ScenarioError as error:
            problems += [one.at(f"improvements.{id}") for one in error.problems]
    return found, list({(one.path, one.message): one for one in problems}.values())


def _upgrades(
    listed: Mapping[str, Any], chosen: Mapping[str, Any], improvements: Mapping[str, Any]
) -> tuple[tuple[Upgrade, ...], list[Problem]]:
    problems: list[Problem] = []
    upgrades = []
    named: set[str] = set()
    for id, table in chosen.items():
        at = f"upgrades.{id}"
        if not isinstance(table, dict):
            problems.append(Problem("must be a table", at, table))
            continue
        for key in table:
            if key not in FIELDS:
                hint = nearest(key, FIELDS)
                problems.append(
                    Problem("is not a field of an upgrade", f"{at}.{key}", allowed=", ".join(FIELDS), hint=hint)
                )
        of = table.get("of", [id])
        texts = {"of": of, "excludes": table.get("excludes", []), "needs": table.get("needs", [])}
        for key, value in texts.items():
            if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
                problems.append(Problem("must be a list of ids", f"{at}.{key}", value))
                texts[key] = []
        for one in texts["of"]:
            if one not in listed:
                hint = nearest(one, listed)
                problems.append(
                    Problem("names an improvement that this file does not have", f"{at}.of", one, hint=hint)
                )
        year = table.get("earliest_year")
        if year is not None and not (type(year) is int and EARLIEST <= year <= LATEST):
            problems.append(Problem("must be a year", f"{at}.earliest_year", year, f"{EARLIEST} to {LATEST}"))
            year = None
        name = table.get("name", "")
        if not isinstance(name, str):
            problems.append(Problem("must be a text", f"{at}.name", name))
            name = ""
        mine = {one: improvements[one] for one in texts["of"] if one in improvements}
        named |= {*texts["of"]}
        only = next(iter(mine.values())).name if len(mine) == 1 else ""
        upgrades.append(Upgrade(id, mine, tuple(texts["excludes"]), tuple(texts["needs"]), year, name or only))
    for id in listed:
        if id not in named and id not in chosen:
            mine = {id: improvements[id]} if id in improvements else {}
            upgrades.append(Upgrade(id, mine, name=mine[id].name if mine else ""))
    order = {id: n for n, id in enumerate(listed)}
    upgrades.sort(key=lambda one: min((order[id] for id in one.improvements), default=len(order)))
    return tuple(upgrades), problems
