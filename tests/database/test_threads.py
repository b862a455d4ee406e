"""Database work runs on threads of the process: in order where it must be, and with Django's exceptions."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from django.db import OperationalError, connection

from streaming.database import in_database, in_order


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
        go_on.wait(5)
        done.append(True)

    caller = asyncio.create_task(in_order(work))
    await asyncio.to_thread(began.wait, 5)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    go_on.set()
    await in_order(done.append, False)
    assert done == [True, False]
