"""Checks `STREAMING_MCP_SERVERS`, the package that it needs, and the names of the site's own tools beside it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

from streaming.conf import install, settings
from streaming.mcp import problems, server_for
from streaming.tools import site_tools


def check_mcp(**kwargs: Any) -> list[CheckMessage]:
    """Checks each entry. No message contains a value of an entry, because it may be secret."""
    wrong = [Error(text, hint=hint, id="streaming.E017") for text, hint in problems()]
    return [*wrong, *_missing_package(), *_names_of_servers()]


def _missing_package() -> Iterator[CheckMessage]:
    if settings.MCP_SERVERS and find_spec("mcp") is None:
        yield Error(
            "STREAMING_MCP_SERVERS is set, but the package 'mcp' is not installed.",
            hint=install("mcp"),
            id="streaming.E018",
        )


def _names_of_servers() -> Iterator[CheckMessage]:
    try:
        own = site_tools()
    except (ImproperlyConfigured, TypeError):  # `check_tools` reports it
        return
    for name in own:
        if server := server_for(name):
            yield Error(
                f"The tool {name!r} of STREAMING_TOOLS has a name like the tools of the MCP server {server.name!r}.",
                hint="Rename the tool or the server.",
                id="streaming.E019",
            )
