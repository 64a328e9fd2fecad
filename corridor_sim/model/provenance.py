"""Where each figure of a corridor comes from: value, status, source and range, table by table.

A figure has the status and source of `figures`, else of its own table, else of
the table around it. To leave a field out (it is no figure), see `NO_FIGURES`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from corridor_sim.model.base import Model, Sourced

NO_FIGURES = frozenset({"lat", "lon", "utc_offset_h", "seed", "replications", "schema_version", "staff_per_service"})
"""Numbers that say where and how, not how much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureRow:
    """One figure with where it comes from; `status` is "" where none is given."""

    path: str
    value: float
    status: str = ""
    source: str = ""
    low: float | None = None
    high: float | None = None
    note: str = ""


def figures_of(thing: Model, path: str = "") -> Iterator[FigureRow]:
    """Every figure of an object of the model and of what is inside it, in order.

    Figures that are left at their default are not listed.
    """
    return _walk(thing, path, "", "", "")


def _walk(thing: Model, path: str, status: str, source: str, note: str) -> Iterator[FigureRow]:
    figures: Mapping[str, Any] = {}
    if isinstance(thing, Sourced):
        # A table with a status or source of its own does not take over the other from the table around it.
        if thing.status is not None or thing.source:
            status, source, note = thing.status or "", thing.source, thing.note
        note = thing.note or note
        figures = thing.figures
    for name, field in type(thing).model_fields.items():
        key = str(field.validation_alias or name)
        value = getattr(thing, name)
        if key in ("status", "source", "note", "figures") or key in NO_FIGURES:
            continue
        if not field.is_required() and value == field.get_default(call_default_factory=True):
            continue
        own = figures.get(key)
        told = (own.status or "", own.source, own.note) if own is not None else (status, source, note)
        for row in _rows(value, f"{path}.{key}" if path else key, *told):
            if own is not None and row.path.endswith(key):
                row = FigureRow(
                    path=row.path,
                    value=row.value,
                    status=row.status,
                    source=row.source,
                    low=own.low,
                    high=own.high,
                    note=row.note,
                )
            yield row


def _rows(value: Any, path: str, status: str, source: str, note: str) -> Iterator[FigureRow]:
    if isinstance(value, Model):
        yield from _walk(value, path, status, source, note)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _rows(item, f"{path}.{key}", status, source, note)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield FigureRow(path=path, value=float(value), status=status, source=source, note=note)
