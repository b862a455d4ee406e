"""The interface of all subscriptions."""

from __future__ import annotations

from typing import Protocol

PATIENCE = 5.0
"""Seconds to wait for frames that the log must have. A database that is away for a moment has them later."""


class Subscription(Protocol):
    """A reader's place in a generation's log. `seq` is the number of the last frame that it was given.

    A subscription needs no `close` before its first read. `has_begun_again` is True if the log was lost and made anew,
    so that frames from number 1 follow frames with higher numbers.
    """

    @property
    def seq(self) -> int: ...
    @property
    def has_begun_again(self) -> bool: ...

    async def next(self, seconds: float) -> list[bytes] | None:
        """Returns the next frames, None after the last one, or an empty list after `seconds` without a frame.

        The empty list comes at once when this process ends and another process runs the generation.

        Raises:
            NotFound: the conversation has been deleted.
        """

    def close(self) -> None:
        """Ends the subscription. May be called twice."""
