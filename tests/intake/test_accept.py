"""Accepting: a message that is sent twice is one generation, and a refused submission stores nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from streaming.errors import BadRequest, Conflict, Overloaded, TooLarge, TooManyRequests
from streaming.models import Conversation, Generation, Message
from streaming.providers import get_provider
from streaming.testing import frames_of
from tests.engine import ALICE, BOB, Script, submit

pytestmark = pytest.mark.usefixtures("engine")


async def test_same_message_twice_is_one_generation(scripted: Script) -> None:
    scripted(text="word " * 50, delay=0.001)
    submitted = await asyncio.gather(*(submit(client_id="m1") for _ in range(8)))
    assert len({generation.pk for generation in submitted}) == 1
    await frames_of(submitted[0].pk)
    assert await Message.objects.acount() == 2
    assert len(get_provider().requests) == 1  # type: ignore[attr-defined]
    assert (await submit(client_id="m1")).pk == submitted[0].pk


async def test_running_generation_keeps_no_rows_of_messages(scripted: Script) -> None:
    """Their texts would stay in memory as long as the answer is being written."""
    scripted(text="ok")
    await frames_of((await submit()).pk)
    generation = await submit("And then?")
    assert generation._state.fields_cache == {"conversation": generation.conversation}
    assert generation.conversation._state.fields_cache == {}
    await frames_of(generation.pk)


async def test_same_id_for_another_message_is_refused(scripted: Script) -> None:
    scripted(text="ok")
    await frames_of((await submit(client_id="m1")).pk)
    with pytest.raises(Conflict, match="another message"):
        await submit("Something else", client_id="m1")


async def test_second_answer_in_a_conversation_is_refused_while_the_first_is_written(scripted: Script) -> None:
    scripted(text="x", hang_after=0)
    await submit(client_id="m1")
    with pytest.raises(Conflict, match="still being written"):
        await submit(client_id="m2")
    assert await Message.objects.acount() == 2


async def test_limits_are_checked_before_anything_is_stored(scripted: Script, settings: Any) -> None:
    scripted(text="x", hang_after=0)
    settings.STREAMING_MAX_PROMPT_CHARS = 10
    with pytest.raises(TooLarge, match="11 characters"):
        await submit("x" * 11)
    settings.STREAMING_MAX_ACTIVE_PER_OWNER = 1
    await submit(key="c1")
    with pytest.raises(TooManyRequests):
        await submit(key="c2")
    await submit(key="c2", owner=BOB)
    settings.STREAMING_MAX_ACTIVE_PER_PROCESS = 2
    with pytest.raises(Overloaded):
        await submit(key="c3", owner=BOB)
    assert await Conversation.objects.acount() == 2


@pytest.mark.parametrize("prompt", ["", "   ", "\n"])
async def test_empty_prompt_is_refused(prompt: str) -> None:
    with pytest.raises(BadRequest, match="empty"):
        await submit(prompt)


async def test_unknown_provider_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(BadRequest, match="Unknown provider 'opnai', must be one of: default"):
        await submit(provider="opnai")
    assert await Conversation.objects.acount() == 0


async def test_provider_gets_the_conversation_so_far(scripted: Script) -> None:
    scripted(text="Answer to {prompt}.")
    await frames_of((await submit("one")).pk)
    await frames_of((await submit("two")).pk)
    sent = [(turn.role, turn.parts[0].text) for turn in get_provider().requests[-1].turns]  # type: ignore[attr-defined]
    assert sent == [("user", "one"), ("assistant", "Answer to one."), ("user", "two")]


async def test_key_that_no_database_holds_is_nobodys(scripted: Script) -> None:
    scripted(text="ok")
    await frames_of((await submit(key="c1")).pk)
    for key in ("c1\0", "\0"):
        assert not await Conversation.objects.owned_by(ALICE).filter(key=key).aexists()
        assert not await Generation.objects.owned_by(ALICE).filter(conversation__key=key).aexists()
