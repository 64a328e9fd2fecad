"""What was wrong with a value, in our words: pydantic's errors as problems with path, value and what is allowed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

from corridor_sim.core.errors import Problem, ScenarioError, nearest


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


def explained(model: type[BaseModel], line: Any) -> InitErrorDetails:
    """One line of a pydantic error in our words; lines from deeper models are in our words already."""
    kind, loc, value = line["type"], line["loc"], line["input"]
    context: dict[str, Any] = dict(line.get("ctx", {}))
    if kind == "problem" or isinstance(context.get("error"), ScenarioError):
        return detail_of(line["msg"] if kind == "problem" else "", loc, value, context)
    field = _field(model, str(loc[0])) if loc else None
    message, allowed, hint = line["msg"], "", ""
    if kind == "missing":
        return detail_of("is required", loc, value, {"no_value": True})
    if kind == "extra_forbidden":
        return detail_of(
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
        hint = hint_of_number(value, bound) if kind in _NUMBERS | _BOUNDS else ""
    return detail_of(message, loc, value, {"allowed": allowed, "hint": hint})


def detail_of(message: str, loc: tuple[int | str, ...], value: Any, context: dict[str, Any]) -> InitErrorDetails:
    """One line of a pydantic error that says `message`, or the problems of the error in `context`."""
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


def hint_of_number(value: Any, bound: str = "") -> str:
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
