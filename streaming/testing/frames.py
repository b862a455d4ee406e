"""Reads the frames of an answer, and what is in them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from streaming.protocol.ui_stream import chunk_of
from streaming.subscription import Subscription, subscribe

SILENCE_SECONDS = 10


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
            raise TimeoutError(f"No frame came for {SILENCE_SECONDS} seconds. Stop the answer, or let its script end.")
        frames += more
    return frames


def chunks_of(frames: Sequence[bytes]) -> list[dict[str, Any]]:
    """The UI chunks in the frames, as dicts with a `type`."""
    return [msgspec.json.decode(chunk_of(one)) for one in frames]


def seqs_of(frames: Sequence[bytes]) -> list[int]:
    """The numbers of the frames."""
    return [int(one.split(b"\n", 1)[0].removeprefix(b"id: ")) for one in frames]


def text_in(chunks: Iterable[dict[str, Any]]) -> str:
    """The text that a reader of these UI chunks sees."""
    return "".join(chunk["delta"] for chunk in chunks if chunk["type"] == "text-delta")


def text_of(frames: Sequence[bytes]) -> str:
    """The text that a reader of these frames sees."""
    return text_in(chunks_of(frames))
