"""F24: the database fails at every single call, and a cancel comes at every single await, one in each run."""

from __future__ import annotations

import asyncio
import itertools
import types
import uuid
from collections.abc import Callable, Coroutine, Generator, Iterator
from typing import Any

import pytest
from django.db import OperationalError

from streaming.database import in_database, threads
from streaming.intake import Submission
from streaming.journal import read_frames
from streaming.models import ACTIVE, Generation
from streaming.runner import Run, Steps, run
from streaming.settlement import reap
from streaming.supervisor import current, ticker
from streaming.testing import chunks_of, seqs_of, text_of
from tests.engine import ALICE, forget_database_trouble

pytestmark = [pytest.mark.fault("F24"), pytest.mark.usefixtures("engine"), pytest.mark.timeout(120)]
TEXT = "wörd 世界 \n🎉 " * 3
Script = Callable[..., None]


@pytest.fixture(autouse=True)
def quick(settings: Any, monkeypatch: pytest.MonkeyPatch, scripted: Script) -> None:
    settings.STREAMING_TICK_SECONDS = 0.02
    settings.STREAMING_LEASE_SECONDS = 0.3
    settings.STREAMING_SWEEP_SECONDS = 60
    monkeypatch.setattr(run, "SETTLE_RETRIES", (0.01,) * 5)
    scripted(text=TEXT, delay=0.02)


class Call:
    """Counts calls, and acts at the number `fatal`."""

    def __init__(self, fatal: int) -> None:
        self.fatal = fatal
        self.count = 0

    def is_it(self) -> bool:
        self.count += 1
        return self.count == self.fatal


def _failing(call: Call, *, is_done: bool) -> Callable[..., Any]:
    """Database work that fails once: before it is done, or afterwards, so that only its result is lost."""
    work_off = threads._with_fresh_connection

    def work_off_or_fail(work: Callable[[], Any], language: str | None) -> Any:
        if not call.is_it():
            return work_off(work, language)
        if is_done:
            work_off(work, language)
        raise OperationalError("the test took the database away")

    return work_off_or_fail


async def _generate() -> tuple[uuid.UUID, list[bytes]] | None:
    """Asks, and follows in memory to the end. Returns None if asking failed."""
    try:
        generation = await current().submit(ALICE, Submission(key=uuid.uuid4().hex, prompt="Hi"))
    except OperationalError:
        return None
    run = current().find(generation.pk)
    assert run is not None
    await current().idle()
    return generation.pk, run.log.since(0)


def _check_row() -> Generation:
    """Checks the only row: settled, with a beginning of the provider's text, and the same as in its journal."""
    row = Generation.objects.select_related("message").get()
    assert row.status not in ACTIVE
    assert row.active_conversation_id is None
    assert TEXT.startswith(row.message.text)
    assert row.status != "finished" or row.message.text == TEXT
    frames = read_frames(row.pk, 0, 10_000)
    assert seqs_of(frames) == list(range(1, row.last_seq + 1))
    assert text_of(frames) == row.message.text
    return row


def _check_frames(frames: list[bytes], row: Generation) -> None:
    """Checks the frames of a reader in this process: the row's text, and the row's end, once."""
    assert seqs_of(frames) == list(range(1, len(frames) + 1))
    assert text_of(frames) == row.message.text
    chunks = chunks_of(frames)
    assert [chunk["type"] in ("finish", "error") for chunk in chunks].count(True) == 1
    assert [chunk["messageMetadata"]["status"] for chunk in chunks if "messageMetadata" in chunk] == [row.status]


async def _settled_at_last() -> Generation:
    """Settles the row as the site does when every lease has run out."""
    if await Generation.objects.filter(status__in=ACTIVE).aexists():
        await asyncio.sleep(0.5)
        forget_database_trouble()
        await in_database(reap)
    return await in_database(_check_row)


def _each(last: int = 60) -> Iterator[int]:
    """Yields 1, 2, 3 … The test ends the loop when there is no call with that number."""
    yield from itertools.islice(itertools.count(1), last)
    raise AssertionError(f"there are more than {last} calls")


@pytest.mark.parametrize("is_done", [False, True], ids=["not done", "done, answer lost"])
async def test_any_database_call_may_fail(is_done: bool, monkeypatch: pytest.MonkeyPatch, figure: Any) -> None:
    for fatal in _each():
        call = Call(fatal)
        with monkeypatch.context() as patch:
            patch.setattr(threads, "_with_fresh_connection", _failing(call, is_done=is_done))
            generated = await _generate()
        if generated is None:
            assert fatal == 1
            if not is_done:
                assert not await Generation.objects.aexists()
                continue
        row = await _settled_at_last()
        assert row.attempts == (1 if generated else 0)
        if generated:
            assert row.status == "finished"
            _check_frames(generated[1], row)
        await Generation.objects.all().adelete()
        if call.count < fatal:
            break
    figure(failed_database_calls=fatal - 1, done_before=is_done)


@types.coroutine
def _cancelled(coroutine: Coroutine[Any, Any, Any], call: Call) -> Generator[Any, Any, Any]:
    """Runs `coroutine`, and cancels its task at the await number `fatal`."""
    steps, thrown = coroutine.__await__(), None
    while True:
        try:
            waited = steps.throw(thrown) if thrown else steps.send(None)
        except StopIteration as end:
            return end.value
        if call.is_it():
            task = asyncio.current_task()
            assert task
            task.cancel()
        try:
            yield waited
            thrown = None
        except BaseException as error:
            thrown = error


# All ticks of one generation do the same.
PLACES = {
    "run": (Run, "run", 60),
    "steps": (Steps, "read", 60),
    "ticks": (ticker.Ticker, "_tick_while_busy", 8),
}


@pytest.mark.parametrize(("of", "method", "last"), PLACES.values(), ids=PLACES)
async def test_a_cancel_may_arrive_at_any_await(
    of: type, method: str, last: int, monkeypatch: pytest.MonkeyPatch, figure: Any
) -> None:
    original = getattr(of, method)
    for fatal in _each():
        call = Call(fatal)

        async def interfered(self: Any, *given: Any, call: Call = call) -> None:
            await _cancelled(original(self, *given), call)

        with monkeypatch.context() as patch:
            patch.setattr(of, method, interfered)
            generated = await _generate()
        assert generated
        row = await _settled_at_last()
        _check_frames(generated[1], row)
        await Generation.objects.all().adelete()
        if call.count < fatal or fatal == last:
            break
    assert fatal > 1, "the method has no await that could be cancelled"
    figure(cancelled_awaits=fatal - 1, of=method)
