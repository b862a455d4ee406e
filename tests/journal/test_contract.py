"""The contract of every journal. The tests run on the configured database and on a real Redis."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

import pytest

from streaming.database import in_database, in_order
from streaming.journal import Batch, Journal, LiveLog, Polling, Watch, database, read_frames, write_frames
from streaming.journal.contract import MAX_FRAMES_PER_READ
from streaming.journal.database import MAX_BYTES_PER_STATEMENT
from streaming.models import Conversation, Generation, Message
from streaming.testing import seqs_of
from tests.backing import Backing
from tests.engine import ALICE

pytestmark = pytest.mark.usefixtures("engine")
Frames = Callable[[int], list[bytes]]


class DatabaseJournal:
    """A `Journal` that calls the database's functions."""

    async def append(self, batches: Mapping[uuid.UUID, Batch]) -> dict[uuid.UUID, int]:
        await in_order(write_frames, batches)
        return {pk: batch.last_seq for pk, batch in batches.items()}

    async def read(self, generation_id: uuid.UUID, after: int) -> list[bytes]:
        return await in_database(read_frames, generation_id, after)

    def watch(self, generation_id: uuid.UUID) -> Watch:
        return Polling()


@pytest.fixture(params=["database", "redis"])
async def journal(request: pytest.FixtureRequest) -> AsyncGenerator[Journal]:
    if request.param == "database":
        yield DatabaseJournal()
        return
    redis_module = pytest.importorskip("streaming.journal.redis")
    server: Backing = request.getfixturevalue("redis_server")
    redis = redis_module.RedisJournal(server.url, "test:")
    yield redis
    await redis.close()


@pytest.fixture
async def generation_id(engine: None) -> uuid.UUID:
    """The id of a stored generation, because the rows of the database's journal refer to one."""
    return await in_database(_generation)


def _generation() -> uuid.UUID:
    conversation = Conversation.objects.create(key=uuid.uuid4().hex, owner_key=ALICE.key, provider="default")
    message = Message.objects.create(conversation=conversation, role="assistant")
    return Generation.objects.create(conversation=conversation, message=message, provider="default").pk


def frames(number: int, size: int = 10) -> list[bytes]:
    log = LiveLog()
    log.append(b'"%d\\n%s"' % (n, "é".encode() * size) for n in range(number))
    return log.since(0)


async def read_all(journal: Journal, generation_id: uuid.UUID, after: int = 0) -> list[bytes]:
    found: list[bytes] = []
    while more := await journal.read(generation_id, after + len(found)):
        found += more
    return found


async def test_read_gives_what_was_appended_from_every_cursor(journal: Journal, generation_id: uuid.UUID) -> None:
    whole, held = frames(30), 0
    for size in (1, 4, 12, 13):
        answer = await journal.append({generation_id: Batch(held + 1, whole[held : held + size])})
        held += size
        assert answer == {generation_id: held}
    for after in range(31):
        assert await read_all(journal, generation_id, after) == whole[after:]


async def test_generations_are_kept_apart_in_one_append(journal: Journal) -> None:
    ids = [await in_database(_generation) for _ in range(20)]
    whole = frames(20)
    await journal.append({pk: Batch(1, whole[: n + 1]) for n, pk in enumerate(ids)})
    for n, pk in enumerate(ids):
        assert await journal.read(pk, 0) == whole[: n + 1]


async def test_unknown_generation_and_impossible_cursors_give_no_frames(
    journal: Journal, generation_id: uuid.UUID
) -> None:
    assert await journal.read(uuid.uuid4(), 0) == []
    await journal.append({generation_id: Batch(1, frames(3))})
    assert await journal.read(generation_id, 3) == []
    assert await journal.read(generation_id, 2**31) == []


async def test_append_that_is_sent_again_is_stored_once(journal: Journal, generation_id: uuid.UUID) -> None:
    whole = frames(9)
    for last in (3, 3):
        await journal.append({generation_id: Batch(1, whole[:last])})
    assert await read_all(journal, generation_id) == whole[:3]


async def test_append_that_is_sent_again_with_more_at_its_end_loses_nothing(
    journal: Journal, generation_id: uuid.UUID
) -> None:
    whole, held = frames(9), 0
    await journal.append({generation_id: Batch(1, whole[:3])})
    while held < len(whole):  # the first answer was lost, so the writer sends these frames again
        held = (await journal.append({generation_id: Batch(held + 1, whole[held:])}))[generation_id]
    assert held == 9
    assert await read_all(journal, generation_id) == whole


async def test_old_append_that_arrives_late_changes_nothing(journal: Journal, generation_id: uuid.UUID) -> None:
    whole = frames(9)
    await journal.append({generation_id: Batch(1, whole[:3])})
    await journal.append({generation_id: Batch(4, whole[3:])})
    await journal.append({generation_id: Batch(1, whole[:3])})
    assert await read_all(journal, generation_id) == whole


