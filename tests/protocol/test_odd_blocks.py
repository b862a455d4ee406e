"""Anthropic streams, and whole answers, as relays rewrote them: deltas, ends, wrappers and lines of other shapes."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from streaming.protocol.dialects import DIALECTS
from tests.protocol.test_reported_blocks import begin, stop, text, use
from tests.protocol.wire import anthropic, block, completed, created, fold, item, message, named, read, responses, sse

ANTHROPIC = "anthropic-messages"
START, *END = message(*text(0))[:1] + message()[1:]


def delta(**fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": fields}


INPUTS: dict[str, list[dict[str, Any]]] = {
    "an unknown type": [
        delta(type="tool_use_delta", partial_json='{"x"'),
        delta(type="tool_use_delta", partial_json=":1}"),
    ],
    "an object": [delta(type="input_json_delta", input={"x": 1})],
    "another name": [delta(type="input_json_delta", input='{"x":1}')],
    "an unknown type and name": [delta(type="tool_input", input='{"x":1}')],
    "the end of a block, without an index": [{"type": "content_block_stop", "content_block": use(input={"x": 1})}],
    "the end of the block": [{"type": "content_block_stop", "index": 0, "content_block": use(input={"x": 1})}],
    "the deltas and the end of the block": [
        delta(type="input_json_delta", partial_json='{"x":1}'),
        {"type": "content_block_stop", "index": 0, "content_block": use(input={"x": 1})},
    ],
}


@pytest.mark.parametrize("case", INPUTS)
def test_input_by_another_name(case):
    [found] = anthropic(*message(begin(0, use()), *INPUTS[case], stop(0), stop="tool_use")).tool_calls
    assert (found.id, found.name, found.arguments) == ("t1", "f", {"x": 1})


@pytest.mark.parametrize("type_", ["thinking_delta", "reasoning_delta", "thinking_text"])
def test_thinking_by_another_name(type_):
    deltas = [{"type": type_, "text": "So"}, {"type": type_, "text": "."}]
    transcript = anthropic(*message(*block(0, {"type": "thinking", "thinking": ""}, *deltas), *text(1)))
    assert (transcript.reasoning, transcript.text) == ("So.", "Hi")


@pytest.mark.parametrize("type_", ["summary_delta", "hologram_delta"])
def test_text_of_an_unknown_type_is_not_taken_for_words(type_):
    assert anthropic(*message(*block(0, {"type": "text", "text": ""}, {"type": type_, "text": "x"}))).text == ""


REASONS = {
    ("max_tokens", "end_turn"): "length",
    ("tool_use", "end_turn"): "tool_calls",
    ("refusal", "end_turn"): "refusal",
    ("end_turn", "max_tokens"): "length",
    ("end_turn", "stop_sequence"): "stop",
    ("max_tokens", None): "length",
}


@pytest.mark.parametrize("reasons", REASONS)
def test_stop_reason_that_says_more_counts(reasons):
    ends = [{"type": "message_delta", "delta": {"stop_reason": reason}} for reason in reasons]
    assert anthropic(START, *text(0), *ends, {"type": "message_stop"}).finish_reason == REASONS[reasons]


# Whole answers and wrappers


def test_whole_message_that_does_not_say_so():
    body = {"id": "m", "role": "assistant", "content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn"}
    for data in (json.dumps(body).encode(), sse(body), sse(body, "[DONE]")):
        transcript = fold(read(ANTHROPIC, data))
        assert (transcript.outcome, transcript.text) == ("finished", "Hi")


def test_whole_response_that_does_not_say_so():
    output = [{"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}]
    for rest in ({"status": "completed"}, {}):
        for data in (json.dumps({"output": output} | rest).encode(), sse({"output": output} | rest)):
            transcript = fold(read("openai-responses", data))
            assert (transcript.outcome, transcript.text) == ("finished", "Hi")
    failed = {"output": [], "status": "failed", "error": {"message": "no"}}
    assert fold(read("openai-responses", sse(failed))).error.message == "no"


def test_whole_message_that_is_an_error():
    error = {"type": "overloaded_error", "message": "Busy."}
    assert fold(read(ANTHROPIC, sse({"type": "message", "error": error}))).error.message == "Busy."


ANSWERS = {
    ANTHROPIC: message(*text(0)),
    "openai-responses": [
        created(),
        *item(0, {"type": "message", "id": "m"}, {"type": "response.output_text.delta", "delta": "Hi"}),
        completed(),
    ],
}


@pytest.mark.parametrize("dialect", ANSWERS)
def test_events_that_are_encoded_in_base64(dialect):
    packed = [base64.b64encode(json.dumps(each).encode()).decode() for each in ANSWERS[dialect]]
    for events in ([{"chunk": {"bytes": each}} for each in packed], [{"bytes": each} for each in packed]):
        transcript = fold(read(dialect, sse(*events)))
        assert (transcript.outcome, transcript.text) == ("finished", "Hi")


@pytest.mark.parametrize("value", ["no base64!", "AAAA", "", 5, None, {"bytes": "AAAA"}])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_bytes_that_are_no_event(dialect, value):
    assert fold(read(dialect, sse({"bytes": value}))).outcome == "truncated"


@pytest.mark.parametrize("dialect", ANSWERS)
def test_events_whose_lines_are_wrapped_once_more(dialect):
    body = named(*ANSWERS[dialect])
    lines = b"".join(b"data: " + line + b"\n\n" for line in body.split(b"\n"))
    events = b"".join(
        b"".join(b"data: " + line + b"\r\n" for line in [*event.split(b"\n"), b"", b""]) + b"\r\n"
        for event in body.split(b"\n\n")
    )
    for wrapped in (lines, events):
        transcript = fold(read(dialect, wrapped))
        assert (transcript.outcome, transcript.text) == ("finished", "Hi")


@pytest.mark.parametrize("arguments", ['""', '"', '" "', "[]", "5"])
def test_arguments_that_are_no_object(arguments):
    wire = {"type": "function_call", "id": "i", "call_id": "c", "name": "f", "arguments": arguments}
    [found] = responses(created(), *item(0, wire), completed()).tool_calls
    assert found.arguments == ({} if arguments == '""' else None)
