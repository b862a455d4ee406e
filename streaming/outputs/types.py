"""A wanted type: its schema for the provider, and how its JSON becomes an object.

msgspec reads Structs, dataclasses, TypedDicts and the types of the standard library. pydantic reads its own models, and
what has them inside. This package never imports pydantic: a site that passes a pydantic model has imported it already.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from streaming.outputs.strict import NotStrict, is_recursive, strict
from streaming.protocol import OutputSpec

VALUE = "value"
"""The only key of the object that is asked for if the type is no object, for example a list."""

UNFIT = re.compile(r"[^a-zA-Z0-9_-]+")
MAX_NAME = 64
_AT = re.compile(r"(.*) - at `(?:key` in `)?(\$.*)`", re.DOTALL)


class Mismatch(Exception):
    """The JSON is not of the type. `path` is the place, for example `$.items[0].price`."""

    def __init__(self, reason: str, path: str = "$") -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path


class _Boxed(msgspec.Struct):
    value: msgspec.Raw


Decode = Callable[[bytes], Any]


class OutputType(msgspec.Struct, frozen=True, kw_only=True):
    """A wanted type. `reason` says why the vendors' own modes cannot express it, or is empty.

    `is_boxed` is True if the type is no object. Then the object that is asked for has it under the key `value`. If it
    `is_list`, a bare list is also accepted.
    """

    spec: OutputSpec
    decode_value: Decode
    reason: str = ""
    is_boxed: bool = False
    is_list: bool = False

    @classmethod
    def of(cls, wanted: Any) -> OutputType:
        """Makes the `OutputType` of a type.

        Raises:
            TypeError: neither msgspec nor pydantic can make a JSON schema of it.
        """
        schema, decode = _read_by_pydantic(wanted) or _read_by_msgspec(wanted)
        top = _inlined(schema)
        is_boxed = top.get("type") != "object"
        asked = _boxed(schema) if is_boxed else top
        try:
            strict_schema, reason = strict(asked), ""
        except NotStrict as fault:
            strict_schema, reason = None, str(fault)
        spec = OutputSpec(
            name="answer" if is_boxed else _name_of(wanted),
            schema=asked,
            strict=strict_schema,
            description=top.get("description", ""),
            is_recursive=is_recursive(schema),
        )
        is_list = top.get("type") == "array"
        return cls(spec=spec, decode_value=decode, reason=reason, is_boxed=is_boxed, is_list=is_list)

    def decode(self, text: str) -> Any:
        """Returns the object of this type that the JSON is.

        Raises:
            Mismatch: it is not of this type, or no JSON.
        """
        value = text.encode("utf-8", "replace")
        if self.is_boxed and not text.startswith("["):
            try:
                value = bytes(msgspec.json.decode(value, type=_Boxed).value)
            except (msgspec.MsgspecError, RecursionError) as fault:
                raise _mismatch(fault) from fault
        return self.decode_value(value)


def _mismatch(fault: Exception) -> Mismatch:
    found = _AT.fullmatch(str(fault))
    return Mismatch(found[1], found[2]) if found else Mismatch(str(fault))


def _read_by_msgspec(wanted: Any) -> tuple[dict[str, Any], Decode]:
    try:
        schema = msgspec.json.schema(wanted)
        decoder = msgspec.json.Decoder(wanted)
    except NameError as fault:
        raise TypeError(f"An annotation of {wanted!r} cannot be read: {fault}.") from fault
    except TypeError as fault:
        if "pydantic" in sys.modules:
            return _with_adapter(wanted)
        raise TypeError(f"{wanted!r} has no JSON schema: {fault}") from fault

    def decode(value: bytes) -> Any:
        try:
            return decoder.decode(value)
        except (msgspec.MsgspecError, RecursionError) as fault:
            raise _mismatch(fault) from fault

    return schema, decode


def _read_by_pydantic(wanted: Any) -> tuple[dict[str, Any], Decode] | None:
    """Returns None if the type is no model of pydantic."""
    return _with_adapter(wanted) if hasattr(wanted, "__pydantic_core_schema__") else None


def _with_adapter(wanted: Any) -> tuple[dict[str, Any], Decode]:
    pydantic = sys.modules["pydantic"]
    try:
        adapter = pydantic.TypeAdapter(wanted)
        schema: dict[str, Any] = adapter.json_schema()
    except (pydantic.errors.PydanticSchemaGenerationError, pydantic.errors.PydanticInvalidForJsonSchema) as fault:
        raise TypeError(f"{wanted!r} has no JSON schema: {fault}") from fault

    def decode(value: bytes) -> Any:
        try:
            return adapter.validate_json(value)
        except pydantic.ValidationError as fault:
            first = fault.errors(include_url=False)[0]
            raise Mismatch(first["msg"], "$" + "".join(map(_step, first["loc"]))) from fault

    return schema, decode


def _step(place: str | int) -> str:
    return f"[{place}]" if isinstance(place, int) else f".{place}"


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """Returns the schema with its top level in place of a reference. Definitions stay in `$defs`, if any is used."""
    if "$ref" not in schema:
        return schema
    named: dict[str, Any] = schema["$defs"]
    name = schema["$ref"].rpartition("/")[2]
    others = named if is_recursive(schema) else {key: one for key, one in named.items() if key != name}
    top: dict[str, Any] = named[name]
    return top | ({"$defs": others} if others else {})


def _boxed(schema: dict[str, Any]) -> dict[str, Any]:
    inner = {key: value for key, value in schema.items() if key != "$defs"}
    box = {"type": "object", "properties": {VALUE: inner}, "required": [VALUE], "additionalProperties": False}
    return box | ({"$defs": schema["$defs"]} if "$defs" in schema else {})


def _name_of(wanted: Any) -> str:
    """Returns a name that every vendor accepts."""
    return UNFIT.sub("_", getattr(wanted, "__name__", "") or "answer").strip("_")[:MAX_NAME] or "answer"
