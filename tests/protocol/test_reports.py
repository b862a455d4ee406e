"""Faults that people reported of readers of Anthropic and Responses streams, with their neighbours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from streaming.protocol import OpaquePart, ToolResult
from streaming.protocol.dialects.answer import FAILURE_REASONS
from streaming.protocol.error_codes import code_of_error
from streaming.protocol.ui_stream import UIStreamEncoder
from tests.protocol.wire import anthropic, block, completed, created, fold, item, message, named, read, responses, sse

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "parser"
EXPECTED = json.loads((CASES / "EXPECTED.json").read_text()) if (CASES / "EXPECTED.json").exists() else {}

RUN = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "code_execution", "input": {"code": "1"}}
RAN = {"type": "code_execution_tool_result", "tool_use_id": "srvtoolu_1", "content": {"stdout": "1"}}
CONTAINER = {"id": "container_1", "expires_at": "2026-04-24T11:14:33Z"}


def text(index: int, words: str) -> list[dict[str, Any]]:
    return block(index, {"type": "text", "text": ""}, {"type": "text_delta", "text": words})


def begun(*content: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"type": "message_start", "message": {"id": "m", "model": "c", "content": list(content)} | fields}


def uses(index: int, arguments: str | None = None, id: str = "toolu_1", kind: str = "tool_use") -> list[dict[str, Any]]:
    deltas = [] if arguments is None else [{"type": "input_json_delta", "partial_json": arguments}]
    return block(index, {"type": kind, "id": id, "name": "f", "input": {}}, *deltas)


@pytest.mark.parametrize("again", [[], block(0, RUN), [*block(0, RUN), *block(1, RAN)]])
def test_message_begins_with_content(again):
    _, *rest = message(*again, *text(2, "one"))
    transcript = anthropic(begun(RUN, RAN), *rest)
    assert [type(part).__name__ for part in transcript.parts] == ["ToolCall", "ToolResult", "TextPart"]
    assert transcript.tool_calls[0].arguments == {"code": "1"}
    assert (transcript.text, transcript.finish_reason) == ("one", "stop")


def test_message_begins_with_text_and_goes_on_or_repeats_it():
    for words, whole in (("One", "One"), (" two", "One two")):
        _, *rest = message(*text(0, words))
        assert anthropic(begun({"type": "text", "text": "One"}), *rest).text == whole
    _, *rest = message(*text(1, " two"))
    assert anthropic(begun({"type": "text", "text": "One"}), *rest).text == "One two"


def test_message_is_nothing_but_its_beginning():
    assert anthropic(begun({"type": "text", "text": "One"}), *message()[1:]).text == "One"
    assert anthropic(begun({"type": "text", "text": "One"})).outcome == "truncated"


@pytest.mark.parametrize("between", [{"type": "vendor.progress"}, {"type": "ping"}])
def test_event_that_says_nothing_after_a_message_that_begins_with_a_call(between):
    call = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}}
    _, *rest = message(*uses(0), stop="tool_use")
    [found] = anthropic(begun(call), between, *rest).tool_calls
    assert (found.id, found.arguments) == ("toolu_1", {"a": 1})


@pytest.mark.parametrize("kind", [{"type": "error"}, {"type": "other"}])
def test_error_after_a_message_that_begins_with_text(kind):
    transcript = anthropic(begun({"type": "text", "text": "One"}), kind | {"error": {"message": "no"}})
    assert (transcript.outcome, transcript.text) == ("failed", "One")


def test_container_is_kept_once():
    _, *rest = message(*text(0, "x"))
    rest[-2]["delta"]["container"] = CONTAINER
    for start in (begun(), begun(container=CONTAINER)):
        parts = anthropic(start, *rest).parts
        assert [part for part in parts if isinstance(part, OpaquePart)] == [
            OpaquePart(raw=CONTAINER | {"type": "container"})
        ]
    assert (
        OpaquePart(raw=CONTAINER | {"type": "container"}) in anthropic(begun(container=CONTAINER), *text(0, "x")).parts
    )
    assert not any(isinstance(part, OpaquePart) for part in anthropic(*message(*text(0, "x"))).parts)


def test_one_id_for_two_calls_of_the_site():
    transcript = anthropic(*message(*uses(0, '{"a":1}'), *uses(1, '{"a":2}'), stop="tool_use"))
    assert [(call.id, call.arguments) for call in transcript.tool_calls] == [
        ("toolu_1", {"a": 1}),
        ("toolu_1_2", {"a": 2}),
    ]


def test_one_id_for_two_calls_of_the_server():
    twice = [*block(0, RUN), *block(1, RAN), *block(2, RUN), *block(3, RAN)]
    parts = anthropic(*message(*twice)).parts
    assert [part.id for part in parts[::2]] == ["srvtoolu_1", "srvtoolu_1_2"]
    assert [part.call_id for part in parts[1::2] if isinstance(part, ToolResult)] == ["srvtoolu_1", "srvtoolu_1_2"]


def shown(body: bytes) -> list[str]:
    encoder = UIStreamEncoder("m")
    chunks = [chunk for event in read("anthropic-messages", body) for chunk in encoder.encode(event)]
    return [json.loads(chunk)["type"] for chunk in chunks if b"tool-" in chunk]


@pytest.mark.parametrize("is_stopped", [True, False])
def test_call_without_input_is_complete_before_its_result(is_stopped):
    call = uses(0, id="srvtoolu_1", kind="server_tool_use")
    body = named(*message(*(call if is_stopped else call[:1]), *block(1, RAN), *text(2, "x")))
    transcript = fold(read("anthropic-messages", body))
    assert (transcript.tool_calls[0].arguments, transcript.tool_calls[0].is_complete) == ({}, True)
    assert shown(body) == ["tool-input-start", "tool-input-available", "tool-output-available"]


def test_call_without_input_of_the_site_is_complete_if_the_model_goes_on():
    for stop, blocks, is_complete in (
        ("tool_use", uses(0), True),
        ("max_tokens", uses(0), False),
        ("max_tokens", [*uses(0), *text(1, "x")], True),
    ):
        assert anthropic(*message(*blocks, stop=stop)).tool_calls[0].is_complete is is_complete


def test_server_call_that_a_relay_renamed():
    transcript = anthropic(*message(*uses(0, id="srvtoolu_1"), *text(1, "x")))
    assert transcript.tool_calls[0].is_provider_executed
    assert transcript.finish_reason == "stop"


def test_emoji_in_two_halves():
    halves = ("a\ud83d", "\ude00")
    ping = {"type": "ping"}
    deltas = [{"type": "text_delta", "text": half} for half in halves]
    start, first, second, stop = block(0, {"type": "text", "text": ""}, *deltas)
    silent = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": ""}}
    assert anthropic(*message(start, first, ping, silent, second, stop)).text == "a\U0001f600"
    cited = silent | {"delta": {"type": "citations_delta", "citation": {"type": "page_location"}}}
    assert anthropic(*message(start, first, cited, second, stop)).text == "a\ufffd\ufffd"
    assert anthropic(*message(start, first, stop)).text == "a\ufffd"
    deltas = [{"type": "response.output_text.delta", "content_index": 0, "delta": half} for half in halves]
    beat = {"type": "response.in_progress"}
    for events in (deltas, [deltas[0], beat, deltas[1]]):
        assert (
            responses(created(), *item(0, {"type": "message", "id": "m"}, *events), completed()).text == "a\U0001f600"
        )


@pytest.mark.parametrize("stop", ["abort", "malformed_function_call", "error"])
def test_end_that_is_no_success(stop):
    assert anthropic(*message(*text(0, "x"), stop=stop)).outcome == "failed"
    incomplete = {"status": "incomplete", "incomplete_details": {"reason": stop}}
    assert responses(created(), {"type": "response.incomplete", "response": incomplete}).outcome == "failed"


def test_every_failure_has_a_code():
    assert [word for word in FAILURE_REASONS if code_of_error(word, None, "") is None] == []


# Calls that the server executes in the Responses API

FOUND = item(
    9, {"type": "message", "id": "m"}, {"type": "response.output_text.delta", "content_index": 0, "delta": "Found"}
)
GROK = {"type": "response.created", "response": {"id": "r", "model": "grok-4-fast"}}


def custom(index: int = 0, **fields: Any) -> list[dict[str, Any]]:
    wire = {"type": "custom_tool_call", "id": f"ctc_{index}", "call_id": f"c{index}", "name": "look", "input": "q"}
    return item(index, wire | fields)


THEIRS = {
    "xAI's id": [created(), *custom(call_id="xs_1"), completed()],
    "xAI's tool": [created(), *custom(name="x_keyword_search"), completed()],
    "xAI's model": [GROK, *custom(), completed()],
    "a message follows": [created(), *custom(), *FOUND, completed()],
    "a message follows two": [created(), *custom(), *custom(1), *FOUND, completed()],
    "only done": [created(), custom()[-1], *FOUND, completed()],
    "a result follows": [
        created(),
        *custom(),
        *item(1, {"type": "custom_tool_call_output", "call_id": "c0", "output": "r"}),
        completed(),
    ],
}


@pytest.mark.parametrize("case", THEIRS)
def test_custom_call_of_the_server(case):
    transcript = responses(*THEIRS[case])
    assert all(call.is_provider_executed and call.is_complete for call in transcript.tool_calls)
    assert [call.raw_arguments for call in transcript.tool_calls] == ["q"] * len(transcript.tool_calls)
    assert transcript.finish_reason == "stop"


OURS = {
    "it is the last": [created(), *custom(), completed()],
    "the message comes first": [created(), *FOUND, *custom(), completed()],
    "another call follows": [
        created(),
        *custom(),
        *item(1, {"type": "function_call", "call_id": "d", "name": "f"}),
        completed(),
    ],
}


@pytest.mark.parametrize("case", OURS)
def test_custom_call_of_the_site(case):
    transcript = responses(*OURS[case])
    assert not any(call.is_provider_executed for call in transcript.tool_calls)
    assert transcript.finish_reason == "tool_calls"


def test_offered_tool_is_the_sites_whatever_follows():
    transcript = responses(created(), *custom(), *FOUND, completed(), tools=["look"])
    assert not transcript.tool_calls[0].is_provider_executed


def test_custom_call_that_is_held_back_survives_a_cut():
    (call,) = responses(created(), *custom()).tool_calls
    assert (call.is_complete, call.raw_arguments) == (True, "q")


def test_function_call_with_its_result_needs_no_answer():
    call = {"type": "function_call", "id": "i", "call_id": "c", "name": "f", "arguments": "{}"}
    output = {"type": "function_call_output", "id": "o", "call_id": "c", "output": "r"}
    assert responses(created(), *item(0, call), *item(1, output), *FOUND, completed()).finish_reason == "stop"


def test_event_within_an_envelope():
    events = [{"data": each} for each in [created(), *FOUND, completed()]]
    assert fold(read("openai-responses", sse(*events))).text == "Found"
    events = [{"data": each} for each in message(*text(0, "x"))]
    assert fold(read("anthropic-messages", sse(*events))).text == "x"


@pytest.mark.optional
@pytest.mark.skipif(not EXPECTED, reason="no collection of cases beside the repository")
@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_collected_case(name):
    want = EXPECTED[name]
    body = (CASES / f"{name}.sse").read_bytes()
    transcript = fold(read(want["dialect"], body, **want.get("options", {})))
    for field in ("reasoning", "outcome", "finish_reason"):
        assert getattr(transcript, field) == want.get(field, getattr(transcript, field))
    assert transcript.text.strip() == want.get("text", transcript.text).strip()
