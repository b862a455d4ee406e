"""Makes a JSON schema strict: the vendors' own modes take only a part of JSON schema.

All properties of an object become required, and no others are allowed. Rules that the vendors refuse, such as
`maximum`, become part of the description. The model reads them there, and the verdict checks them.

Sources: OpenAI, "Structured model outputs", "Supported schemas"; Anthropic, "Structured outputs", "JSON Schema
limitations". What is kept here is what both take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from streaming.protocol.nesting import MAX_NESTING

Schema = dict[str, Any]

FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"})
KEPT = frozenset({"type", "enum", "const", "description"})
SILENT = frozenset({"default", "title", "discriminator", "examples", "$defs", "additionalProperties", "required"})
"""Keywords that are dropped: they rule nothing, or are written anew."""


class NotStrict(Exception):
    """The vendors' own modes cannot express the type. The text names the place and the reason."""


def strict(schema: Schema) -> Schema:
    """Returns the schema for the vendors' own modes.

    Raises:
        NotStrict: they cannot express it.
    """
    made = _strict(schema, "$")
    if named := schema.get("$defs"):
        made["$defs"] = {name: _strict(one, name) for name, one in named.items()}
    return made


def _strict(schema: Schema, path: str) -> Schema:
    if path.count(".") > MAX_NESTING:
        raise NotStrict(f"{path} is nested too deep.")
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}  # OpenAI allows nothing beside it
    made = _typed({key: value for key, value in schema.items() if key in KEPT})
    rules = []
    for key, value in schema.items():
        if write := WRITERS.get(key):
            made |= write(value, path)
        elif key == "format" and value in FORMATS:
            made[key] = value
        elif key not in KEPT | SILENT:
            rules.append(f"{key}: {value if isinstance(value, str) else msgspec.json.encode(value).decode()}")
    if rules:
        made["description"] = " ".join([*filter(None, [made.get("description")]), f"({', '.join(rules)})"])
    return _checked(made, schema, path)


def _typed(schema: Schema) -> Schema:
    """Adds the type of an enum's values, because OpenAI wants types everywhere. Several types become a union."""
    values = schema.pop("enum", [schema.pop("const")] if "const" in schema else [])
    by_type: dict[str, list[Any]] = {}
    for value in values:
        by_type.setdefault(TYPES.get(type(value), "string"), []).append(value)
    choices = [{"type": name, "enum": some} for name, some in by_type.items()]
    return schema | (choices[0] if len(choices) == 1 else {"anyOf": choices} if choices else {})


TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}


def _checked(made: Schema, schema: Schema, path: str) -> Schema:
    """Raises NotStrict for a schema that allows what cannot be named: any value, or any key."""
    if not made.keys() & {"type", "enum", "const", "anyOf", "$ref"}:
        raise NotStrict(f"{path} may be any value.")
    if made.get("type") == "array" and "items" not in made:
        raise NotStrict(f"{path} is a list of any values, or a tuple.")
    if made.get("type") != "object":
        return made
    if "properties" not in schema and schema.get("additionalProperties") is not False:
        raise NotStrict(f"{path} is a dict with any keys; use a list of objects with a key and a value.")
    named = made.setdefault("properties", {})
    return made | {"required": list(named), "additionalProperties": False}


def _properties(value: Schema, path: str) -> Schema:
    return {"properties": {name: _strict(one, f"{path}.{name}") for name, one in value.items()}}


def _items(value: Any, path: str) -> Schema:
    return {"items": _strict(value, f"{path}[…]")} if isinstance(value, dict) else {}


def _any_of(value: list[Schema], path: str) -> Schema:
    return {"anyOf": [_strict(one, path) for one in value]}


def _all_of(value: list[Schema], path: str) -> Schema:
    if len(value) != 1:
        raise NotStrict(f"{path} must match several schemas at once.")
    return _strict(value[0], path)


def _tuple(value: Any, path: str) -> Schema:
    raise NotStrict(f"{path} is a tuple with a type for each place; use an object.")


WRITERS: dict[str, Callable[[Any, str], Schema]] = {
    "properties": _properties,
    "items": _items,
    "anyOf": _any_of,
    "oneOf": _any_of,
    "allOf": _all_of,
    "prefixItems": _tuple,
}


def is_recursive(schema: Schema) -> bool:
    """Returns True if a definition of the schema refers to itself, directly or by way of others."""
    named = {f"#/$defs/{name}": set(_refs(one)) for name, one in schema.get("$defs", {}).items()}
    return any(_reaches(name, name, named, set()) for name in named)


def _reaches(start: str, goal: str, named: dict[str, set[str]], seen: set[str]) -> bool:
    for ref in named.get(start, set()):
        if ref == goal:
            return True
        if ref not in seen:
            seen.add(ref)
            if _reaches(ref, goal, named, seen):
                return True
    return False


def _refs(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        for one in schema.values():
            yield from _refs(one)
    elif isinstance(schema, list):
        for one in schema:
            yield from _refs(one)
