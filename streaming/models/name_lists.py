"""Lists of names in one text column. Each name stands between line ends, so that SQL finds exactly one of them."""

from __future__ import annotations

from collections.abc import Iterable


def joined(names: Iterable[str]) -> str:
    """Returns names as one text with a line end before and after each; empty without names."""
    lines = "\n".join(dict.fromkeys(" ".join(name.split()) for name in names if name.split()))
    return f"\n{lines}\n" if lines else ""


def names_in(text: str) -> list[str]:
    """Returns the names in a text that `joined` has made."""
    return text.split("\n")[1:-1]


def listed(name: str) -> str:
    """Returns the text that `joined` texts with this name contain, and no others."""
    return f"\n{name}\n"
