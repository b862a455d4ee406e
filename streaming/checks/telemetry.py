"""Checks that OpenTelemetry is there if the site wants it."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from django.core.checks import CheckMessage, Error

from streaming.conf import install, settings


def check_telemetry(**kwargs: Any) -> list[CheckMessage]:
    """Checks that the extra `otel` is installed if `STREAMING_TELEMETRY` is on."""
    if not settings.TELEMETRY or find_spec("opentelemetry") is not None:
        return []
    return [
        Error(
            "STREAMING_TELEMETRY is on, but the package 'opentelemetry-api' is missing.",
            hint=install("otel"),
            id="streaming.E065",
        )
    ]
