"""Scripts the model of a test, and ends what the test left running."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.test import override_settings

from streaming import mcp
from streaming.conf import settings
from streaming.journal import close_journals
from streaming.providers import close_providers
from streaming.signals import wait_for_receivers
from streaming.supervisor import current

SETTLE_SECONDS = 30


@contextmanager
def scripted(alias: str = "default", **options: Any) -> Iterator[None]:
    """Makes provider `alias` replay a script; other providers stay as they are.

    The options are those of `streaming.providers.scripted.Scripted`: what the model says, how fast, and how it fails.
    """
    backend = {"BACKEND": "streaming.providers.scripted.Scripted", "OPTIONS": options}
    with override_settings(STREAMING_PROVIDERS={**settings.PROVIDERS, alias: backend}):
        yield


async def settle_all() -> None:
    """Stops all generations of the running event loop, waits until they are stored, and closes the providers.

    Receivers of signals have ended, too.

    Raises:
        TimeoutError: a generation did not end within `SETTLE_SECONDS`. So a test fails instead of hanging.
    """
    async with asyncio.timeout(SETTLE_SECONDS):
        supervisor = current()
        supervisor.cancel_all("user")
        await supervisor.idle()
        await asyncio.to_thread(wait_for_receivers, SETTLE_SECONDS)
        await close_journals()
        await mcp.close()
        await close_providers()
