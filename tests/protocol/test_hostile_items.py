"""Responses and Messages streams that gateways and relays broke. Nothing may be lost or made up.

Each case has the payloads and the result that `assert_says` must find. The worst mistake would be a call with the
arguments of another call.
"""

from __future__ import annotations

from typing import Any

import pytest

from streaming.protocol import Warning
from tests.protocol.wire import assert_says, block, completed, created, fold, item, message, named, read, sse

DELTA = {"type": "response.function_call_arguments.delta"}
TEXT = {"type": "text", "text": ""}
USE = {"type": "tool_use", "id": "t", "name": "f", "input": {}}


def call(id: str = "c1", name: str = "f", arguments: str = "", **rest: Any) -> dict[str, Any]:
    return {"type": "function_call", "id": f"item_{id}", "call_id": id, "name": name, "arguments": arguments} | rest


def added(wire: dict[str, Any], index: int = 0) -> dict[str, Any]:
    return {"type": "response.output_item.added", "output_index": index, "item": wire}


def done(wire: dict[str, Any], index: int = 0) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": index, "item": wire}


def delta(text: str, id: str = "c1", index: int = 0) -> dict[str, Any]:
    return DELTA | {"output_index": index, "item_id": f"item_{id}", "delta": text}


def ended(word: str, status: str, **response: Any) -> dict[str, Any]:
    return {"type": f"response.{word}", "response": {"status": status} | response}


def anthropic_delta(index: int, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": fields}


BY_ID = [added(call("c1")), added(call("c2", "g"))]
TWO_OPEN = [*BY_ID, delta('{"a":1}', "c1"), delta('{"b":2}', "c2"), done(call("c1")), done(call("c2", "g"))]
STREAMED = [added(call()), delta('{"a":1}'), done(call(arguments='{"a":1}'))]
PART = {"type": "output_text", "text": "hi"}

RESPONSES: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "failed, stale status": ([created(), ended("failed", "in_progress")], {"outcome": "failed"}),
    "failed, cancelled": ([created(), ended("failed", "cancelled")], {"outcome": "failed"}),
    "completed, yet failed": ([created(), ended("completed", "failed")], {"outcome": "failed"}),
    "completed, stale status": ([created(), ended("completed", "in_progress")], {"finish_reason": "stop"}),
    "incomplete, stale status": (
        [created(), ended("incomplete", "in_progress", incomplete_details={"reason": "max_output_tokens"})],
        {"outcome": "finished", "finish_reason": "length"},
    ),
    "error within a response": (
        [created(), {"type": "response.error", "response": {"error": {"code": "c", "message": "slow down"}}}],
        {"outcome": "failed", "error.code": "c", "error.message": "slow down"},
    ),
    "arguments in the announcement alone": (
        [created(), added(call(arguments='{"a":1}')), completed()],
        {"calls": [("f", {"a": 1})]},
    ),
    "arguments in the announcement, and streamed": (
        [created(), added(call(arguments='{"a":1}')), delta('{"a":1}'), completed()],
        {"calls": [("f", {"a": 1})]},
    ),
    "announced twice": ([created(), added(call()), *STREAMED, completed()], {"calls": [("f", {"a": 1})]}),
    "arguments in the last event alone": (
        [created(), added(call()), completed(output=[call(arguments='{"a":1}')])],
        {"calls": [("f", {"a": 1})]},
    ),
    "two open under one index": ([created(), *TWO_OPEN, completed()], {"calls": [("f", {"a": 1}), ("g", {"b": 2})]}),
    "two after each other under one index": (
        [created(), *STREAMED, added(call("c2", "g")), delta("{}", "c2"), done(call("c2", "g")), completed()],
        {"calls": [("f", {"a": 1}), ("g", {})]},
    ),
    "a second call in the last event alone": (
        [created(), *STREAMED, completed(output=[call(), call("c2", "g", '{"b":2}')])],
        {"calls": [("f", {"a": 1}), ("g", {"b": 2})]},
    ),
    "the same call in the last event under another id": (
        [created(), *STREAMED, completed(output=[call("other", arguments='{"a":1}')])],
        {"calls": [("f", {"a": 1})]},
    ),
    "late arguments": ([created(), *STREAMED, delta('{"b":2}'), completed()], {"calls": [("f", {"a": 1})]}),
    "text in content_part.done alone": (
        [
            created(),
            *item(0, {"type": "message"}, {"type": "response.content_part.done", "content_index": 0, "part": PART}),
            completed(),
        ],
        {"text": "hi"},
    ),
}

ANTHROPIC: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "thinking in a text block": (
        message(*block(0, TEXT, {"type": "thinking_delta", "thinking": "hm"}, {"type": "text_delta", "text": "a"})),
        {"reasoning": "hm", "text": "a"},
    ),
    "text in a thinking block": (
        message(*block(0, {"type": "thinking", "thinking": ""}, {"type": "text_delta", "text": "a"})),
        {"text": "a"},
    ),
    "text in a tool block": (
        message(
            *block(0, USE, {"type": "text_delta", "text": "a"}, {"type": "input_json_delta", "partial_json": "{}"})
        ),
        {"text": "a", "calls": [("f", {})]},
    ),
    "a block that is null": (
        message({"type": "content_block_start", "index": 0, "content_block": None}, anthropic_delta(0, text="a")),
        {"text": "a"},
    ),
    "deltas without a type": (
        message(*block(0, TEXT, {"text": "a"}), *block(1, {"type": "thinking"}, {"thinking": "hm"})),
        {"text": "a", "reasoning": "hm"},
    ),
    "arguments without a type": (
        message(*block(0, USE, {"partial_json": '{"a":1}'}), stop="tool_use"),
        {"calls": [("f", {"a": 1})]},
    ),
    "late arguments": (
        message(
            *block(0, USE, {"type": "input_json_delta", "partial_json": '{"a":1}'}),
            anthropic_delta(0, type="input_json_delta", partial_json="{}"),
        ),
        {"calls": [("f", {"a": 1})]},
    ),
}


@pytest.mark.parametrize("case", RESPONSES)
def test_nothing_of_a_response_is_lost_or_made_up(case):
    payloads, wanted = RESPONSES[case]
    assert_says("openai-responses", sse(*payloads), wanted)


@pytest.mark.parametrize("case", ANTHROPIC)
def test_nothing_of_a_message_is_lost_or_made_up(case):
    payloads, wanted = ANTHROPIC[case]
    assert_says("anthropic-messages", named(*payloads), wanted)


def test_late_arguments_are_warned_of():
    events = read("openai-responses", sse(created(), *STREAMED, delta('{"b":2}'), completed()))
    assert Warning("late_arguments", "7 characters") in events


def test_usage_before_the_start():
    start, *rest = message(*block(0, TEXT, {"type": "text_delta", "text": "a"}))
    events = read("anthropic-messages", named(rest[-2], start, *rest))
    assert not any(type(event).__name__ == "Started" for event in events)
    assert fold(events).usage.input_tokens == 10


def test_whole_part_under_another_index_is_not_taken_again():
    grown = {"type": "response.output_text.delta", "content_index": 1, "delta": "hi"}
    whole = {"type": "response.content_part.done", "content_index": 0, "part": PART}
    events = [created(), *item(0, {"type": "message"}, grown, whole), completed()]
    assert_says("openai-responses", sse(*events), {"text": "hi"})
