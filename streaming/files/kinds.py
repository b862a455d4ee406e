"""What a file is, by its own bytes: what a client calls it is believed only where bytes cannot tell."""

from __future__ import annotations

import re

from streaming.conf import settings
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


# Text that a browser would run, or read as markup: it is not plain text.
MARKUP = frozenset({"text/html", "text/xml"})
# What Windows says of a table as text, once a spreadsheet program is installed there.
SPREADSHEET = "application/vnd.ms-excel"


def media_type_of(content: bytes, claimed: str, name: str = "") -> str:
    """The media type of `content`, in a file that a client called `name` and said to be `claimed`.

    Raises:
        UnsupportedFile: it is not what it is called.
    """
    found = next((media_type for media_type, begins in SIGNATURES if begins.match(content)), None)
    return found or _unsigned(content, _bare(claimed), name)


def _bare(claimed: str) -> str:
    """Without parameters."""
    return claimed.partition(";")[0].strip().lower()


def _unsigned(content: bytes, claimed: str, name: str) -> str:
    if claimed == SPREADSHEET and name.lower().endswith(".csv") and _is_utf8(content):
        return "text/csv"
    if claimed in UNNAMED:
        return "text/plain" if _is_utf8(content) else "application/octet-stream"
    if claimed in KNOWN or (is_text(claimed) and not _is_utf8(content)):
        wanted = "text in UTF-8" if is_text(claimed) else claimed
        raise UnsupportedFile(f"The file is called {claimed[:100]}, but its content is not {wanted}.")
    return "text/plain" if claimed.startswith("text/") and not _keeps_name(claimed) else claimed


def _keeps_name(media_type: str) -> bool:
    """Text has as many names as there are languages. All of it is plain text, but for what the site itself names."""
    return media_type in MARKUP or media_type in settings.FILE_TYPES


def _is_utf8(content: bytes) -> bool:
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False
