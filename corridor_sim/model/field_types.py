"""Which values may a field hold: numbers with their limits, instants, lists and tables that stay as validated?

To add a field type used by several pieces of the model, add it here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, NoReturn, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.limits import (
    FIRST_YEAR,
    LARGEST,
    LAST_YEAR,
    MAX_COUNT,
    MAX_ENTRIES,
    MAX_FACTOR,
    MAX_LANES,
    MAX_VALUES,
    SMALLEST,
)
from corridor_sim.model.errors_in_words import hint_of_number
from corridor_sim.model.schemas import InSchema

T = TypeVar("T")
V = TypeVar("V")


class FrozenDict(dict[str, V]):
    """A dict that cannot be changed, so that a model object stays what was validated."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("the tables of a model object are frozen; make a new object with replace()")

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = _refuse
    __ior__ = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)


class OrderedTable(FrozenDict[V]):
    """A frozen table whose order matters: equal only to one in the same order."""

    def __eq__(self, other: object) -> bool:
        if isinstance(other, OrderedTable):
            return list(self.items()) == list(other.items())
        return dict.__eq__(self, other) if isinstance(other, dict) else NotImplemented

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self.items()))


def _as_tuple(value: Any) -> Any:
    if not isinstance(value, (list, tuple)):
        return value
    if len(value) > MAX_VALUES:
        raise ValueError(f"has {len(value)} elements; at most {MAX_VALUES} are read")
    return tuple(value)


def _few(value: Any) -> Any:
    if len(value) > MAX_ENTRIES:
        raise ValueError(f"has {len(value)} entries; at most {MAX_ENTRIES} are read")
    return value


def _different(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = [Problem("is listed twice", str(k), name) for k, name in enumerate(names) if name in names[:k]]
    if twice:
        raise ScenarioError(twice)
    return names


def at_most(limit: float) -> AfterValidator:
    """A limit of a number that lies far above what is meant, named only where it is passed."""

    def checked(value: float) -> float:
        if value > limit:
            raise ValueError(f"must be at most {limit:.15g}")
        return value

    return AfterValidator(checked)


def at_least(limit: float) -> AfterValidator:
    """A limit far below what is meant, named only where it is passed; 0 stays what it is."""

    def checked(value: float) -> float:
        if 0 < value < limit:
            raise ValueError(f"must be at least {limit:g}")
        return value

    return AfterValidator(checked)


def _as_instant(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value)
        except ValueError as error:
            raise ValueError(f"must be a date or date-time such as 2024-06-01 ({error})") from None
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        value = dt.datetime(value.year, value.month, value.day)
    if isinstance(value, dt.datetime) and not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"must lie in the years {FIRST_YEAR} to {LAST_YEAR}")
    return value


TableOf = Annotated[Mapping[str, V], AfterValidator(_few), AfterValidator(FrozenDict)]
"""A table of named things; a frozen dict once validated."""
OrderedTableOf = Annotated[Mapping[str, V], AfterValidator(_few), AfterValidator(OrderedTable)]
"""A table whose order counts (the stages of a post)."""
TupleOf = Annotated[tuple[T, ...], BeforeValidator(_as_tuple)]
"""A list in a file, a tuple in Python."""
NamesOf = Annotated[TupleOf[str], AfterValidator(_different)]
"""A list of names, each once."""
Instant = Annotated[
    dt.datetime,
    BeforeValidator(_as_instant),
    InSchema(
        {
            "anyOf": [
                *({"type": "string", "format": form} for form in ("date", "date-time", "date-time-local")),
                {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d"},  # an instant in quotes
            ]
        }
    ),
]
"""A date (its midnight) or date-time. Without an offset it is local to the post, or UTC where there is no post."""
Positive = Annotated[float, Field(gt=0), at_least(SMALLEST), at_most(LARGEST)]
NonNegative = Annotated[float, Field(ge=0), at_least(SMALLEST), at_most(LARGEST)]
Probability = Annotated[float, Field(ge=0, le=1)]
Factor = Annotated[float, Field(gt=0), at_least(1 / MAX_FACTOR), at_most(MAX_FACTOR)]
"""A factor of a speed, a time or a volume."""
Count = Annotated[int, Field(ge=0), at_most(MAX_COUNT)]
PositiveCount = Annotated[int, Field(ge=1), at_most(MAX_COUNT)]
LaneCount = Annotated[int, Field(ge=0), at_most(MAX_LANES)]
PositiveLanes = Annotated[int, Field(ge=1), at_most(MAX_LANES)]


def _whole_or_unlimited(most: int) -> Callable[[Any], Any]:
    def checked(value: Any) -> Any:
        whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        if whole and value > most:
            hint = "or 'unlimited'"
            raise PydanticCustomError("problem", f"must be at most {most}", {"hint": hint})
        if whole or (isinstance(value, str) and value == "unlimited"):
            return value
        raise PydanticCustomError(
            "problem", "must be a whole number >= 0, or 'unlimited'", {"hint": hint_of_number(value)}
        )

    return checked


_WHOLE_SCHEMA = InSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"const": "unlimited"}]})
WholeOrUnlimited = Annotated[int | Literal["unlimited"], BeforeValidator(_whole_or_unlimited(MAX_COUNT)), _WHOLE_SCHEMA]
"""A whole number >= 0, or the word unlimited."""
LanesOrUnlimited = Annotated[int | Literal["unlimited"], BeforeValidator(_whole_or_unlimited(MAX_LANES)), _WHOLE_SCHEMA]
"""A number of lanes >= 0, or the word unlimited."""
