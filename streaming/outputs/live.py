"""The text of an answer's object, as it is written."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Protocol

from streaming.outputs.extract import JSONText
from streaming.outputs.reader import text_in
from streaming.outputs.types import OutputType
from streaming.outputs.unwrap import Unwrapped


class Frames(Protocol):
    """The part of a subscription that this module uses."""

    async def next(self, seconds: float) -> list[bytes] | None: ...
    def close(self) -> None: ...


class ObjectText:
    """Takes an answer's frames and returns the text of its object: no prose, no reasoning, no box around a list."""

    def __init__(self, frames: Frames, wanted: OutputType) -> None:
        self.is_over = False
        self._frames = frames
        self._found = JSONText(is_list=wanted.is_list, is_final=True)
        self._unwrap = Unwrapped() if wanted.is_boxed else None

    async def next(self, seconds: float) -> str | None:
        """Returns more of the text, an empty string if none came within `seconds`, or None at the end."""
        deadline = time.monotonic() + seconds
        while not self.is_over:
            frames = await self._frames.next(max(0.0, deadline - time.monotonic()))
            text = self._end() if frames is None else self._take(frames)
            if text or (not frames and not self.is_over) or time.monotonic() >= deadline:
                return text
        return None

    def _take(self, frames: Iterable[bytes]) -> str:
        text = self._found.feed(text_in(frames))
        return self._unwrap.feed(text) if self._unwrap else text

    def _end(self) -> str:
        self.is_over = True
        return self._unwrap.close(is_complete=self._found.is_complete) if self._unwrap else ""

    def close(self) -> None:
        self._frames.close()
