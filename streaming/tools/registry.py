"""The registry: all tools of a site, and the tools that one generation is offered."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from streaming.conf import imported, settings
from streaming.protocol import ToolSpec
from streaming.tools.remote import absent_tool, tools_of_servers
from streaming.tools.tool import Tool

AnyTool = Tool | ToolSpec
ALL_OF_SERVER = "__*"


class Toolbox(msgspec.Struct, frozen=True):
    """The tools that one generation is offered.

    A `Tool` is executed on the server; a `ToolSpec` describes a tool that the client executes.
    """

    tools: Mapping[str, AnyTool] = {}

    @classmethod
    def of(cls, tools: Iterable[AnyTool]) -> Toolbox:
        """Makes a toolbox.

        Raises:
            TypeError: two different tools have the same name.
        """
        named: dict[str, AnyTool] = {}
        for tool in tools:
            if named.setdefault(tool.name, tool) != tool:
                raise TypeError(f"Two tools have the name {tool.name!r}.")
        return cls(named)

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        return tuple(tool.spec if isinstance(tool, Tool) else tool for tool in self.tools.values())

    @property
    def live_fields(self) -> dict[str, Collection[str]]:
        """The arguments that readers see while they grow, by tool. Tools without any are left out."""
        here = (tool for tool in self.tools.values() if isinstance(tool, Tool))
        return {tool.name: tool.live_fields for tool in here if tool.live_fields}

    def executable(self, name: str) -> Tool | None:
        """Returns the tool of that name if this site executes it, else None."""
        found = self.tools.get(name) or absent_tool(name)
        return found if isinstance(found, Tool) else None


def registered() -> Mapping[str, AnyTool]:
    """Returns the tools of `STREAMING_TOOLS` and of the MCP servers, by name. Raises as `site_tools`."""
    return {**tools_of_servers(), **site_tools()}


def is_ours(name: str) -> bool:
    """Returns True for the name of a tool of this site or of one of its MCP servers, connected or not.

    A client may neither answer for such a tool nor bring one of that name.
    """
    return name in registered() or absent_tool(name) is not None


def site_tools() -> Mapping[str, AnyTool]:
    """Returns the tools of `STREAMING_TOOLS` by name.

    Raises:
        ImproperlyConfigured: it is no list, a path cannot be imported, is not a tool, or two tools have the same name.
    """
    paths: Any = settings.TOOLS
    if not isinstance(paths, (list, tuple)):
        raise ImproperlyConfigured(f"STREAMING_TOOLS must be a list of dotted paths, not {paths!r}.")
    return _tools_at(tuple(paths))


def toolbox_for(provider: str, chosen: Collection[str] | None = None) -> Toolbox:
    """Returns the tools that the model is offered: those of `chosen`, the provider's `TOOLS`, or all of the site.

    `chosen` are the names that the conversation has, None if it has none. Unknown names are ignored. The name
    `server__*` means all tools of an MCP server.
    """
    every = registered()
    if chosen is None:
        configured = settings.PROVIDERS.get(provider)
        chosen = configured.get("TOOLS", list(every)) if configured else ()
    return Toolbox.of(every[name] for pattern in chosen for name in _named(pattern, every))


def _named(pattern: str, every: Collection[str]) -> Iterable[str]:
    if not pattern.endswith(ALL_OF_SERVER):
        return [pattern] if pattern in every else []
    return [name for name in every if name.startswith(pattern.removesuffix("*"))]


@functools.lru_cache(maxsize=1)
def _tools_at(paths: tuple[str, ...]) -> dict[str, AnyTool]:
    found: dict[str, AnyTool] = {}
    for path in paths:
        tool = _imported(path)
        if tool.name in found:
            raise ImproperlyConfigured(
                f"STREAMING_TOOLS has two tools of the name {tool.name!r}. Rename one: @tool(name=…)."
            )
        found[tool.name] = tool
    return found


def _imported(path: str) -> AnyTool:
    try:
        tool: Any = imported(path)
    except ImportError as fault:
        raise ImproperlyConfigured(f"The tool {path!r} of STREAMING_TOOLS cannot be imported: {fault}.") from fault
    if not isinstance(tool, AnyTool):
        raise ImproperlyConfigured(f"{path!r} of STREAMING_TOOLS is no tool. Decorate the function with @tool.")
    return tool


def _reset(*, setting: str, **kwargs: Any) -> None:
    if setting == "STREAMING_TOOLS":
        _tools_at.cache_clear()


setting_changed.connect(_reset, dispatch_uid="streaming.tools")
