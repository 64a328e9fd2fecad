"""JSON Schema of scenario files, for editors and for checks of structure.

`scenario_schema` describes a complete scenario; with ``overlay=True`` nothing
is required, because a file that extends another one holds only what differs.
"""

from __future__ import annotations

import copy
from typing import Any

from corridor_sim.model.base import json_schema
from corridor_sim.model.scenario import Scenario

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


def scenario_schema(*, overlay: bool = False) -> dict[str, Any]:
    """JSON Schema (2020-12) of a scenario file, with all kinds registered now.

    Parameters
    ----------
    overlay : bool
        For files that extend another one: no key but ``schema`` is required.
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
