"""Whether a range stays inside what its figure may be: each end is held against the limits of its field.

A draw takes any value of a range. An end that the field does not allow is refused where the range is read, not in the
draws that come near it.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from corridor_sim.core.errors import Problem
from corridor_sim.model.base import Model
from corridor_sim.model.errors_in_words import problems_of

Field = tuple[type[Model], str, tuple[str, ...]]
"""Class and name of a field, and the keys inside it where it is a table."""


def domain_problems(rows: Iterable[tuple[Any, Field | None]]) -> list[Problem]:
    """Ends and alternatives of ranges that the fields of their figures do not allow; `rows` are figures
    (`provenance.FigureRow`), each with the field that it stands in, None where it stands in none."""
    found = []
    known: dict[tuple[Field, type, Any], list[Problem]] = {}
    for row, field in rows:
        if field is None or not row.ranged:
            continue
        for end in row.alternatives or (row.low, row.high):
            if end is None:
                continue
            value = _whole(end, end == row.low) if row.whole else end
            asked = field, type(value), value
            if asked not in known:
                known[asked] = _refused(field, value)
            for problem in known[asked]:
                text = f"the range reaches to {end:g}, which is not allowed: {problem.message}"
                found.append(Problem(text, row.path, allowed=problem.allowed))
    return found


def _whole(end: float, is_low: bool) -> Any:
    """The whole number that is drawn at an end."""
    return end if not math.isfinite(end) else math.ceil(end) if is_low else math.floor(end)


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
