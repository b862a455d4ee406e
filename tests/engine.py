"""The engine in the test's own event loop: real database, real threads, scripted provider."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any

import msgspec
import pytest

from streaming.models import Owner
from streaming.protocol.ui_stream import chunk_of
from streaming.providers import close_providers
from streaming.subscription import Subscription, subscribe
from streaming.supervisor import current

ALICE, BOB = Owner.of_visitor("alice"), Owner.of_visitor("bob")


@pytest.fixture
async def engine(transactional_db: None) -> AsyncGenerator[None]:
    """Whatever a test leaves running is stopped before its database is emptied."""
    yield
    for run in list(current()._runs.values()):
        run.cancel("user")
    await current().idle()
    await close_providers()


@pytest.fixture
def scripted(settings: Any) -> Callable[..., None]:
    """`scripted(text="…", delay=0.01)`: what the default provider answers from now on."""

    def configure(**options: Any) -> None:
        backend = {"BACKEND": "streaming.providers.scripted.Scripted", "OPTIONS": options}
        settings.STREAMING_PROVIDERS = {"default": backend}

    return configure


async def frames_of(generation_id: Any, after: int = 0) -> list[bytes]:
    """Every frame of a generation after number `after`, to its end."""
    subscription = await subscribe(generation_id, after)
    try:
        return await drain(subscription)
    finally:
        subscription.close()


async def drain(subscription: Subscription) -> list[bytes]:
    frames: list[bytes] = []
    while (more := await subscription.next(5)) is not None:
        frames += more
    return frames


def chunks_of(frames: list[bytes]) -> list[dict[str, Any]]:
    return [msgspec.json.decode(chunk_of(one)) for one in frames]


def seqs_of(frames: list[bytes]) -> list[int]:
    return [int(one.split(b"\n", 1)[0].removeprefix(b"id: ")) for one in frames]


def text_of(frames: list[bytes]) -> str:
    return "".join(chunk["delta"] for chunk in chunks_of(frames) if chunk["type"] == "text-delta")
