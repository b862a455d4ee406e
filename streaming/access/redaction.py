"""Redaction: a function of the site sees each part before staff see it and before it is exported."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.utils.module_loading import import_string

from streaming.conf import settings
from streaming.protocol import Part, TextPart, text_of

Redact = Callable[[Part], Part | None]


def is_redacting() -> bool:
    """True if the site names a function."""
    return bool(settings.REDACT)


def redacted(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Returns the parts as `STREAMING_REDACT` returns them, without those for which it returns None."""
    redact: Redact | None = import_string(settings.REDACT) if settings.REDACT else None
    return tuple(parts) if redact is None else tuple(one for part in parts if (one := redact(part)) is not None)


def redacted_text(text: str) -> str:
    """Returns a title or another text of content as `STREAMING_REDACT` returns it, as a text part."""
    return text_of(redacted((TextPart(text=text),))) if text else text
