"""What every subscription does."""

from __future__ import annotations

from typing import Protocol


class Subscription(Protocol):
    """A reader's place in a generation's log. `seq` is the number of the last frame that it was given.

    A subscription holds nothing until it is first read, so it may be dropped unread. `has_begun_again` is True if the
    log was lost and made anew, and frames from number 1 follow others.
    """

    seq: int
    has_begun_again: bool

    async def next(self, seconds: float) -> list[bytes] | None:
        """The next frames; None after the last one; an empty list after `seconds` of silence.

        Also an empty list, and sooner, when this process ends and another process runs the generation.
        """

    def close(self) -> None:
        """Ends the subscription. May be called twice."""
