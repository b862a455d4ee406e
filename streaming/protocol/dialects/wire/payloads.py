"""Reads the payloads that the fast decoder refuses, and joins what a relay cut in two events."""

from __future__ import annotations

from typing import Any

from streaming.protocol.dialects.wire.halves import Halves


class Payloads:
    """Keeps data that is the beginning of a JSON object, until the next event shows if it has the rest of it."""

    def __init__(self) -> None:
        self._halves = Halves()
        self._cut = b""
        self.lost = b""
        """Data that was kept, and that no event completed. The reader clears it."""

    @property
    def is_open(self) -> bool:
        """True while something is kept: then each event has to come to `read`."""
        return self._halves.is_open or self.is_cut

    @property
    def is_cut(self) -> bool:
        """True while the beginning of an object is kept."""
        return bool(self._cut)

    def read(self, data: bytes, *, is_joined: bool, may_be_cut: bool) -> list[Any]:
        """Returns the values to read, of the data of an event. See `Halves.read`.

        Raises:
            ValueError: `data` is no JSON, and also not the beginning of an object (if `may_be_cut`).
        """
        try:
            values = self._halves.read(data, is_joined=is_joined)
        except ValueError:
            return self._read_cut(data, may_be_cut=may_be_cut)
        self.lose()
        return values

    def lose(self) -> None:
        """Gives up what is kept: the next event did not go on with it."""
        self.lost, self._cut = self._cut or self.lost, b""

    def flush(self) -> list[Any]:
        """Returns the rest of the values, at the end. See `Halves.flush`."""
        self.lose()
        return self._halves.flush()

    def _read_cut(self, data: bytes, *, may_be_cut: bool) -> list[Any]:
        if self._cut:
            try:
                values = self._halves.read(self._cut + data)
            except ValueError:
                self.lose()
            else:
                self._cut = b""
                return values
        if not (may_be_cut and data.lstrip().startswith(b"{")):
            raise ValueError("no JSON")
        self._cut = data
        return []
