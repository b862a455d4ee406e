"""Redis fails during a stream in every way it can. Readers lose nothing and wait only a moment."""

from __future__ import annotations

import asyncio
import functools
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from streaming.intake import Submission
from streaming.models import Generation
from streaming.subscription import Subscription, subscribe
from streaming.supervisor import current, stop
from tests.backing import Backing
from tests.engine import ALICE, leave_for_dead, run_until
from tests.journal.elsewhere import elsewhere, follow, follow_many, verify
from tests.journal.redis_faults import Fault, dies_for, hangs_for, is_flushed, loses_its_oldest_entries, stays_away

pytestmark = [pytest.mark.usefixtures("engine"), pytest.mark.timeout(120)]
Script = Callable[..., None]
TEXT = "wörd 世界 " * 200
# The pause before each word; the stream lasts four seconds.
DELAY = 0.01
MAX_STALL_SECONDS = 0.5


@pytest.fixture
def client(redis_server: Backing, settings: Any) -> Iterator[redis.Redis]:
    """Gives the site a Redis, and the test a client of its own."""
    settings.STREAMING_REDIS_URL = redis_server.url
    with redis.Redis.from_url(redis_server.url) as own:
        yield own


async def submit() -> Generation:
    return await current().submit(ALICE, Submission(key=uuid.uuid4().hex, prompt="Hi"))


async def begun(generation: Generation) -> None:
    """Waits until the answer has its first word."""
    run = current().find(generation.pk)
    assert run is not None
    await run_until(lambda: run.log.last_seq > 2)


async def longest_stall(generation_id: uuid.UUID) -> float:
    """Returns the longest time between two deliveries to a reader in the owning process, in seconds."""
    subscription = await subscribe(generation_id)
    last, longest = time.monotonic(), 0.0
    while await subscription.next(30) is not None:
        now = time.monotonic()
        last, longest = now, max(longest, now - last)
    subscription.close()
    return longest


def entries(client: redis.Redis, generation_id: uuid.UUID) -> list[tuple[int, int]]:
    """Returns the first and last number of every entry of the stream."""
    raw: Any = client.xrange(f"streaming:{generation_id}")
    return [(int(fields[b"first"]), int(entry_id.split(b"-")[0])) for entry_id, fields in raw]


