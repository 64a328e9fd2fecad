"""What makes two runs the same run: the parts of a key, the key, and what differs, by path.

The key is made of all that decides a number and of nothing else: how many
replications, which engine, how many workers and how much memory are not in it,
nor are the scenario's name, its description and its place in a list.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from corridor_sim.core.fingerprints import fingerprint
from corridor_sim.core.streams import SCHEME
from corridor_sim.indicators import Options
from corridor_sim.plan.plan import Plan
from corridor_sim.results.input_differences import inputs_diff, inputs_of

_NO_CONTENT = ("replications", "seed")
"""Fields of `run` that are no part of the content: how many, and the root entropy, which is a part of its own."""
PARTS = ("content", "root_entropy", "indicators", "options", "stream_scheme", "library")


@functools.cache
def library_version() -> str:
    """Version of this library as installed."""
    try:
        return version("corridor-sim")
    except PackageNotFoundError:
        return "unknown"


def parts_of(scenario: Any, plan: Plan, root: int, indicators: tuple[str, ...], options: Options) -> dict[str, Any]:
    """What decides the numbers of a run, as JSON holds it.

    ``content`` stands for the inputs of the scenario, and for the plan that is made of them, which is
    all that engines and indicators read.
    """
    parts = {
        "content": fingerprint((_inputs(scenario), replace(plan, name=""))),
        "root_entropy": root,
        "indicators": list(indicators),
        "options": asdict(options),
        "stream_scheme": SCHEME,
        "library": library_version(),
    }
    found: dict[str, Any] = json.loads(json.dumps(parts, default=float))
    return found


def _inputs(scenario: Any) -> dict[str, Any]:
    if isinstance(scenario, Plan):
        return {}
    inputs = inputs_of(scenario)
    return {**inputs, "run": {name: value for name, value in inputs["run"].items() if name not in _NO_CONTENT}}


def key_of(parts: Mapping[str, Any]) -> str:
    """The key of a run from the parts of it (other entries of the mapping are not looked at)."""
    return fingerprint({name: parts.get(name) for name in PARTS})


def differences(stored: Mapping[str, Any], here: Mapping[str, Any], stored_scenario: Any, scenario: Any) -> list[str]:
    """What differs between a stored run and the run at hand, one line a path, with both values.

    `stored_scenario` is None where it cannot be told.
    """
    lines: list[str] = []
    if stored.get("content") != here["content"]:
        told = [] if stored_scenario is None else _of_scenarios(stored_scenario, scenario)
        lines += told or [f"content is {stored.get('content')!r} there and {here['content']!r} here"]
    for name in PARTS[1:]:
        for path, old, new in _unequal(name, stored.get(name), here[name]):
            lines.append(f"{path} is {old!r} there and {new!r} here")
    return lines


def _of_scenarios(stored: Any, scenario: Any) -> list[str]:
    if not isinstance(stored, Plan) and not isinstance(scenario, Plan):
        run = {name: getattr(scenario.run, name) for name in _NO_CONTENT}
        stored = stored.replace(run=stored.run.replace(**run))
    return inputs_diff(stored, scenario)


def _unequal(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted({*old, *new}):
            yield from _unequal(f"{path}.{name}", old.get(name), new.get(name))
    elif old != new:
        yield path, old, new
