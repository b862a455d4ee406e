"""Responses streams that have the beginning of a text, or all of it, only where they announce it."""

from __future__ import annotations

import pytest

from tests.protocol.test_reported_items import (
    ONE,
    TWO,
    Wire,
    added,
    arguments,
    call,
    calls_of,
    done,
    event,
    part,
    said,
    words,
)
from tests.protocol.wire import completed, created, item, named, read, responses

THOUGHT = {"type": "reasoning", "id": "r"}


def section(kind: str, index: int, text: str, name: str = "part.added") -> Wire:
    place = {"summary": "summary_index", "text": "content_index"}[kind]
    event_name = {"summary": "reasoning_summary_", "text": "reasoning_"}[kind] + name
    return event(event_name, part=part(text), output_index=0, **{place: index})


def thinks(kind: str, index: int, text: str) -> Wire:
    place = {"summary": "summary_index", "text": "content_index"}[kind]
    event_name = {"summary": "reasoning_summary_text.delta", "text": "reasoning_text.delta"}[kind]
    return event(event_name, delta=text, output_index=0, **{place: index})


def reasoning_of(*events: Wire, end: bool = True) -> str:
    stream = item(0, THOUGHT, *events)
    return responses(created(), *(stream if end else stream[:-1]), completed()).reasoning


@pytest.mark.parametrize("end", [True, False])
@pytest.mark.parametrize("kind", ["summary", "text"])
class TestThoughts:
    def test_deltas_continue_the_announcement(self, kind, end):
        assert reasoning_of(section(kind, 0, "The"), thinks(kind, 0, " cat"), end=end) == "The cat"

    def test_deltas_repeat_the_announcement(self, kind, end):
        stream = [section(kind, 0, "The"), thinks(kind, 0, "The"), thinks(kind, 0, " cat")]
        assert reasoning_of(*stream, end=end) == "The cat"

    def test_section_that_does_not_stream_comes_before_the_next_one(self, kind, end):
        stream = [section(kind, 0, "One."), section(kind, 1, ""), thinks(kind, 1, "Two.")]
        assert reasoning_of(*stream, end=end) == "One.\n\nTwo."

    def test_last_section_does_not_stream(self, kind, end):
        stream = [section(kind, 0, ""), thinks(kind, 0, "One."), section(kind, 1, "Two.")]
        assert reasoning_of(*stream, end=end) == "One.\n\nTwo."
        ended = [*stream, section(kind, 1, "Two.", "part.done")]
        assert reasoning_of(*ended, end=end) == "One.\n\nTwo."


def test_parts_that_the_start_of_a_message_has_keep_their_order():
    content = [part("One."), part("Two.")]
    places = [{"output_index": 0, "content_index": index} for index in (0, 1)]
    streamed = [
        wire
        for whole, place in zip(content, places, strict=True)
        for wire in (event("content_part.added", part=part(""), **place), said(whole["text"], **place))
    ]
    wire = words() | {"content": content}
    for stream in (streamed, []):
        transcript = responses(created(), *item(0, wire, *stream), completed())
        assert [part.text for part in transcript.parts] == ["One.", "Two."]


def test_call_that_only_the_whole_response_has_beside_one_that_no_event_announced():
    output = [call(1, ONE, id="i"), call(2, TWO, id="j")]
    found = calls_of(arguments(ONE, output_index=0, item_id="i"), output=output)
    assert [name for _, name, _ in found] == ["f1", "f2"]


def custom(**fields: str) -> Wire:
    return {"type": "custom_tool_call", "id": "i", "call_id": "c1", "name": "run", "input": ""} | fields


def test_call_with_free_text_that_a_delta_opened_has_its_own_id():
    delta = event("custom_tool_call_input.delta", delta="ls", output_index=0, item_id="i")
    transcript = responses(created(), delta, done(custom(input="ls"), output_index=0), completed())
    assert [(each.id, each.raw_arguments) for each in transcript.tool_calls] == [("c1", "ls")]


def test_call_with_free_text_ends_before_the_text_that_follows_it():
    """The message after the call shows that the provider executes it."""
    message = added(words(), output_index=1)
    stream = [added(custom(), output_index=0), message, done(custom(input="ls"), output_index=0)]
    events = read("openai-responses", named(created(), *stream, said("Hi", output_index=1), completed()))
    kinds = [type(each).__name__ for each in events]
    assert kinds.index("ToolCallEnded") < kinds.index("TextDelta")
