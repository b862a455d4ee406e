"""Reads a recorded stream with the parser, and says how it ended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from streaming.protocol import Event, StreamParser, Transcript

CHUNK_BYTES = 65_536
DATA = re.compile(rb"^data:[^\r\n]*[\r\n]", re.MULTILINE)
# Bytes that only streams of the dialect have near their beginning. Every other stream is taken for OpenAI Chat.
SIGNS = {"anthropic-messages": b"message_start", "openai-responses": b'"response.'}


class Recording:
    """One stream of bytes. Iterating it yields its events; afterwards `transcript` has the answer.

    Without a `dialect`, the beginning decides, up to the first whole line of data.
    """

    def __init__(self, file: BinaryIO, dialect: str | None = None) -> None:
        self._file = file
        self._first = _read(file) if dialect else _head(file)
        self.dialect = dialect or dialect_of(self._first)
        self.transcript = Transcript()
        self.size = 0

    def __iter__(self) -> Iterator[Event]:
        parser = StreamParser(self.dialect)
        chunk = self._first
        while chunk:
            self.size += len(chunk)
            yield from self._applied(parser.feed(chunk))
            chunk = _read(self._file)
        yield from self._applied(parser.close())

    def _applied(self, events: list[Event]) -> list[Event]:
        for event in events:
            self.transcript.apply(event)
        return events

    @property
    def verdict(self) -> str:
        """One sentence about the end of the stream."""
        transcript = self.transcript
        if transcript.error is not None:
            words = (transcript.error.code, transcript.error.type, transcript.error.message)
            return f"The stream failed: {' '.join(filter(None, words))}"
        if transcript.outcome == "finished":
            return f"The stream is complete: {transcript.finish_reason}."
        return "The stream was cut: it ends without the signal that completes it."

    @property
    def result(self) -> dict[str, Any]:
        """Everything that the stream says about the answer, for JSON."""
        answer = self.transcript
        return {
            "verdict": answer.outcome,
            "dialect": self.dialect,
            "bytes": self.size,
            "id": answer.id,
            "model": answer.model,
            "finish_reason": answer.finish_reason,
            "error": msgspec.to_builtins(answer.error),
            "usage": msgspec.to_builtins(answer.usage),
            "text": answer.text,
            "parts": msgspec.to_builtins(answer.parts),
        }


def dialect_of(head: bytes) -> str:
    """Returns the dialect of a stream that begins with these bytes."""
    return next((dialect for dialect, sign in SIGNS.items() if sign in head), "openai-chat")


def named(event: Event) -> dict[str, Any]:
    """Returns an event for JSON, with the name of its class."""
    fields: dict[str, Any] = msgspec.to_builtins(event)
    return {"event": type(event).__name__} | fields


def _head(file: BinaryIO) -> bytes:
    """Returns the bytes up to the first whole line of data, or what there is if the stream has none."""
    head = b""
    while len(head) < CHUNK_BYTES and not DATA.search(head) and (more := _read(file)):
        head += more
    return head


def _read(file: BinaryIO) -> bytes:
    """Returns the next bytes as soon as there are some: standard input may be a running stream."""
    read = getattr(file, "read1", file.read)
    data: bytes = read(CHUNK_BYTES)
    return data
