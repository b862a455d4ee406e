"""Breakers: a provider that failed for several answers in a row is left alone for a while.

    closed ──▶ open        `STREAMING_BREAKER_FAILURES` answers in a row failed
    open ──▶ half-open     `STREAMING_BREAKER_SECONDS` have passed: one request tries the provider
    half-open ──▶ closed   the provider said its first word
    half-open ──▶ open     that request failed, too

Each alias has one breaker, which all event loops of the process share. A lock is held for a few instructions, and never
while something is awaited.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Literal

from django.core.signals import setting_changed

from streaming.conf import settings

State = Literal["closed", "half-open", "open"]


class Permit:
    """The permission to ask a provider once. Its holder reports how that ended; only the first report counts."""

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker
        self._is_used = False

    def succeeded(self) -> None:
        """Says that the provider answers."""
        self._end(self._breaker._closed_by)

    def failed(self) -> None:
        """Says that the provider failed by its own fault."""
        self._end(self._breaker._failed_by)

    def dropped(self) -> None:
        """Ends the permit without a verdict: the request was stopped, or the failure was the request's own fault."""
        self._end(self._breaker._dropped_by)

    def _end(self, tell: Callable[[Permit], None]) -> None:
        if not self._is_used:
            self._is_used = True
            tell(self)


class Breaker:
    """The breaker of one provider. `clock` returns seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._opened_at: float | None = None
        self._probe: Permit | None = None

    @property
    def state(self) -> State:
        """The state now. An open breaker is half-open once its pause is over."""
        opened_at = self._opened_at  # another thread may close the breaker meanwhile
        if opened_at is None or settings.BREAKER_FAILURES is None:
            return "closed"
        return "half-open" if self._clock() - opened_at >= settings.BREAKER_SECONDS else "open"

    @property
    def admits(self) -> bool:
        """True if `admit` would give a permit now."""
        state = self.state
        return state == "closed" or (state == "half-open" and self._probe is None)

    def admit(self) -> Permit | None:
        """Returns a permit; None while the provider must not be asked. A half-open breaker gives one at a time."""
        with self._lock:
            if not self.admits:
                return None
            permit = Permit(self)
            if self.state == "half-open":
                self._probe = permit
            return permit

    def _closed_by(self, permit: Permit) -> None:
        with self._lock:
            self._failures, self._opened_at, self._probe = 0, None, None

    def _failed_by(self, permit: Permit) -> None:
        with self._lock:
            self._failures += 1
            most = settings.BREAKER_FAILURES
            if permit is self._probe or (self._opened_at is None and most is not None and self._failures >= most):
                self._opened_at, self._probe = self._clock(), None

    def _dropped_by(self, permit: Permit) -> None:
        with self._lock:
            if permit is self._probe:
                self._probe = None


_breakers: dict[str, Breaker] = {}


def breaker_of(alias: str) -> Breaker:
    """Returns the process's breaker of provider `alias`."""
    return _breakers.setdefault(alias, Breaker())


def breaker_states() -> dict[str, State]:
    """Returns the state of the breaker of each provider that this process has asked."""
    return {alias: breaker.state for alias, breaker in list(_breakers.items())}


def open_breakers() -> float:
    """Returns the number of providers whose breaker is not closed. Any thread may call it."""
    return sum(breaker.state != "closed" for breaker in list(_breakers.values()))


def forget_breakers() -> None:
    """Closes all breakers of the process."""
    _breakers.clear()


def _forget(*, setting: str, **kwargs: object) -> None:
    if setting == "STREAMING_PROVIDERS":
        forget_breakers()


setting_changed.connect(_forget, dispatch_uid="streaming.providers.breaker")
