"""Limits on what one owner may ask for, and on the length of an answer."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from streaming.errors import Overloaded, TooManyRequests
from streaming.models import Generation, Owner
from streaming.testing import frames_of, text_of
from tests.engine import BOB, Script, submit

pytestmark = pytest.mark.usefixtures("engine")


async def test_messages_a_minute_are_limited(scripted: Script, settings: Any) -> None:
    scripted(text="ok")
    settings.STREAMING_MAX_PROMPTS_PER_MINUTE = 2
    for key in ("c1", "c2"):
        await frames_of((await submit(key=key)).pk)
    with pytest.raises(TooManyRequests, match="2 messages a minute"):
        await submit(key="c3")
    await submit(key="c3", owner=BOB)
    await Generation.objects.aupdate(created_at=timezone.now() - timedelta(seconds=61))
    await submit(key="c3")


async def test_all_times_of_a_row_are_of_one_clock(scripted: Script) -> None:
    scripted(text="ok")
    await frames_of((await submit()).pk)
    row = await Generation.objects.aget()
    for told in (row.created_at, row.started_at, row.finished_at):
        assert abs(timezone.now() - told) < timedelta(seconds=60)


async def test_messages_sent_at_once_do_not_exceed_the_limit_of_the_owner(scripted: Script, settings: Any) -> None:
    scripted(text="ok", hang_after=0)
    settings.STREAMING_MAX_ACTIVE_PER_OWNER = 3
    sent = await asyncio.gather(*(submit(key=f"c{number}") for number in range(12)), return_exceptions=True)
    assert [type(each) for each in sent].count(TooManyRequests) == 9
    assert await Generation.objects.acount() == 3


async def test_messages_sent_at_once_do_not_exceed_the_limit_of_the_process(scripted: Script, settings: Any) -> None:
    scripted(text="ok", hang_after=0)
    settings.STREAMING_MAX_ACTIVE_PER_PROCESS = 3
    owners = [Owner.of_visitor(f"visitor {number}") for number in range(12)]
    sent = await asyncio.gather(*(submit(owner=owner) for owner in owners), return_exceptions=True)
    assert [type(each) for each in sent].count(Overloaded) == 9
    assert await Generation.objects.acount() == 3


async def test_tokens_a_day_are_limited(scripted: Script, settings: Any) -> None:
    scripted(text="one two three")
    settings.STREAMING_MAX_TOKENS_PER_DAY = 4
    await frames_of((await submit()).pk)
    row = await Generation.objects.aget()
    assert row.input_tokens + row.output_tokens >= 4
    with pytest.raises(TooManyRequests, match="for a day"):
        await submit()
    await Generation.objects.aupdate(created_at=timezone.now() - timedelta(days=1, seconds=1))
    await submit()


async def test_messages_of_a_conversation_are_limited_and_all_versions_count(scripted: Script, settings: Any) -> None:
    scripted(text="ok")
    settings.STREAMING_MAX_MESSAGES_PER_CONVERSATION = 3
    await frames_of((await submit(client_id="m1")).pk)
    await frames_of((await submit(trigger="regenerate-message")).pk)
    for more in ({}, {"trigger": "regenerate-message"}, {"client_id": "m1", "message_id": "m1"}):
        with pytest.raises(TooManyRequests, match="Start a new one"):
            await submit(**more)
    assert await Generation.objects.acount() == 2
    assert await submit(client_id="m1"), "a message that was sent before joins its answer"
    await submit(key="c2")


async def test_answer_that_is_too_long_is_broken_off(scripted: Script, settings: Any) -> None:
    settings.STREAMING_MAX_ANSWER_BYTES = 5000
    scripted(text="word " * 10_000)
    frames = await frames_of((await submit()).pk)
    row = await Generation.objects.select_related("message").aget()
    assert (row.status, row.error_code) == ("failed", "too_long")
    assert row.message.text == text_of(frames)
    assert ("word " * 10_000).startswith(row.message.text)
    assert 5000 < len(b"".join(frames)) < 10_000
    assert b"longer than this site allows" in frames[-1]
