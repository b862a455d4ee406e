"""A conversation that is deleted while people read its answer: they are told, the answer ends, and nothing loops."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from streaming.access import SessionCheck
from streaming.chat import Answer
from streaming.errors import NotFound
from streaming.models import Conversation, Generation
from streaming.subscription import subscribe
from streaming.subscription.journal import JournalSubscription
from streaming.supervisor import current, stop
from streaming.testing import chunks_of, drain
from streaming.views.sse import stream_response
from tests.engine import ALICE, Script, run_until, submit

pytestmark = pytest.mark.usefixtures("engine")

TOLD = {"type": "error", "errorText": "This conversation has been deleted."}


@pytest.fixture
async def deleted(scripted: Script, settings: Any) -> Generation:
    """A generation that was running a moment ago."""
    settings.STREAMING_TICK_SECONDS = 0.02
    settings.STREAMING_POLL_SECONDS = 0.02
    scripted(text="word " * 10_000, delay=0.01)
    generation = await submit()
    subscription = await subscribe(generation.pk)
    await subscription.next(5)
    await Conversation.objects.all().adelete()
    return generation


async def test_reader_in_the_same_process_is_told_and_the_answer_ends(scripted: Script, settings: Any) -> None:
    settings.STREAMING_TICK_SECONDS = 0.02
    scripted(text="word " * 10_000, delay=0.01)
    generation = await submit()
    subscription = await subscribe(generation.pk)
    await subscription.next(5)
    await Conversation.objects.all().adelete()
    assert chunks_of(await drain(subscription))[-1] == TOLD
    await run_until(lambda: current().find(generation.pk) is None)
    assert await stop(generation.pk) == "not_running"


async def test_stream_in_another_process_is_told(deleted: Generation) -> None:
    response = stream_response(JournalSubscription(deleted.pk, 3), SessionCheck(ALICE, None), comes_back=True)
    pieces = [piece async for piece in response]
    assert msgspec.json.decode(pieces[-1].removeprefix(b"data: ")) == TOLD


async def test_code_that_waits_for_the_answer_is_told(deleted: Generation) -> None:
    with pytest.raises(NotFound, match="has been deleted"):
        await Answer(deleted).result()
