"""Reads OpenAI Chat Completions chunks, as OpenAI and some thirty compatible servers send them.

An answer is complete when every choice that began has a `finish_reason`, or at `[DONE]`. Reading goes on after the
finish reason, because usage comes later and some servers send the reason twice. So the end is written at `[DONE]` or
at EOF.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from streaming.protocol.dialects.answer import FAILURE_REASONS, AnswerWriter, StreamTooLarge, read_usage
from streaming.protocol.dialects.openai_chat.choice import Choice
from streaming.protocol.dialects.wire import read_error, reread, stream_error

# OpenAI's own limit on `n`.
MAX_CHOICES = 128


class WireChoice(msgspec.Struct, gc=False):
    delta: Any = None
    index: int | None = 0
    finish_reason: Any = None
    native_finish_reason: Any = None
    message: Any = None
    usage: Any = None
    error: Any = None


class WireChunk(msgspec.Struct, gc=False):
    choices: list[WireChoice] | None = None
    id: Any = None
    model: Any = None
    usage: Any = None
    error: Any = None
    x_groq: Any = None
    search_results: msgspec.Raw = msgspec.Raw()
    citations: msgspec.Raw = msgspec.Raw()


class OpenAIChatStream:
    """Reads the chunks of one answer."""

    payload: ClassVar[type[msgspec.Struct]] = WireChunk

    def __init__(self, writer: AnswerWriter) -> None:
        self._writer = writer
        self._choices: dict[int, Choice] = {}
        self._sources = msgspec.Raw(b"null")

    def read(self, chunk: WireChunk, event: bytes, data: bytes) -> None:
        choices = chunk.choices
        if not self._writer.is_started and (chunk.id or chunk.model or choices):
            self._writer.start(chunk.id, chunk.model)
        for wire in choices or ():
            choice = self._choices.get(wire.index or 0) or self._open(wire.index or 0)
            delta = wire.delta
            if type(delta) is dict:
                choice.read(delta)
            if wire.finish_reason or delta is None or wire.native_finish_reason or wire.usage or wire.error:
                self._read_choice(choice, wire)
        if not choices or chunk.error or chunk.usage or chunk.x_groq or chunk.search_results or chunk.citations:
            self._read_rest(chunk, event, data)

    def done(self) -> None:
        self._finish()

    def end(self) -> None:
        is_complete = bool(self._choices) and all(c.finish_reason or c.failure for c in self._choices.values())
        if is_complete:
            self._finish()
        else:
            self._writer.truncate()

    def _read_choice(self, choice: Choice, wire: WireChoice) -> None:
        if wire.delta is None and isinstance(wire.message, dict) and not self._writer.has_parts:
            choice.read(wire.message)
        if wire.error:
            choice.failure = read_error(wire.error)
        if wire.finish_reason or wire.native_finish_reason:
            self._read_reason(choice, wire)
        if wire.usage:
            self._writer.report_usage(read_usage(wire.usage))  # Moonshot

    def _read_rest(self, chunk: WireChunk, event: bytes, data: bytes) -> None:
        """Reads everything beside the choices. An error comes last, after the content of the same chunk."""
        groq = chunk.x_groq if isinstance(chunk.x_groq, dict) else {}
        for usage in (groq.get("usage"), chunk.usage):
            self._writer.report_usage(read_usage(usage))
        for sources in (chunk.citations, chunk.search_results):
            if sources and bytes(sources) != b"null":
                self._sources = sources
        if groq.get("error"):
            self._writer.fail(read_error(groq["error"]))
        elif chunk.error or event == b"error" or (chunk.choices is None and _is_flat_error(data)):
            self._writer.fail(read_error(reread(data)))
        elif not chunk.choices and not chunk.usage:
            self._writer.unknown(data)

    def _open(self, index: int) -> Choice:
        if len(self._choices) >= MAX_CHOICES:
            raise StreamTooLarge(f"the answer has more than {MAX_CHOICES} choices")
        self._choices[index] = choice = Choice(self._writer, index)
        return choice

    def _read_reason(self, choice: Choice, wire: WireChoice) -> None:
        for reason in (wire.finish_reason, wire.native_finish_reason):
            if isinstance(reason, str) and reason.lower() in FAILURE_REASONS:
                choice.failure = choice.failure or stream_error(reason, None, f"finish reason {reason!r}")
        if wire.finish_reason:
            choice.finish_reason = str(wire.finish_reason)

    def _cite_sources(self) -> None:
        if 0 in self._choices:
            self._choices[0].cite(reread(bytes(self._sources)))

    def _finish(self) -> None:
        self._cite_sources()
        failure = next((c.failure for c in self._choices.values() if c.failure), None)
        first = self._choices.get(0) or next(iter(self._choices.values()), None)
        if failure is not None:
            self._writer.fail(failure)
        else:
            self._writer.finish(first.finish_reason if first else None)


def _is_flat_error(data: bytes) -> bool:
    """Returns True for an error without an `error` object around it (vLLM, FastAPI, Baidu, MiniMax)."""
    wire = reread(data)
    if not isinstance(wire, dict):
        return False
    base = wire.get("base_resp")
    is_refused = isinstance(base, dict) and bool(base.get("status_code"))
    return wire.get("object") == "error" or is_refused or any(wire.get(key) for key in FLAT_ERROR_KEYS)


FLAT_ERROR_KEYS = ("message", "detail", "details", "error_msg", "error_message")
