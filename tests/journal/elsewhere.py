"""Readers on another event loop. As in another process, they find no live log there and read the journal."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from streaming.journal import close_journals
from streaming.subscription import subscribe
from streaming.subscription.journal import JournalSubscription
from streaming.testing import seqs_of, text_of

T = TypeVar("T")
MAX_SECONDS = 60


async def elsewhere(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Runs `work()` on another loop in another thread and returns its result."""

    async def run() -> T:
        try:
            async with asyncio.timeout(MAX_SECONDS):
                return await work()
        finally:
            await close_journals()

    return await asyncio.to_thread(asyncio.run, run())


async def follow(generation_id: uuid.UUID, after: int = 0) -> list[bytes]:
    """Returns all frames that a reader gets until the end."""
    subscription = await subscribe(generation_id, after)
    assert isinstance(subscription, JournalSubscription)
    given: list[bytes] = []
    try:
        while (frames := await subscription.next(5)) is not None:
            given += frames
    finally:
        subscription.close()
    return given


async def follow_many(generation_id: uuid.UUID, cursors: list[int]) -> list[list[bytes]]:
    return await asyncio.gather(*(follow(generation_id, after) for after in cursors))


def verify(given: list[bytes], after: int, text: str) -> None:
    """Checks that numbers rise by one from the cursor or begin again at 1, and that the reader has the text.

    A reader that never began again has the part of the text after its cursor.
    """
    seqs, last, begin = seqs_of(given), after, None
    for place, seq in enumerate(seqs):
        assert seq in (last + 1, 1), f"{seq} after {last}"
        begin = place if seq == 1 else begin
        last = seq
    if begin is None:
        assert text.endswith(text_of(given))
    else:
        assert text_of(given[begin:]) == text
