"""Entries of `STREAMING_PROVIDERS`. Settings modules import this, so it imports nothing of the app."""

from __future__ import annotations

from typing import Any


def scripted_entry(**options: Any) -> dict[str, Any]:
    """Returns the entry of a scripted provider."""
    return {"BACKEND": "streaming.providers.scripted.Scripted", "OPTIONS": options}
