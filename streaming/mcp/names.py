"""The full names of tools, `server__tool`. They keep the tools of servers apart, and fit the rules of all vendors."""

from __future__ import annotations

import hashlib
import re

SEPARATOR = "__"
MAX_CHARS = 64
"""The longest name that every vendor accepts, in characters."""

_STRANGE = re.compile(r"[^a-zA-Z0-9_-]")
_HASH_CHARS = 8


def full_name(server: str, tool: str) -> str:
    """Returns the name under which a model knows a server's tool: at most 64 letters, digits, `_` and `-`.

    A name that must be changed for that ends with a hash of the tool's own name. So two tools never have one name, and
    a tool keeps its name whatever else its server offers.
    """
    fitting = _STRANGE.sub("_", tool)
    full = f"{server}{SEPARATOR}{fitting}"
    if fitting == tool and len(full) <= MAX_CHARS:
        return full
    digest = hashlib.sha256(tool.encode()).hexdigest()[:_HASH_CHARS]
    return f"{full[: MAX_CHARS - _HASH_CHARS - 1]}_{digest}"


def server_of(full: str) -> str:
    """Returns the name of the server in a tool's full name; empty if the name has none."""
    server, separator, _ = full.partition(SEPARATOR)
    return server if separator else ""
