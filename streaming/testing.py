"""The test kit for projects that use this app: script the model, read the stream, leave nothing running.

    @pytest.mark.django_db(transaction=True)
    async def test_my_chat():
        with scripted(text="Hello"):
            result = await chat("Hi", user=None)
        assert result.text == "Hello"
        await settle_all()

Generations write from threads of their own, so tests need real transactions (`TransactionTestCase`, or pytest-django's
`transaction=True`) and a database that threads can share: a file, not SQLite's `:memory:`.
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
from streaming.subscription import Subscription, subscribe
from streaming.supervisor import current

SILENCE_SECONDS = 10
SETTLE_SECONDS = 30


@contextmanager
def scripted(alias: str = "default", **options: Any) -> Iterator[None]:
    """Let provider `alias` replay a script; `options` are those of `streaming.providers.scripted.Scripted`."""
    backend = {"BACKEND": "streaming.providers.scripted.Scripted", "OPTIONS": options}
    with override_settings(STREAMING_PROVIDERS={alias: backend}):
        yield


async def settle_all() -> None:
    """Stop what the running event loop still generates, wait until it is stored, close the providers.

    Raises:
        TimeoutError: something did not end within `SETTLE_SECONDS`; better a failed test than one that hangs.
    """
    async with asyncio.timeout(SETTLE_SECONDS):
        supervisor = current()
        supervisor.cancel_all("user")
        await supervisor.idle()
        await close_journals()
        await close_providers()


async def frames_of(generation_id: uuid.UUID, after: int = 0) -> list[bytes]:
    """Every frame of a generation after number `after`, to its end.

    Raises:
        TimeoutError: nothing came for `SILENCE_SECONDS`.
    """
    subscription = await subscribe(generation_id, after)
    try:
        return await drain(subscription)
    finally:
        subscription.close()


async def drain(subscription: Subscription) -> list[bytes]:
    """What a subscription still gives, to its end. Raises as `frames_of`."""
    frames: list[bytes] = []
    while (more := await subscription.next(SILENCE_SECONDS)) is not None:
        if not more:
            raise TimeoutError(f"The generation has been silent for {SILENCE_SECONDS} seconds.")
        frames += more
    return frames


def chunks_of(frames: Sequence[bytes]) -> list[dict[str, Any]]:
    """The UI chunks inside frames, as dicts with a `type`."""
    return [msgspec.json.decode(chunk_of(one)) for one in frames]


def seqs_of(frames: Sequence[bytes]) -> list[int]:
    """The numbers of frames."""
    return [int(one.split(b"\n", 1)[0].removeprefix(b"id: ")) for one in frames]


def text_of(frames: Sequence[bytes]) -> str:
    """The text that a reader of these frames has seen."""
    return "".join(chunk["delta"] for chunk in chunks_of(frames) if chunk["type"] == "text-delta")
