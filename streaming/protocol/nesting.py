"""How deep JSON may be nested here. Who reads or writes it by recursion, as most do, fails at about 1,000 levels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

MAX_NESTING = 100


def is_too_deep(value: Any) -> bool:
    """Whether a JSON value has containers within containers for more than `MAX_NESTING` levels."""
    level = [value]
    for _ in range(MAX_NESTING):
        level = [item for one in level for item in _items(one)]
        if not level:
            return False
    return any(isinstance(one, (dict, list)) for one in level)


def _items(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
