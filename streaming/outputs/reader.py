"""The object so far, while its answer is being written."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from streaming.outputs.extract import JSONText
from streaming.outputs.types import VALUE, OutputType
from streaming.protocol import StringDelta
from streaming.protocol.ui_stream import chunk_of, replacement_in


class _Nothing(msgspec.Struct, frozen=True):
    """No value, not even null."""

    def __bool__(self) -> bool:
        return False


NOTHING: Final = _Nothing()
"""The value before the first text of the object has come."""

GROWTH = 64
TICK_SECONDS = 0.05
"""A snapshot copies open lists and strings, so one for each token would cost the square of the object's size. So there
is one when the text has grown by a 64th, or after this time: people see 20 pictures a second."""


class _Chunk(msgspec.Struct, rename="camel"):
    type: str
    delta: str = ""
    provider_metadata: dict[str, Any] | None = None


_decode = msgspec.json.Decoder(_Chunk).decode


def text_in(frames: Iterable[bytes]) -> str:
    """Returns the text of the answer in the frames."""
    chunks = (_decode(chunk_of(one)) for one in frames)
    return "".join(chunk.delta for chunk in chunks if chunk.type == "text-delta")


class ObjectReader:
    """Takes the text of an answer in pieces. `partial` returns the object so far, as Python values, if it is due.

    With `is_final`, no object takes the place of another one, so the strings only grow.
    """

    def __init__(self, wanted: OutputType, *, is_final: bool = False) -> None:
        self._wanted, self._is_final = wanted, is_final
        self._shown_at = 0.0
        self._begin()

    def _begin(self) -> None:
        self.text = JSONText(is_list=self._wanted.is_list, is_final=self._is_final)
        self._size = self._shown_size = 0

    def take(self, frames: Iterable[bytes]) -> list[StringDelta]:
        """Takes the text in frames, as `feed` does. The end of a part may bring a text that replaces all so far."""
        pieces: list[str] = []
        for chunk in (_decode(chunk_of(one)) for one in frames):
            if chunk.type == "text-delta":
                pieces.append(chunk.delta)
            elif chunk.type == "text-end" and not self._is_final:
                whole = replacement_in(chunk.provider_metadata)
                if whole is not None:
                    self._begin()
                    pieces = [whole]
        return self.feed("".join(pieces))

    def feed(self, text: str) -> list[StringDelta]:
        """Takes the next piece. Returns how the strings of the object grew."""
        self._size += len(self.text.feed(text))
        return [delta for one in self.text.deltas if (delta := self._unboxed(one))]

    @property
    def is_behind(self) -> bool:
        """True if there is text that no partial has shown."""
        return self._size > self._shown_size

    def partial(self, *, is_last: bool = False) -> Any:
        """Returns the object so far; `NOTHING` if none has begun, if nothing is new, or if it is too early."""
        grown = self._size - self._shown_size
        is_due = is_last or grown * GROWTH >= self._size or time.monotonic() - self._shown_at >= TICK_SECONDS
        if not (grown and is_due):
            return NOTHING
        self._shown_size, self._shown_at = self._size, time.monotonic()
        return self.snapshot()

    def snapshot(self) -> Any:
        """Returns the object so far, as Python values that nobody may change; `NOTHING` if none has begun."""
        if not self.text.is_found:
            return NOTHING
        value = self.text.scanner.snapshot()
        if self._wanted.is_boxed and isinstance(value, dict):
            return value.get(VALUE, NOTHING)
        return value

    def _unboxed(self, delta: StringDelta) -> StringDelta | None:
        if not (self._wanted.is_boxed and delta.path[:1] == (VALUE,)):
            return delta
        return StringDelta(delta.path[1:], delta.text)
