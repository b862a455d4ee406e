"""Signals: each is sent once, after the commit, and no receiver can harm an answer."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connections
from django.dispatch import Signal

from streaming.database import alias, in_database
from streaming.models import Generation
from streaming.settlement import reap, settle
from streaming.signals import announce, generation_settled, generation_started, tool_called, wait_for_receivers
from streaming.signals.announce import THREADS, _ReceiverThread
from streaming.supervisor import stop
from streaming.testing import frames_of
from tests.engine import Script, cannot_be_closed, leave_for_dead, submit
from tests.stepwise import WEATHER, run, says

pytestmark = pytest.mark.usefixtures("engine")

PAGE = Path(__file__).resolve().parents[2] / "docs/signals.md"
Call = tuple[str, str]


@contextmanager
def received(signal: Signal, receiver: Any) -> Iterator[None]:
    signal.connect(receiver, weak=False)
    try:
        yield
    finally:
        signal.disconnect(receiver)


@pytest.fixture
def heard() -> Iterator[list[Call]]:
    """The signals that were sent: the name of each, and the generation's status."""
    calls: list[Call] = []
    with ExitStack() as connected:
        for name, signal in {"started": generation_started, "settled": generation_settled, "tool": tool_called}.items():

            def note(generation: Generation, name: str = name, **kwargs: Any) -> None:
                calls.append((name, generation.status))

            connected.enter_context(received(signal, note))
        yield calls


async def _all_heard() -> None:
    assert await asyncio.to_thread(wait_for_receivers, 5)


async def test_start_and_end_are_announced_once_and_in_order(scripted: Script, heard: list[Call]) -> None:
    scripted(text="Hello")
    first = await submit(client_id="m1")
    await submit(client_id="m1")
    await frames_of(first.pk)
    await _all_heard()
    assert [name for name, _ in heard] == ["started", "settled"]
    assert heard[-1] == ("settled", "finished")


@pytest.mark.parametrize(("options", "status"), [({"error": "overloaded"}, "failed"), ({"chunks": []}, "truncated")])
async def test_end_without_success_is_announced(scripted: Script, heard: list[Call], options: Any, status: str) -> None:
    scripted(**options)
    await frames_of((await submit()).pk)
    await _all_heard()
    assert heard[1:] == [("settled", status)]


async def test_stopped_answer_is_announced_once(scripted: Script, heard: list[Call]) -> None:
    scripted(text="one two", hang_after=1)
    generation = await submit()
    await stop(generation.pk)
    await frames_of(generation.pk)
    await stop(generation.pk)
    await _all_heard()
    assert heard[1:] == [("settled", "cancelled")]


async def test_answer_of_a_dead_process_is_announced_once(scripted: Script, settings: Any, heard: list[Call]) -> None:
    settings.STREAMING_LEASE_SECONDS = -1
    settings.STREAMING_TICK_SECONDS = 60
    scripted(text="one two", hang_after=1)
    dead = leave_for_dead(await submit())
    assert await in_database(reap) == 1
    assert await in_database(reap) == 0
    dead.cancel("user")  # the process was only slow; it finds the row settled
    await asyncio.wait_for(dead.log.wait(10**6, 30), 31)
    await _all_heard()
    assert heard[1:] == [("settled", "interrupted")]


async def test_end_is_announced_once_if_the_result_of_the_commit_was_lost(
    scripted: Script, heard: list[Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[bool] = []

    def lost(*args: Any) -> bool:
        tries.append(settle(*args))
        if len(tries) == 1:
            raise DatabaseError
        return tries[-1]

    scripted(text="Hello")
    monkeypatch.setattr("streaming.runner.run.settle", lost)
    await frames_of((await submit()).pk)
    await _all_heard()
    assert tries == [True, True]
    assert heard[1:] == [("settled", "finished")]


async def test_executed_call_is_announced(settings: Any, site_tools: None, heard: list[Call]) -> None:
    says(settings, ("", (WEATHER,)), ("Fine.", ()))
    told: list[Any] = []

    def note(generation: Generation, call: Any, result: Any, **kwargs: Any) -> None:
        told.append((call.name, call.arguments, result.is_error))

    with received(tool_called, note):
        await run()
        await _all_heard()
    assert told == [("get_weather", {"city": "Oslo"}, False)]
    assert [name for name, _ in heard] == ["started", "tool", "settled"]


async def test_receiver_that_fails_harms_nobody_and_the_log_has_no_content(
    scripted: Script, heard: list[Call], caplog: pytest.LogCaptureFixture
) -> None:
    def fails(generation: Generation, **kwargs: Any) -> None:
        raise ValueError(generation.message.text)

    scripted(text="secret words")
    with received(generation_settled, fails):
        await frames_of((await submit()).pk)
        await _all_heard()
    assert heard[1:] == [("settled", "finished")]
    assert "fails failed (ValueError)" in caplog.text
    assert "secret" not in caplog.text


async def test_receiver_that_hangs_delays_no_answer(scripted: Script) -> None:
    scripted(text="Hello")
    free, entered = threading.Event(), threading.Event()

    def hangs(**kwargs: Any) -> None:
        entered.set()
        free.wait(60)

    with received(generation_settled, hangs):
        try:
            for number in range(8):
                await asyncio.wait_for(frames_of((await submit(key=f"c{number}")).pk), 30)
            assert entered.wait(30)
            assert not wait_for_receivers(0)
        finally:
            free.set()
        await _all_heard()


@pytest.mark.parametrize("harm", ["a connection that cannot be closed", "an exit"])
async def test_thread_of_receivers_survives(
    scripted: Script, heard: list[Call], monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    def harms(**kwargs: Any) -> None:
        if harm == "an exit":
            raise SystemExit
        monkeypatch.setattr(connections[alias()], "close", cannot_be_closed)

    scripted(text="Hello")
    generation = await submit()
    await frames_of(generation.pk)
    await _all_heard()
    heard.clear()
    with received(generation_settled, harms):
        announce(generation_settled, generation.pk)
        await _all_heard()
    announce(generation_settled, generation.pk)
    await _all_heard()
    assert heard == [("settled", "finished")] * 2
    monkeypatch.undo()
    announce(generation_settled, generation.pk)  # the thread closes the connection
    await _all_heard()


async def test_signal_waits_for_a_thread_if_the_process_has_too_many(
    scripted: Script, heard: list[Call], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_thread(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    scripted(text="Hello")
    generation = await submit()
    await frames_of(generation.pk)
    await _all_heard()
    heard.clear()
    monkeypatch.setitem(announce.__globals__, "_threads", [_ReceiverThread()] * THREADS)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_thread)
        announce(generation_settled, generation.pk)
    assert "No thread could be started for signals (RuntimeError)" in caplog.text
    announce(generation_settled, generation.pk)
    await _all_heard()
    assert heard == [("settled", "finished")] * 2


async def test_receivers_may_be_async_and_use_the_database(scripted: Script) -> None:
    counts: list[int] = []

    async def counting(generation: Generation, **kwargs: Any) -> None:
        counts.append(await Generation.objects.acount())

    scripted(text="Hello")
    with received(generation_settled, counting):
        await frames_of((await submit()).pk)
        await _all_heard()
    assert counts == [1]


async def test_printed_receiver_works(scripted: Script) -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # the page's own code
    try:
        scripted(text="Hello")
        await frames_of((await submit()).pk)
        await _all_heard()
        assert names["ENDED"] == [("finished", "Hello", 1)]
    finally:
        generation_settled.disconnect(names["note_the_end"])
