"""Database work runs on threads of the process: in order where it must be, and with Django's exceptions."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest
from django.db import OperationalError, connection, connections
from django.db.backends.signals import connection_created

from streaming.database import alias, in_database, in_order
from streaming.database.kept import KEPT_SECONDS
from tests.engine import cannot_be_closed, forget_database_trouble

pytestmark = pytest.mark.django_db(transaction=True)  # threads may have kept connections


@pytest.fixture(autouse=True)
def _no_trouble_afterwards() -> Iterator[None]:
    yield
    forget_database_trouble()


def _raise(error: Exception) -> None:
    raise error


async def test_exception_of_the_driver_becomes_djangos() -> None:
    with pytest.raises(OperationalError, match="server closed the connection"):
        await in_database(_raise, connection.Database.OperationalError("server closed the connection"))


async def test_work_in_order_is_done_in_the_order_of_its_calls() -> None:
    done: list[int] = []

    def work(number: int) -> None:
        time.sleep(0.02 if number == 0 else 0)
        done.append(number)

    await asyncio.gather(*(in_order(work, number) for number in range(10)))
    assert done == list(range(10))


async def test_work_in_order_is_done_even_if_its_caller_is_cancelled() -> None:
    began, go_on, done = threading.Event(), threading.Event(), []

    def work() -> None:
        began.set()
        go_on.wait(30)
        done.append(True)

    caller = asyncio.create_task(in_order(work))
    await asyncio.to_thread(began.wait, 5)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    go_on.set()
    await in_order(done.append, False)
    assert done == [True, False]


def _query() -> object:
    with connections[alias()].cursor() as cursor:
        cursor.execute("SELECT 1")
    return connections[alias()].connection


async def test_thread_keeps_its_connection_to_sqlite() -> None:
    opened: list[object] = []
    connection_created.connect(note := lambda connection, **_: opened.append(connection), weak=False)
    try:
        kept = await in_order(_query)
        opened.clear()
        for _ in range(5):
            assert await in_order(_query) is kept
    finally:
        connection_created.disconnect(note)
    assert opened == []


async def test_kept_connection_is_opened_anew_after_an_error_and_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = await in_order(_query)
    with pytest.raises(OperationalError):
        await in_order(_raise, connection.Database.OperationalError("disk I/O error"))
    assert (newer := await in_order(_query)) is not kept
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + KEPT_SECONDS)
    await in_order(int)
    monkeypatch.undo()
    assert await in_order(_query) is not newer


async def test_connection_that_cannot_be_closed_takes_no_result_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def work() -> str:
        for close in ("close", "close_if_unusable_or_obsolete"):
            monkeypatch.setattr(connections[alias()], close, cannot_be_closed)
        return "done"

    assert await in_order(work) == "done"
    assert "could not be closed (OperationalError)" in caplog.text
    assert await in_order(len, "next") == 4
