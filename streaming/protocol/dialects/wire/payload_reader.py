"""Reads the payloads that the fast decoder refuses, and joins what a relay cut in two events."""

from __future__ import annotations

from typing import Any

from streaming.protocol.dialects.wire.decoding import decode_joined, decode_keeping_halves, unquoted
from streaming.protocol.dialects.wire.surrogates import SurrogateJoiner


class PayloadReader:
    """Keeps data that is the beginning of a JSON object, until the next event shows if it has the rest of it.

    `splits_joined` is True if one event may have several JSON documents.
    """

    def __init__(self, *, splits_joined: bool) -> None:
        self._splits_joined = splits_joined
        self._surrogates = SurrogateJoiner()
        self._cut = b""
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
        values = self._values_in(cut + data) if cut else None
        if values is None:
            self.lost = cut
            values = self._values_in(data)
        if values is None and may_be_cut and data.lstrip().startswith(b"{"):
            self._cut, values = data, []
        return values

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
