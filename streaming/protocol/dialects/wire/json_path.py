"""Paths to a value within JSON."""

from __future__ import annotations

from typing import Any

Path = tuple[str | int, ...]
"""The keys of objects and the positions in lists, from the outside."""


def step(value: Any, key: str | int) -> Any:
    """Returns the value under a key or at a position; None if there is none."""
    if isinstance(value, dict):
        return value.get(key)
    return value[key] if isinstance(value, list) and isinstance(key, int) and key < len(value) else None


def value_at(value: Any, path: Path) -> Any:
    """Returns the value at a path; None if there is none."""
    for key in path:
        value = step(value, key)
    return value


def with_text(value: Any, path: Path, text: str) -> Any:
    """Returns a copy of `value` with `text` at `path`."""
    if not path:
        return text
    copy = value.copy()
    copy[path[0]] = with_text(value[path[0]], path[1:], text)
    return copy
