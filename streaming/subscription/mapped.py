"""A subscription whose frames are replaced on their way to the reader."""

from __future__ import annotations

import time
from collections.abc import Callable

from streaming.subscription.contract import Subscription


class MappedSubscription:
    """A subscription whose reader gets what `change` makes of the frames of `inner`.

    If nothing is left of them, they are silence, and the reader waits for the next ones.
    """

    def __init__(self, inner: Subscription, change: Callable[[list[bytes]], list[bytes]]) -> None:
        self._inner = inner
        self._change = change

    @property
    def seq(self) -> int:
        return self._inner.seq

    @property
    def has_begun_again(self) -> bool:
        return self._inner.has_begun_again

    async def next(self, seconds: float) -> list[bytes] | None:
        deadline = time.monotonic() + seconds
        while frames := await self._inner.next(max(0.0, deadline - time.monotonic())):
            if changed := self._change(frames):
                return changed
        return frames

    def close(self) -> None:
        self._inner.close()
