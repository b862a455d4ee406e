"""The entries of `STREAMING_MCP_SERVERS` as typed values, and the problems of entries that cannot be read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from streaming.conf import Seconds, is_address, settings

# A name has no double underscore and none at its ends, so the first `__` of a tool's full name ends the server's name.
NAME = re.compile(r"[a-zA-Z0-9-]+(_[a-zA-Z0-9-]+)*")
MAX_NAME_CHARS = 24
"""The longest name of a server, in characters. 38 of the 64 that vendors allow are left for the tool."""

OF_STDIO, OF_HTTP = ("command", "args", "env"), ("url", "headers")


class Server(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One MCP server: a `command` that is started, or a `url` that is called.

    `approval` says which calls a person must approve: `hints` leaves it to the server, a tuple names tools. `timeout`
    is the longest time of one call, in seconds; None means `STREAMING_TOOL_SECONDS`. `label` is its name on the page.
    """

    name: str
    command: str = ""
    args: tuple[str, ...] = ()
    env: dict[str, str] = {}
    url: str = ""
    headers: dict[str, str] = {}
    approval: Literal["hints", "always", "never"] | tuple[str, ...] = "hints"
    timeout: Seconds | None = None
    label: str = ""

    def __repr__(self) -> str:
        return f"Server({self.name!r})"  # the environment and the headers have secrets

    def asks_first(self, tool: str, *, is_read_only: bool | None, is_destructive: bool | None) -> bool:
        """Returns True if a person must approve calls of a tool. The hints are the server's; None is unknown.

        A tool without hints may be destructive: the protocol's own default.
        """
        if isinstance(self.approval, tuple):
            return tool in self.approval
        if self.approval == "hints":
            return not is_read_only and is_destructive is not False
        return self.approval == "always"


def configured() -> dict[str, Server]:
    """Returns the servers of the settings by name. Wrong entries are left out; `manage.py check` reports them."""
    entries: Any = settings.MCP_SERVERS
    if not isinstance(entries, Mapping):
        return {}
    return {name: _server(name, entry) for name, entry in entries.items() if not list(_problems(name, entry))}


def problems() -> Iterator[tuple[str, str]]:
    """Yields a text and a hint for each wrong entry of the settings. No text contains a value."""
    entries: Any = settings.MCP_SERVERS
    if not isinstance(entries, Mapping):
        yield "STREAMING_MCP_SERVERS must be a dict of dicts.", "Each entry is a server under its name."
        return
    for name, entry in entries.items():
        for told, hint in _problems(name, entry):
            yield f"STREAMING_MCP_SERVERS[{name!r}] {told}", hint


def _server(name: str, entry: Mapping[str, Any]) -> Server:
    label = str(entry.get("label") or name)  # it may be a lazy translation
    return msgspec.convert({**entry, "name": name, "label": label}, Server)


def _problems(name: Any, entry: Any) -> Iterator[tuple[str, str]]:
    if not (isinstance(name, str) and NAME.fullmatch(name) and len(name) <= MAX_NAME_CHARS):
        hint = f"Use at most {MAX_NAME_CHARS} letters, digits, hyphens and single underscores between them."
        yield "has a name that cannot begin the names of tools.", hint
    elif not isinstance(entry, Mapping):
        yield "must be a dict.", 'For example: {"command": "npx", "args": ["-y", "some-server"]}.'
    elif bool(entry.get("command")) == bool(entry.get("url")):
        yield 'needs either a "command" or a "url".', "A command is started here; a URL is called."
    elif strange := [key for key in (OF_HTTP if entry.get("command") else OF_STDIO) if entry.get(key)]:
        yield f"has {strange[0]!r}, which has no meaning there.", 'It is "env" with a command, "headers" with a URL.'
    else:
        yield from _misfits(name, entry)


def _misfits(name: str, entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    try:
        server = _server(name, entry)
    except msgspec.ValidationError as misfit:
        fields = ", ".join(Server.__struct_fields__[1:])
        yield f"is wrong: {misfit}.", f"It may have: {fields}."
        return
    if server.url and not is_address(server.url):
        yield 'has a "url" that is no address.', "It begins with https:// or http://."
