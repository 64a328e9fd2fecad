"""JSON Schema of scenario files, for editors and for checks of structure.

`scenario_schema` describes a complete scenario; with ``overlay=True`` nothing
is required, because a file that extends another one holds only what differs.
"""

from __future__ import annotations

import copy
from typing import Any

from corridor_sim.model.corridor import Corridor
from corridor_sim.model.scenario import Scenario
from corridor_sim.model.schemas import json_schema

_OVERLAY: dict[str, Any] = {
    "extends": {
        "type": "string",
        "minLength": 1,
        "description": "A file in this folder or below, or the name of a packaged corridor or scenario.",
    },
    "remove": {
        "type": "array",
        "items": {"type": "string", "minLength": 1},
        "description": "Paths that are taken out of the extended file.",
    },
}
_IDS = {"type": "array", "items": {"type": "string"}}
_UPGRADE: dict[str, Any] = {
    "of": {**_IDS, "description": "Improvements that are built together; the one of this id if not given."},
    "name": {"type": "string", "description": "What tables call it; the name of its only improvement if not given."},
    "excludes": {**_IDS, "description": "Upgrades that cannot be built with it."},
    "needs": {**_IDS, "description": "Upgrades without which it cannot be built."},
    "earliest_year": {"type": "integer", "description": "First year in which it can be built. [calendar year]"},
}


def scenario_schema(*, overlay: bool = False) -> dict[str, Any]:
    """JSON Schema (2020-12) of a scenario file, with all kinds registered now.

    Parameters
    ----------
    overlay : bool
        For files that extend another one: no key but ``schema`` is required.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.schema()["title"]
    'corridor_sim scenario'
    """
    schema = copy.deepcopy(json_schema(Scenario))
    schema["title"] = "corridor_sim scenario"
    schema["properties"] = {**schema["properties"], **copy.deepcopy(_OVERLAY)}
    if overlay:
        schema = _relaxed(schema)
        schema["title"] = "corridor_sim scenario that extends another"
        schema["required"] = ["schema"]
    else:
        schema["required"] = sorted({*schema.get("required", []), "schema"})
    return schema


def corridor_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a file that `load_corridor` reads: no run settings, no improvements."""
    schema = copy.deepcopy(json_schema(Corridor))
    schema["title"] = "corridor_sim corridor"
    version = json_schema(Scenario)["properties"]["schema"]
    schema["properties"] = {"schema": copy.deepcopy(version), **schema["properties"], **copy.deepcopy(_OVERLAY)}
    schema["required"] = ["schema"]
    return schema


def upgrades_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a list of upgrades, as `corridor-sim portfolio` reads it."""
    whole = scenario_schema()
    kept = ("schema", "name", "about", "sources", "improvements")
    schema = {key: value for key, value in whole.items() if key not in ("properties", "required", "title")}
    schema["title"] = "corridor_sim upgrades"
    upgrade = {"type": "object", "properties": copy.deepcopy(_UPGRADE), "additionalProperties": False}
    chosen = {"type": "object", "additionalProperties": upgrade, "description": "What may be chosen, by id."}
    schema["properties"] = {**{key: whole["properties"][key] for key in kept}, "upgrades": chosen}
    schema["required"] = ["improvements", "schema"]
    schema["$defs"] = {name: schema["$defs"][name] for name in _needed(schema)}
    return schema


def _needed(schema: dict[str, Any]) -> list[str]:
    """Names of the definitions that the properties of a schema lead to, in their order."""
    found: set[str] = set()

    def look(part: Any) -> None:
        if isinstance(part, list):
            for item in part:
                look(item)
        elif isinstance(part, dict):
            name = str(part.get("$ref", "")).rpartition("/")[2]
            if name and name not in found:
                found.add(name)
                look(schema["$defs"][name])
            for item in part.values():
                look(item)

    look(schema["properties"])
    return [name for name in schema["$defs"] if name in found]


def _relaxed(schema: Any) -> Any:
    """A schema without anything required, but the kind that tells alternatives apart."""
    if isinstance(schema, list):
        return [_relaxed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _relaxed(item) for key, item in schema.items() if not (key == "required" and isinstance(item, list))}
    if "oneOf" in kept:
        kept["anyOf"] = kept.pop("oneOf")
    return kept