DIES, HANGS = dies_for(1), hangs_for(3)
FAULTS = {
    "dies": DIES,
    "hangs": HANGS,
    "is flushed": is_flushed,
    "loses its oldest entries": loses_its_oldest_entries,
    "stays away": stays_away,
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_readers_elsewhere_miss_nothing(
    scripted: Script, redis_server: Backing, client: redis.Redis, fault: Fault
) -> None:
    scripted(text=TEXT, delay=DELAY)
    generation = await submit()
    stall = asyncio.create_task(longest_stall(generation.pk))
    early = asyncio.create_task(elsewhere(functools.partial(follow_many, generation.pk, [0, 0, 5])))
    await asyncio.sleep(1)
    await asyncio.to_thread(fault, redis_server, client)
    late = asyncio.create_task(elsewhere(functools.partial(follow_many, generation.pk, [0, 3, 40])))
    for given, after in zip([*await early, *await late], [0, 0, 5, 0, 3, 40], strict=True):
        verify(given, after, TEXT)
    assert await stall < MAX_STALL_SECONDS
    await current().idle()
    row = await Generation.objects.select_related("message").aget()
    assert (row.status, row.message.text) == ("finished", TEXT)


@pytest.mark.parametrize("fault", [DIES, HANGS, is_flushed], ids=["dies", "hangs", "is flushed"])
async def test_redis_that_is_back_has_every_frame_once(
    scripted: Script, redis_server: Backing, client: redis.Redis, fault: Fault
) -> None:
    scripted(text=TEXT, delay=DELAY)
    generation = await submit()
    await asyncio.sleep(0.7)
    await asyncio.to_thread(fault, redis_server, client)
    await current().idle()
    row = await Generation.objects.aget()
    found = entries(client, generation.pk)
    assert [number for first, last in found for number in range(first, last + 1)] == list(range(1, row.last_seq + 1))
    assert 0 < client.ttl(f"streaming:{generation.pk}") <= 3600


async def test_readers_elsewhere_see_text_at_once(scripted: Script, client: redis.Redis, settings: Any) -> None:
    settings.STREAMING_TICK_SECONDS = settings.STREAMING_POLL_SECONDS = 5
    settings.STREAMING_LEASE_SECONDS = 60
    scripted(text="one two three", hang_after=3)
    generation = await submit()

    async def first_text() -> float:
        subscription = await subscribe(generation.pk)
        began = time.monotonic()
        while b"two" not in b"".join(await subscription.next(10) or []):
            pass
        subscription.close()
        return time.monotonic() - began

    assert await elsewhere(first_text) < 1


async def test_end_is_told_at_once(scripted: Script, client: redis.Redis) -> None:
    scripted(text=TEXT, delay=0.005)
    generation = await submit()
    reading = asyncio.create_task(elsewhere(functools.partial(follow, generation.pk)))
    await current().idle()
    began = time.monotonic()
    await reading
    assert time.monotonic() - began < 1.5, "the database gets the end two seconds later"


async def test_stop_elsewhere_is_obeyed_at_once(scripted: Script, client: redis.Redis, settings: Any) -> None:
    settings.STREAMING_TICK_SECONDS, settings.STREAMING_LEASE_SECONDS = 60, 600
    scripted(text="one two three", hang_after=3)
    generation = await submit()
    await begun(generation)
    assert await elsewhere(functools.partial(stop, generation.pk)) == "stopping"
    await asyncio.wait_for(current().idle(), 20)
    assert (await Generation.objects.aget()).status == "cancelled"


async def test_stop_elsewhere_is_obeyed_soon_while_redis_hangs(
    scripted: Script, redis_server: Backing, client: redis.Redis
) -> None:
    scripted(text="one two three", hang_after=3)
    generation = await submit()
    await begun(generation)
    redis_server.pause()
    assert await elsewhere(functools.partial(stop, generation.pk)) == "stopping"
    await asyncio.wait_for(current().idle(), 10)
    redis_server.resume()
    assert (await Generation.objects.aget()).status == "cancelled"


async def beginning(reader: Subscription) -> None:
    """Reads all that a stream with `hang_after=1` says, on a busy machine in several pieces."""
    while not any(b'"start-step"' in frame for frame in await reader.next(30) or ()):
        pass


@pytest.mark.slow
async def test_idle_readers_stay_and_share_connections(
    scripted: Script, client: redis.Redis, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They wait longer than redis-py's default limit for idle connections (5 s), and than our own check and its end."""
    monkeypatch.setattr("streaming.journal.wakeups.QUIET_SECONDS", 2.5)
    before = len(client.client_list())
    scripted(text="one", hang_after=1)
    generation = await submit()

    async def idle() -> int:
        readers = [await subscribe(generation.pk) for _ in range(50)]
        await asyncio.gather(*map(beginning, readers))
        assert await asyncio.gather(*(reader.next(6) for reader in readers)) == [[]] * 50
        for reader in readers:
            reader.close()
        return len(client.client_list())

    # The owner and the readers have one loop each.
    assert await elsewhere(idle) - before <= 2 * 4
    assert [record for record in caplog.records if record.name.startswith("streaming.journal")] == []


async def test_dead_process_leaves_what_redis_has_and_can_add_nothing(
    scripted: Script, client: redis.Redis, settings: Any
) -> None:
    """Its frames reach the database only every two seconds, but what readers elsewhere have seen is kept."""
    settings.STREAMING_TICK_SECONDS, settings.STREAMING_LEASE_SECONDS = 60, 2
    scripted(text=TEXT, delay=DELAY)
    generation = await submit()
    run = leave_for_dead(generation)
    await asyncio.sleep(2.2)
    given = await elsewhere(functools.partial(follow, generation.pk))
    row = await Generation.objects.select_related("message").aget()
    assert row.status == "interrupted"
    assert TEXT.startswith(row.message.text)
    assert len(row.message.text) > 100
    verify(given, 0, row.message.text)
    before = entries(client, generation.pk)
    assert run.log.last_seq > before[-2][1]
    await asyncio.sleep(0.2)
    assert entries(client, generation.pk) == before
    run.fence()


async def test_dead_process_is_settled_without_redis(
    scripted: Script, redis_server: Backing, client: redis.Redis, settings: Any
) -> None:
    settings.STREAMING_TICK_SECONDS, settings.STREAMING_LEASE_SECONDS = 60, 1
    scripted(text=TEXT, delay=DELAY)
    generation = await submit()
    run = leave_for_dead(generation)
    redis_server.pause()
    await asyncio.sleep(1.2)
    given = await elsewhere(functools.partial(follow, generation.pk))
    row = await Generation.objects.select_related("message").aget()
    assert (row.status, row.message.text) == ("interrupted", "")
    verify(given, 0, "")
    redis_server.resume()
    run.fence()


async def test_end_that_is_not_the_rows_is_not_passed_on(scripted: Script, client: redis.Redis, settings: Any) -> None:
    """Another process settled the answer while its owner was suspended. Readers elsewhere get that end."""
    settings.STREAMING_TICK_SECONDS, settings.STREAMING_LEASE_SECONDS = 60, 400
    scripted(text="one two three")
    generation = await submit()
    await Generation.objects.filter(pk=generation.pk).aupdate(status="interrupted", active_conversation=None)
    await current().idle()
    raw: Any = client.xrange(f"streaming:{generation.pk}")
    assert b'"error"' not in b"".join(fields[b"frames"] for _, fields in raw)
