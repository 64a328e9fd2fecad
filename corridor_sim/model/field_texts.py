"""What stands under a field of a model, as its description in the schema.

Reading it takes the source of every class, a sixth of a second for all of them, so it is read
where a schema is asked for, never when the classes are made.
"""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from typing import Any

from pydantic import BaseModel


@functools.cache
def field_texts(model: type[BaseModel]) -> dict[str, str]:
    """The text under each field of a class that has one, those of its bases included.

    Examples
    --------
    >>> from corridor_sim.model.base import Sourced
    >>> field_texts(Sourced)["source"]
    'Source id, or the source in words.'
    """
    texts: dict[str, str] = {}
    for base in reversed(model.__mro__):
        own = _texts_of(base)
        for name in vars(base).get("__annotations__", {}):
            texts.pop(name, None)
            if name in own:
                texts[name] = own[name]
    return {name: text for name, text in texts.items() if name in model.model_fields}


@functools.cache
def _texts_of(made: type) -> dict[str, str]:
    """The texts in the body of one class; none where its source is not to be had."""
    if not issubclass(made, BaseModel) or made is BaseModel:
        return {}
    try:
        body: Any = ast.parse(textwrap.dedent(inspect.getsource(made))).body[0]
    except (OSError, TypeError, SyntaxError):
        return {}
    texts, field = {}, ""
    for line in body.body:
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            field = line.target.id
        else:
            if field and isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant):
                texts[field] = inspect.cleandoc(str(line.value.value))
            field = ""
    return texts


def described(model: type[BaseModel], schema: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema of a model with a description for each field that has a text and none yet."""
    texts = {str(model.model_fields[name].validation_alias or name): text for name, text in field_texts(model).items()}
    for name, inner in schema.get("properties", {}).items():
        if name in texts and "description" not in inner:
            schema["properties"][name] = dict(sorted({**inner, "description": texts[name]}.items()))
    return schema
