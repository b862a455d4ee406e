"""Pace: how often somebody may do something. A bucket of turns, emptied by use and filled by time."""

from __future__ import annotations

import time


class Pace:
    """`burst` turns at once, and `per_second` more."""

    def __init__(self, burst: int, per_second: float) -> None:
        self._burst = burst
        self._per_second = per_second
        self._left = float(burst)
        self._at = time.monotonic()

    def takes_turn(self) -> bool:
        """Whether there was a turn left; it is used up."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
