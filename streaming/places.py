"""Places: what each owner has open in this process. Counted here and not in the database, because it is this process
that pays for it, with memory and a task for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from streaming.conf import settings
from streaming.errors import TooManyRequests

FULL = "You have this site open in more places than it allows. Close one of them."


class Places:
    """Streams and sockets by their owner's key."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()  # no owner is kept at nought: there are as many as have come by

    def check(self, owner_key: str) -> None:
        """See that there is one left. It is taken later, when somebody else may have taken it.

        Raises:
            TooManyRequests: there is none.
        """
        if self._taken[owner_key] >= settings.MAX_STREAMS_PER_OWNER:
            raise TooManyRequests(FULL)

    @contextmanager
    def taken(self, owner_key: str) -> Iterator[None]:
        """Take a place for as long as the context lasts.

        Raises:
            TooManyRequests: there is none.
        """
        self.check(owner_key)
        self._taken[owner_key] += 1
        try:
            yield
        finally:
            self._taken[owner_key] -= 1
            if not self._taken[owner_key]:
                del self._taken[owner_key]
