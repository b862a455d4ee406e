"""The secrets in the entry of a server. They are masked in all texts and logs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

from streaming.mcp.servers import Server

# Variables whose values are masked in all texts. Others may be ordinary words.
NAMED = re.compile(r"key|token|secret|passw|auth|credential", re.IGNORECASE)

# A part of a path that looks like a token: long, and with a digit.
TOKEN = re.compile(r"(?=.*\d)[\w.~-]{16,}")


def secrets_of(server: Server) -> Iterator[str]:
    """Yields the values of the headers, the values of secret variables, and the secret parts of the URL.

    A header's value comes also without a scheme such as `Bearer`.
    """
    for value in server.headers.values():
        yield from (value, value.rpartition(" ")[2])
    yield from (value for name, value in server.env.items() if NAMED.search(name))
    url = urlsplit(server.url)
    yield from (url.query, url.password or "", *(value for _, value in parse_qsl(url.query)))
    yield from filter(TOKEN.fullmatch, url.path.split("/"))
