"""StreamParser turns a provider's bytes into typed events."""

from __future__ import annotations

from collections.abc import Callable, Collection

from streaming.protocol.dialects import DIALECTS, wire
from streaming.protocol.dialects.answer import AnswerWriter, StreamTooLarge
from streaming.protocol.events import Event, Heartbeat
from streaming.protocol.lenient_sse import DATA, LenientDecoder, WireEvent, WireEventKind, leniency_of
from streaming.protocol.odd_data import EXCERPT_CHARS, OddData

# What a stream leaves in memory (text, arguments, parts) is at most a small multiple of its bytes, so this bounds all
# of it. A very long answer is 1 MB on the wire; an answer with dozens of 4K images is under 200 MB.
MAX_STREAM_BYTES = 256 * 1024 * 1024


class StreamParser:
    """Reads the stream of one answer. Its bytes may be cut anywhere.

    `dialect` is `openai-chat`, `openai-responses` or `anthropic-messages`. Whatever the server sends, reading raises
    nothing. The last event is exactly one of `Finished`, `Failed`, `Truncated`; later bytes are not read.

    Options:
        split_think_tags: read `<think>…</think>` in the text as reasoning. Off by default, because an answer may be
            about this tag.
        first_part: the number of the first part. An answer that goes on after a tool result continues the count.
        taken_ids: ids of earlier calls of that answer. A new call that comes with one of them gets another id.
        choices: how many answers the request asked for (`n`), if it is known: see `choice_table`.
        tools: the names of the tools that the request offered. If there are any, a call of another one is the server's.
        leniency: any field of `Leniency`, by name: how the parser departs from the SSE standard, and the bounds.

    Raises:
        ValueError: the dialect or an option does not exist.
    """

    def __init__(
        self,
        dialect: str,
        *,
        split_think_tags: bool = False,
        first_part: int = 0,
        taken_ids: Collection[str] = (),
        choices: int | None = None,
        tools: Collection[str] | None = None,
        **leniency: bool | int,
    ) -> None:
        if dialect not in DIALECTS:
            raise ValueError(f"Unknown dialect {dialect!r}, must be one of: {', '.join(DIALECTS)}")
        self._leniency = leniency_of(leniency)
        self._decoder = LenientDecoder(self._leniency)
        self._writer = AnswerWriter(
            split_think_tags=split_think_tags, first_part=first_part, taken_ids=taken_ids, choices=choices, tools=tools
        )
        self._dialect = DIALECTS[dialect].stream(self._writer)
        self._take = self._dialect.read
        self._odd = OddData(self._writer, self._dialect, self._leniency)
        self._bytes_left = MAX_STREAM_BYTES

    @property
    def is_over(self) -> bool:
        """True after the terminal event: no event will follow, and the connection may be closed."""
        return self._writer.is_over

    @property
    def is_complete(self) -> bool:
        """True if no more words will follow, but perhaps the usage: wait for it only briefly, then call `close`."""
        return self._writer.is_over or self._dialect.awaits_late

    def feed(self, chunk: bytes) -> list[Event]:
        """Returns the events that `chunk` completes, as a list: a generator that is not read out would lose bytes."""
        if self._writer.is_over:
            return []
        self._bytes_left -= len(chunk)
        if self._bytes_left < 0:
            return self._overrun(chunk)
        return self._read(self._decoder.feed(chunk))

    def close(self) -> list[Event]:
        """Returns the last events, at the end of the bytes. Later calls return none."""
        return [] if self._writer.is_over else self._read(self._decoder.close())

    def _overrun(self, chunk: bytes) -> list[Event]:
        events = self._read(self._decoder.feed(chunk[: self._bytes_left]))
        if self._dialect.awaits_late:
            self._dialect.end()
        self._fail("too_large", f"the stream is longer than {MAX_STREAM_BYTES} bytes")
        return events + self._read([])

    def _read(self, wire_events: list[WireEvent]) -> list[Event]:
        writer = self._writer
        odd = self._odd
        decode = odd.decode
        take = self._take
        try:
            for kind, event, data in wire_events:
                if kind is not DATA:
                    READERS[kind](self, data)
                    decode = odd.decode
                else:
                    try:
                        payload = decode(data)
                    except wire.UNREADABLE:
                        odd.read(event, data)
                        decode = odd.decode
                    else:
                        take(payload, event, data)
                if writer.is_over:
                    break
        except StreamTooLarge as bound:
            self._fail("too_large", str(bound))
        events, writer.events = writer.events, []
        return events

    def _read_end(self, _data: bytes) -> None:
        self._odd.read_rest()
        if self._writer.is_over:
            return
        if self._odd.not_json and not self._writer.has_parts and not self._dialect.awaits_late:
            self._fail("not_json", self._odd.not_json)
        else:
            self._dialect.end()

    def _fail(self, code: str, message: str) -> None:
        self._writer.fail(wire.stream_error(code, None, message))

    def _read_comment(self, _data: bytes) -> None:
        self._writer.emit(Heartbeat())

    def _read_error_field(self, data: bytes) -> None:
        self._writer.fail(wire.read_error(wire.reread(data)))

    def _read_unknown(self, data: bytes) -> None:
        """Reads a line that is no SSE field: a payload, or the error that a gateway appended to the stream.

        An object without the field `error` is an error only if the stream breaks off.
        """
        value = wire.reread(data) if data.startswith(b"{") and self._leniency.read_unframed_body else None
        if isinstance(value, dict) and value.get("error"):
            self._writer.fail(wire.read_error(value))
        elif wire.is_payload(value):
            self._odd.read(b"", data)
        else:
            if wire.is_error(value):
                self._writer.stray_error = wire.read_error(value)
            self._writer.unknown(data)

    def _read_body(self, data: bytes) -> None:
        """Reads a body without SSE events: a JSON error, a whole answer, or anything else."""
        values = wire.PayloadReader(splits_joined=self._leniency.split_joined_data).read(data, may_be_cut=False) or []
        if any(isinstance(value, dict) and value for value in values):
            self._odd.read_misshapen(b"", data)
            is_understood = self._writer.is_started and not self._writer.has_unknown
            if not self._writer.is_over and not self._writer.has_parts and not is_understood:
                self._writer.fail(wire.read_error(values))
        else:
            self._fail("not_sse", data.decode("utf-8", "replace")[:EXCERPT_CHARS])

    def _read_overflow(self, _data: bytes) -> None:
        self._fail("too_large", "an event is longer than the parser's bounds allow")

    def _read_compressed(self, _data: bytes) -> None:
        self._fail("compressed", "the bytes are gzip; the transport has to decompress them")


READERS: dict[WireEventKind, Callable[[StreamParser, bytes], None]] = {
    WireEventKind.COMMENT: StreamParser._read_comment,
    WireEventKind.ERROR: StreamParser._read_error_field,
    WireEventKind.UNKNOWN: StreamParser._read_unknown,
    WireEventKind.BODY: StreamParser._read_body,
    WireEventKind.TOO_LARGE: StreamParser._read_overflow,
    WireEventKind.COMPRESSED: StreamParser._read_compressed,
    WireEventKind.END: StreamParser._read_end,
}
