"""The HTML of an answer's texts: rendered once for all readers of this process that want HTML.

A picture is fed with the frames of a generation's log, in order, by whichever reader has the next ones. It keeps the
changes of the last moments, each with the number of the frame that it belongs after. A reader that lags further behind
gets the whole picture instead.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from streaming.conf import settings
from streaming.markdown import MarkdownStream, Patch, RenderOptions
from streaming.protocol.ui_stream import chunk_of, frame, replacement_in
from streaming.subscription.per_generation import PerGeneration

KEPT_CHANGES = 64
"""The number of changes that are kept: three seconds of an answer."""

LARGE = 8_000
"""The number of characters whose rendering may take longer than the event loop should be kept busy, some 5 ms."""

Numbered = tuple[int, bytes]
"""A frame with its number."""

TEXT = b'{"type":"text-'
ENDS = (b'{"type":"finish"', b'{"type":"error"', b'{"type":"abort"')
"""The beginnings of the chunks that are last in a log. The log of a process that died does not end its texts."""


class TextChunk(msgspec.Struct, rename="camel"):
    """A `text-start`, `text-delta` or `text-end` chunk."""

    type: str
    id: str
    delta: str = ""
    provider_metadata: dict[str, Any] | None = None


class Change(NamedTuple):
    """A change of the text part that began with frame number `began`. It comes after frame number `seq`."""

    seq: int
    began: int
    frame: bytes


_decode = msgspec.json.Decoder(TextChunk).decode


def text_chunk(one: bytes) -> TextChunk | None:
    """Returns the chunk of a frame if it is about a text part."""
    chunk = chunk_of(one)
    return _decode(chunk) if chunk.startswith(TEXT) else None


def html_frame(part: str, patch: Patch) -> bytes:
    """Returns the frame for a change of a text part. It has no number, because the log does not hold it."""
    return b"data: %b\n\n" % patch.chunk(part)


def is_html(one: bytes) -> bool:
    """True for a frame that `html_frame` made."""
    return one.startswith(b"data: ")


class Picture:
    """The text parts of one generation. `seq` is the number of the last frame that it has taken.

    `lost` is the number of the last frame whose change is no longer kept.
    """

    def __init__(self) -> None:
        self.seq = self.lost = 0
        self._options = RenderOptions(settings.IMAGE_HOSTS)
        self._streams: dict[str, MarkdownStream] = {}
        self._began: dict[str, int] = {}
        self._open: set[str] = set()
        self._changes: deque[Change] = deque()
        self._turn = asyncio.Lock()

    @property
    def is_open(self) -> bool:
        """True while a text has not ended."""
        return bool(self._open)

    async def take(self, frames: Sequence[bytes], last: int) -> None:
        """Takes the frames up to number `last`. Skips those that it has, and all if there is a gap before them.

        It does so even if the reader leaves meanwhile. The thread that renders cannot be cancelled, so another reader
        must wait for it and not render the same text again.
        """
        await asyncio.shield(self._take(frames, last))

    async def _take(self, frames: Sequence[bytes], last: int) -> None:
        async with self._turn:
            missing = last - self.seq
            if not 0 < missing <= len(frames):
                return
            new = frames[len(frames) - missing :]
            if sum(map(len, new)) + max((one.size for one in self._streams.values()), default=0) > LARGE:
                await asyncio.to_thread(self._draw, new)
            else:
                self._draw(new)

    def at_rest(self) -> asyncio.Lock:
        """Returns the context in which no thread draws. `lost`, `changes` and `whole` are read inside it."""
        return self._turn

    def changes(self, after: int) -> Iterator[Change]:
        """The changes that belong after later frames than number `after`."""
        return (change for change in self._changes if change.seq > after)

    def whole(self, head: int) -> list[bytes]:
        """Returns the frames that make all parts which began after frame number `head`."""
        parts = ((id, one) for id, one in self._streams.items() if self._began[id] > head)
        return [html_frame(id, one.snapshot()) for id, one in parts]

    def _draw(self, frames: Sequence[bytes]) -> None:
        """Feeds the texts in the frames to their streams. Text that came together is rendered together."""
        numbered = ((seq, text_chunk(one)) for seq, one in enumerate(frames, self.seq + 1))
        chunks = [(seq, chunk) for seq, chunk in numbered if chunk]
        for (kind, id), group in itertools.groupby(chunks, key=lambda pair: (pair[1].type, pair[1].id)):
            pieces = list(group)
            seq, last = pieces[-1]
            text = "".join(chunk.delta for _, chunk in pieces) or replacement_in(last.provider_metadata) or ""
            HANDLERS[kind](self, seq, id, text)
        self.seq += len(frames)
        if frames and chunk_of(frames[-1]).startswith(ENDS):
            for id in self._open.copy():
                self._end(self.seq, id)

    def _start(self, seq: int, id: str, _: str = "") -> None:
        self._streams[id], self._began[id] = MarkdownStream(self._options), seq
        self._open.add(id)

    def _write(self, seq: int, id: str, text: str) -> None:
        self._add(seq, id, self._streams[id].feed(text))

    def _end(self, seq: int, id: str, whole: str = "") -> None:
        """Ends a text. If its end brings a whole text, that takes the place of what was drawn."""
        self._open.discard(id)
        if not whole:
            self._add(seq, id, self._streams[id].finish())
            return
        stream = self._streams[id] = MarkdownStream(self._options)
        stream.finish(whole)
        self._add(seq, id, stream.snapshot())

    def _add(self, seq: int, id: str, patch: Patch | None) -> None:
        if patch is None:
            return
        if len(self._changes) == KEPT_CHANGES:
            self.lost = self._changes.popleft().seq
        self._changes.append(Change(seq, self._began[id], html_frame(id, patch)))


HANDLERS: dict[str, Callable[[Picture, int, str, str], None]] = {
    "text-start": Picture._start,
    "text-delta": Picture._write,
    "text-end": Picture._end,
}
"""The type of a text chunk -> what it does, with the chunk's number, its part and its text."""

pictures = PerGeneration(lambda _: Picture())
"""The pictures that readers share."""


def merged(numbered: Sequence[Numbered]) -> Iterator[bytes]:
    """Yields the frames with each run of text deltas as one frame, which has the number of the last of them."""
    told = ((seq, one, text_chunk(one)) for seq, one in numbered)
    for id, group in itertools.groupby(told, key=lambda one: one[2].id if one[2] and one[2].delta else None):
        pieces = list(group)
        if id is None or len(pieces) == 1:
            yield from (one for _, one, _ in pieces)
        else:
            delta = "".join(chunk.delta for _, _, chunk in pieces if chunk)
            yield frame(pieces[-1][0], msgspec.json.encode({"type": "text-delta", "id": id, "delta": delta}))
