"""Redaction: a function of the site sees each part before staff see it and before it is exported."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from streaming.conf import function_at, settings
from streaming.protocol import Part, TextPart, is_of_another_version, text_of

Redact = Callable[[Part], Part | None]


def is_redacting() -> bool:
    """True if the site names a function."""
    return bool(settings.REDACT)


def redactor() -> Redact | None:
    """Returns the site's function, or None if there is none.

    Raises:
        ImproperlyConfigured: it cannot be imported or called.
    """
    return function_at(settings.REDACT, "STREAMING_REDACT") if settings.REDACT else None


def redacted(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Returns the parts as `STREAMING_REDACT` returns them, without those for which it returns None.

    The function is not asked about a part that another version of the app wrote: neither can read it.
    """
    redact = redactor()
    if redact is None:
        return tuple(parts)
    known = (part for part in parts if not is_of_another_version(part))
    return tuple(one for part in known if (one := redact(part)) is not None)


def redacted_text(text: str) -> str:
    """Returns a title or another text of content as `STREAMING_REDACT` returns it, as a text part."""
    return text_of(redacted((TextPart(text=text),))) if text else text
