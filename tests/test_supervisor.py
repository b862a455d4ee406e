from __future__ import annotations

import asyncio
import functools
import gc
import itertools
import json
import sys
import threading
import time
import uuid
import weakref
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import pytest
from django.db import DataError, OperationalError, connection
from django.db.models.functions import Now

from streaming.database import in_database
from streaming.database.threads import _with_fresh_connection
from streaming.errors import BadRequest, Conflict, NotFound, Overloaded, ProviderError, TooLarge, TooManyRequests
from streaming.intake import Submission
from streaming.journal.contract import MAX_FRAMES_PER_READ
from streaming.models import Conversation, Generation, JournalEntry, Message, Status
from streaming.protocol import ToolCall
from streaming.providers import get_provider
from streaming.runner import Run
from streaming.settlement import reap, settle
from streaming.subscription import Subscription, subscribe
from streaming.subscription.live import LiveSubscription
from streaming.supervisor import current, leases, stop
from streaming.testing import chunks_of, frames_of, seqs_of, text_of
from tests.engine import ALICE, BOB, leave_for_dead
from tests.journal.elsewhere import elsewhere, follow

pytestmark = pytest.mark.usefixtures("engine")
Script = Callable[..., None]
ERROR_EVENT = 'data: {"error":{"message":"sk-SECRETSECRETSECRET","code":"boom"}}\n\n'

NUL_CHUNK = 'data: {"choices":[{"delta":{"content":"a\\u0000b"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


async def load(generation: Generation) -> Generation:
    return await Generation.objects.select_related("message", "conversation").aget(pk=generation.pk)


async def submit(prompt: str = "Hi", key: str = "c1", owner: Any = ALICE, **fields: Any) -> Generation:
    return await current().submit(owner, Submission(key=key, prompt=prompt, **fields))


async def test_ticks_go_on_after_somebody_cancelled_them(settings: Any, scripted: Script) -> None:
    settings.STREAMING_TICK_SECONDS = 0.02
    scripted(text="word " * 1000, delay=0.02)
    generation = await submit()
    ticker = current()._ticker
    ticking = ticker._loops[ticker._tick_while_busy]
    ticking.cancel()
    await asyncio.wait([ticking], timeout=5)
    assert ticking.cancelled()
    await in_database(Generation.objects.filter(pk=generation.pk).request_cancel, "user")
    await asyncio.wait_for(current().idle(), 5)
    assert (await load(generation)).status == "cancelled"


