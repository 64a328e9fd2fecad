"""Whether a range stays inside what its figure may be: each end is held against the limits of its field.

A draw takes any value of a range. An end that the field does not allow is refused where the range is read, not in the
draws that come near it.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from corridor_sim.core.errors import Problem
from corridor_sim.model.base import Model
from corridor_sim.model.errors_in_words import problems_of

Field = tuple[type[Model], str, tuple[str, ...]]
"""Class and name of a field, and the keys inside it where it is a table."""


def domain_problems(thing: Model, rows: Iterable[Any]) -> list[Problem]:
    """Ends and alternatives of ranges that the fields of an object do not allow; `rows` are its figures
    (`provenance.FigureRow`)."""
    ranged = [row for row in rows if row.ranged]
    if not ranged:
        return []
    fields = _fields(thing, "", {})
    found = []
    for row in ranged:
        ends = row.alternatives or (row.low, row.high)
        for end in ends:
            if end is None or row.path not in fields:
                continue
            value = _whole(end, end == row.low) if row.whole else end
            for problem in _refused(fields[row.path], value):
                text = f"the range reaches to {end:g}, which is not allowed: {problem.message}"
                found.append(Problem(text, row.path, allowed=problem.allowed))
    return found


def _whole(end: float, is_low: bool) -> Any:
    """The whole number that is drawn at an end."""
    return end if not math.isfinite(end) else math.ceil(end) if is_low else math.floor(end)


def _fields(thing: Model, path: str, found: dict[str, Field]) -> dict[str, Field]:
    """The field of each number by its path, added to those found."""
    kind = type(thing)
    for name, key in _keys(kind):
        value = getattr(thing, name)
        if type(value) in _NO_NUMBERS:
            continue
        # Shares stand in the table itself.
        at = path if key == "shares" and isinstance(value, Mapping) else f"{path}.{key}" if path else key
        _numbers(value, at, (kind, name, ()), found)
    return found


_NO_NUMBERS = frozenset({type(None), str, bool})
"""Types of many values, in which there are no numbers."""


@functools.cache
def _keys(kind: type[Model]) -> tuple[tuple[str, str], ...]:
    """Name of each field, and its key in a file."""
    return tuple((name, str(field.validation_alias or name)) for name, field in kind.model_fields.items())


def _numbers(value: Any, path: str, field: Field, found: dict[str, Field]) -> None:
    if isinstance(value, (int, float)):
        if not isinstance(value, bool):
            found[path] = field
    elif isinstance(value, Model):
        _fields(value, path, found)
    elif isinstance(value, Mapping):
        model, name, keys = field
        for key, item in value.items():
            if type(item) not in _NO_NUMBERS:
                _numbers(item, f"{path}.{key}", (model, name, (*keys, str(key))), found)


def _refused(field: Field, value: Any) -> list[Problem]:
    """What the limits of a field say of a value; what a table says of its values together is left aside."""
    model, name, keys = field
    given: Any = value
    for key in reversed(keys):
        given = {key: given}
    try:
        _limits(model, name).validate_python(given)
    except ValidationError as error:
        path = ".".join(keys)
        return [problem for problem in problems_of(error) if problem.path == path]
    return []


@functools.cache
def _limits(model: type[Model], name: str) -> TypeAdapter[Any]:
    field = model.model_fields[name]
    kind: Any = field.annotation
    return TypeAdapter(Annotated[(kind, *field.metadata)] if field.metadata else kind)
