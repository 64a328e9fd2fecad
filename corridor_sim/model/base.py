"""What every object of the model shares: strict fields, frozen values, all problems at once.

`Model` is a pydantic model whose errors are `ScenarioError`s that say path,
value, what is allowed and the nearest known name. `Sourced` adds where a figure
comes from. Types of fields stand in `field_types.py`.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, ValidationError, model_validator
from pydantic.functional_validators import ModelWrapValidatorHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from corridor_sim.core.errors import Problem, ScenarioError, nearest
from corridor_sim.core.text import controls
from corridor_sim.model.errors_in_words import detail_of, explained, keys_of, problems_of
from corridor_sim.model.field_texts import described
from corridor_sim.model.field_types import FrozenDict, TableOf, TupleOf

Status = Literal["published", "derived", "conflicting", "assumed"]
"""Where a figure stands: published, derived from published ones, conflicting sources, assumed."""
SAID = ("status", "source", "note")
"""Fields that say where a value comes from."""
NO_SOURCE = "no source given"
"""What the source of a value that nobody gave one says, behind who gave the value."""
LINES_ALLOWED = ("about", "note", "source")
"""Fields whose text may have several lines."""
_TEXTLESS = frozenset({type(None), bool, int, float})
"""Types of most values: there is no text in them."""
_OF_PYTHON = frozenset({*_TEXTLESS, str})
"""Types of most values in files: there are no numbers of numpy in them."""


def _texts(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Texts of one field with their paths: its own, those of its list, keys and plain values of its table."""
    if isinstance(value, str):
        yield name.rstrip("_"), value
    elif isinstance(value, tuple) and value and isinstance(value[0], str):
        for k, item in enumerate(value):
            if isinstance(item, str):
                yield f"{name}.{k}", item
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield f"{name}.{key}", key
            if isinstance(item, str):
                yield f"{name}.{key}", item


def _is_printable(value: Any) -> bool:
    """Whether a value is a text without control characters or an empty list or table, as most are."""
    return value.isprintable() if type(value) is str else isinstance(value, (tuple, dict)) and not value


def _control_problems(name: str, value: Any) -> list[Problem]:
    """Texts of one field that hold control characters."""
    return [
        Problem(f"must not hold control characters ({', '.join(map(ascii, found))})", path, text)
        for path, text in _texts(name, value)
        if (found := controls(text, lines=name in LINES_ALLOWED))
    ]


