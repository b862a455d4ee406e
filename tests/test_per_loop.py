"""Values that belong to one event loop: each loop has its own, and those of closed loops are forgotten."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from streaming.access import open_streams
from streaming.access.open_streams import _open_streams
from streaming.chat import chat
from streaming.journal import live_logs, redis_journal
from streaming.journal.live import _logs
from streaming.journal.optional_redis import _journals
from streaming.per_loop import PerLoop
from streaming.providers import get_provider
from streaming.providers.registry import _instances
from streaming.supervisor import Supervisor, current
from streaming.supervisor.supervisor import _supervisors
from tests.engine import Script

RUNS = 60
AT_MOST = 2


@pytest.fixture
def table() -> PerLoop[list[str]]:
    return PerLoop(list)


async def get(table: PerLoop[list[str]]) -> list[str]:
    return table.get()


@pytest.fixture
def database(transactional_db: None) -> Iterator[None]:
    """A database whose connections are closed before it is emptied."""
    yield
    connections.close_all()


async def test_a_loop_keeps_its_value(table: PerLoop[list[str]]) -> None:
    assert table.get() is table.get()
    assert [value for _, value in table.items()] == [table.get()]


def test_each_loop_has_a_value_of_its_own(table: PerLoop[list[str]]) -> None:
    with asyncio.Runner() as one, asyncio.Runner() as other:
        first = one.run(get(table))
        assert other.run(get(table)) is not first
        assert one.run(get(table)) is first
        assert len(table) == 2


def test_a_value_needs_a_running_loop(table: PerLoop[list[str]]) -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        table.get()


async def test_pop_forgets_only_the_value_of_the_running_loop(table: PerLoop[list[str]]) -> None:
    here, there = table.get(), await asyncio.to_thread(_open_elsewhere, table)
    assert table.pop() is here
    assert table.pop() is None
    assert len(table) == 1
    assert [value for _, value in table.items()] == [there[1]]
    await asyncio.to_thread(there[0].close)
    assert list(table.items()) == []


def _open_elsewhere(table: PerLoop[list[str]]) -> tuple[asyncio.Runner, list[str]]:
    """Returns a loop that is still open, and its value."""
    runner = asyncio.Runner()
    return runner, runner.run(get(table))


def test_loops_of_threads_share_no_value(table: PerLoop[list[str]]) -> None:
    """The barrier keeps all loops open at once."""
    together = threading.Barrier(4)

    async def visit(number: int) -> list[str]:
        table.get().append(f"thread {number}")
        await asyncio.to_thread(together.wait, 10)
        return table.get()

    with ThreadPoolExecutor(4) as threads:
        values = list(threads.map(lambda number: asyncio.run(visit(number)), range(4)))
    assert values == [[f"thread {number}"] for number in range(4)]


def test_values_of_closed_loops_are_forgotten(table: PerLoop[list[str]]) -> None:
    for _ in range(RUNS):
        asyncio.run(get(table))
        assert len(table) <= AT_MOST
    assert list(table.items()) == []


def test_values_of_closed_loops_are_freed(scripted: Script, database: None) -> None:
    """Each loop answers one prompt, as a script does that calls `asyncio.run` for each of its prompts."""
    scripted(text="Hello")
    made: list[weakref.ref[Supervisor]] = []
    for _ in range(RUNS):
        assert asyncio.run(_answer("Hi", made)) == "Hello"
        for name, table in _tables().items():
            assert len(table) <= AT_MOST, name
    gc.collect()
    assert sum(one() is not None for one in made) <= AT_MOST


async def _answer(prompt: str, made: list[weakref.ref[Supervisor]]) -> str:
    """Answers a prompt and leaves everything open, as code that knows nothing of loops does."""
    open_streams()
    result = await chat(prompt)
    get_provider()
    live_logs()
    made.append(weakref.ref(current()))
    return result.text


def _tables() -> dict[str, PerLoop[Any]]:
    return {"supervisors": _supervisors, "open streams": _open_streams, "live logs": _logs, "providers": _instances}


def test_journals_of_closed_loops_are_forgotten(settings: Any) -> None:
    pytest.importorskip("redis")
    settings.STREAMING_REDIS_URL = "redis://127.0.0.1:9"  # nothing connects to it

    async def connect() -> None:
        assert redis_journal() is redis_journal()

    for _ in range(RUNS):
        asyncio.run(connect())
        assert len(_journals) <= AT_MOST
