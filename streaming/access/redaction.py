"""Redaction: a function of the site sees each part before staff see it and before it is exported."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from django.utils.translation import gettext as _

from streaming.conf import function_at, settings
from streaming.protocol import Part, TextPart, dump_parts, is_of_another_version, load_parts, text_of

logger = logging.getLogger(__name__)

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

    If the function fails for a part, a text that says so takes the part's place. The function is not asked about a part
    that another version of the app wrote: neither can read it.
    """
    try:
        redact = redactor()
    except Exception as fault:  # the module of the site may raise anything while it is imported
        logger.error("Content is withheld, because STREAMING_REDACT cannot be loaded: %s", fault)
        return tuple(_withheld() for _part in parts)
    if redact is None:
        return tuple(parts)
    known = (part for part in parts if not is_of_another_version(part))
    return tuple(one for part in known if (one := _asked(redact, part)) is not None)


def redacted_text(text: str) -> str:
    """Returns a title or another text of content as `STREAMING_REDACT` returns it, as a text part."""
    return text_of(redacted((TextPart(text=text),))) if text else text


def _asked(redact: Redact, part: Part) -> Part | None:
    """Returns what the function makes of a part, or a note if it raises an exception or returns something else.

    The log gets no content, so neither the words of the exception nor what was returned.
    """
    try:
        one = redact(part)
    except Exception as fault:
        last = traceback.extract_tb(fault.__traceback__)[-1]
        where = f"{type(fault).__name__} in {last.filename}, line {last.lineno}"
        logger.error("A part is withheld, because STREAMING_REDACT failed (%s).", where)
        return _withheld()
    if one is None or one is part or _is_part(one):
        return one
    logger.error("A part is withheld, because what STREAMING_REDACT returned is no part (%s).", type(one).__name__)
    return _withheld()


def _is_part(one: Any) -> bool:
    """Returns True for a part whose fields have the types that they must have."""
    if not isinstance(one, Part):
        return False
    try:
        load_parts(dump_parts([one]))
    except (msgspec.ValidationError, TypeError, RecursionError):
        return False
    return True


def _withheld() -> Part:
    return TextPart(text=_("[Withheld: the site could not check if this may be shown.]"))
