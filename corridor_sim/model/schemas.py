"""How does a field of a registered kind read what stands in a file, and what does the JSON Schema say of it?

`KindOf(REGISTRY)` makes a field that takes any registered kind.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.registry import Registry

KIND_MARK = "x-kind-of"


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
