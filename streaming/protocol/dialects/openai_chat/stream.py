"""Reads OpenAI Chat Completions chunks, as OpenAI and some thirty compatible servers send them.

An answer is complete when every choice that began has a `finish_reason`, or at `[DONE]`. Reading goes on after the
finish reason, because usage comes later and some servers send the reason twice. So the end is written at `[DONE]` or
at EOF. If the usage is not known at `[DONE]`, one more event may bring it.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from streaming.protocol.dialects.answer import AnswerWriter, read_usage
from streaming.protocol.dialects.openai_chat.choice import Choice
from streaming.protocol.dialects.openai_chat.choice_table import ChoiceTable
from streaming.protocol.dialects.openai_chat.chunks import WireChoice, WireChunk, as_chunk, delta_of, read_last_chunk
from streaming.protocol.dialects.openai_chat.citations import Sources
from streaming.protocol.dialects.openai_chat.delta import kinds_of
from streaming.protocol.dialects.openai_chat.ending import reason_in
from streaming.protocol.dialects.wire import (
    SIGNS_OF_LIFE,
    is_certain_error,
    is_error,
    object_of,
    read_error,
    reports_error,
    reread,
    shape,
    stream_error,
    unwrapped,
)
from streaming.protocol.events import StreamError, Usage


class OpenAIChatStream:
    """Reads the chunks of one answer."""

    payload: ClassVar[type[msgspec.Struct]] = WireChunk

    def __init__(self, writer: AnswerWriter) -> None:
        self._writer = writer
        self._table = ChoiceTable(writer, writer.choices_asked)
        self._choices = self._table.known
        self._sources = Sources()
        self._last = b""
        """The last chunk that has choices."""
        self._is_wrapped = False
        """True if the chunks come in objects of a gateway, or in another API's form."""
        self.awaits_late = False

    def read(self, chunk: WireChunk, event: bytes, data: bytes) -> None:
        choices = chunk.choices
        if not self._writer.is_started and (chunk.id or chunk.model or choices):
            self._start(chunk, data)
        for wire in choices or ():
            choice = self._choices.get(wire.index or 0)
            if choice is None:
                self._read_placed(self._table.place(wire))
                continue
            delta = wire.delta
            is_plain = type(delta) is dict and not wire.tool_calls
            content = delta.get("content") if is_plain and len(delta) == 1 else None
            if type(content) is str:  # nine of ten events, so it is inlined
                words = choice.content.text
                size = len(content)
                if size == words.size:
                    words.feed_same_size(content)
                elif size:
                    words.size += size
                    words.feed(content)
            else:
                choice.read(delta if is_plain and delta else delta_of(wire))
            if wire.finish_reason or not delta or wire.native_finish_reason or wire.usage or wire.error:
                self._read_beside(choice, wire)
        if choices:
            self._last = data
        if (
            not choices
            or (event and event == b"error")
            or chunk.error
            or chunk.usage
            or chunk.x_groq
            or chunk.search_results
            or chunk.citations
        ):
            self._read_rest(chunk, event, data)

    def _start(self, chunk: WireChunk, data: bytes) -> None:
        """Starts with the first chunk, but for one whose names are only a sign of life."""
        self._sources.read(data)
        is_sign = str(chunk.model) in SIGNS_OF_LIFE
        if not is_sign or any(kinds_of(delta_of(each)) or each.finish_reason for each in chunk.choices or ()):
            self._writer.start(chunk.id, None if is_sign else chunk.model)

    def done(self) -> None:
        self._settle()
        if not self._table.all and self._writer.stray_error is not None:
            self._writer.fail(self._writer.stray_error)
        elif not self._table.all:
            code = "not_understood" if self._writer.has_unknown else "empty_stream"
            self._writer.fail(stream_error(code, None, "[DONE] came after nothing that is an answer"))
        elif self._writer.usage == Usage() and not self._failure:
            self.awaits_late = True
        else:
            self._finish()

    def read_late(self, chunk: WireChunk) -> None:
        """Reads the event after `[DONE]`. Only its usage counts."""
        self._read_usage(chunk)

    def end(self) -> None:
        self._settle()
        choices = self._table.all.values()
        is_complete = bool(choices) and all(choice.ending.is_known for choice in choices)
        if is_complete or self.awaits_late:
            self._finish()
        else:
            self._writer.truncate()

    def _settle(self) -> None:
        self._read_placed(self._table.settle())
        usage = read_last_chunk(self._last, self._choices)
        if self._writer.usage == Usage():
            self._writer.report_usage(usage)

    def _read_placed(self, placed: list[tuple[Choice, WireChoice]]) -> None:
        for choice, wire in placed:
            choice.read(delta_of(wire))
            self._read_beside(choice, wire)

    def _read_beside(self, choice: Choice, wire: WireChoice) -> None:
        """Reads what a choice has beside its delta."""
        if isinstance(wire.message, dict):
            is_last = reason_in(wire.finish_reason) is not None
            choice.read_message(wire.message, has_delta=wire.delta is not None, is_last=is_last)
        if reports_error(wire.error):
            choice.ending.failure = read_error(wire.error)
        if wire.finish_reason or wire.native_finish_reason:
            choice.read_reason(wire.finish_reason, wire.native_finish_reason, is_bare=not kinds_of(delta_of(wire)))
        if wire.usage:
            self._writer.report_usage(read_usage(wire.usage))  # Moonshot

    def _read_rest(self, chunk: WireChunk, event: bytes, data: bytes) -> None:
        """Reads everything beside the choices. An error comes last, after the content of the same chunk."""
        self._read_usage(chunk)
        for field in ("citations", "search_results"):
            self._sources.note(field, bytes(getattr(chunk, field)))
        if error := object_of(chunk.x_groq).get("error"):
            self._writer.fail(read_error(error))
        elif chunk.choices is None and is_servers_own(event):
            self._writer.unknown(data)
        elif reports_error(chunk.error) or event == b"error":
            self._writer.fail(read_error(reread(data)))
        elif chunk.choices is None:
            self._read_other(reread(data), data)
        elif not (chunk.choices or chunk.usage or chunk.finish_reason):
            self._read_silent(data)
        if chunk.finish_reason:
            for choice in self._table.all.values():
                if choice.ending.reason is None:
                    choice.read_reason(chunk.finish_reason)

    def _read_silent(self, data: bytes) -> None:
        """Reads a chunk with an empty list of choices. It may be a flat error."""
        wire = reread(data)
        if is_certain_error(wire):
            self._writer.fail(read_error(wire))
        elif not self._sources.read(data):
            self._writer.stray_error = read_error(wire) if is_error(wire) else self._writer.stray_error
            self._writer.unknown(data)

    def _read_other(self, wire: Any, data: bytes) -> None:
        """Reads a payload without choices: an error, a chunk that a gateway wrapped, or anything else.

        Within a stream of plain chunks it is no wrapped one, even if it looks so: servers report on their tools there.
        """
        may_be_wrapped = self._is_wrapped or not self._last
        inner = (unwrapped(wire, _is_chunk) or as_chunk(wire)) if may_be_wrapped else None
        if inner is not None:
            self._is_wrapped = True
            self.read(shape(inner, WireChunk), b"", msgspec.json.encode(inner))
        elif is_error(wire):
            self._writer.fail(read_error(wire))
        elif self._sources.read(data) or (isinstance(wire, dict) and (wire.get("usage") or wire.get("finish_reason"))):
            return
        else:
            self._writer.unknown(data)

    def _read_usage(self, chunk: WireChunk) -> None:
        for usage in (object_of(chunk.x_groq).get("usage"), chunk.usage):
            self._writer.report_usage(read_usage(usage))

    def _cite_sources(self) -> None:
        if 0 in self._table.all:
            self._sources.read(self._last)
            self._table.all[0].citations.read(self._sources.citations)

    @property
    def _failure(self) -> StreamError | None:
        return next((c.ending.failure for c in self._table.all.values() if c.ending.failure), None)

    def _finish(self) -> None:
        for choice in self._table.all.values():
            choice.finish()
        self._cite_sources()
        if self._failure is not None:
            self._writer.fail(self._failure)
        else:
            answer = self._table.all.get(0) or next(iter(self._table.all.values()))
            self._writer.finish(answer.ending.word, answer.implied_reason)


def _is_chunk(wire: dict[str, Any]) -> bool:
    return isinstance(wire.get("choices"), list) or bool(wire.get("error"))


def is_servers_own(event: bytes) -> bool:
    """Returns True for an event that a server invented, for example `hermes.tool.progress`.

    It tells of no failure of the answer, also if a tool has failed.
    """
    tells_of_failure = (b"error" in event or b"fail" in event) and b"tool" not in event
    return b"." in event and not (event.startswith(b"chat.") or tells_of_failure)
