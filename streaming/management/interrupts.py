"""Ctrl-C while an answer is written."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine
from typing import Any


class FirstInterrupt:
    """A context in which the first Ctrl-C calls `handle` on the running event loop. A second one ends the command.

    It does not use the loop's `add_signal_handler`, which does not exist on Windows. Python allows a handler only in
    the main thread; in another one, no Ctrl-C arrives, and the context does nothing.
    """

    def __init__(self, handle: Callable[[], Coroutine[Any, Any, object]]) -> None:
        self._handle = handle
        self._handling: asyncio.Task[object] | None = None
        self._previous: Any = None
        self._is_installed = False

    def __enter__(self) -> None:
        self._loop = asyncio.get_running_loop()
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._receive)
            self._is_installed = True

    def __exit__(self, *exc_info: object) -> None:
        self._restore()

    def _receive(self, number: int, frame: object) -> None:
        self._restore()
        self._loop.call_soon_threadsafe(self._begin)

    def _begin(self) -> None:
        self._handling = self._loop.create_task(self._handle())

    def _restore(self) -> None:
        if self._is_installed:
            self._is_installed = False
            # A handler that was not set from Python is None, and cannot be set again.
            signal.signal(signal.SIGINT, signal.SIG_DFL if self._previous is None else self._previous)
