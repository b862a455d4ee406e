"""A file's URL, taken apart: data URLs carry the bytes themselves, http URLs name a place (RFC 2397)."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import unquote_to_bytes


def base64_of(url: str) -> str | None:
    """The base64 text inside a data URL; None for any other URL."""
    header, comma, payload = url.partition(",")
    if not (comma and header[:5].lower() == "data:"):
        return None
    if header.lower().endswith(";base64"):
        return payload
    return b64encode(unquote_to_bytes(payload)).decode()


def is_http(url: str) -> bool:
    """True when the provider could fetch it."""
    return url.lower().startswith(("http://", "https://"))
