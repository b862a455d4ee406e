"""The bound on how deep JSON may be nested.

Most programs read and write JSON by recursion, and in Python that fails at about 1,000 levels.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

MAX_NESTING = 100


def is_too_deep(value: Any) -> bool:
    """Returns True if a JSON value has more than `MAX_NESTING` levels of containers."""
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
