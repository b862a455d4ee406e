"""Finds the media type of a file from its bytes. The client's word counts only if the bytes cannot decide."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

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
"""Media types, each with the pattern of a file's first bytes."""

IMAGES = tuple(media_type for media_type, _ in SIGNATURES if media_type.startswith("image/"))
"""The types that a page may show as pictures. No code can run in them."""

KNOWN = frozenset(media_type for media_type, _ in SIGNATURES)
# The types that browsers send for a file that they do not know.
UNNAMED = frozenset({"", "application/octet-stream"})


# Text that a browser may execute or render as markup, so it must not count as plain text.
MARKUP = frozenset({"text/html", "text/xml"})
# The type that Windows gives to CSV files once a spreadsheet program is installed.
SPREADSHEET = "application/vnd.ms-excel"


def media_type_of(content: bytes, claimed: str, name: str = "") -> str:
    """Returns the media type of `content`. The client sent the file as `name` with the type `claimed`.

    Raises:
        UnsupportedFile: the bytes are not of the claimed type.
    """
    found = next((media_type for media_type, begins in SIGNATURES if begins.match(content)), None)
    return found or _unsigned(content, _bare(claimed), name)


def _bare(claimed: str) -> str:
    """Returns a media type without parameters, in lower case."""
    return claimed.partition(";")[0].strip().lower()


def _unsigned(content: bytes, claimed: str, name: str) -> str:
    if claimed == SPREADSHEET and name.lower().endswith(".csv") and _is_utf8(content):
        return "text/csv"
    if claimed in UNNAMED:
        return "text/plain" if _is_utf8(content) else "application/octet-stream"
    if claimed in KNOWN or (is_text(claimed) and not _is_utf8(content)):
        wanted = _("text in UTF-8") if is_text(claimed) else claimed
        told = {"claimed": claimed[:100], "wanted": wanted}
        raise UnsupportedFile(_("The file is called %(claimed)s, but its content is not %(wanted)s.") % told)
    return "text/plain" if claimed.startswith("text/") and not _keeps_name(claimed) else claimed


def _keeps_name(media_type: str) -> bool:
    """Returns True for a text type that is kept. All other text, such as source code, counts as plain text."""
    return media_type in MARKUP or media_type in settings.FILE_TYPES


def _is_utf8(content: bytes) -> bool:
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False
