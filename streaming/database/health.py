"""The health of the database, as this process has seen it lately.

The reaper asks before it calls a silent process dead: while the database is away or locked, no process can renew a
lease.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError

# Work that takes longer had to wait: for a lock, for a server that starts, or for a machine that stood still.
SLOW_SECONDS = 1.0


class Health:
    """Watches all database work of the process, on all of its threads."""

    def __init__(self) -> None:
        self._started: dict[object, float] = {}
        self._last_trouble = -math.inf

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Watches one piece of work: it counts as trouble if it fails or takes longer than `SLOW_SECONDS`."""
        work = object()
        self._started[work] = time.monotonic()
        try:
            yield
        except (OperationalError, InterfaceError):
            self._last_trouble = time.monotonic()
            raise
        finally:
            if time.monotonic() - self._started.pop(work) > SLOW_SECONDS:
                self._last_trouble = time.monotonic()

    def doubt(self) -> None:
        """Counts this moment as trouble. A server calls it when it starts and knows nothing about the database yet."""
        self._last_trouble = time.monotonic()

    def has_been_good_for(self, seconds: float) -> bool:
        """True if no work failed or was slow within the last `seconds`, and none is slow now."""
        now = time.monotonic()
        is_good = all(now - started < SLOW_SECONDS for started in list(self._started.values()))
        return is_good and now - self._last_trouble > seconds


health = Health()
