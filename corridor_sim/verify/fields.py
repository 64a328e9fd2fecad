"""Reading a vector file to the last field, and numbers that change by date.

Nothing may pass unread: a field or value that is not known raises
`Unsupported` with its name, so that no part of a vector is left out of the run
silently.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from corridor_sim.core.errors import nearest
from corridor_sim.core.step_functions import StepFunction


class Unsupported(Exception):
    """The file asks for something that is not known; `mechanisms` names each such thing."""

    def __init__(self, *mechanisms: str) -> None:
        self.mechanisms = mechanisms
        super().__init__("; ".join(mechanisms))


@contextmanager
def readable(where: str) -> Iterator[None]:
    """Turn what goes wrong while values of the wrong kind are read into `Unsupported`."""
    try:
        yield
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise Unsupported(f"{where} cannot be read: {type(error).__name__}: {error}") from error


class Fields:
    """A mapping that is read field by field, and must be read to the end.

    `get` takes the spellings of one field; `done` raises `Unsupported` for
    fields that were not asked for.
    """

    def __init__(self, values: Any, where: str) -> None:
        if not isinstance(values, Mapping):
            raise Unsupported(f"{where} must be a table of fields, got {values!r}")
        self._values, self.where = values, where
        self._known: set[str] = set()

    def get(self, *names: str, default: Any = None) -> Any:
        """The value under the first of `names` that is there."""
        self._known.update(names)
        present = [name for name in names if name in self._values]
        if len(present) > 1:
            raise Unsupported(f"{self.where} gives {' and '.join(present)}, which are the same")
        return self._values[present[0]] if present else default

    def need(self, *names: str) -> Any:
        """As `get`, for a field that must be there."""
        if not any(name in self._values for name in names):
            raise Unsupported(f"{self.where} needs the field {names[0]!r}")
        return self.get(*names)

    def choice(self, *names: str, allowed: Mapping[str, Any], default: Any) -> Any:
        """The meaning of a word, spelled freely in case, spaces and hyphens."""
        value = self.get(*names)
        if value is None:
            return default
        word = " ".join(str(value).lower().replace("_", " ").replace("-", " ").split())
        if word not in allowed:
            raise Unsupported(f"{self.where}: {names[0]} {value!r} (known: {', '.join(sorted(allowed))})")
        return allowed[word]

    def items(self) -> list[tuple[str, Any]]:
        """All fields with their values."""
        return list(self._values.items())

    def ignore(self, *names: str) -> None:
        """Fields that describe and do not act."""
        self._known.update(names)

    def done(self) -> None:
        """Raise `Unsupported` for every field that was not read."""
        left = [name for name in self._values if name not in self._known]
        if left:
            hints = [f"{name!r}" + (f" ({hint})" if (hint := nearest(name, self._known)) else "") for name in left]
            raise Unsupported(*(f"{self.where}: unknown field {hint}" for hint in hints))


def steps_of(value: Any, where: str, until: float, period: float | None = None, what: str = "lanes") -> StepFunction:
    """A number by date: one number, pairs ``[from, value]`` or ``{form, cyclic, pieces}``."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        raise Unsupported(f"{where}: {what} {value!r}")
    if isinstance(value, (int, float)):
        return StepFunction.constant(float(value))
    if isinstance(value, Mapping):
        fields = Fields(value, f"{where}: {what}")
        fields.choice("form", allowed={"piecewise constant": True}, default=True)
        cyclic, pieces = bool(fields.get("cyclic", default=False)), fields.need("pieces")
        fields.done()
        duration = np.array([piece["duration"] for piece in pieces], dtype=float)
        values = [float(piece[what if what in piece else "value"]) for piece in pieces]
        starts = np.append(0.0, np.cumsum(duration)[:-1]).tolist()
        if cyclic:
            return StepFunction.periodic(starts, values, float(duration.sum()), until)
        return StepFunction(starts, values)
    pairs = list(value)
    if not pairs or not all(isinstance(pair, Sequence) and len(pair) == 2 for pair in pairs):
        raise Unsupported(f"{where}: {what} must be a number or pairs [from, {what}], got {value!r}")
    starts, values = [float(pair[0]) for pair in pairs], [float(pair[1]) for pair in pairs]
    if period is None:
        if starts[0] > 0:
            raise Unsupported(f"{where}: {what} does not say what holds before {starts[0]:g}")
        return StepFunction(starts, values)
    if starts[-1] >= period:
        raise Unsupported(f"{where}: {what} from {starts[-1]:g} lies outside the period of {period:g}")
    if starts[0] > 0:
        starts, values = [0.0, *starts], [values[-1], *values]
    return StepFunction.periodic(starts, values, period, until)


def total(calendars: Sequence[StepFunction]) -> StepFunction:
    """Sum of step functions."""
    instants = np.unique(np.concatenate([calendar.from_h for calendar in calendars]))
    return StepFunction(instants, np.sum([calendar(instants) for calendar in calendars], axis=0))


def whole(function: StepFunction, where: str, what: str = "lanes") -> StepFunction:
    """The function, if all its values are whole numbers >= 0."""
    if (function.value < 0).any() or (function.value != np.rint(function.value)).any():
        raise Unsupported(f"{where}: {what} must be whole numbers >= 0")
    return function