async def test_ticks_do_not_queue_behind_those_who_settle(
    settings: Any, scripted: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a crowd that ends at once would lose its leases, and what no tick has written yet, to another process."""
    settings.STREAMING_TICK_SECONDS, settings.STREAMING_MAX_ACTIVE_PER_OWNER = 0.02, 30
    happened: list[str] = []

    def slow(*arguments: Any) -> bool:
        time.sleep(0.02)
        happened.append("settled")
        return settle(*arguments)

    def seen(*arguments: Any) -> Any:
        happened.append("tick")
        return leases.tick(*arguments)

    monkeypatch.setattr("streaming.runner.run.settle", slow)
    monkeypatch.setattr("streaming.supervisor.ticker.tick", seen)
    scripted(text="Hello", hang_after=1)
    for number in range(30):
        await submit(key=f"c{number}")
    await asyncio.sleep(0.1)
    current().cancel_all("user")
    await asyncio.wait_for(current().idle(), 10)
    between = [len(list(some)) for what, some in itertools.groupby(happened) if what == "settled"]
    assert sum(between) == 30
    assert max(between) <= 3, "one that is at it, one that was next, and one for the pause between ticks"


async def test_answer_is_alive_before_a_busy_loop_hears_of_it(scripted: Script, settings: Any) -> None:
    settings.STREAMING_LEASE_SECONDS = 0.1
    scripted(text="Hello")
    submitting = asyncio.create_task(submit())
    with ThreadPoolExecutor(1) as sweeper:
        while not submitting.done():
            await asyncio.sleep(0)
            time.sleep(0.3)  # noqa: ASYNC251  # as a loop that has too much to do
            assert sweeper.submit(_with_fresh_connection, reap).result() == 0
    generation = await submitting
    await current().idle()
    assert (await load(generation)).status == "finished"


async def test_stream_and_row_say_the_same(scripted: Script) -> None:
    scripted(text="Grüße, 世界! 🎈 " * 20, reasoning="let me think")
    frames = await frames_of((await submit()).pk)
    row = await Generation.objects.select_related("message").aget()
    assert row.status == "finished"
    assert row.finish_reason == "stop"
    assert row.message.text == text_of(frames) == "Grüße, 世界! 🎈 " * 20
    assert [part.__class__.__name__ for part in row.message.typed_parts] == ["ReasoningPart", "TextPart"]
    assert seqs_of(frames) == list(range(1, row.last_seq + 1))
    assert row.active_conversation_id is None
    assert row.input_tokens is not None
    assert row.output_tokens is not None
    assert row.first_delta_ms is not None
    assert row.duration_ms is not None
    assert row.duration_ms >= row.first_delta_ms


async def test_chunks_come_in_the_order_that_clients_insist_on(scripted: Script) -> None:
    scripted(text="Hello", reasoning="hm")
    types = [chunk["type"] for chunk in chunks_of(await frames_of((await submit()).pk))]
    assert types == [
        "start",
        "start-step",
        "reasoning-start",
        "reasoning-delta",
        "reasoning-end",
        "text-start",
        "text-delta",
        "text-end",
        "finish-step",
        "finish",
    ]


async def test_finish_carries_what_the_row_knows(scripted: Script) -> None:
    scripted(text="Hello")
    last = chunks_of(await frames_of((await submit()).pk))[-1]
    row = await Generation.objects.aget()
    assert last["messageMetadata"] == row.metadata
    assert row.metadata["status"] == "finished"


async def test_parallel_tool_calls_are_streamed_and_stored(scripted: Script) -> None:
    scripted(text="", tool_calls=[{"name": "f", "arguments": {"city": "Rome"}}, {"name": "g", "arguments": '{"a": '}])
    chunks = chunks_of(await frames_of((await submit()).pk))
    message = await Message.objects.aget(role="assistant")
    whole, half = [part for part in message.typed_parts if isinstance(part, ToolCall)]
    assert (whole.name, whole.arguments, whole.is_complete) == ("f", {"city": "Rome"}, True)
    assert (half.name, half.arguments, half.is_complete, half.error) == ("g", None, False, "truncated")
    for call in (whole, half):
        deltas = [c["inputTextDelta"] for c in chunks if c["type"] == "tool-input-delta" and c["toolCallId"] == call.id]
        assert "".join(deltas) == call.raw_arguments
        assert len(deltas) > 0
    assert [c["input"] for c in chunks if c["type"] == "tool-input-available"] == [{"city": "Rome"}]
    assert [c["toolCallId"] for c in chunks if c["type"] == "tool-input-error"] == [half.id]


async def test_stop_keeps_the_partial_and_tells_the_truth(scripted: Script) -> None:
    scripted(text="word " * 500, delay=0.005)
    generation = await submit()
    await asyncio.sleep(0.1)
    assert await stop(generation.pk) == "stopping"
    frames = await frames_of(generation.pk)
    row = await load(generation)
    assert row.status == "cancelled"
    assert row.cancel_reason == "user"
    assert row.message.text == text_of(frames)
    assert 0 < len(row.message.text) < 2500
    assert [chunk["type"] for chunk in chunks_of(frames)][-4:] == ["text-end", "finish-step", "abort", "finish"]
    assert get_provider().open_streams == 0  # type: ignore[attr-defined]
    assert await stop(generation.pk) == "finished"


async def test_stop_before_the_first_token(scripted: Script) -> None:
    scripted(text="never", hang_after=0)
    generation = await submit()
    assert await stop(generation.pk) == "stopping"
    await frames_of(generation.pk)
    row = await load(generation)
    assert (row.status, row.message.text, row.message.parts) == ("cancelled", "", [])


async def test_stop_that_is_obeyed_before_it_is_answered_was_no_stop_too_late(scripted: Script) -> None:
    scripted(text="one two", hang_after=1)
    generation = await submit()
    run = leave_for_dead(generation)
    assert await in_database(_ask_an_owner_who_is_quick, generation.pk) is True
    assert await stop(generation.pk) == "finished"
    run.fence()


def _ask_an_owner_who_is_quick(generation_id: uuid.UUID) -> bool:
    """`request_cancel`, with an owner that settles as soon as the request is written."""
    selected = Generation.objects.filter(pk=generation_id)

    def obey(execute: Any, sql: str, *rest: Any) -> Any:
        done = execute(sql, *rest)
        if sql.startswith("UPDATE") and "cancel_reason" in sql:
            selected.settle(Status.CANCELLED)
        return done

    with connection.execute_wrapper(obey):
        return selected.request_cancel("user")


async def test_stop_asked_for_in_the_database_alone_is_obeyed(scripted: Script, settings: Any) -> None:
    settings.STREAMING_TICK_SECONDS = 0.02
    scripted(text="word " * 500, delay=0.01)
    generation = await submit()
    await in_database(Generation.objects.filter(pk=generation.pk).request_cancel, "user")
    await asyncio.wait_for(current().idle(), 2)
    assert (await load(generation)).status == "cancelled"


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ({"error": "authentication", "fail_after": 0}, "failed", "authentication"),
        ({"error": "overloaded", "fail_after": 3}, "failed", "overloaded"),
        ({"fail_after": 3}, "truncated", "connection_lost"),
        ({"chunks": ['data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n']}, "truncated", "truncated"),
        ({"chunks": ["<html>Bad gateway</html>"]}, "failed", "not_a_stream"),
        ({"chunks": [ERROR_EVENT]}, "failed", "provider_error"),
        ({"chunks": []}, "truncated", "truncated"),
    ],
)
async def test_trouble_is_told_in_plain_words_and_keeps_what_arrived(
    scripted: Script, options: dict[str, Any], status: str, code: str
) -> None:
    scripted(text="one two three four five", **options)
    chunks = chunks_of(frames := await frames_of((await submit()).pk))
    row = await Generation.objects.select_related("message").aget()
    assert (row.status, row.error_code) == (status, code)
    assert chunks[-1] == {"type": "error", "errorText": row.error_text}
    assert chunks[-2]["messageMetadata"]["status"] == status
    assert row.message.text == text_of(frames)
    assert b"SECRET" not in b"".join(frames)
    assert "SECRET" not in row.error_detail


async def test_answer_with_a_character_that_postgresql_refuses_is_stored(scripted: Script) -> None:
    scripted(chunks=[NUL_CHUNK])
    frames = await frames_of((await submit("what\0is this")).pk)
    row = await Generation.objects.select_related("message").aget()
    assert text_of(frames) == "a\0b"
    assert (row.status, row.message.text) == ("finished", "a\ufffdb")


async def test_a_misconfigured_provider_fails_the_generation_and_not_the_process(settings: Any) -> None:
    settings.STREAMING_PROVIDERS = {"default": {"BACKEND": "nowhere.Nothing"}}
    chunks = chunks_of(await frames_of((await submit()).pk))
    row = await Generation.objects.aget()
    assert (row.status, row.error_code, row.error_detail) == ("failed", "internal", "ImproperlyConfigured")
    assert chunks[-1]["type"] == "error"


async def test_same_message_twice_is_one_generation(scripted: Script) -> None:
    scripted(text="word " * 50, delay=0.001)
    submitted = await asyncio.gather(*(submit(client_id="m1") for _ in range(8)))
    assert len({generation.pk for generation in submitted}) == 1
    await frames_of(submitted[0].pk)
    assert await Message.objects.acount() == 2
    assert len(get_provider().requests) == 1  # type: ignore[attr-defined]
    assert (await submit(client_id="m1")).pk == submitted[0].pk


async def test_same_id_for_another_message_is_refused(scripted: Script) -> None:
    scripted(text="ok")
    await frames_of((await submit(client_id="m1")).pk)
    with pytest.raises(Conflict, match="another message"):
        await submit("Something else", client_id="m1")


async def test_second_answer_in_a_conversation_is_refused_while_one_is_written(scripted: Script) -> None:
    scripted(text="x", hang_after=0)
    await submit(client_id="m1")
    with pytest.raises(Conflict, match="still being written"):
        await submit(client_id="m2")
    assert await Message.objects.acount() == 2


async def test_conversation_of_a_dead_process_can_go_on(scripted: Script, settings: Any) -> None:
    settings.STREAMING_LEASE_SECONDS = -1
    settings.STREAMING_TICK_SECONDS = 60
    scripted(text="x", hang_after=0)
    dead = await submit()
    run = leave_for_dead(dead)
    settings.STREAMING_LEASE_SECONDS = 10
    scripted(text="fine")
    frames = await frames_of((await submit("again")).pk)
    assert text_of(frames) == "fine"
    assert (await load(dead)).status == "interrupted"
    run.fence()


async def test_process_never_takes_its_own_for_dead(scripted: Script, settings: Any) -> None:
    """However busy it is: the lease is for others."""
    settings.STREAMING_LEASE_SECONDS = -1
    settings.STREAMING_TICK_SECONDS = 60
    scripted(text="x", hang_after=0)
    generation = await submit()
    assert await in_database(reap) == 0
    with pytest.raises(Conflict):
        await submit("again")
    await stop(generation.pk)
    await frames_of(generation.pk)
    assert (await load(generation)).status == "cancelled"


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


@pytest.mark.parametrize("count", [-5, 10**12, 10**30])
async def test_count_that_cannot_be_is_unknown_and_the_answer_kept(scripted: Script, count: int) -> None:
    usage = json.dumps({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": count}})
    scripted(chunks=[HELLO.decode().replace("data: [DONE]", f"data: {usage}\n\ndata: [DONE]")])
    await asyncio.wait_for(frames_of((await submit()).pk), 5)
    row = await Generation.objects.select_related("message").aget()
    assert (row.status, row.message.text) == ("finished", "Hello")
    assert (row.input_tokens, row.output_tokens) == (3, None)


async def test_readers_get_an_end_whatever_settling_meets(
    scripted: Script, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: Any) -> bool:
        raise OverflowError

    scripted(text="Hello")
    monkeypatch.setattr("streaming.runner.run.settle", broken)
    chunks = chunks_of(await frames_of((await submit()).pk))
    assert chunks[-1]["type"] == "error"
    assert "could not be settled" in caplog.text


@pytest.mark.parametrize("prompt", ["", "   ", "\n"])
async def test_empty_prompt_is_refused(prompt: str) -> None:
    with pytest.raises(BadRequest, match="empty"):
        await submit(prompt)


async def test_unknown_provider_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadRequest, match="Unknown provider 'opnai', must be one of: default"):
        await submit(provider="opnai")
    assert await Conversation.objects.acount() == 0


async def test_provider_is_sent_the_conversation_so_far(scripted: Script) -> None:
    scripted(text="Answer to {prompt}.")
    await frames_of((await submit("one")).pk)
    await frames_of((await submit("two")).pk)
    sent = [(turn.role, turn.parts[0].text) for turn in get_provider().requests[-1].turns]  # type: ignore[attr-defined]
    assert sent == [("user", "one"), ("assistant", "Answer to one."), ("user", "two")]


async def test_regenerate_makes_a_sibling_and_shows_it(scripted: Script) -> None:
    scripted(text="first")
    await frames_of((await submit("one")).pk)
    scripted(text="second")
    again = await current().submit(ALICE, Submission(key="c1", trigger="regenerate-message"))
    await frames_of(again.pk)
    conversation = await Conversation.objects.select_related("active_leaf").aget()
    assert conversation.active_leaf is not None
    assert conversation.active_leaf.text == "second"
    answers = [m async for m in Message.objects.filter(role="assistant")]
    assert len({answer.parent_id for answer in answers}) == 1
    assert len(answers) == 2


async def test_edit_makes_a_sibling_question(scripted: Script) -> None:
    scripted(text="ok")
    await frames_of((await submit("one", client_id="m1")).pk)
    await frames_of((await submit("uno", client_id="m2", message_id="m1")).pk)
    sent = get_provider().requests[-1].turns  # type: ignore[attr-defined]
    assert [turn.parts[0].text for turn in sent] == ["uno"]


async def test_edited_message_may_keep_its_id(scripted: Script) -> None:
    scripted(text="ok")
    await frames_of((await submit("one", client_id="m1")).pk)
    await frames_of((await submit("two", client_id="m2")).pk)
    for text in ("uno", "uno", "one"):
        await frames_of((await submit(text, client_id="m1", message_id="m1")).pk)
        sent = get_provider().requests[-1].turns  # type: ignore[attr-defined]
        assert [turn.parts[0].text for turn in sent] == [text]
        assert [m.text async for m in Message.objects.filter(client_id="m1")] == [text]
    assert await Message.objects.filter(role="user").acount() == 5
    with pytest.raises(Conflict):
        await submit("uno", client_id="m1")


async def test_edit_that_is_sent_twice_joins_while_it_is_answered(scripted: Script) -> None:
    scripted(text="ok")
    await frames_of((await submit("one", client_id="m1")).pk)
    scripted(text="ok", hang_after=1)
    first = await submit("uno", client_id="m1", message_id="m1")
    assert await submit("uno", client_id="m1", message_id="m1") == first
    with pytest.raises(Conflict):
        await submit("eins", client_id="m1", message_id="m1")


@pytest.mark.parametrize("is_known", [True, False])
async def test_regenerate_sends_a_message_that_never_arrived(scripted: Script, is_known: bool) -> None:
    scripted(text="ok")
    before = ["one"] if is_known else []
    for prompt in before:
        await frames_of((await submit(prompt)).pk)
    for _ in range(2):
        await frames_of((await submit("two", client_id="m2", trigger="regenerate-message")).pk)
    sent = get_provider().requests[-1].turns  # type: ignore[attr-defined]
    assert [turn.parts[0].text for turn in sent if turn.role == "user"] == [*before, "two"]
    assert await Message.objects.filter(client_id="m2").acount() == 1
    assert await Message.objects.filter(parent__client_id="m2").acount() == 2


async def test_regenerate_sends_an_edit_that_never_arrived(scripted: Script) -> None:
    scripted(text="ok")
    await frames_of((await submit("one", client_id="m1")).pk)
    await frames_of((await submit("uno", client_id="m1", trigger="regenerate-message")).pk)
    sent = get_provider().requests[-1].turns  # type: ignore[attr-defined]
    assert [turn.parts[0].text for turn in sent] == ["uno"]


async def test_key_that_no_database_holds_is_nobodys(scripted: Script) -> None:
    scripted(text="ok")
    await frames_of((await submit(key="c1")).pk)
    for key in ("c1\0", "\0"):
        assert not await Conversation.objects.owned_by(ALICE).filter(key=key).aexists()
        assert not await Generation.objects.owned_by(ALICE).filter(conversation__key=key).aexists()


async def test_answer_cannot_be_edited(scripted: Script) -> None:
    scripted(text="ok")
    generation = await submit("one")
    await frames_of(generation.pk)
    with pytest.raises(BadRequest, match="of the user's"):
        await submit("two", message_id=str(generation.message_id))
    assert await Message.objects.acount() == 2


async def test_edit_of_a_message_that_never_arrived_is_new(scripted: Script) -> None:
    scripted(text="ok")
    await frames_of((await submit("one", client_id="m1")).pk)
    await frames_of((await submit("two", client_id="m2", message_id="m2")).pk)
    sent = get_provider().requests[-1].turns  # type: ignore[attr-defined]
    assert [turn.parts[0].text for turn in sent] == ["one", "ok", "two"]


async def test_unknown_message_and_conversation_are_not_found(scripted: Script) -> None:
    scripted(text="ok")
    with pytest.raises(NotFound):
        await current().submit(ALICE, Submission(key="nope", trigger="regenerate-message"))
    await frames_of((await submit()).pk)
    for message_id in ("nope", "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(NotFound):
            await submit("x", message_id=message_id)


async def test_submission_is_carried_out_when_whoever_waited_has_gone(scripted: Script) -> None:
    scripted(text="done anyway")
    waiting = asyncio.create_task(submit())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await current().idle()
    row = await Generation.objects.select_related("message").aget()
    assert (row.status, row.message.text) == ("finished", "done anyway")


@pytest.mark.journal_rows
async def test_journal_holds_every_frame_once(scripted: Script, settings: Any) -> None:
    settings.STREAMING_TICK_SECONDS = 0.01
    scripted(text="word " * 200, delay=0.001)
    frames = await frames_of((await submit()).pk)
    await current().idle()
    entries = [entry async for entry in JournalEntry.objects.order_by("first_seq")]
    assert b"".join(bytes(entry.frames) for entry in entries) == b"".join(frames)
    assert len(entries) > 3
    for before, after in itertools.pairwise(entries):
        assert after.first_seq == before.last_seq + 1


@pytest.mark.journal_rows
async def test_burst_becomes_entries_of_one_read_each(scripted: Script) -> None:
    scripted(text="word " * 600)
    frames = await frames_of((await submit()).pk)
    entries = [entry async for entry in JournalEntry.objects.order_by("first_seq")]
    assert b"".join(bytes(entry.frames) for entry in entries) == b"".join(frames)
    assert max(entry.last_seq - entry.first_seq for entry in entries) < MAX_FRAMES_PER_READ


@pytest.mark.journal_rows
async def test_lease_is_renewed_and_stop_heard_although_frames_cannot_be_stored(
    scripted: Script, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STREAMING_TICK_SECONDS = 0.02
    scripted(text="word " * 1000, delay=0.005)
    generation = await submit()
    with monkeypatch.context() as patch:
        patch.setattr("streaming.journal.database.JournalEntry.objects.bulk_create", _too_large)
        await asyncio.sleep(0.2)
        row = await load(generation)
        assert (row.status, await JournalEntry.objects.acount()) == ("running", 0)
        await Generation.objects.filter(pk=generation.pk).aupdate(cancel_requested_at=Now())
        await asyncio.sleep(0.2)
    frames = await frames_of(generation.pk)
    row = await load(generation)
    assert (row.status, row.last_seq) == ("cancelled", len(frames))
    entries = [entry async for entry in JournalEntry.objects.order_by("first_seq")]
    assert b"".join(bytes(entry.frames) for entry in entries) == b"".join(frames)


def _too_large(*args: Any, **kwargs: Any) -> None:
    raise DataError("packet too large")


@pytest.mark.journal_rows
async def test_tick_writes_what_fits_and_the_next_one_the_rest(
    scripted: Script, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STREAMING_TICK_SECONDS = 0.02
    monkeypatch.setattr("streaming.supervisor.ticker.MAX_BYTES_PER_TICK", 200)
    scripted(text="word " * 300, delay=0.002)
    frames = await frames_of((await submit()).pk)
    entries = [entry async for entry in JournalEntry.objects.order_by("first_seq")]
    assert b"".join(bytes(entry.frames) for entry in entries) == b"".join(frames)
    *ticks, last_but_one, last = (len(entry.frames) for entry in entries)
    assert max(ticks) <= 300 < max(last_but_one, last), "the end writes all that is left"


async def test_row_that_the_database_does_not_take_is_given_up_and_one_that_waits_is_not(
    scripted: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While nobody is answered, waiting may help; after that it does not."""
    scripted(text="Hello")
    is_away, tries = True, 0

    def settle(*args: Any) -> bool:
        nonlocal tries
        tries += 1
        raise DataError("too large")

    async def is_there(run: Run) -> bool:
        return not is_away

    monkeypatch.setattr("streaming.runner.run.SETTLE_RETRIES", (0.01, 0.01))
    monkeypatch.setattr("streaming.runner.run.settle", settle)
    monkeypatch.setattr(Run, "_is_database_there", is_there)
    generation = await submit()
    await run_until(lambda: tries > 10)
    is_away = False
    assert chunks_of(await asyncio.wait_for(frames_of(generation.pk), 2))[-1]["type"] == "error"
    await current().idle()


@pytest.mark.journal_rows
async def test_frame_larger_than_a_tick_is_written_all_the_same(
    scripted: Script, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STREAMING_TICK_SECONDS = 0.02
    monkeypatch.setattr("streaming.supervisor.ticker.MAX_BYTES_PER_TICK", 10)
    scripted(text="word " * 10, hang_after=8)
    generation = await submit()
    async with asyncio.timeout(5):
        while await JournalEntry.objects.filter(generation=generation).acount() < 6:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await stop(generation.pk)
    await frames_of(generation.pk)


async def test_deadline_is_kept_while_the_database_hangs(
    settings: Any, scripted: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STREAMING_TICK_SECONDS = 0.02
    settings.STREAMING_FIRST_DELTA_SECONDS = 0.3
    is_back = threading.Event()
    scripted(text="late", hang_after=0)
    with monkeypatch.context() as patch:
        patch.setattr("streaming.supervisor.ticker.tick", lambda *args: _hang(is_back))
        generation = await submit()
        async with asyncio.timeout(3):
            while not (asked := get_provider()).requests or asked.open_streams:  # type: ignore[attr-defined]  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert (await load(generation)).is_active
        is_back.set()
        await frames_of(generation.pk)
    assert (await load(generation)).error_code == "timeout_first_delta"


def _hang(is_back: threading.Event) -> None:
    assert is_back.wait(5)
    raise OperationalError("the server is back, and the connection gone")


async def test_fenced_generation_stops_and_writes_nothing_more(scripted: Script, settings: Any) -> None:
    settings.STREAMING_TICK_SECONDS = 0.02
    scripted(text="word " * 1000, delay=0.005)
    generation = await submit()
    await Generation.objects.filter(pk=generation.pk).aupdate(status="interrupted", active_conversation=None)
    chunks = chunks_of(await frames_of(generation.pk))
    await current().idle()
    assert chunks[-1]["type"] == "error"
    row = await load(generation)
    assert (row.status, row.message.text) == ("interrupted", "")


@pytest.mark.parametrize("seconds", [0, 0.05])
async def test_unwatched_generation_is_cancelled_where_the_site_says_so(
    scripted: Script, settings: Any, seconds: float
) -> None:
    settings.STREAMING_ABANDON_AFTER = seconds
    scripted(text="word " * 1000, delay=0.005)
    generation = await submit()
    run = current().find(generation.pk)
    assert run is not None
    run.log.enter()
    await asyncio.sleep(0.1)
    assert run.log.last_seq > 2
    run.log.leave()
    await asyncio.wait_for(current().idle(), 2)
    row = await load(generation)
    assert (row.status, row.cancel_reason) == ("cancelled", "abandoned")
    assert row.message.text


async def test_generation_that_is_watched_in_another_process_is_not_given_up(scripted: Script, settings: Any) -> None:
    settings.STREAMING_ABANDON_AFTER = 0.3
    settings.STREAMING_POLL_SECONDS = 0.02
    scripted(text="word " * 200, delay=0.005)
    generation = await submit()
    (await begun(generation)).close()
    frames = await elsewhere(functools.partial(follow, generation.pk))
    row = await load(generation)
    assert (row.status, text_of(frames)) == ("finished", "word " * 200)


async def begun(generation: Generation) -> Subscription:
    """A reader that has read something."""
    subscription = await subscribe(generation.pk)
    assert await subscription.next(5)
    return subscription


async def test_reader_that_never_reads_holds_nothing(scripted: Script, settings: Any) -> None:
    """As when its connection ends before the answer begins; who goes after it leaves nobody."""
    settings.STREAMING_ABANDON_AFTER = 0.05
    scripted(text="word " * 1000, delay=0.005)
    generation = await submit()
    await subscribe(generation.pk)
    (await begun(generation)).close()
    await asyncio.wait_for(current().idle(), 2)
    assert (await load(generation)).cancel_reason == "abandoned"


def _texts_in_memory(generation: Generation) -> list[str]:
    rows = [one for one in gc.get_objects() if type(one) is Message and one.pk == generation.message_id]
    return [row.text for row in rows if row.text]


@pytest.mark.parametrize(
    "options", [{}, {"fail_after": 20}, {"error": "overloaded", "fail_after": 20}, {"hang_after": 20}]
)
async def test_answer_that_has_ended_leaves_memory_at_once(scripted: Script, options: dict[str, Any]) -> None:
    """And not when the garbage collector comes by, which knows nothing of how large a log is."""
    scripted(text="word " * 100, delay=0.001, **options)
    gc.disable()
    try:
        generation = await submit()
        run = current().find(generation.pk)
        assert run is not None
        remains = [weakref.ref(run), weakref.ref(run.log), weakref.ref(run.draft)]
        del run
        if "hang_after" in options:
            await stop(generation.pk)
        await frames_of(generation.pk)
        await current().idle()
        await run_until(lambda: not any(remain() for remain in remains))
        await run_until(lambda: not _texts_in_memory(generation))
    finally:
        gc.enable()


async def test_long_replay_lets_others_go_on(scripted: Script) -> None:
    scripted(text="word " * 3000)
    generation = await submit()
    run = current().find(generation.pk)
    assert run is not None
    await run_until(lambda: run.log.last_seq > 3000)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(others())
    reader, reads = LiveSubscription(run.log, 0), 0
    while reader.seq < 3000:
        await reader.next(1)
        reads += 1
    other.cancel()
    assert turns >= reads > 5
    reader.close()
    await frames_of(generation.pk)


async def run_until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not is_so():  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(0.01)


async def test_stop_leaves_the_provider_though_the_database_hangs(
    scripted: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(text="one two three", hang_after=3)
    generation = await submit()
    provider = get_provider()
    await run_until(lambda: provider.open_streams == 1)  # type: ignore[attr-defined]
    is_back = threading.Event()
    module = sys.modules["streaming.supervisor.stop"]  # the package has a function of that name
    ask = module._request_cancel
    monkeypatch.setattr(module, "_request_cancel", lambda *args: is_back.wait(5) and ask(*args))
    stopping = asyncio.create_task(stop(generation.pk))
    await run_until(lambda: provider.open_streams == 0)  # type: ignore[attr-defined]
    assert not stopping.done()
    is_back.set()
    assert await stopping == "stopping"
    await frames_of(generation.pk)
    assert (await load(generation)).status == "cancelled"


class Flaky:
    """A provider that fails as told, one outcome a call, then answers."""

    dialect = "openai-chat"
    model = "flaky"
    parser_options: ClassVar[dict[str, Any]] = {}
    outcomes: ClassVar[list[Any]] = []
    calls: ClassVar[list[float]] = []

    async def stream(self, request: Any) -> AsyncGenerator[bytes]:
        Flaky.calls.append(time.monotonic())
        outcome = Flaky.outcomes.pop(0) if Flaky.outcomes else HELLO
        if isinstance(outcome, Exception):
            raise outcome
        yield outcome

    async def close(self) -> None: ...

    @classmethod
    def check(cls, alias: str, options: Any) -> list[Any]:
        return []


HELLO = b'data: {"choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
REFUSED = b'data: {"choices":[{"index":0,"delta":{"refusal":"I will not."}}]}\n\n'
OVERLOADED = b'data: {"error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'


@pytest.fixture
def flaky(settings: Any, monkeypatch: pytest.MonkeyPatch) -> type[Flaky]:
    settings.STREAMING_PROVIDERS = {"default": {"BACKEND": f"{__name__}.Flaky"}}
    monkeypatch.setattr("streaming.runner.steps.RETRY_SECONDS", 0.01)
    Flaky.calls, Flaky.outcomes = [], []  # type: ignore[misc]
    return Flaky


async def test_provider_that_fails_after_a_refusal_is_not_asked_again(flaky: type[Flaky]) -> None:
    flaky.outcomes.append(REFUSED + OVERLOADED)
    frames = await frames_of((await submit()).pk)
    row = await Generation.objects.select_related("message").aget()
    assert (row.status, row.attempts, len(flaky.calls)) == ("failed", 1, 1)
    assert "".join(chunk.get("delta", "") for chunk in chunks_of(frames)) == "I will not."
    assert row.message.typed_parts


@pytest.mark.parametrize(
    "outcome",
    [ProviderError("rate_limited"), ProviderError("unreachable"), ProviderError("connection_lost"), OVERLOADED],
)
async def test_provider_that_fails_before_the_first_word_is_asked_again(flaky: type[Flaky], outcome: Any) -> None:
    flaky.outcomes.append(outcome)
    frames = await frames_of((await submit()).pk)
    row = await Generation.objects.aget()
    assert (row.status, row.attempts, len(flaky.calls), text_of(frames)) == ("finished", 2, 2, "Hello")
    assert [chunk["type"] for chunk in chunks_of(frames)].count("start") == 1


async def test_retries_have_a_budget(flaky: type[Flaky], settings: Any) -> None:
    settings.STREAMING_PROVIDER_RETRIES = 2
    flaky.outcomes += [ProviderError("overloaded")] * 9
    await frames_of((await submit()).pk)
    row = await Generation.objects.aget()
    assert (row.status, row.error_code, row.attempts, len(flaky.calls)) == ("failed", "overloaded", 3, 3)


async def test_retry_waits_as_long_as_the_provider_asks(flaky: type[Flaky]) -> None:
    flaky.outcomes.append(ProviderError("rate_limited", retry_after=0.3))
    await frames_of((await submit()).pk)
    assert flaky.calls[1] - flaky.calls[0] >= 0.3


async def test_retry_that_would_take_too_long_is_not_tried(flaky: type[Flaky]) -> None:
    flaky.outcomes.append(ProviderError("rate_limited", retry_after=3600))
    await frames_of((await submit()).pk)
    assert len(flaky.calls) == 1


@pytest.mark.parametrize("code", ["authentication", "bad_request", "context_length", "model_not_found"])
async def test_what_no_waiting_cures_is_not_tried_again(flaky: type[Flaky], code: str) -> None:
    flaky.outcomes.append(ProviderError(code))
    await frames_of((await submit()).pk)
    assert len(flaky.calls) == 1


@pytest.mark.parametrize(
    ("word", "code", "tries"),
    [
        ("content_policy_violation", "bad_request", 1),
        ("invalid_prompt", "bad_request", 1),
        ("image_content_policy_violation", "bad_request", 1),
        ("nobody_knows_this", "provider_error", 1),
        ("engine_overloaded", "overloaded", 3),
        ("409", "overloaded", 3),
        ("", "provider_error", 3),
    ],
)
async def test_the_words_of_an_error_inside_the_stream_decide_how_often_a_provider_is_asked(
    scripted: Script, settings: Any, monkeypatch: pytest.MonkeyPatch, word: str, code: str, tries: int
) -> None:
    monkeypatch.setattr("streaming.runner.steps.RETRY_SECONDS", 0.01)
    settings.STREAMING_PROVIDER_RETRIES = 2
    scripted(chunks=[f"data: {json.dumps({'error': {'message': 'no', 'code': word}})}\n\n"])
    await frames_of((await submit()).pk)
    row = await Generation.objects.aget()
    requests = get_provider().requests  # type: ignore[attr-defined]
    assert (row.status, row.error_code, row.attempts, len(requests)) == ("failed", code, tries, tries)


async def test_nothing_is_tried_again_once_readers_have_seen_a_word(scripted: Script) -> None:
    scripted(text="one two three four", error="overloaded", fail_after=3)
    await frames_of((await submit()).pk)
    assert (await Generation.objects.aget()).attempts == 1


async def test_stop_while_waiting_to_try_again(flaky: type[Flaky]) -> None:
    flaky.outcomes.append(ProviderError("rate_limited", retry_after=10))
    generation = await submit()
    await asyncio.sleep(0.05)
    await stop(generation.pk)
    await asyncio.wait_for(frames_of(generation.pk), 2)
    assert (await load(generation)).status == "cancelled"


@pytest.mark.parametrize(
    ("setting", "hang_after", "code"),
    [
        ("STREAMING_FIRST_DELTA_SECONDS", 0, "timeout_first_delta"),
        ("STREAMING_STALL_SECONDS", 5, "timeout_stall"),
        ("STREAMING_TOTAL_SECONDS", 5, "timeout_total"),
    ],
)
async def test_silent_provider_is_given_up(
    scripted: Script, settings: Any, setting: str, hang_after: int, code: str
) -> None:
    settings.STREAMING_TICK_SECONDS = 0.02
    setattr(settings, setting, 0.2)
    scripted(text="one two three four five six seven", hang_after=hang_after)
    began = time.monotonic()
    frames = await frames_of((await submit()).pk)
    row = await Generation.objects.select_related("message").aget()
    assert time.monotonic() - began < 2
    assert (row.status, row.error_code) == ("failed", code)
    assert row.message.text == text_of(frames)
    assert bool(row.message.text) == (hang_after > 0)
