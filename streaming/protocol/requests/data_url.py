"""File URLs: a data URL holds the file itself (RFC 2397), an http URL is an address from which it is fetched."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from urllib.parse import unquote_to_bytes

from streaming.protocol.parts import FilePart, Part, TextPart


def base64_of(url: str) -> str | None:
    """Returns the base64 text inside a data URL; None for any other URL."""
    header, comma, payload = url.partition(",")
    if not (comma and header[:5].lower() == "data:"):
        return None
    if header.lower().endswith(";base64"):
        return payload
    return b64encode(unquote_to_bytes(payload)).decode()


def is_http(url: str) -> bool:
    """Returns True if the provider can fetch the URL."""
    return url.lower().startswith(("http://", "https://"))


def is_text(media_type: str) -> bool:
    """Returns True if files of this type are read as text."""
    return media_type.startswith("text/") or media_type == "application/json"


def text_in(part: FilePart) -> str | None:
    """Returns the text of a text file; None for any other file, and if it is not base64 of UTF-8."""
    if not is_text(part.media_type):
        return None
    try:
        return b64decode(base64_of(part.url) or "", validate=True).decode() or None
    except (binascii.Error, UnicodeDecodeError):
        return None


def text_file_as_text(part: Part) -> Part:
    """Returns a text file as text under its name, for dialects without text files; any other part unchanged."""
    text = text_in(part) if isinstance(part, FilePart) else None
    if text is None or not isinstance(part, FilePart):
        return part
    return TextPart(text=f"[File {part.filename or part.media_type}]\n{text}\n[End of file]\n\n")
