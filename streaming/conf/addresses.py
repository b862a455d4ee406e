"""The addresses of servers."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_address(text: str) -> bool:
    """Returns True for an HTTP or HTTPS address with a host, such as `https://api.example.com/v1`."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a host in broken brackets, or a port that is no number below 65,536
        return False
