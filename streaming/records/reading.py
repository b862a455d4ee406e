"""Reads a value of a JSON column as what it must be."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

ShapeT = TypeVar("ShapeT")


def readable(value: Any, shape: type[ShapeT]) -> ShapeT | None:
    """Returns the value as an object of type `shape`; None if it is empty or has another shape."""
    try:
        return None if value is None else msgspec.convert(value, shape)
    except msgspec.ValidationError:
        return None
