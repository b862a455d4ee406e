"""Subscriptions: every reader gets each frame once, in order, from the live log or from the journal."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from streaming.database import in_database
from streaming.journal import Batch, write_frames
from streaming.models import Generation, JournalEntry, from_now
from streaming.settlement import reap
from streaming.subscription import subscribe
from streaming.subscription.journal import JournalSubscription
from streaming.subscription.live import LiveSubscription
from streaming.subscription.subscribe import without_head
from streaming.supervisor import current
from streaming.testing import chunks_of, drain, frames_of, seqs_of, text_of
from tests.engine import Script, leave_for_dead, run_until, submit

pytestmark = pytest.mark.usefixtures("engine")


async def test_every_cursor_gives_the_rest_and_only_the_rest(scripted: Script) -> None:
    scripted(text="word " * 30)
    generation = await submit()
    whole = await frames_of(generation.pk)
    await current().idle()
    for after in range(len(whole) + 1):
        subscription = JournalSubscription(generation.pk, after)
        assert await drain(subscription) == whole[after:]


@pytest.mark.parametrize("kind", [LiveSubscription, JournalSubscription])
async def test_late_joiner_sees_what_the_first_reader_sees(scripted: Script, settings: Any, kind: type) -> None:
    settings.STREAMING_TICK_SECONDS = settings.STREAMING_POLL_SECONDS = 0.01
    scripted(text="word " * 100, delay=0.002)
    generation = await submit()
    first = asyncio.create_task(frames_of(generation.pk))
    await asyncio.sleep(0.05)
    run = current().find(generation.pk)
    assert run is not None
    late = LiveSubscription(run.log, 0) if kind is LiveSubscription else JournalSubscription(generation.pk, 0)
    assert await drain(late) == await first
    late.close()


async def test_reader_elsewhere_follows_while_the_owner_writes(scripted: Script, settings: Any) -> None:
    settings.STREAMING_TICK_SECONDS = settings.STREAMING_POLL_SECONDS = 0.01
    scripted(text="word " * 200, delay=0.002)
    generation = await submit()
    elsewhere = JournalSubscription(generation.pk, 0)
    pieces = []
    while (frames := await elsewhere.next(5)) is not None:
        pieces.append(frames)
    everything = [one for frames in pieces for one in frames]
    assert len(pieces) > 3
    assert seqs_of(everything) == list(range(1, len(everything) + 1))
    assert text_of(everything) == "word " * 200


async def test_next_returns_an_empty_list_after_silence(scripted: Script) -> None:
    scripted(text="x", hang_after=0)
    generation = await submit()
    for subscription in (await subscribe(generation.pk), JournalSubscription(generation.pk, 0)):
        await subscription.next(0.3)
        assert await subscription.next(0.05) == []
        subscription.close()


@pytest.mark.journal_rows
@pytest.mark.parametrize("after", [0, 3, 10**9])
async def test_answer_whose_journal_is_gone_is_replayed_from_its_row(scripted: Script, after: int) -> None:
    scripted(text="word " * 30, reasoning="hm", tool_calls=[{"name": "f", "arguments": {"a": 1}}])
    generation = await submit()
    before = chunks_of(await frames_of(generation.pk))
    await current().idle()
    await JournalEntry.objects.all().adelete()
    frames = await frames_of(generation.pk, after)
    chunks = chunks_of(frames)
    assert seqs_of(frames) == list(range(1, len(frames) + 1))
    assert text_of(frames) == "word " * 30
    assert (chunks[0], chunks[-1]) == (before[0], before[-1])
    kept = ("tool-input-start", "tool-input-available")
    assert [c for c in chunks if c["type"] in kept] == [c for c in before if c["type"] in kept]


async def test_journal_that_lost_its_head_never_shows_a_gap(scripted: Script, settings: Any) -> None:
    settings.STREAMING_TICK_SECONDS = 0.01
    scripted(text="word " * 100, delay=0.002)
    generation = await submit()
    await frames_of(generation.pk)
    await current().idle()
    await JournalEntry.objects.filter(first_seq=1).adelete()
    frames = await frames_of(generation.pk)
    assert seqs_of(frames) == list(range(1, len(frames) + 1))
    assert text_of(frames) == "word " * 100


@pytest.mark.parametrize("after", [-1, 10**9])
async def test_impossible_cursor_starts_from_the_beginning(scripted: Script, after: int) -> None:
    scripted(text="word " * 50, delay=0.001)
    generation = await submit()
    frames = await frames_of(generation.pk, after)
    assert seqs_of(frames)[0] == 1
    assert text_of(frames) == "word " * 50


async def test_reader_of_a_dead_process_gets_an_end(scripted: Script, settings: Any) -> None:
    settings.STREAMING_POLL_SECONDS = 0.01
    scripted(text="word " * 20, hang_after=10)
    settings.STREAMING_TICK_SECONDS = 0.01
    generation = await submit()
    await asyncio.sleep(0.1)
    run = leave_for_dead(generation)
    await in_database(Generation.objects.filter(pk=generation.pk).update, lease_until="2000-01-01T00:00:00Z")
    frames = await frames_of(generation.pk)
    row = await Generation.objects.select_related("message").aget()
    assert row.status == "interrupted"
    assert chunks_of(frames)[-1] == {"type": "error", "errorText": row.error_text}
    assert row.message.text == text_of(frames) != ""
    assert seqs_of(frames) == list(range(1, row.last_seq + 1))
    current()._runs[generation.pk] = run


@pytest.mark.parametrize("ahead", range(8))
async def test_reader_who_has_seen_lost_frames_begins_again(scripted: Script, settings: Any, ahead: int) -> None:
    """Frames that are not in the journal are lost, and their numbers are used again. No reader gets a mixture."""
    scripted(text="word " * 9)
    generation = await submit()
    shown = await frames_of(generation.pk)
    await current().idle()
    held = 6
    dead = {"status": "running", "lease_until": from_now(-1), "duration_ms": None, "last_seq": 0}
    await Generation.objects.filter(pk=generation.pk).aupdate(**dead)
    await JournalEntry.objects.filter(generation=generation).adelete()
    await in_database(write_frames, {generation.pk: Batch(1, shown[:held])})
    await in_database(reap)
    seen = shown[: held + ahead]
    reader = JournalSubscription(generation.pk, len(seen))
    given = await drain(reader)
    if seqs_of(given)[0] == 1:
        seen = []
    assert seqs_of([*seen, *given]) == list(range(1, len(seen) + len(given) + 1))
    row = await Generation.objects.select_related("message").aget()
    assert text_of([*seen, *given]) == row.message.text
    assert [chunk["type"] for chunk in chunks_of([*seen, *given])].count("error") == 1


async def test_long_replay_does_not_block_other_tasks(scripted: Script) -> None:
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


class OneByOne:
    """A subscription that gives its frames one at a time, without a pause."""

    seq, has_begun_again = 0, False

    def __init__(self, frames: int) -> None:
        self._frames = frames

    async def next(self, seconds: float) -> list[bytes] | None:
        self.seq += 1
        return None if self.seq > self._frames else [b"%d" % self.seq]

    def close(self) -> None: ...


async def test_long_head_is_left_out_without_deep_recursion() -> None:
    headless = without_head(OneByOne(3001), 3000)
    assert [await headless.next(1) for _ in range(3)] == [[b"1"], [b"3001"], None]
