"""What every object of the model shares: strict fields, frozen values, all problems at once.

`Model` is a pydantic model whose errors are `ScenarioError`s that say path,
value, what is allowed and the nearest known name. `Sourced` adds where a figure
comes from. `KindOf(REGISTRY)` makes a field that takes any registered kind.
To add a field type used by several pieces of the model, add it here.
"""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import math
from collections.abc import Callable, Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Literal, NoReturn, Self, TypeVar, Union, get_args, get_origin

import annotated_types
import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic.functional_validators import ModelWrapValidatorHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from corridor_sim.core.errors import Problem, ScenarioError, nearest
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
from corridor_sim.core.registry import Registry
from corridor_sim.core.text import controls
from corridor_sim.model.field_texts import described

T = TypeVar("T")
V = TypeVar("V")

KIND_MARK = "x-kind-of"


# ---------------------------------------------------------------- containers and field types


class InSchema:
    """What stands for a field type in the JSON Schema.

    As pydantic's `WithJsonSchema`, but a new object each time: before 2.11 pydantic writes the default of one
    field into the object that all fields of the type share.
    """

    def __init__(self, schema: JsonSchemaValue) -> None:
        self.schema = schema

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The schema pydantic asks for."""
        return copy.deepcopy(self.schema)


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
Status = Literal["published", "derived", "conflicting", "assumed"]
"""Where a figure stands: published, derived from published ones, conflicting sources, assumed."""


def _whole_or_unlimited(most: int) -> Callable[[Any], Any]:
    def checked(value: Any) -> Any:
        whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        if whole and value > most:
            hint = "or 'unlimited'"
            raise PydanticCustomError("problem", f"must be at most {most}", {"hint": hint})
        if whole or (isinstance(value, str) and value == "unlimited"):
            return value
        raise PydanticCustomError("problem", "must be a whole number >= 0, or 'unlimited'", {"hint": _hint(value)})

    return checked


_WHOLE_SCHEMA = InSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"const": "unlimited"}]})
WholeOrUnlimited = Annotated[int | Literal["unlimited"], BeforeValidator(_whole_or_unlimited(MAX_COUNT)), _WHOLE_SCHEMA]
"""A whole number >= 0, or the word unlimited."""
LanesOrUnlimited = Annotated[int | Literal["unlimited"], BeforeValidator(_whole_or_unlimited(MAX_LANES)), _WHOLE_SCHEMA]
"""A number of lanes >= 0, or the word unlimited."""


class KindOf:
    """Field type "an object of one of the registered kinds", for ``Annotated[Base, KindOf(REGISTRY)]``.

    The field takes an object, or a table with ``kind`` and the values of that
    kind. A class registered later is known to every such field at once.
    """

    def __init__(self, registry: Registry[Any]) -> None:
        self.registry = registry

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The validator pydantic calls."""
        return core_schema.no_info_plain_validator_function(lambda value: self.make(value, source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """A mark that `json_schema` turns into a reference to the registered kinds."""
        return {KIND_MARK: self.registry}

    def make(self, value: Any, base: Any) -> Any:
        """The object that `value` (object or table) stands for; pydantic or scenario errors if it is none."""
        if not isinstance(value, Mapping):
            if isinstance(value, base) if isinstance(base, type) else not isinstance(value, (str, int, float, list)):
                return value
            raise ScenarioError([Problem(f"must be a {self.registry.what}: a table with a kind", value=value)])
        if "kind" not in value:
            raise ScenarioError([Problem("is required", "kind", allowed=", ".join(self.registry))])
        if not isinstance(value["kind"], str):
            raise ScenarioError([Problem("must be text", "kind", value["kind"], ", ".join(self.registry))])
        if value["kind"] not in self.registry:
            raise ScenarioError([self.registry.problem(value["kind"]).at("kind")])
        made: Any = self.registry[value["kind"]]
        values = {key: item for key, item in value.items() if key != "kind"}
        if isinstance(made, type) and issubclass(made, BaseModel):
            return made.__pydantic_validator__.validate_python(values)
        try:
            return made(**values)
        except TypeError as error:
            raise ScenarioError([Problem(f"does not fit: {error}")]) from None


# ---------------------------------------------------------------- the base class

LINES_ALLOWED = ("about", "note", "source")
"""Fields whose text may have several lines."""


_TEXTLESS = frozenset({type(None), bool, int, float})
"""Types of most values: there is no text in them."""


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
            details = [_explained(cls, line) for line in error.errors(include_url=False)]
            if isinstance(values, Mapping):
                details += [
                    _detail("", (), values, {"error": ScenarioError([problem])})
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
            if type(value := values.get(name)) not in _TEXTLESS
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
        known = [key for key in keys_of(type(self)) if key not in ("status", "source", "note", "figures")]
        first, *rest = name.split(".")
        if first not in known:
            return [Problem("is not a field of this table", path, hint=nearest(first, known))]
        if not rest and (not self.figures[name].ranged or first in self.derived()):
            return []
        fields = {str(field.validation_alias or key): key for key, field in type(self).model_fields.items()}
        thing, at = plain(getattr(self, fields[first])), first
        for part in rest:
            inside = list(thing) if isinstance(thing, Mapping) else []
            if part not in inside:
                return [
                    Problem(f"is not a figure of {at}", path, allowed=", ".join(inside), hint=nearest(part, inside))
                ]
            thing, at = thing[part], f"{at}.{part}"
        if self.figures[name].ranged and not _is_number(thing):
            inside = [key for key, item in thing.items() if _is_number(item)] if isinstance(thing, Mapping) else []
            hint = "name the one that is ranged: " + " or ".join(f'"{name}.{key}"' for key in inside) if inside else ""
            return [Problem("is not one number, and a range is of one", path, hint=hint)]
        return []


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


# ---------------------------------------------------------------- as plain data and as a schema


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


def with_shares(schema: JsonSchemaValue, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
    """JSON Schema of a model whose ``shares`` stand in the table itself, under names of their own."""
    found = handler.resolve_ref_schema(schema)
    found["properties"].pop("shares")
    found["required"] = [name for name in found.get("required", ()) if name != "shares"]
    found["additionalProperties"] = {"type": "number", "minimum": 0, "maximum": 1}
    return found


def json_schema(model: type[BaseModel]) -> dict[str, Any]:
    """JSON Schema of a model, in which every `KindOf` field is one of the kinds registered now."""
    definitions: dict[str, Any] = {}

    def settle(schema: Any) -> Any:
        if isinstance(schema, dict):
            if KIND_MARK in schema:
                registry = schema[KIND_MARK]
                name = registry.what.replace(" ", "_")
                if name not in definitions:
                    definitions[name] = {}
                    definitions[name] = {"oneOf": [of_kind(kind, made) for kind, made in registry.items()]}
                rest = {key: settle(item) for key, item in schema.items() if key != KIND_MARK}
                return {"$ref": f"#/$defs/{name}", **rest}
            return {key: settle(item) for key, item in schema.items()}
        return [settle(item) for item in schema] if isinstance(schema, list) else schema

    def hoisted(made: type[BaseModel]) -> dict[str, Any]:
        schema = made.model_json_schema()
        for name, inner in schema.pop("$defs", {}).items():
            if name not in definitions:
                definitions[name] = {}
                definitions[name] = settle(inner)
        settled: dict[str, Any] = settle(schema)
        return settled

    def of_kind(kind: str, made: Any) -> dict[str, Any]:
        is_model = isinstance(made, type) and issubclass(made, BaseModel)
        schema: dict[str, Any] = hoisted(made) if is_model else {"type": "object", "additionalProperties": True}
        schema["properties"] = {"kind": {"const": kind}, **schema.get("properties", {})}
        schema["required"] = ["kind", *schema.get("required", [])]
        return schema

    schema = hoisted(model)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "$defs": definitions}


# ---------------------------------------------------------------- errors in words


def keys_of(model: type[BaseModel]) -> list[str]:
    """Names of the fields of a model as they stand in a file."""
    return [str(field.validation_alias or name) for name, field in model.model_fields.items()]


def problems_of(error: ValidationError) -> list[Problem]:
    """A pydantic error as problems: path, value, message, what is allowed, a hint."""
    found = []
    for line in error.errors(include_url=False):
        path = ".".join(str(part) for part in line["loc"] if part != "[key]")
        context: dict[str, Any] = line.get("ctx", {})
        cause = context.get("error")
        if isinstance(cause, ScenarioError):
            found += [problem.at(path) for problem in cause.problems]
            continue
        value = None if line["type"] == "missing" or context.get("no_value") else _shown(line["input"])
        message = str(cause) if isinstance(cause, ValueError) else line["msg"]
        found.append(Problem(message, path, value, str(context.get("allowed", "")), str(context.get("hint", ""))))
    return found


_MESSAGES = {
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "mapping_type": "must be a table",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "datetime_type": "must be a date or date-time",
}
_NUMBERS = {"int_type", "int_from_float", "float_type", "finite_number"}
_SIGNS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_BOUNDS = {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}


def _explained(model: type[BaseModel], line: Any) -> InitErrorDetails:
    """One line of a pydantic error in our words; lines from deeper models are in our words already."""
    kind, loc, value = line["type"], line["loc"], line["input"]
    context: dict[str, Any] = dict(line.get("ctx", {}))
    if kind == "problem" or isinstance(context.get("error"), ScenarioError):
        return _detail(line["msg"] if kind == "problem" else "", loc, value, context)
    field = _field(model, str(loc[0])) if loc else None
    message, allowed, hint = line["msg"], "", ""
    if kind == "missing":
        return _detail("is required", loc, value, {"no_value": True})
    if kind == "extra_forbidden":
        return _detail(
            "is not a known key", loc, value, {"no_value": True, "hint": nearest(str(loc[-1]), keys_of(model))}
        )
    if kind == "value_error":
        message = str(context.get("error", message))
    elif kind == "literal_error":
        message, allowed = "is not one of the allowed values", str(context.get("expected", ""))
        hint = nearest(str(value), [word.strip("'") for word in allowed.replace(" or ", ", ").split(", ")])
    elif kind in _MESSAGES or kind in _BOUNDS:
        bound = _bounds(field) if field is not None and len(loc) == 1 else ""
        if kind in _BOUNDS:
            whole = isinstance(value, int) and field is not None and "int" in str(field.annotation)
            broken = next(f"{sign} {context[key]:g}" for key, sign in _SIGNS.items() if key in context)
            message = f"must be a {'whole ' if whole else ''}number {bound or broken}"
        else:
            message = _MESSAGES[kind] + (f" {bound}" if bound else "")
        hint = _hint(value, bound) if kind in _NUMBERS | _BOUNDS else ""
    return _detail(message, loc, value, {"allowed": allowed, "hint": hint})


def _detail(message: str, loc: tuple[int | str, ...], value: Any, context: dict[str, Any]) -> InitErrorDetails:
    if isinstance(context.get("error"), ScenarioError):
        return InitErrorDetails(type="value_error", loc=loc, input=value, ctx={"error": context["error"]})
    text = message.replace("{", "(").replace("}", ")")
    return InitErrorDetails(type=PydanticCustomError("problem", text, context), loc=loc, input=value)


def _field(model: type[BaseModel], key: str) -> FieldInfo | None:
    for name, field in model.model_fields.items():
        if key in (name, field.validation_alias):
            return field
    return None


def _bounds(field: FieldInfo) -> str:
    """The constraint of a field in words: ``> 0``, ``between 0 and 1``."""
    low: list[str] = []
    high: list[str] = []
    for item in _constraints(field):
        match item:
            case annotated_types.Ge(ge=bound):
                low.append(f">= {bound}")
            case annotated_types.Gt(gt=bound):
                low.append(f"> {bound}")
            case annotated_types.Le(le=bound):
                high.append(f"<= {bound}")
            case annotated_types.Lt(lt=bound):
                high.append(f"< {bound}")
    if low == [">= 0"] and high == ["<= 1"]:
        return "between 0 and 1"
    return " and ".join(low + high)


def _constraints(thing: Any) -> list[Any]:
    """Constraints of a field, also those of the one type of an optional field."""
    if isinstance(thing, FieldInfo):
        return [*thing.metadata, *_constraints(thing.annotation)]
    found = []
    if get_origin(thing) is Annotated:
        for item in get_args(thing)[1:]:
            found += item.metadata if isinstance(item, FieldInfo) else [item]
    elif get_origin(thing) in (Union, UnionType):
        for part in get_args(thing):
            found += _constraints(part)
    return found


def _hint(value: Any, bound: str = "") -> str:
    """What the writer of a wrong number probably meant."""
    if isinstance(value, bool):
        return "a boolean is no number"
    if isinstance(value, str):
        if "," in value:
            return "write numbers with a decimal point and without quotes"
        try:
            float(value)
        except ValueError:
            return ""
        return "write numbers without quotes"
    if bound == "between 0 and 1" and isinstance(value, (int, float)) and 1 < value <= 100 and math.isfinite(value):
        return f"{value:g} %? write {value / 100:g}"
    return ""


def _shown(value: Any) -> Any:
    return None if isinstance(value, (Mapping, BaseModel)) else value
