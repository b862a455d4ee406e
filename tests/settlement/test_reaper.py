"""The reaper: generations of dead processes are settled, and those of living ones are not."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from streaming.database import in_database
from streaming.errors import Conflict
from streaming.journal import redis
from streaming.journal.redis import Absence
from streaming.settlement import reap
from streaming.supervisor import stop
from streaming.testing import frames_of, text_of
from tests.engine import Script, leave_for_dead, load, submit

pytestmark = pytest.mark.usefixtures("engine")


async def test_conversation_can_continue_after_its_process_has_died(scripted: Script, settings: Any) -> None:
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


async def test_process_never_reaps_its_own_generations(scripted: Script, settings: Any) -> None:
    """A busy process may renew its own leases late; only other processes use the lease."""
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


async def test_redis_that_hangs_is_asked_only_once_by_the_reaper(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def hangs(*args: Any, **kwargs: Any) -> None:
        asked.append(args)
        raise OSError

    monkeypatch.setattr("streaming.journal.redis.BlockingRedis.from_url", hangs)
    monkeypatch.setattr("streaming.journal.redis._away", Absence())
    for _ in range(5):
        assert redis.seize_stream("redis://localhost", "streaming:", uuid.uuid4(), 0) == []
    assert len(asked) == 1
