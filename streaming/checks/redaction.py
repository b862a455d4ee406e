"""Checks `STREAMING_REDACT`, the function that hides content from staff and exports."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error
from django.utils.module_loading import import_string

from streaming.conf import settings

HINT = "Name a function of yours: def redact(part: Part) -> Part | None. Until then the admin shows no content."


def check_redaction(**kwargs: Any) -> list[CheckMessage]:
    """Checks that the function can be imported."""
    path = settings.REDACT
    if not path:
        return []
    try:
        found = import_string(path)
    except ImportError as fault:
        return [Error(f"STREAMING_REDACT cannot be imported: {fault}.", hint=HINT, id="streaming.E064")]
    if callable(found):
        return []
    return [Error(f"STREAMING_REDACT, {path}, is not a function.", hint=HINT, id="streaming.E064")]
