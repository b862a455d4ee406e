"""A forced tool's arguments become the text of the answer."""

from __future__ import annotations

import pytest

from streaming.protocol import (
    Event,
    Finished,
    PartEnded,
    TextDelta,
    ToolCallDelta,
    ToolCallEnded,
    ToolCallStarted,
    Transcript,
    Truncated,
    text_of,
)
from streaming.runner.output import ArgumentsAsText

STARTED = ToolCallStarted(0, "c1", "Answer")
DONE = Finished("tool_calls", "tool_use")


class Told:
    """A parser that returns what it is told."""

    is_complete = True

    def __init__(self, *events: Event) -> None:
        self._events = list(events)

    def feed(self, data: bytes) -> list[Event]:
        return [self._events.pop(0)]

    def close(self) -> list[Event]:
        return self._events


def ended(raw: str, part: int = 0, error: str | None = None, *, is_replaced: bool = False) -> ToolCallEnded:
    return ToolCallEnded(part, raw, None, error is None, error, is_replaced=is_replaced)


def read(*events: Event) -> list[Event]:
    parser = ArgumentsAsText(Told(*events), "Answer")
    return [*parser.feed(b""), *parser.close()]


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ([STARTED, ToolCallDelta(0, '{"a"'), ToolCallDelta(0, ":1}"), ended('{"a":1}'), DONE], '{"a":1}'),
        ([STARTED, ended('{"a":1}'), DONE], '{"a":1}'),
        ([STARTED, ended(""), DONE], "{}"),
        ([STARTED, ended("", error="truncated"), Truncated()], ""),
        ([STARTED, ToolCallDelta(0, '{"a"'), ended('{"a"', error="truncated"), Truncated()], '{"a"'),
        ([STARTED, ToolCallDelta(0, "cipher"), ended('{"a":1}', is_replaced=True), DONE], '{"a":1}'),
    ],
    ids=["deltas", "all at once", "empty", "cut before it began", "cut", "replaced at the end"],
)
def test_arguments_are_the_text_exactly_once(events: list[Event], text: str) -> None:
    transcript = Transcript()
    for event in read(*events):
        assert not isinstance(event, ToolCallStarted | ToolCallDelta | ToolCallEnded)
        transcript.apply(event)
    assert text_of(transcript.parts) == text
    assert len(transcript.parts) == bool(text)


def test_answer_is_over_and_waits_for_no_tool() -> None:
    assert read(STARTED, ended("{}"), DONE)[-1] == Finished("stop", "tool_use")


def test_other_calls_stay() -> None:
    other = [ToolCallStarted(0, "c0", "weather"), ToolCallDelta(0, "{}"), ended("{}")]
    given = [*other, ToolCallStarted(1, "c1", "Answer"), ToolCallDelta(1, "{}"), ended("{}", 1), DONE]
    assert read(*given) == [*other, TextDelta(1, "{}"), PartEnded(1), DONE]
