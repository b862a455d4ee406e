"""The things that the decoder finds on the wire."""

from __future__ import annotations

import enum


class WireEventKind(enum.Enum):
    """The kinds of things that the decoder finds on the wire."""

    DATA = "data"
    """An SSE event. Its name may be empty."""
    ERROR = "error"
    """A field named `error`; the payload is its value."""
    COMMENT = "comment"
    UNKNOWN = "unknown"
    """A line with an unknown field name; the payload is the line."""
    BODY = "body"
    """A stream without any event; the payload is all of it."""
    TOO_LARGE = "too_large"
    COMPRESSED = "compressed"
    END = "end"


DATA = WireEventKind.DATA
WireEvent = tuple[WireEventKind, bytes, bytes]
"""Kind, event name, payload. It is a tuple, because the decoder makes one for each event."""
