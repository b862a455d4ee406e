"""The way from the event loop into the database and back.

All database work of conversations and generations runs on a few threads of the process's own. A request's
thread-sensitive executor would pin one thread and one connection per open stream, and Channels consumers would all
share a single thread; here connections are closed (or go back to Django's pool) after each piece of work.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import math
import random
import time
from collections.abc import Callable, Iterator, MutableMapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import SyncToAsync, sync_to_async
from django.apps import apps
from django.core.signals import setting_changed
from django.db import InterfaceError, OperationalError, close_old_connections, connections, router, transaction

from streaming.conf import settings

logger = logging.getLogger(__name__)

# Work that takes longer was kept waiting: by a lock, a server that is starting, or a machine that stood still.
SLOW_SECONDS = 1.0
# Who meets whom in a deadlock is chance. Eight times in a row would be no chance any more.
MAX_DEADLOCKS = 8
DEADLOCK_PAUSE_SECONDS = 0.05
P = ParamSpec("P")
T = TypeVar("T")


@functools.cache
def _readers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.DATABASE_THREADS, thread_name_prefix="streaming-db")


@functools.cache
def _writer() -> ThreadPoolExecutor:
    """One thread: what generations write is applied in the order in which it was handed over."""
    return ThreadPoolExecutor(1, thread_name_prefix="streaming-writer")


class Weather:
    """How the database has served this process lately; told by all of its threads."""

    def __init__(self) -> None:
        self._began: dict[object, float] = {}
        self._was_bad = -math.inf

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Around a piece of work."""
        work = object()
        self._began[work] = time.monotonic()
        try:
            yield
        except (OperationalError, InterfaceError):
            self._was_bad = time.monotonic()
            raise
        finally:
            if time.monotonic() - self._began.pop(work) > SLOW_SECONDS:
                self._was_bad = time.monotonic()

    def clear_up(self) -> None:
        """Forget what was."""
        self._was_bad = -math.inf

    def begin(self) -> None:
        """A server begins: it cannot know how the database has served the others."""
        self._was_bad = time.monotonic()

    def has_been_fine_for(self, seconds: float) -> bool:
        """Whether nothing failed or was kept waiting for so long, and nothing is now."""
        now = time.monotonic()
        is_fine = all(now - began < SLOW_SECONDS for began in list(self._began.values()))
        return is_fine and now - self._was_bad > seconds


weather = Weather()


def alias() -> str:
    """The name of the database that conversations are written to, whichever a router makes it."""
    return str(router.db_for_write(apps.get_model("streaming", "Generation")))


def atomic() -> transaction.Atomic:
    """A transaction there; within one, a savepoint."""
    return transaction.atomic(using=alias())


def _with_fresh_connection(work: Callable[[], T]) -> T:
    close_old_connections()
    try:
        # Django lets some of the driver's own exceptions through, of a cursor that is closed for one.
        with weather.watch(), connections[alias()].wrap_database_errors:
            return work()
    finally:
        close_old_connections()


async def in_database(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `function` on a database thread and return what it returns.

    Cancelling the await does not stop the thread; the work is still done, its result dropped.
    """
    work = functools.partial(function, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_readers(), _with_fresh_connection, work)


async def in_order(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Like `in_database`, after everything handed to `in_order` before; not undone or reordered by cancellation."""
    work = functools.partial(function, *args, **kwargs)
    future = asyncio.get_running_loop().run_in_executor(_writer(), _with_fresh_connection, work)
    return await asyncio.shield(future)


def outlasting_deadlocks(transact: Callable[P, T]) -> Callable[P, T]:
    """Do a transaction again that the database undid so that another could go on.

    It must not be part of a larger one.
    """

    @functools.wraps(transact)
    def transact_again(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(MAX_DEADLOCKS):
            try:
                return transact(*args, **kwargs)
            except OperationalError as error:
                if not _is_deadlock(error):
                    raise
                time.sleep(random.uniform(0, DEADLOCK_PAUSE_SECONDS))  # noqa: S311  # or both would meet again
        return transact(*args, **kwargs)

    return transact_again


def _is_deadlock(error: OperationalError) -> bool:
    """By PostgreSQL's SQLSTATEs 40P01 and 40001, or MySQL's and MariaDB's error 1213."""
    cause = error.__cause__
    return getattr(cause, "sqlstate", None) in ("40P01", "40001") or getattr(cause, "args", ())[:1] == (1213,)


async def release_request_connection() -> None:
    """Give back the connection that was opened on this request's thread.

    Without this an open stream holds it to the end (measured: 60 streams, 60 idle PostgreSQL connections).
    """
    await sync_to_async(close_old_connections)()


async def release_request_thread() -> None:
    """Give back the thread that Django keeps for this request, with its connection; it gets another when it needs one.

    Without this an open stream keeps a thread to its end, which sleeps (measured: 55 KB each). It is found where
    asgiref 3.13 keeps it; one that keeps it elsewhere keeps it to the end.
    """
    context = SyncToAsync.thread_sensitive_context.get(None)
    is_own = context is not None and getattr(context, "_executor", None) is None
    kept: MutableMapping[object, Executor] = getattr(SyncToAsync, "context_to_thread_executor", {})
    executor = kept.pop(context, None) if is_own else None
    if executor is None:
        await release_request_connection()
        return
    executor.submit(_close_connections)  # nobody waits for it: a thread finishes what it has before it ends
    executor.shutdown(wait=False)


def _close_connections() -> None:
    try:
        close_old_connections()
    except Exception:
        logger.exception("A request's connection could not be given back.")


def _renew(*, setting: str, **kwargs: Any) -> None:
    if setting == "STREAMING_DATABASE_THREADS" and _readers.cache_info().currsize:
        _readers().shutdown(wait=False)
        _readers.cache_clear()


setting_changed.connect(_renew)
