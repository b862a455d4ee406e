"""Announces signals: calls their receivers in other threads, in the order of each generation's events."""

from __future__ import annotations

import atexit
import functools
import logging
import queue
import threading
import time
import uuid
from typing import Any, NamedTuple

from django.db import transaction
from django.dispatch import Signal

from streaming.database import alias, close_connections
from streaming.models import Generation

logger = logging.getLogger(__name__)

# The number of threads. All signals of a generation go to the same one, so that they keep their order. A receiver that
# hangs delays the signals of all generations of its thread.
THREADS = 4
# Seconds that a process which ends waits for its receivers, at most. The threads are daemons, so none can keep it.
EXIT_SECONDS = 2.0


class _Announcement(NamedTuple):
    signal: Signal
    generation_id: uuid.UUID
    arguments: dict[str, Any]


class _ReceiverThread:
    """A thread that calls receivers, one after the other. It starts with the first announcement."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[_Announcement] = queue.SimpleQueue()
        self._is_begun = False
        self._changed = threading.Condition()
        self._pending = 0

    def put(self, announcement: _Announcement) -> None:
        with self._changed:
            self._pending += 1
            self._queue.put(announcement)
            if not self._is_begun:
                self._begin()

    def _begin(self) -> None:
        """Starts the thread. If the process has too many, the announcements wait for the next one."""
        try:
            threading.Thread(target=self._work, name="streaming-signals", daemon=True).start()
            self._is_begun = True
        except RuntimeError as trouble:
            logger.error("No thread could be started for signals (%s).", type(trouble).__name__)

    def wait(self, seconds: float) -> bool:
        """Returns True if all receivers have ended within `seconds`."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._pending, seconds)

    def _work(self) -> None:
        while True:
            try:
                _send(self._queue.get())
            except BaseException as trouble:  # also a receiver's SystemExit: the thread has other receivers to call
                logger.error("A signal could not be sent (%s).", type(trouble).__name__)
            finally:
                close_connections()  # the thread may be idle for hours
                with self._changed:
                    self._pending -= 1
                    self._changed.notify_all()


_threads = [_ReceiverThread() for _ in range(THREADS)]


def announce(signal: Signal, generation_id: uuid.UUID, **arguments: Any) -> None:
    """Sends `signal` for a generation, and returns at once.

    Receivers get `arguments`, and the generation as it is stored when they are called.
    """
    if signal.has_listeners(Generation):
        _threads[generation_id.int % THREADS].put(_Announcement(signal, generation_id, arguments))


def announce_at_commit(signal: Signal, generation_id: uuid.UUID) -> None:
    """Sends `signal` when the open transaction is committed. It is not sent if the transaction is undone."""
    transaction.on_commit(functools.partial(announce, signal, generation_id), using=alias())


def wait_for_receivers(seconds: float) -> bool:
    """Waits until all receivers have ended. Returns False if `seconds` have passed before. Blocks the thread."""
    end = time.monotonic() + seconds
    return all(thread.wait(max(0, end - time.monotonic())) for thread in _threads)


def _send(announcement: _Announcement) -> None:
    generation = (
        Generation.objects.using(alias())
        .select_related("message", "conversation")
        .filter(pk=announcement.generation_id)
        .first()
    )
    if generation is not None:  # else it was deleted in the meantime
        announcement.signal.send_robust(Generation, generation=generation, **announcement.arguments)


atexit.register(wait_for_receivers, EXIT_SECONDS)
