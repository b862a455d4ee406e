"""The test kit for projects that use this app. It scripts the model, reads streams and stops what still runs.

    @pytest.mark.django_db(transaction=True)
    async def test_my_chat():
        with scripted(text="Hello"):
            result = await chat("Hi", user=None)
        assert result.text == "Hello"
        await settle_all()

Generations write to the database from other threads. So tests need real transactions (`TransactionTestCase`, or
pytest-django's `transaction=True`) and a database that threads can share: a file, not SQLite's `:memory:`.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from django.test import override_settings

from streaming.journal import close_journals
from streaming.protocol.ui_stream import chunk_of
from streaming.providers import close_providers
from streaming.signals import wait_for_receivers
from streaming.subscription import Subscription, subscribe
from streaming.supervisor import current

SILENCE_SECONDS = 10
SETTLE_SECONDS = 30


@contextmanager
def scripted(alias: str = "default", **options: Any) -> Iterator[None]:
    """Makes provider `alias` replay a script. The options are those of `streaming.providers.scripted.Scripted`."""
    backend = {"BACKEND": "streaming.providers.scripted.Scripted", "OPTIONS": options}
    with override_settings(STREAMING_PROVIDERS={alias: backend}):
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
        await close_providers()


async def frames_of(generation_id: uuid.UUID, after: int = 0) -> list[bytes]:
    """Reads all frames of a generation after number `after`, up to its end.

    Raises:
        TimeoutError: no frame came for `SILENCE_SECONDS`.
    """
    subscription = await subscribe(generation_id, after)
    try:
        return await drain(subscription)
    finally:
        subscription.close()


async def drain(subscription: Subscription) -> list[bytes]:
    """Reads the remaining frames of a subscription, up to its end.

    Raises:
        TimeoutError: no frame came for `SILENCE_SECONDS`.
    """
    frames: list[bytes] = []
    while (more := await subscription.next(SILENCE_SECONDS)) is not None:
        if not more:
            raise TimeoutError(f"The generation has been silent for {SILENCE_SECONDS} seconds.")
        frames += more
    return frames


def chunks_of(frames: Sequence[bytes]) -> list[dict[str, Any]]:
    """The UI chunks in the frames, as dicts with a `type`."""
    return [msgspec.json.decode(chunk_of(one)) for one in frames]


def seqs_of(frames: Sequence[bytes]) -> list[int]:
    """The numbers of the frames."""
    return [int(one.split(b"\n", 1)[0].removeprefix(b"id: ")) for one in frames]


def text_of(frames: Sequence[bytes]) -> str:
    """The text that a reader of these frames sees."""
    return "".join(chunk["delta"] for chunk in chunks_of(frames) if chunk["type"] == "text-delta")
