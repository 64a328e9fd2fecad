"""What differs between the inputs of two scenarios by path and id; as people read it: `input_words.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from corridor_sim.model.base import SAID
from corridor_sim.plan.plan import Plan


def inputs_diff(base: Any, other: Any) -> list[str]:
    """What `other` changes against `base`, one line a path, in words.

    Works on scenarios (anything with `to_data`); of plans made by hand it says
    which of their parts differ. Name and description are no inputs.
    """
    if isinstance(base, Plan) or isinstance(other, Plan):
        return _plans_diff(base, other)
    first, second = flat(inputs_of(base)), flat(inputs_of(other))
    lines = []
    whole: set[str] = set()
    there = tables(first), tables(second)
    for path in sorted({*first, *second}):
        table = missing_table(path, there[1] if path in first else there[0])
        if table is not None:
            if table not in whole:
                whole.add(table)
                lines.append(f"{'adds' if path in second else 'removes'} {table}{_about(table, {**first, **second})}")
        elif path not in first:
            lines.append(f"sets {path} = {_shown(second[path])}")
        elif path not in second:
            lines.append(f"no longer sets {path} (was {_shown(first[path])})")
        elif first[path] != second[path]:
            lines.append(f"changes {path} from {_shown(first[path])} to {_shown(second[path])}")
    return lines


def inputs_of(scenario: Any) -> dict[str, Any]:
    """The tables of a scenario but for its name, its description, the sources of figures and what else is no input."""
    return {key: _without_words(value) for key, value in scenario.to_data().items() if key not in _NO_INPUT}


def _without_words(value: Any) -> Any:
    """Tables without what `figures` say of the origin of a value: words decide no number."""
    if not isinstance(value, Mapping):
        return value
    found = {key: _without_words(one) for key, one in value.items() if key != "figures"}
    figures = value.get("figures")
    if isinstance(figures, Mapping):
        said = {
            name: {key: one for key, one in entry.items() if key not in (*SAID, "exact")}
            for name, entry in figures.items()
        }
        found["figures"] = {name: entry for name, entry in said.items() if entry != {}}
    return {key: one for key, one in found.items() if key != "figures" or one != {}}


_NO_INPUT = ("name", "about", "sources", "schema", "former_classes")
_KEYED = ("places", "checkpoints", "legs", "flows", "improvements", "profiles", "staff_pools", "calendars", "crossings")


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Every value of nested tables by its path."""
    if isinstance(value, Mapping):
        found: dict[str, Any] = {}
        for key, one in value.items():
            found.update(flat(one, f"{path}.{key}" if path else str(key)))
        return found
    return {path: value}


def tables(flat: Mapping[str, Any]) -> set[str]:
    """All that paths are part of, themselves included."""
    found: set[str] = set()
    for path in flat:
        parts = path.split(".")
        found.update(".".join(parts[:depth]) for depth in range(1, len(parts) + 1))
    return found


def missing_table(path: str, there: set[str]) -> str | None:
    """The object (leg, flow, improvement, stage) that `path` is part of and that is not among the tables there."""
    parts = path.split(".")
    if parts[0] not in _KEYED or len(parts) < 3:
        return None
    depths = [2, 4] if parts[0] == "checkpoints" and len(parts) > 4 else [2]
    for depth in depths:
        table = ".".join(parts[:depth])
        if table not in there:
            return table
    return None


def _about(table: str, values: Mapping[str, Any]) -> str:
    """The kind of an added object and where it acts, in brackets."""
    told = [str(values[f"{table}.{key}"]) for key in ("kind", "at", "from") if f"{table}.{key}" in values]
    return f" ({', '.join(told)})" if told else ""


def _shown(value: Any) -> str:
    text = str(value) if not isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _plans_diff(base: Any, other: Any) -> list[str]:
    from corridor_sim.core.fingerprints import fingerprint

    if not (isinstance(base, Plan) and isinstance(other, Plan)):
        return ["one is a scenario, the other a plan made by hand"]
    lines = []
    for column in fields(Plan):
        mine, theirs = getattr(base, column.name), getattr(other, column.name)
        if column.name in ("name", "labels") or fingerprint(mine) == fingerprint(theirs):
            continue
        if column.name in ("elements", "flows", "staff_pools"):
            ours, others = {one.id: one for one in mine}, {one.id: one for one in theirs}
            lines += [f"adds {column.name}.{id}" for id in others if id not in ours]
            lines += [f"removes {column.name}.{id}" for id in ours if id not in others]
            lines += [
                f"changes {column.name}.{id}"
                for id in ours
                if id in others and fingerprint(ours[id]) != fingerprint(others[id])
            ]
        else:
            lines.append(f"changes {column.name} from {_shown(mine)} to {_shown(theirs)}")
    return lines
