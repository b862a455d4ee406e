"""The addresses that models may show to people. Everything else, such as `javascript:`, never leaves the server.

A client makes a picture or a link of an address. A browser follows a picture's address by itself, so a file may name
another site or a stored file of this one, but no other path of this site.
"""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["file", "source-url"]

FILE_ID = r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
# Browsers resolve dots and encoded dots, skip tabs and newlines, and read a backslash as a slash.
SEGMENT = r"(?!(?:\.|%2e){1,2}/)[\w.~%-]+/"
STORED_FILE = rf"/(?:{SEGMENT})*api/files/{FILE_ID}"
"""The path of a stored file under any mount point of the app. It has no host, because that may be another site's."""
OWN_PATH = r"/(?![/\\])[^\s\\\x00-\x1f]*"
WEB = r"https?://[^\s\\\x00-\x1f]+"
PICTURE_DATA = r"data:image/[^\s\x00-\x1f]+"

ALLOWED: dict[Kind, re.Pattern[str]] = {
    "file": re.compile(f"{WEB}|{PICTURE_DATA}|{STORED_FILE}", re.IGNORECASE),
    "source-url": re.compile(f"{WEB}|{OWN_PATH}", re.IGNORECASE),
}
"""The addresses that a chunk or part of each kind may have."""

NOWHERE = "about:blank"
"""The address that clients get in place of one that is not allowed."""


def is_allowed(kind: Kind, url: str) -> bool:
    """Returns True if a model may show this address to people."""
    return ALLOWED[kind].fullmatch(url) is not None


def file_address(url: str) -> str:
    """Returns the address of a model's file for clients: itself, or `NOWHERE` if it is not allowed."""
    return url if is_allowed("file", url) else NOWHERE
