"""Hints: what to do about a name that does not exist, or a package that is missing."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches


def install(extra: str) -> str:
    """Returns the hint to install one of this package's extras. Windows knows only these quotes."""
    return f'Run: pip install "django-llm-streaming[{extra}]"'


def suggest(name: str, known: Collection[str], prefix: str = "") -> str:
    """Returns the hint for an unknown name: the most similar known name, or all of them.

    `prefix` is written before each name and does not count for the similarity.
    """
    close = get_close_matches(name, known, n=1)
    if close:
        return f"Did you mean {prefix + close[0]!r}?"
    return f"It must be one of: {', '.join(prefix + each for each in sorted(known))}."
