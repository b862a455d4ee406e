"""Data that does not decode to a dialect's payload."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from streaming.protocol.dialects import DialectStream, wire
from streaming.protocol.dialects.answer import AnswerWriter
from streaming.protocol.events import Heartbeat, Unknown
from streaming.protocol.lenient_sse import Leniency
from streaming.protocol.sse import BOM

EXCERPT_CHARS = 500


def refuse(_data: bytes) -> Any:
    """Refuses to decode, so that an event is read the slow way."""
    raise msgspec.DecodeError


class OddData:
    """Reads the data of an event the slow way: the end of the stream, a sign of life, broken or misshapen JSON."""

    def __init__(self, writer: AnswerWriter, dialect: DialectStream, leniency: Leniency) -> None:
        self.not_json = ""
        """The first data that was no JSON."""
        self._writer = writer
        self._dialect = dialect
        self._leniency = leniency
        self._payloads = wire.PayloadReader(splits_joined=leniency.split_joined_data)
        self._decode_payload: Callable[[bytes], Any] = msgspec.json.Decoder(dialect.payload).decode
        self.decode: Callable[[bytes], Any] = self._decode_payload
        """Decodes the next event. It refuses one that has to come here."""

    def read(self, event: bytes, data: bytes) -> None:
        """Reads data that does not decode to the dialect's payload."""
        plain = data.strip().removeprefix(b"data:").strip().removeprefix(BOM)  # relays in a row may each add a prefix
        text = plain.decode("utf-8", "replace")
        if self._dialect.awaits_late:
            self._read_late(plain)
        elif (late := wire.after_done(text)) is not None:
            self._read_done(late)
        elif wire.is_empty(plain) and event != b"error" and not self._may_go_on(plain):
            self._writer.emit(Heartbeat() if self._leniency.skip_empty_data else Unknown(text))
        else:
            self.read_misshapen(event, data if data.strip() == plain else plain)

    def read_rest(self) -> None:
        """Reads what is kept, because nothing will go on with it."""
        values = self._payloads.flush()
        self._read_lost()
        self._read_values(b"", values)

    def _read_done(self, late: str) -> None:
        """Reads `[DONE]`, and `late`, which may follow it on the same line."""
        self.read_rest()
        if not self._writer.is_over:
            self._dialect.done()
        if late and self._dialect.awaits_late:
            self._read_late(late.encode())
        self.decode = refuse  # so that a later event is read as one after the end

    def _read_late(self, data: bytes) -> None:
        """Reads one more event, which may have the usage or the reason of a failure. The answer ends with it."""
        late = [value for value in self._values_in(data) or () if isinstance(value, dict)]
        for value in late:
            self._dialect.read_late(wire.shape(value, self._dialect.payload))
        if late:
            self._dialect.end()

    def _values_in(self, data: bytes, *, may_be_cut: bool = True) -> list[Any] | None:
        """Returns the values of an event's data, and warns of data before it that was cut. See `PayloadReader.read`."""
        values = self._payloads.read(data, may_be_cut=may_be_cut)
        self._read_lost()
        return values

    def read_misshapen(self, event: bytes, data: bytes) -> None:
        """Reads JSON of another shape, several documents, or what is no JSON."""
        values = self._values_in(data, may_be_cut=event != b"error")
        if values is None:
            self._read_not_json(event, data)
            values = []
        late = wire.after_done(values[-1]) if values else None
        self._read_values(event, values if late is None else values[:-1])
        if late is not None and not self._writer.is_over:
            self._read_done(late)
        self.decode = refuse if self._payloads.is_open or self._dialect.awaits_late else self._decode_payload

    def _read_values(self, event: bytes, values: list[Any]) -> None:
        for value in values:
            if not self._writer.is_over:
                self._read_value(event, value, msgspec.json.encode(value))

    def _read_value(self, event: bytes, value: Any, data: bytes) -> None:
        if isinstance(value, dict):
            self._dialect.read(wire.shape(value, self._dialect.payload), event, data)
        elif event == b"error":
            self._writer.fail(wire.read_error(value))
        else:
            self._writer.unknown(data)
            if isinstance(value, str) and value.startswith("{"):  # cut off before the next payload on its line
                self._writer.note_loss()

    def _read_not_json(self, event: bytes, data: bytes) -> None:
        """Reads data that is no JSON.

        A server that cannot begin to answer sends a plain sentence and may leave the connection open, so that is an
        error at once. Broken JSON is only warned of, and so is a sentence within an answer if it tells of no error.
        """
        text = data.strip().decode("utf-8", "replace")[:EXCERPT_CHARS]
        if event == b"error" or wire.is_error_text(text) or (wire.is_sentence(text) and not self._writer.is_started):
            self._writer.fail(wire.stream_error("not_json", None, text))
        else:
            self.not_json = self.not_json or text
            self._writer.warn("not_json", f"{len(data)} bytes of data are no JSON")
            if wire.is_piece(data):
                self._writer.note_loss()

    def _may_go_on(self, data: bytes) -> bool:
        """Returns True if data that begins with a colon may be the rest of an object, and no sign of life."""
        return self._payloads.is_cut and data.startswith(b":")

    def _read_lost(self) -> None:
        """Warns of data that was cut, and that no event went on with."""
        lost, self._payloads.lost = self._payloads.lost, b""
        if lost:
            self._read_not_json(b"", lost)
