"""Checks `STREAMING_TOOLS`, and the tools that providers name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

from streaming.conf import settings, suggest
from streaming.mcp import server_for
from streaming.tools import registered

HINT = 'For example: STREAMING_TOOLS = ["shop.tools.order_status"], a function decorated with streaming.tools.tool.'

EXAMPLE = 'For example: "TOOLS": ["order_status"].'


def check_tools(**kwargs: Any) -> list[CheckMessage]:
    """Checks that each tool can be imported, and that providers name known tools."""
    try:
        known = registered()
    except ImproperlyConfigured as fault:
        return [Error(str(fault), hint=HINT, id="streaming.E014")]
    except TypeError as fault:  # the decorator `tool` raises it while the module is imported
        return [Error(f"A tool of STREAMING_TOOLS cannot be made: {fault}", hint=HINT, id="streaming.E014")]
    return list(_unknown_names(known))


def _unknown_names(known: Any) -> Iterator[CheckMessage]:
    providers: Any = settings.PROVIDERS  # of any shape, because `check_providers` reports a wrong shape
    for alias, entry in providers.items() if isinstance(providers, dict) else ():
        named = entry.get("TOOLS", ()) if isinstance(entry, dict) else ()
        if not isinstance(named, (list, tuple, set, frozenset)) or not all(isinstance(name, str) for name in named):
            text = f"STREAMING_PROVIDERS[{alias!r}] has wrong TOOLS: they must be a list of names."
            yield Error(text, hint=EXAMPLE, id="streaming.E015")
            continue
        for name in named:
            if name not in known and server_for(name) is None:
                text = f"STREAMING_PROVIDERS[{alias!r}] names the tool {name!r}, which is not in STREAMING_TOOLS."
                hint = suggest(name, tuple(known)) if known else HINT
                yield Error(text, hint=hint, id="streaming.E015")
