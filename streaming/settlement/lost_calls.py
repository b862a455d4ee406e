"""Lost calls: side calls whose process has died before it could store their end."""

from __future__ import annotations

from collections.abc import Iterator

from streaming.models import SideCall, Status, from_now

LOST_SECONDS = 3600
"""The age from which a pending call is lost. A title has 30 seconds."""


def end_lost_calls() -> Iterator[int]:
    """Gives lost side calls the status `interrupted`, and yields how many. Their tokens and their cost stay unknown."""
    lost = SideCall.objects.filter(status=Status.PENDING, created_at__lt=from_now(-LOST_SECONDS))
    yield lost.update(status=Status.INTERRUPTED)
