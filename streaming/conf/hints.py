"""Hints for names that do not exist."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches


def suggest(name: str, known: Collection[str], prefix: str = "") -> str:
    """Returns the hint for an unknown name: the most similar known name, or all of them.

    `prefix` is written before each name and does not count for the similarity.
    """
    close = get_close_matches(name, known, n=1)
    if close:
        return f"Did you mean {prefix + close[0]!r}?"
    return f"It must be one of: {', '.join(prefix + each for each in sorted(known))}."
