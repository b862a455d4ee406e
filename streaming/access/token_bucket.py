"""A token bucket: a limit on how often somebody may do something."""

from __future__ import annotations

import time


class TokenBucket:
    """Holds `burst` tokens at first and gains `per_second`, up to `burst`. Each use takes one or more."""

    def __init__(self, burst: int, per_second: float) -> None:
        self._burst = burst
        self._per_second = per_second
        self._tokens = float(burst)
        self._filled_at = time.monotonic()

    def take(self, count: int = 1) -> bool:
        """Takes `count` tokens. Returns False, and takes none, if fewer are left."""
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._per_second)
        self._filled_at = now
        if self._tokens < count:
            return False
        self._tokens -= count
        return True
