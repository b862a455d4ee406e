"""The end of a process: who is told to end, and what is done first.

A server's signal handler is put off until the answers that run here are settled and their readers have their end;
then the signal is raised again and the server does what it would have done. Servers differ in what they do to open
connections at that moment, and by then there are none. Nothing is done in a process that leaves SIGTERM alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import signal
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from streaming.conf import settings

SIGNALS = (signal.SIGTERM, signal.SIGINT)
# What a process that ends without a signal of ours (a code reload) waits for: time to settle, not to finish.
EXIT_SECONDS = 2.0

Drain = Callable[[float], Coroutine[Any, Any, None]]


class Shutdown:
    """Lets `drain(seconds)` run to its end on the running loop before the process ends.

    The first SIGTERM gives `STREAMING_DRAIN_SECONDS`; a second one, or Ctrl-C, gives none.
    """

    def __init__(self, drain: Drain) -> None:
        self._drain = drain
        self._loop = asyncio.get_running_loop()
        self._received = 0
        self._draining: set[asyncio.Task[None]] = set()
        self._previous: dict[int, Callable[[], object]] = {}

    def watch(self) -> None:
        """Take over the server's signals, or where the loop is not the main thread's, the end of the interpreter."""
        if threading.current_thread() is not threading.main_thread():
            _at_exit(self)
        elif callable(signal.getsignal(signal.SIGTERM)):
            for number in SIGNALS:
                self._take_over(number)

    def end(self) -> None:
        """The main thread has ended while the loop still runs in another one."""
        if self._loop.is_running():
            with contextlib.suppress(TimeoutError):
                asyncio.run_coroutine_threadsafe(self._drain(0), self._loop).result(EXIT_SECONDS)

    @property
    def is_over(self) -> bool:
        return self._loop.is_closed()

    def _take_over(self, number: int) -> None:
        """Of signals that the loop itself delivers, the loop must be asked; it has no public word for who has them."""
        handlers = _handlers_of(self._loop, number)
        if number in handlers:
            self._previous[number] = functools.partial(_give_back, handlers, number, handlers[number])
            self._loop.add_signal_handler(number, self._begin, number)
            return
        handler = signal.getsignal(number)
        if callable(handler):
            signal.signal(number, self._receive)
            self._previous[number] = functools.partial(_raise_to, handler, number)

    def _receive(self, number: int, frame: object) -> None:
        if self._loop.is_running():
            self._loop.call_soon_threadsafe(self._begin, number)
        else:
            self._previous[number]()

    def _begin(self, number: int) -> None:
        self._received += 1
        is_patient = number == signal.SIGTERM and self._received == 1
        task = self._loop.create_task(self._drain(settings.DRAIN_SECONDS if is_patient else 0))
        self._draining.add(task)
        task.add_done_callback(lambda _: self._previous[number]())


def _handlers_of(loop: asyncio.AbstractEventLoop, number: int) -> dict[int, Any]:
    """Where `loop` keeps who gets the signal of this number, by its number; empty if nobody does.

    uvloop keeps that where only the garbage collector sees it, beside its polls, which go by file numbers.
    """
    found = getattr(loop, "_signal_handlers", None)
    candidates = gc.get_referents(loop) if found is None else [found]
    return next((one for one in candidates if isinstance(one, dict) and hasattr(one.get(number), "cancelled")), {})


def _raise_to(handler: Callable[..., object], number: int) -> None:
    """Give the signal back, and let it happen."""
    signal.signal(number, handler)
    signal.raise_signal(number)


def _give_back(handlers: dict[int, Any], number: int, handle: object) -> None:
    """The same of a signal that the loop delivers."""
    handlers[number] = handle
    signal.raise_signal(number)


_in_threads: list[Shutdown] = []


def _at_exit(shutdown: Shutdown) -> None:
    """Not by `atexit`, which comes too late: settling needs the database's threads, and those are joined before."""
    register = getattr(threading, "_register_atexit", None)
    if register is not None and not _in_threads:
        register(_end_all)
    _in_threads[:] = [shutdown, *(other for other in _in_threads if not other.is_over)]


def _end_all() -> None:
    for shutdown in _in_threads:
        shutdown.end()
