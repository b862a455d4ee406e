"""The process's own database threads, and the two ways to run work on them.

A request's thread-sensitive executor would pin one thread and one connection for each open stream, and all Channels
consumers of a process would share a single thread. On threads of our own, each piece of work gives its connection back
to Django's pool, closes it, or leaves it for the next one (`kept`).
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from django.core.signals import setting_changed
from django.db import connections
from django.utils.translation import get_language, override

from streaming.conf import settings
from streaming.database.health import health
from streaming.database.kept import close_unneeded_connections, keep_connections
from streaming.database.transactions import alias

P = ParamSpec("P")
T = TypeVar("T")


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.DATABASE_THREADS, "streaming-db", keep_connections)


@functools.cache
def _writer() -> ThreadPoolExecutor:
    """One thread, so that the writes of generations are applied in the order of their calls."""
    return ThreadPoolExecutor(1, "streaming-writer", keep_connections)


async def in_database(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs `function` on a database thread and returns its result.

    Cancelling the await does not stop a thread: work that has begun is done, and its result is dropped. Work that still
    waits for a thread is not done; use `asyncio.shield` for what must not be lost.
    """
    work = functools.partial(function, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_pool(), _with_fresh_connection, work, get_language())


async def in_order(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs `function` after everything that was passed to `in_order` before, and returns its result.

    Cancellation neither undoes nor reorders the work.
    """
    work = functools.partial(function, *args, **kwargs)
    future = asyncio.get_running_loop().run_in_executor(_writer(), _with_fresh_connection, work, get_language())
    return await asyncio.shield(future)


async def in_steps(counts: Iterator[int]) -> int:
    """Runs each step of an iterator on a database thread, and returns the sum of the numbers that it yields.

    The steps are pieces of work of their own. So the threads do other work in between.
    """
    total = 0
    while (count := await in_database(next, counts, None)) is not None:
        total += count
    return total


def _with_fresh_connection(work: Callable[[], T], language: str | None = None) -> T:
    """Runs `work` in the language of its caller, because the texts of refusals are made here."""
    close_unneeded_connections()
    try:
        # Django lets some of the driver's own exceptions through, for example those of a closed cursor.
        with override(language), health.watch(), connections[alias()].wrap_database_errors:
            return work()
    finally:
        close_unneeded_connections()


def _forget_pool(*, setting: str, **kwargs: Any) -> None:
    if setting == "STREAMING_DATABASE_THREADS" and _pool.cache_info().currsize:
        _pool().shutdown(wait=False)
        _pool.cache_clear()


setting_changed.connect(_forget_pool)
