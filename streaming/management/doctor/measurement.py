"""The measurement of one probe: the frames that arrived, and their times."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Mapping
from typing import Any

FRAME = re.compile(rb'"data":\{"ms":(\d+)\}')
DONE = b"data: [DONE]"

READ_HERE = ("gzip", "deflate")
"""The compressions that are read here, to see the frames."""

# A line of the probe is much shorter. Of a longer one, only the end is kept.
MAX_LINE_BYTES = 65_536


def _decompressor() -> Any:
    return zlib.decompressobj(47)  # 32 + 15: zlib or gzip, whichever it is


class Measurement:
    """The response to one probe. Times are in seconds; `frames` are pairs: when a frame arrived, and when it was sent.

    `trouble` says why there was no response, or why it ended; it is empty if nothing went wrong. `is_endless` is True
    for a response that was given up because it went on.
    """

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.frames: list[tuple[float, float]] = []
        self.is_whole = self.is_endless = False
        self.trouble = ""
        self._began = time.monotonic()
        self._rest = b""
        self._inflate: Any = None

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Notes the head of the response."""
        self.status = status
        self.headers = {name.lower(): value for name, value in headers.items()}
        if self.encoding in READ_HERE:
            self._inflate = _decompressor()

    def take(self, data: bytes) -> None:
        """Notes bytes of the body, as they arrive."""
        now = time.monotonic() - self._began
        self._rest += self._inflated(data) if self._inflate else data
        *lines, rest = self._rest.split(b"\n")
        self._rest = rest[-MAX_LINE_BYTES:]
        for line in lines:
            if found := FRAME.search(line):
                self.frames.append((now, int(found[1]) / 1000))
            self.is_whole = self.is_whole or line.startswith(DONE)

    def _inflated(self, data: bytes) -> bytes:
        """Decompresses. Django 5.2 compresses each piece of an async stream as a gzip member of its own."""
        inflated = self._inflate.decompress(data)
        while self._inflate.eof and (more := self._inflate.unused_data):
            self._inflate = _decompressor()
            inflated += self._inflate.decompress(more)
        if self._inflate.eof:
            self._inflate = _decompressor()
        return bytes(inflated)

    @property
    def encoding(self) -> str:
        """The response's compression; empty if there is none."""
        named = self.headers.get("content-encoding", "identity").lower()
        return "" if named == "identity" else named

    @property
    def is_readable(self) -> bool:
        """False if the response is compressed in a way that this command does not know."""
        return self.encoding in ("", *READ_HERE)

    @property
    def first(self) -> float:
        """Seconds from the request to the first frame."""
        return self.frames[0][0]

    @property
    def delay(self) -> float:
        """The longest time that a frame was held back, compared with the least delayed frame."""
        delays = [arrived - sent for arrived, sent in self.frames]
        return max(delays) - min(delays)

    @property
    def arrived_within(self) -> float:
        """Seconds between the first and the last arrival."""
        return self.frames[-1][0] - self.frames[0][0]

    @property
    def sent_within(self) -> float:
        """Seconds between the first and the last frame at the sender."""
        return self.frames[-1][1] - self.frames[0][1]
