"""Readers of one answer: they share its events, lag, come back to a process that died, and lose their conversation."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import pytest

from streaming.agui import Event, Translator
from streaming.database import in_database
from streaming.models import Generation
from streaming.settlement import reap_one
from streaming.subscription import AgentRun, follow_run, subscribe, translation
from streaming.subscription.agui import AgentSubscription
from streaming.subscription.journal import JournalSubscription
from streaming.testing import drain, frames_of
from tests.agui.client import Json, events_of
from tests.engine import Script, leave_for_dead, submit

pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The chunks that are translated."""
    chunks: list[bytes] = []
    translate = Translator.translate

    def counted(self: Translator, chunk: bytes) -> list[Event]:
        chunks.append(chunk)
        return translate(self, chunk)

    monkeypatch.setattr(Translator, "translate", counted)
    return chunks


async def test_events_are_made_once_for_all_readers(scripted: Script, made: list[bytes]) -> None:
    scripted(text="word " * 40, delay=0.001)
    generation = await submit()
    several = await asyncio.gather(*(events_of(generation) for _ in range(5)))
    assert all(one == several[0] for one in several)
    assert len(made) == len(await frames_of(generation.pk))


async def test_reader_that_lags_far_behind_gets_the_same_events(
    scripted: Script, monkeypatch: pytest.MonkeyPatch, made: list[bytes]
) -> None:
    monkeypatch.setattr(translation, "KEPT_PIECES", 4)
    scripted(text="word " * 40, delay=0.001)
    generation = await submit()
    slow = await follow_run(generation, AgentRun("c1", "r1", _nothing))
    early = [*(await slow.next(5) or []), *(await slow.next(5) or [])]
    whole = await events_of(generation)
    assert b"".join([*early, *await drain(slow)]).decode() == "".join(whole)
    assert len(made) > len(whole)


class Silent:
    """A subscription whose frames do not come in time, because the database is away."""

    seq = 0
    has_begun_again = False

    async def next(self, seconds: float) -> list[bytes]:
        return []

    def close(self) -> None: ...


async def test_reader_that_lags_while_the_database_is_away_is_sent_no_events_with_a_gap(
    scripted: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(translation, "KEPT_PIECES", 4)
    scripted(text="word " * 40, delay=0.001)
    generation = await submit()
    slow = cast(AgentSubscription, await follow_run(generation, AgentRun("c1", "r1", _nothing)))
    await slow.next(5)
    await slow.next(5)
    await events_of(generation)

    async def silent() -> Silent:
        return Silent()

    slow._from_start = silent
    for _ in range(2):
        assert await slow.next(5) == []
        assert slow.has_begun_again, "it must come back"


async def _nothing() -> list[Json]:
    return []


def _types(events: list[str]) -> list[str]:
    return [json.loads(event.rpartition("data: ")[2])["type"] for event in events]


async def test_reader_that_may_have_seen_lost_words_gets_all_messages(scripted: Script) -> None:
    scripted(text="one two three four", hang_after=4)
    generation = await submit()
    await _first_words(generation)
    leave_for_dead(generation).interrupt()
    coming_back = asyncio.create_task(events_of(generation, after=3))
    await Generation.objects.filter(pk=generation.pk).aupdate(lease_until="2000-01-01T00:00Z")
    await in_database(reap_one, generation.pk)
    assert _types(await coming_back)[-2:] == ["MESSAGES_SNAPSHOT", "RUN_ERROR"]
    assert "MESSAGES_SNAPSHOT" not in _types(await events_of(generation))


async def test_reader_whose_cursor_is_beyond_the_end_gets_all_messages(scripted: Script) -> None:
    scripted(text="one two")
    generation = await submit()
    await frames_of(generation.pk)
    assert _types(await events_of(generation, after=10**9)) == ["RUN_STARTED", "MESSAGES_SNAPSHOT", "RUN_FINISHED"]


async def _first_words(generation: Generation) -> None:
    following = await subscribe(generation.pk)
    seen = b""
    while b"text-delta" not in seen:
        seen += b"".join(await following.next(5) or [])
    following.close()


async def test_log_that_is_made_anew_ends_the_stream_with_an_error(scripted: Script, monkeypatch: Any) -> None:
    scripted(text="one two")
    generation = await submit()
    await frames_of(generation.pk)
    reader = await follow_run(generation, AgentRun("c1", "r1", _nothing))
    await reader.next(1)

    async def next_of(self: JournalSubscription, seconds: float) -> list[bytes]:
        self.has_begun_again = True
        return []

    monkeypatch.setattr(JournalSubscription, "next", next_of)
    assert await reader.next(1) == []
    assert reader.has_begun_again
    reader.close()
