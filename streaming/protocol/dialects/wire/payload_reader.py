"""Reads the payloads that the fast decoder refuses, and joins what a relay cut in several events."""

from __future__ import annotations

from typing import Any

from streaming.protocol.dialects.wire.decoding import decode_joined, decode_keeping_halves, is_beginning, unquoted
from streaming.protocol.dialects.wire.surrogates import SurrogateJoiner

MAX_PIECES = 16
"""The number of events in which one object may come. All of it is decoded again with each."""


class PayloadReader:
    """Keeps data that is the beginning of a JSON object, until the next events show if they have the rest of it.

    `splits_joined` is True if one event may have several JSON documents.
    """

    def __init__(self, *, splits_joined: bool) -> None:
        self._splits_joined = splits_joined
        self._surrogates = SurrogateJoiner()
        self._cut = b""
        self._pieces = 0
        """The number of events that `_cut` came in."""
        self.lost = b""
        """Data that was kept, and that no event completed. The reader clears it."""

    @property
    def is_open(self) -> bool:
        """True while something is kept: then each event has to come to `read`."""
        return self._surrogates.is_open or self.is_cut

    @property
    def is_cut(self) -> bool:
        """True while the beginning of an object is kept."""
        return bool(self._cut)

    def read(self, data: bytes, *, may_be_cut: bool) -> list[Any] | None:
        """Returns the values to read, of the data of an event; None if it is no JSON.

        The rest of an object comes first, because it may look like objects of its own. If `may_be_cut`, the beginning
        of an object is kept, and gives no values yet.
        """
        cut, self._cut = self._cut, b""
        if cut and (values := self._values_in(cut + data)) is not None:
            return values
        values, is_object = self._values_in(data), data.lstrip().startswith(b"{")
        is_whole = values is not None and is_object
        if cut and may_be_cut and not is_whole and self._pieces < MAX_PIECES and is_beginning(cut + data):
            return self._keep(cut + data, self._pieces + 1)
        self.lost = cut
        return self._keep(data, 1) if values is None and may_be_cut and is_object else values

    def _keep(self, beginning: bytes, pieces: int) -> list[Any]:
        """Keeps the beginning of an object, which came in so many events. It gives no values yet."""
        self._cut, self._pieces = beginning, pieces
        return []

    def flush(self) -> list[Any]:
        """Returns the rest of the values, at the end. See `SurrogateJoiner.flush`."""
        self.lost, self._cut = self._cut, b""
        return self._surrogates.flush()

    def _values_in(self, data: bytes) -> list[Any] | None:
        try:
            return self._surrogates.join(self._decode(data))
        except ValueError:
            return None

    def _decode(self, data: bytes) -> Any:
        try:
            return unquoted(decode_keeping_halves(data))
        except ValueError:
            if not self._splits_joined:
                raise
            return decode_joined(data)
