"""The streams and sockets that clients have open in this process.

They are counted here and not in the database, because each of them costs this process memory and a task.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.utils.translation import gettext_lazy as _

from streaming.conf import settings
from streaming.errors import TooManyRequests
from streaming.per_loop import PerLoop

FULL = _("You have this site open in more places than it allows. Close one of them.")
# When the process ends, it waits so long for its readers to get the end of their answers. A client that does not read
# must not delay it longer. Afterwards, the server gets a moment to send the last bytes.
LEAVE_SECONDS = 0.7
FLUSH_SECONDS = 0.1


class OpenStreams:
    """Limits what one owner has open, and ends all streams when the process ends.

    Once `is_closing`, each stream ends as soon as it has nothing to send.
    """

    def __init__(self) -> None:
        self.is_closing = False
        # An owner who has nothing open has no entry, because the number of owners has no limit.
        self._held: Counter[str] = Counter()
        self._reading = 0
        self._are_gone = asyncio.Event()

    @property
    def count(self) -> int:
        """The number of streams and sockets that are open."""
        return self._held.total()

    def check(self, owner_key: str) -> None:
        """Checks that the owner may open one more. This does not reserve it; another request may open one first.

        Raises:
            TooManyRequests: `STREAMING_MAX_STREAMS_PER_OWNER` are open.
        """
        if self._held[owner_key] >= settings.MAX_STREAMS_PER_OWNER:
            raise TooManyRequests(FULL)

    @contextmanager
    def held(self, owner_key: str) -> Iterator[None]:
        """Counts one stream or socket of the owner while the context is open.

        Raises:
            TooManyRequests: as `check`.
        """
        self.check(owner_key)
        self._held[owner_key] += 1
        try:
            yield
        finally:
            self._held[owner_key] -= 1
            if not self._held[owner_key]:
                del self._held[owner_key]

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Counts one reader while the context is open; `close` waits for it."""
        self._reading += 1
        try:
            yield
        finally:
            self._reading -= 1
            if not self._reading:
                self._are_gone.set()

    async def close(self) -> None:
        """Asks all streams to end, and waits at most `LEAVE_SECONDS` until they have."""
        self.is_closing = True
        if not self._reading:
            return
        self._are_gone.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._are_gone.wait(), LEAVE_SECONDS)
        await asyncio.sleep(FLUSH_SECONDS)


_open_streams = PerLoop(OpenStreams)


def open_streams() -> OpenStreams:
    """The running event loop's open streams."""
    return _open_streams.get()


def open_everywhere() -> int:
    """The number of streams and sockets that are open on all event loops of this process. Any thread may ask."""
    return sum(streams.count for _, streams in _open_streams.items())