async def test_no_frame_after_a_gap_is_read(journal: Journal, generation_id: uuid.UUID) -> None:
    whole = frames(9)
    await journal.append({generation_id: Batch(1, whole[:3])})
    await journal.append({generation_id: Batch(6, whole[5:])})
    assert await read_all(journal, generation_id) == whole[:3]
    assert await journal.read(generation_id, 4) == []


async def test_empty_batches_make_no_entries(journal: Journal, generation_id: uuid.UUID) -> None:
    await journal.append({generation_id: Batch(1, [])})
    await journal.append({generation_id: Batch(1, frames(2))})
    assert seqs_of(await journal.read(generation_id, 0)) == [1, 2]


async def test_read_is_bounded_and_continues(journal: Journal, generation_id: uuid.UUID) -> None:
    whole, size = frames(5000), 50
    for first in range(0, len(whole), size):
        await journal.append({generation_id: Batch(first + 1, whole[first : first + size])})
    assert len(await journal.read(generation_id, 0)) < MAX_FRAMES_PER_READ + size
    assert await read_all(journal, generation_id) == whole


async def test_large_frames_come_back_byte_for_byte(journal: Journal, generation_id: uuid.UUID) -> None:
    whole = frames(3, size=400_000)
    await journal.append({generation_id: Batch(1, whole)})
    assert await read_all(journal, generation_id) == whole


async def test_wait_returns_soon_after_an_append(journal: Journal, generation_id: uuid.UUID, settings: Any) -> None:
    settings.STREAMING_POLL_SECONDS = 0.1
    watch = journal.watch(generation_id)
    await watch.wait(0, 0.3)
    waiting = asyncio.create_task(watch.wait(0, 60))
    await journal.append({generation_id: Batch(1, frames(1))})
    await asyncio.wait_for(waiting, 10)
    assert await journal.read(generation_id, 0) == frames(1)
    watch.close()
    watch.close()


async def test_append_between_a_read_and_a_wait_is_not_missed(
    journal: Journal, generation_id: uuid.UUID, settings: Any
) -> None:
    settings.STREAMING_POLL_SECONDS = 0.1
    watch = journal.watch(generation_id)
    await watch.wait(0, 0.3)
    assert await journal.read(generation_id, 0) == []
    await journal.append({generation_id: Batch(1, frames(1))})
    await asyncio.sleep(0.05)
    began = time.monotonic()
    await watch.wait(0, 60)
    assert time.monotonic() - began < 10
    watch.close()


async def test_wait_ends_after_its_time(journal: Journal, generation_id: uuid.UUID) -> None:
    watch = journal.watch(generation_id)
    began = time.monotonic()
    await watch.wait(0, 0.05)
    assert time.monotonic() - began < 10
    watch.close()


async def test_readers_follow_a_writer_without_gap_or_duplicate(
    journal: Journal, generation_id: uuid.UUID, settings: Any
) -> None:
    settings.STREAMING_POLL_SECONDS = 0.01
    whole = frames(300)

    async def write() -> None:
        for first in range(0, len(whole), 7):
            await journal.append({generation_id: Batch(first + 1, whole[first : first + 7])})
            await asyncio.sleep(0.003)

    async def follow(after: int) -> list[bytes]:
        watch, found = journal.watch(generation_id), []
        while after + len(found) < len(whole):
            if more := await journal.read(generation_id, after + len(found)):
                found += more
            else:
                await watch.wait(after + len(found), 1)
        watch.close()
        return found

    writing = asyncio.create_task(write())
    async with asyncio.timeout(30):
        seen = await asyncio.gather(*(follow(after) for after in (0, 0, 1, 150, 299)))
        await writing
    assert seen == [whole, whole, whole[1:], whole[150:], whole[299:]]


async def test_frames_of_many_generations_are_stored_in_statements_of_bounded_size(
    engine: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    store = database._store

    def note(connection: Any, pieces: list[tuple[uuid.UUID, Batch]]) -> None:
        sizes.append(sum(batch.size for _, batch in pieces))
        store(connection, pieces)

    monkeypatch.setattr(database, "_store", note)
    ids = [await in_database(_generation) for _ in range(20)]
    whole = [b"id: 1\n" + b"x" * 990 + b"\n\n"] * 50
    await in_database(write_frames, {pk: Batch(1, whole) for pk in ids})
    assert sum(sizes) == 20 * 50 * 998
    assert max(sizes) <= MAX_BYTES_PER_STATEMENT
    assert [len(await in_database(read_frames, pk, 0)) for pk in ids] == [50] * 20
