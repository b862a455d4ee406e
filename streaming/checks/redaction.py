"""Checks `STREAMING_REDACT`, the function that hides content from staff and exports."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

from streaming.access import redactor

HINT = "Name a function: def redact(part: Part) -> Part | None. Until then the admin shows no content."


def check_redaction(**kwargs: Any) -> list[CheckMessage]:
    """Checks that the function can be imported."""
    try:
        redactor()
    except ImproperlyConfigured as error:
        return [Error(str(error), hint=HINT, id="streaming.E064")]
    return []