def python_numbers(value: Any) -> Any:
    """The value with the numbers and arrays of numpy inside it as those of Python.

    Examples
    --------
    >>> python_numbers({"lanes": np.int64(3), "weights": np.array([0.5, 0.5])})
    {'lanes': 3, 'weights': [0.5, 0.5]}
    """
    if type(value) in _OF_PYTHON:
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return python_numbers(value.tolist())
    if type(value) is dict:
        return {key: python_numbers(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(python_numbers(item) for item in value)
    return value


class Model(BaseModel):
    """Base of all objects of the model: strict, frozen, no unknown keys, no NaN or infinity.

    Raises
    ------
    ScenarioError
        With every problem of the values and of the objects inside them.
    """

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        populate_by_name=True,
        arbitrary_types_allowed=True,
        defer_build=True,
    )

    def __init__(self, /, **values: Any) -> None:
        __tracebackhide__ = True
        try:
            super().__init__(**python_numbers(values))
        except ValidationError as error:
            raise ScenarioError(problems_of(error)) from None

    # Objects inside objects are validated without __init__, so their errors keep their place.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """An object from a dict (or itself), with ScenarioError for what is wrong."""
        try:
            return super().model_validate(python_numbers(obj), **options)
        except ValidationError as error:
            raise ScenarioError(problems_of(error)) from None

    @model_validator(mode="wrap")
    @classmethod
    def _explain(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(values)
        except ValidationError as error:
            details = [explained(cls, line) for line in error.errors(include_url=False)]
            if isinstance(values, Mapping):
                details += [
                    detail_of("", (), values, {"error": ScenarioError([problem])})
                    for name, value in values.items()
                    if isinstance(value, str) and name in keys_of(cls)
                    for problem in _control_problems(name, value)
                ]
            raise ValidationError.from_exception_data(cls.__name__, details) from None

    @model_validator(mode="after")
    def _readable(self) -> Self:
        values = self.__dict__
        problems = [
            one
            for name in type(self).model_fields
            if type(value := values.get(name)) not in _TEXTLESS and not _is_printable(value)
            for one in _control_problems(name, value)
        ]
        if problems:
            raise ScenarioError(problems)
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The schema with the texts that stand under the fields."""
        made = handler(schema)
        described(cls, handler.resolve_ref_schema(made))
        return made

    def to_data(self) -> dict[str, Any]:
        """The object as plain tables, lists and values, as in a scenario file; defaults are left out.

        ``type(x).model_validate(x.to_data()) == x``, or through the `KindOf` field for registered kinds.
        """
        kind = getattr(type(self), "kind", "")
        data: dict[str, Any] = {"kind": kind} if kind else {}
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if field.is_required() or value != field.get_default(call_default_factory=True):
                data[str(field.validation_alias or name)] = plain(value)
        return data

    def replace(self, **changes: Any) -> Self:
        """The same object with some fields changed, validated again.

        Raises
        ------
        ScenarioError
            If the changed object is not valid.
        """
        values = {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}
        aliases = {field.validation_alias: name for name, field in type(self).model_fields.items()}
        values.update({aliases.get(name, name): value for name, value in changes.items()})
        return type(self)(**values)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in type(self).model_fields)

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, name) for name in type(self).model_fields)))

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        fields = type(self).model_fields
        return {**state, "__dict__": {name: value for name, value in state["__dict__"].items() if name in fields}}

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if field.is_required() or value != field.get_default(call_default_factory=True):
                yield name, value


class Figure(Model):
    """Where one figure of an object comes from and how far it may be off, when the object as a whole does not say.

    A range is `low` and `high`, or `alternatives` where sources contradict each other. It has a source or a
    reason of its own: a spread that somebody else gives, or one that is assumed and why.
    """

    status: Status | None = None
    """Whether the figure is published, derived from published ones, of conflicting sources, or assumed."""
    source: str = ""
    """Id of a source in `sources`, or the source in words."""
    low: float | None = None
    """Low end of what the figure may be. [unit of the figure]"""
    high: float | None = None
    """High end of what the figure may be. [unit of the figure]"""
    alternatives: TupleOf[float] = ()
    """Values that contradict each other, the stated one among them. [unit of the figure]"""
    group: str = ""
    """Figures of one group move together: all at their low end, all at their high end."""
    opposite: bool = False
    """Moves against its group: at its low end where the others are at their high one."""
    range_source: str = ""
    """Id of the source that gives the range, or ids with commas between them where each gives an end."""
    range_reason: str = ""
    """Why this range, where it is assumed."""
    exact: str = ""
    """Why the figure has no range: what makes it exact."""
    note: str = ""
    """What else is to be known of the figure."""

    @model_validator(mode="after")
    def _range(self) -> Self:
        problems = range_faults(self, self.low, self.high, ("low", "high"))
        if not problems and not self.ranged:
            names = [name for name in ("group", "range_source", "range_reason") if getattr(self, name)]
            names += ["opposite"] if self.opposite else []
            problems += [Problem("needs a range: low and high, or alternatives", name) for name in names]
        if self.ranged and not problems:
            if self.exact:
                problems.append(Problem("does not go with a range", "exact", self.exact))
            if not self.range_source and not self.range_reason:
                hint = "range_source names who gives the range, range_reason says why it is assumed"
                problems.append(Problem("a range needs a source or a reason", "range_reason", hint=hint))
        if problems:
            raise ScenarioError(problems)
        return self

    @property
    def ranged(self) -> bool:
        """Whether it says how far the figure may be off."""
        return self.low is not None or bool(self.alternatives)


def range_faults(thing: Any, low: float | None, high: float | None, names: tuple[str, str]) -> list[Problem]:
    """What is wrong with two ends of a range and the `alternatives` of an object, whatever the value."""
    problems = []
    if (low is None) != (high is None):
        problems.append(Problem("a range has two ends", names[low is not None]))
    elif low is not None and high is not None:
        if low > high:
            problems.append(Problem(f"must not be more than {names[1]}", names[0], low, f"<= {high:g}"))
        if thing.alternatives:
            problems.append(Problem(f"does not go with {names[0]} and {names[1]}", "alternatives"))
    elif thing.alternatives and len(set(thing.alternatives)) < 2:
        problems.append(Problem("needs two values that differ", "alternatives"))
    return problems


class Sourced(Model):
    """An object with figures: each has a status and a source, its own or that of the table above."""

    status: Status | None = None
    """Where the figures stand, unless `figures` or a table inside says otherwise."""
    source: str = ""
    """Source id, or the source in words."""
    note: str = ""
    """What else is to be known, in words; nothing is reckoned with it."""
    figures: TableOf[Figure] = FrozenDict()
    """Status, source and range of single fields, by field name; of a number inside a field by its path
    (``"service.mean_h"``)."""

    @model_validator(mode="after")
    def _figures_exist(self) -> Self:
        wrong = [problem for name in self.figures for problem in self._figure_problems(name)]
        if wrong:
            raise ScenarioError(wrong)
        return self

    def derived(self) -> Mapping[str, float]:
        """Figures that follow from others of this table and may have a range as well, by field name."""
        return {}

    def _figure_problems(self, name: str) -> list[Problem]:
        """What is wrong with an entry of `figures`, whatever the value of the figure."""
        path = f"figures.{name}"
        fields = _figure_fields(type(self))
        first, *rest = name.split(".")
        if first not in fields:
            return [Problem("is not a field of this table", path, hint=nearest(first, fields))]
        if not rest and (not self.figures[name].ranged or first in self.derived()):
            return []
        thing: Any = getattr(self, fields[first])
        at = first
        for part in rest:
            inside = _stated(thing)
            if part not in inside:
                shown = list(plain(thing)) if inside else []
                return [Problem(f"is not a figure of {at}", path, allowed=", ".join(shown), hint=nearest(part, shown))]
            thing, at = inside[part], f"{at}.{part}"
        thing = plain(thing)
        if self.figures[name].ranged and not _is_number(thing):
            numbers = [key for key, item in thing.items() if _is_number(item)] if isinstance(thing, Mapping) else []
            hint = (
                "name the one that is ranged: " + " or ".join(f'"{name}.{key}"' for key in numbers) if numbers else ""
            )
            return [Problem("is not one number, and a range is of one", path, hint=hint)]
        return []


@functools.cache
def _figure_fields(kind: type[Model]) -> Mapping[str, str]:
    """Fields of a class that may be figures, by their key in a file."""
    fields = {str(field.validation_alias or name): name for name, field in kind.model_fields.items()}
    return {key: name for key, name in fields.items() if key not in (*SAID, "figures")}


def _stated(thing: Any) -> Mapping[str, Any]:
    """What an object or table holds by key, fields that are left at their default among it."""
    if isinstance(thing, Model):
        keys = {str(field.validation_alias or name): name for name, field in type(thing).model_fields.items()}
        return {key: getattr(thing, name) for key, name in keys.items()} | dict(plain(thing))
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        return {field.name: getattr(thing, field.name) for field in dataclasses.fields(thing)}
    return thing if isinstance(thing, Mapping) else {}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def plain(value: Any) -> Any:
    """A value of the model as plain data: tables, lists, numbers, text, dates."""
    if isinstance(value, Model):
        return value.to_data()
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dt.datetime) and value.time() == dt.time() and value.tzinfo is None:
        return value.date()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        kind = {"kind": kind} if (kind := getattr(value, "kind", "")) else {}
        return kind | {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return value
