"""What can be named in files and options, for the command of this name.

To list another registry, add a line to `all_kinds`.
"""

from __future__ import annotations

import contextlib
import inspect
import tomllib
from collections.abc import Callable
from typing import Any


def all_kinds() -> dict[str, Callable[[], list[tuple[str, str]]]]:
    """What `kinds` lists: name of the list, and what reads it."""

    def registered(module: str, name: str) -> Callable[[], list[tuple[str, str]]]:
        def read() -> list[tuple[str, str]]:
            import importlib

            registry = getattr(importlib.import_module(f"corridor_sim.{module}"), name)
            return [(kind, _first_line(made)) for kind, made in registry.items()]

        return read

    def rows() -> list[tuple[str, str]]:
        """Every name that a table of results knows: rows, and indicators that stand for several of them."""
        from corridor_sim.indicators import INDICATORS
        from corridor_sim.indicators.row_names import rows_of

        found = []
        for kind, made in INDICATORS.items():
            several = rows_of(kind)
            about = _first_line(made)
            found.append((kind, about if kind in several else f"{about} All of {', '.join(several)}."))
            found += [(row, f"Of {kind}.") for row in several if row != kind]
        return found

    def packaged(name: str) -> Callable[[], list[tuple[str, str]]]:
        def read() -> list[tuple[str, str]]:
            from corridor_sim.files import packaged as files

            return [(kind, _about(path.read_text(encoding="utf-8"))) for kind, path in getattr(files, name)().items()]

        return read

    return {
        "laws": registered("model.service_times", "SERVICE_TIMES"),
        "arrivals": registered("model.arrivals", "ARRIVALS"),
        "legs": registered("model.legs", "LEGS"),
        "improvements": registered("model.improvements", "IMPROVEMENTS"),
        "factors": registered("model.designs", "FACTORS"),
        "indicators": rows,
        "plots": registered("plots", "PLOTS"),
        "scenarios": packaged("scenario_files"),
        "designs": packaged("design_files"),
        "corridors": packaged("corridor_files"),
    }


def _first_line(thing: Any) -> str:
    return (inspect.getdoc(thing) or "").partition("\n")[0]


def _about(text: str) -> str:
    """What a file says of itself: it stands before the first table, so that mostly the rest need not be read."""
    for part in (text.partition("\n[")[0], text):
        # Where a line of a list or a text begins like a table, the part is no TOML.
        with contextlib.suppress(tomllib.TOMLDecodeError):
            return str(tomllib.loads(part).get("about", ""))
    return ""
