"""The object of an answer that is asked for with a forced tool: its arguments become the text of the answer.

So the answer is stored, streamed and replayed in the same way, however the provider was asked. The tool does not
belong to the site: nobody executes it, and no reader sees a call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

import msgspec

from streaming.protocol import (
    Event,
    Finished,
    GenerationRequest,
    PartEnded,
    TextDelta,
    ToolCallDelta,
    ToolCallEnded,
    ToolCallStarted,
)
from streaming.protocol.requests import way_for, with_output
from streaming.providers import Provider, structured_by


class Parser(Protocol):
    """The part of `StreamParser` that the steps use."""

    @property
    def is_complete(self) -> bool: ...
    def feed(self, data: bytes) -> list[Event]: ...
    def close(self) -> list[Event]: ...


def asked_of(provider: Provider, request: GenerationRequest) -> GenerationRequest:
    """Returns the request as this provider is asked for its `output`; unchanged if it has none."""
    if request.output is None:
        return request
    way = way_for(request.output, structured_by(provider), provider.dialect)
    # The prompt for the object must not replace the system text of the provider's `OPTIONS`.
    system = request.system or getattr(getattr(provider, "options", None), "system", "")
    return with_output(msgspec.structs.replace(request, system=system), way)


class ArgumentsAsText:
    """A parser whose calls of the tool `name` are text."""

    def __init__(self, inner: Parser, name: str) -> None:
        self._inner = inner
        self._name = name
        self._has_text: dict[int, bool] = {}
        """The parts that are calls of the tool, with True once one has arguments."""
        self._has_other_calls = False

    @property
    def is_complete(self) -> bool:
        return self._inner.is_complete

    def feed(self, data: bytes) -> list[Event]:
        return list(self._told(self._inner.feed(data)))

    def close(self) -> list[Event]:
        return list(self._told(self._inner.close()))

    def _told(self, events: Iterable[Event]) -> Iterator[Event]:
        for event in events:
            match event:
                case ToolCallStarted(name=self._name):
                    self._has_text[event.part] = False
                case ToolCallDelta() if event.part in self._has_text:
                    self._has_text[event.part] = True
                    yield TextDelta(event.part, event.text)
                case ToolCallEnded() if event.part in self._has_text:
                    yield from self._end(event)
                case Finished(reason="tool_calls") if self._has_text and not self._has_other_calls:
                    yield Finished("stop", event.raw_reason)
                case _:
                    self._has_other_calls |= isinstance(event, ToolCallStarted)
                    yield event

    def _end(self, event: ToolCallEnded) -> Iterator[Event]:
        """Ends the text. Some servers send all arguments at once, at the end, or replace there what streamed."""
        has_text = self._has_text[event.part]
        if not (has_text or event.raw_arguments or event.is_complete):
            return  # it was cut before its first argument, so there is no text
        if not has_text:
            yield TextDelta(event.part, event.raw_arguments or "{}")
        yield PartEnded(event.part, text=event.raw_arguments if event.is_replaced else None)
