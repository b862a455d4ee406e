"""A file's URL, taken apart: data URLs carry the bytes themselves, http URLs name a place (RFC 2397)."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from urllib.parse import unquote_to_bytes

from streaming.protocol.parts import FilePart, Part, TextPart


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


def is_text(media_type: str) -> bool:
    """True for files that are read as text."""
    return media_type.startswith("text/") or media_type == "application/json"


def text_in(part: FilePart) -> str | None:
    """The text of a text file; None for another file, and for one that is not base64 of UTF-8."""
    if not is_text(part.media_type):
        return None
    try:
        return b64decode(base64_of(part.url) or "", validate=True).decode() or None
    except (binascii.Error, UnicodeDecodeError):
        return None


def text_file_as_text(part: Part) -> Part:
    """A text file as text under its name, for dialects that have no words for one; every other part as it is."""
    text = text_in(part) if isinstance(part, FilePart) else None
    if text is None or not isinstance(part, FilePart):
        return part
    return TextPart(text=f"[File {part.filename or part.media_type}]\n{text}\n[End of file]\n\n")
