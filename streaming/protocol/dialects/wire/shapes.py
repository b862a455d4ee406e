"""Payloads of the wrong shape, read field by field as far as possible.

For example, some servers send a text in the place of a number, or a null in a list.
"""

from __future__ import annotations

from typing import Any, TypeVar, get_args, get_origin

import msgspec

from streaming.protocol.dialects.wire.decoding import UNREADABLE

S = TypeVar("S", bound=msgspec.Struct)


NOTHING = frozenset({"", "null", "none", "undefined"})
"""The words, in any case, that servers send in the place of no name, no id or no finish reason."""


def is_nothing(value: Any) -> bool:
    """Returns True for null, and for a word that stands in its place."""
    return str(value).strip().lower() in NOTHING


def object_of(value: Any) -> dict[str, Any]:
    """Returns an object. Any other value counts as an empty one."""
    return value if isinstance(value, dict) else {}


def shape(value: dict[str, Any], kind: type[S]) -> S:
    """Returns `value` as a `kind`. Fields that do not fit get their default; list items that do not are left out."""
    try:
        return msgspec.convert(value, kind, strict=False)
    except UNREADABLE:
        pass
    fields = {f.name: (f.type, value[f.encode_name]) for f in msgspec.structs.fields(kind) if f.encode_name in value}
    read = {name: _shape_field(wire, type_) for name, (type_, wire) in fields.items()}
    return kind(**{name: fit for name, fit in read.items() if fit is not msgspec.UNSET})


def _shape_field(wire: Any, type_: Any) -> Any:
    try:
        return msgspec.convert(wire, type_, strict=False)
    except UNREADABLE:
        pass
    inner, is_list = _struct_in(type_)
    if inner is None:
        return msgspec.UNSET
    items = [shape(item, inner) for item in (wire if isinstance(wire, list) else [wire]) if isinstance(item, dict)]
    if is_list:
        return items
    return items[0] if items and isinstance(wire, dict) else msgspec.UNSET


def _struct_in(type_: Any, *, is_list: bool = False) -> tuple[type[msgspec.Struct] | None, bool]:
    """Returns the struct X within `X | None` or `list[X] | None`, and True if it is a list."""
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
        return type_, is_list
    is_list = is_list or get_origin(type_) is list
    found = (_struct_in(arg, is_list=is_list) for arg in get_args(type_))
    return next((pair for pair in found if pair[0]), (None, False))
