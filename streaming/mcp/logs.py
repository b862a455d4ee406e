"""Filters for the logs of the packages `mcp` and `httpx2`: they hide what a server sent, and the secrets in its URL."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from streaming.mcp.servers import Server
from streaming.providers.redact import mask

LOGGERS = (
    "mcp.client.stdio",
    "mcp.client.streamable_http",
    "mcp.shared.jsonrpc_dispatcher",
    "client",  # the name under which `mcp.client.session` logs
)
SAME_SECONDS = 10.0
"""A message is logged again after this time at the earliest. A command may print rubbish without end."""
MOST_KEPT = 100

_hosts: set[str] = set()
_logged_at: dict[str, float] = {}


def keep_secret(server: Server) -> None:
    """From now on, no log shows more of the server's URL than its host."""
    if server.url:
        _hosts.add(urlsplit(server.url).hostname or "")


def _without_content(record: logging.LogRecord) -> bool:
    """Masks secrets in a record, and removes its exception, because that shows what a server sent.

    Drops what is only information. The package informs of session ids, which let others take part in the session.
    """
    if record.name == "client" and Path(record.pathname).parent.parts[-2:] != ("mcp", "client"):
        return True  # another package's logger has the same name
    if record.levelno < logging.WARNING:
        return False
    record.exc_info, record.msg, record.args = None, mask(record.getMessage()), None
    return _is_new(record.msg)


def _is_new(text: str) -> bool:
    now = time.monotonic()
    if now - _logged_at.get(text, -SAME_SECONDS) < SAME_SECONDS:
        return False
    if len(_logged_at) >= MOST_KEPT:
        _logged_at.clear()
    _logged_at[text] = now
    return True


def _without_paths(record: logging.LogRecord) -> bool:
    """Shortens the URLs of servers to their hosts. Other packages log through the same logger."""
    if isinstance(record.args, tuple):
        record.args = tuple(map(_short, record.args))
    return True


def _short(value: object) -> object:
    is_servers = isinstance(value, httpx2.URL) and value.host in _hosts
    return f"{value.scheme}://{value.netloc.decode()}/…" if is_servers else value  # type: ignore[attr-defined]


for name in LOGGERS:
    logging.getLogger(name).addFilter(_without_content)
logging.getLogger("httpx2").addFilter(_without_paths)
