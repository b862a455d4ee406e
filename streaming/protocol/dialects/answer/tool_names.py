"""The names of tools: how servers write them, and which ones the request offered."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

RECIPIENT = re.compile(r"\bto=(?:functions\.)?([\w.-]+)")

NAMESPACES = ("functions.", "default_api.", "default_api:")  # gpt-oss, Gemini


def name_of(wire: Any) -> str:
    """Returns the name of a tool, without the marks of the Harmony format that some servers leave in it (gpt-oss)."""
    name = wire.strip() if isinstance(wire, str) else ""
    if "<|" not in name:
        return name
    recipient = RECIPIENT.search(name)
    found = recipient[1] if recipient else name.partition("<|")[0].strip().removeprefix("functions.")
    return found or name


class OfferedTools:
    """The names of the tools that the request offered. There are none if they are not known."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def may_include(self, name: str) -> bool:
        """Returns False if the site does not execute the tool: the request offered tools, but not this one.

        Some servers send calls of their own tools without any sign of it. A site that offers no tools may have told the
        model about tools by other means.
        """
        return not self._names or name in self._names

    def without_namespace(self, name: str) -> str:
        """Returns the name without the namespace that some models put before it, if only the rest was offered."""
        bare = next((name.removeprefix(each) for each in NAMESPACES if name.startswith(each)), name)
        return bare if bare in self._names and name not in self._names else name
