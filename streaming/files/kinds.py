"""What a file is, by its own bytes: what a client calls it is believed only where bytes cannot tell."""

from __future__ import annotations

import re

from streaming.errors import UnsupportedFile
from streaming.protocol.requests.data_url import is_text

SIGNATURES: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("image/png", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("image/jpeg", re.compile(rb"\xff\xd8\xff")),
    ("image/gif", re.compile(rb"GIF8[79]a")),
    ("image/webp", re.compile(rb"RIFF....WEBP", re.DOTALL)),
    ("application/pdf", re.compile(rb"%PDF-")),
)
"""Media type → how its files begin."""

IMAGES = tuple(media_type for media_type, _ in SIGNATURES if media_type.startswith("image/"))
"""What a browser may show in the page: pictures, in which nothing can run."""

KNOWN = frozenset(media_type for media_type, _ in SIGNATURES)
# What browsers say of a file whose kind they do not know.
UNNAMED = frozenset({"", "application/octet-stream"})


def media_type_of(content: bytes, claimed: str) -> str:
    """The media type of `content`, which a client called `claimed`.

    Raises:
        UnsupportedFile: it is not what it is called.
    """
    found = next((media_type for media_type, begins in SIGNATURES if begins.match(content)), None)
    return found or _unsigned(content, _bare(claimed))


def _bare(claimed: str) -> str:
    """Without parameters. Program texts have as many names as there are languages; all of them are text."""
    media_type = claimed.partition(";")[0].strip().lower()
    return "text/plain" if media_type.startswith("text/x-") else media_type


def _unsigned(content: bytes, claimed: str) -> str:
    if claimed in UNNAMED:
        return "text/plain" if _is_utf8(content) else "application/octet-stream"
    if claimed in KNOWN or (is_text(claimed) and not _is_utf8(content)):
        wanted = "text in UTF-8" if is_text(claimed) else claimed
        raise UnsupportedFile(f"The file is called {claimed[:100]}, but its content is not {wanted}.")
    return claimed


def _is_utf8(content: bytes) -> bool:
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False
