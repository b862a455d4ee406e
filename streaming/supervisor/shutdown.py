"""The end of a process: its answers are settled before the server reacts to the signal.

A SIGTERM first starts the drain. When the answers are settled and their readers have got the end, the signal is raised
again, and the server's own handler runs. Servers treat open connections differently at that moment; by then there are
none. A process that does not handle SIGTERM is left alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import signal
import threading
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any

from streaming.conf import settings

SIGNALS = (signal.SIGTERM, signal.SIGINT)
# Seconds that a process waits when it ends without a signal (a code reload): enough to settle, not to finish.
EXIT_SECONDS = 2.0

Drain = Callable[[float], Coroutine[Any, Any, None]]
Handler = Callable[[int, FrameType | None], Any]


class Shutdown:
    """Runs `drain(seconds)` on the running event loop before the process ends.

    `seconds` is `STREAMING_DRAIN_SECONDS` at the first SIGTERM, and 0 at a second one or at Ctrl-C.
    """

    def __init__(self, drain: Drain) -> None:
        self._drain = drain
        self._loop = asyncio.get_running_loop()
        self._received = 0
        self._draining: set[asyncio.Task[None]] = set()
        self._previous: dict[int, Callable[[], object]] = {}
        self.replaced: dict[int, Handler] = {}

    def install(self) -> None:
        """Handles the server's signals. If the loop is not in the main thread, handles the end of the interpreter."""
        if threading.current_thread() is not threading.main_thread():
            _at_exit(self)
        elif callable(signal.getsignal(signal.SIGTERM)):
            for number in SIGNALS:
                self._handle(number)

    def drain_at_exit(self) -> None:
        """Drains from the main thread, which has ended, while the loop still runs in another thread."""
        if self._loop.is_running():
            with contextlib.suppress(TimeoutError):
                asyncio.run_coroutine_threadsafe(self._drain(0), self._loop).result(EXIT_SECONDS)

    @property
    def is_over(self) -> bool:
        """True if the loop is closed."""
        return self._loop.is_closed()

    def _handle(self, number: int) -> None:
        """Replaces the handler of a signal, which the event loop has (`loop.add_signal_handler`) or else Python."""
        handlers = _handlers_of(self._loop, number)
        if number in handlers:
            self._previous[number] = functools.partial(_raise_in_loop, handlers, number, handlers[number])
            self._loop.add_signal_handler(number, self._begin, number)
            return
        handler = _below_closed_loop(signal.getsignal(number), number)
        if callable(handler):
            signal.signal(number, self._receive)
            self.replaced[number] = handler
            self._previous[number] = functools.partial(_raise_in_python, handler, number)

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
    """The dictionary in which `loop` keeps its signal handlers by number; an empty one if it has none for `number`.

    No loop has a public way to read a handler. asyncio has the dictionary in `_signal_handlers`. uvloop has it in a C
    field, where only the garbage collector finds it; its other dictionary has polls by file number, and no handles.

    Measured on granian 2.8 with 20 streams and a WebSocket, on asyncio and on uvloop: without this, granian refuses new
    connections during the drain, and closes the WebSocket before its answer ends. With this, a new request gets status
    503 and the WebSocket gets its end.
    """
    found = getattr(loop, "_signal_handlers", None)
    candidates = gc.get_referents(loop) if found is None else [found]
    return next((one for one in candidates if isinstance(one, dict) and hasattr(one.get(number), "cancelled")), {})


def _below_closed_loop(handler: Any, number: int) -> Any:
    """Returns `handler`; for that of a loop that is closed, the one that it replaced.

    A worker may run one loop after the other. Their handlers must not pile up.
    """
    shutdown = getattr(handler, "__self__", None)
    return shutdown.replaced[number] if isinstance(shutdown, Shutdown) and shutdown.is_over else handler


def _raise_in_python(handler: Callable[..., object], number: int) -> None:
    """Restores the handler that Python had, and raises the signal again."""
    signal.signal(number, handler)
    signal.raise_signal(number)


def _raise_in_loop(handlers: dict[int, Any], number: int, handle: object) -> None:
    """Restores the handler that the loop had, and raises the signal again."""
    handlers[number] = handle
    signal.raise_signal(number)


_in_threads: list[Shutdown] = []


def _at_exit(shutdown: Shutdown) -> None:
    """Registers a function that runs before Python joins its threads at the end of the interpreter.

    `atexit` runs later, when the database's threads have been joined, and nothing can be settled any more. Measured
    with `runserver` and a code reload: with `atexit` the answer's row stays "running" without text, with this it is
    "interrupted" with the text that its reader has seen.
    """
    register = getattr(threading, "_register_atexit", None)
    if register is not None and not _in_threads:
        register(_drain_all)
    _in_threads[:] = [shutdown, *(other for other in _in_threads if not other.is_over)]


def _drain_all() -> None:
    for shutdown in _in_threads:
        shutdown.drain_at_exit()
