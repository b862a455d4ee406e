"""A request's thread is lent to it: the next request gets the same thread, and its connection."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.sync import SyncToAsync, sync_to_async
from django.db import connections

from streaming.database import alias, release_request_thread, request_thread
from streaming.database.requests import MAX_IDLE, RequestThread
from tests.engine import cannot_be_closed, run_until


@pytest.fixture(autouse=True)
def _no_idle_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    idle: list[ThreadPoolExecutor] = []
    monkeypatch.setattr(RequestThread, "_idle", idle)
    yield
    for thread in idle:
        thread.shutdown()


async def _until_idle(count: int) -> None:
    await run_until(lambda: len(RequestThread._idle) >= count)


async def _thread() -> int:
    return await sync_to_async(threading.get_ident)()


async def test_next_request_gets_the_same_thread() -> None:
    async with request_thread():
        first = await _thread()
        assert await _thread() == first
        assert first != threading.get_ident()
    await _until_idle(1)
    async with request_thread():
        assert await _thread() == first


async def test_stream_gives_its_thread_back_and_still_gets_synchronous_work_done() -> None:
    async with request_thread():
        first = await _thread()
        await release_request_thread()
        await _until_idle(1)
        other = asyncio.create_task(_in_a_request(), context=contextvars.Context())
        assert await other == first
        assert await _thread() not in (first, threading.get_ident())


async def _in_a_request() -> int:
    async with request_thread():
        return await _thread()


async def test_thread_is_not_lent_again_before_its_work_is_done() -> None:
    go_on = threading.Event()
    async with request_thread():
        first = await _thread()
        leaving = asyncio.create_task(sync_to_async(go_on.wait)(5))
        await asyncio.sleep(0)
        await release_request_thread()
        leaving.cancel()
        other = asyncio.create_task(_in_a_request(), context=contextvars.Context())
        assert await other != first
    go_on.set()


async def test_threads_of_a_crowd_end() -> None:
    before = _request_threads()
    barrier = threading.Barrier(MAX_IDLE + 3)

    async def ask() -> None:
        async with request_thread():
            await sync_to_async(barrier.wait)(5)

    await asyncio.gather(*(ask() for _ in range(barrier.parties)))
    await _until_idle(MAX_IDLE)
    await run_until(lambda: _request_threads() <= before + MAX_IDLE)


async def test_connection_that_cannot_be_closed_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("streaming.database.requests.MAX_IDLE", 0)
    async with request_thread():
        await sync_to_async(_spoil)()
    await run_until(lambda: "could not be closed (OperationalError)" in caplog.text)


def _spoil() -> None:
    """Gives the running thread a connection that cannot be closed."""
    connections[alias()].close = cannot_be_closed  # type: ignore[method-assign]


def _request_threads() -> int:
    return sum(thread.name.startswith("streaming-request") for thread in threading.enumerate())


async def test_request_is_served_where_asgiref_keeps_its_threads_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """asgiref does not document its table. Without it, requests get threads of their own."""
    assert hasattr(SyncToAsync, "context_to_thread_executor"), "requests start threads again: see database/requests.py"
    monkeypatch.setattr("streaming.database.requests.TABLE", "gone")
    async with request_thread():
        assert await _thread() != threading.get_ident()
        await release_request_thread()
        assert await _thread() != threading.get_ident()
