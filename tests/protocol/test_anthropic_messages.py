"""The Anthropic Messages dialect: every block, delta and event type."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from streaming.protocol import (
    Finished,
    Heartbeat,
    OpaquePart,
    PartEnded,
    ReasoningPart,
    RefusalPart,
    Started,
    TextDelta,
    TextPart,
    ToolCallEnded,
    ToolResult,
    Unknown,
)
from streaming.protocol.dialects.anthropic_messages.blocks import OpaqueBlock, class_of
from streaming.protocol.dialects.anthropic_messages.stream import EVENTS
from tests.protocol.wire import anthropic, block, fold, message, named, read, sse


def text(index, *texts, **start):
    deltas = [{"type": "text_delta", "text": words} for words in texts]
    return block(index, {"type": "text", "text": ""} | start, *deltas)


def thinking(*deltas):
    return block(0, {"type": "thinking", "thinking": "", "signature": ""}, *deltas)


def use(index, *fragments, type_="tool_use", **start):
    deltas = [{"type": "input_json_delta", "partial_json": fragment} for fragment in fragments]
    return block(index, {"type": type_, "id": "toolu_1", "name": "f", "input": {}} | start, *deltas)


def test_plain_answer_event_by_event():
    start, *rest = message(*text(0, "Hel", "lo"))
    events = read("anthropic-messages", named(start, {"type": "ping"}, *rest))
    assert [e for e in events if type(e).__name__ != "UsageReported"] == [
        Started("msg_1", "claude"),
        Heartbeat(),
        TextDelta(0, "Hel"),
        TextDelta(0, "lo"),
        PartEnded(0),
        Finished("stop", "end_turn"),
    ]


def test_json_padded_with_spaces():
    body = named(*message(*text(0, "Hi"))).replace(b"}\n\n", b"          }\n\n")
    assert fold(read("anthropic-messages", body)).text == "Hi"


def test_usage_is_overwritten_and_null_keeps_it():
    later = {"input_tokens": 2411, "output_tokens": 9, "cache_read_input_tokens": None}
    start, *rest = message(*text(0, "Hi"), usage=later)
    start["message"]["usage"] |= {"cache_read_input_tokens": 5, "cache_creation_input_tokens": 6}
    usage = anthropic(start, *rest).usage
    assert (usage.input_tokens, usage.output_tokens) == (2411, 9)
    assert (usage.cached_input_tokens, usage.cache_write_tokens, usage.total_tokens) == (5, 6, None)


def test_usage_unknown_at_the_start_and_known_at_the_end():
    start, *rest = message(*text(0, "Hi"), usage={"input_tokens": 12, "output_tokens": 9})
    start["message"]["usage"] = {"input_tokens": 0, "output_tokens": 0}
    assert anthropic(start, *rest).usage.input_tokens == 12


def test_tool_call_streams_its_arguments():
    events = read("anthropic-messages", named(*message(*use(0, "", '{"a"', ": 1}"), stop="tool_use")))
    (ended,) = [event for event in events if isinstance(event, ToolCallEnded)]
    assert ended == ToolCallEnded(0, '{"a": 1}', {"a": 1}, True)
    assert fold(events).finish_reason == "tool_calls"


def test_tool_call_without_arguments():
    (call,) = anthropic(*message(*use(0, ""), stop="tool_use")).tool_calls
    assert (call.raw_arguments, call.arguments, call.is_complete) == ("", {}, True)


@pytest.mark.parametrize("fragments", [[], [""], ['{"path": "/etc']])
def test_tool_call_cut_by_max_tokens_is_not_complete(fragments):
    (call,) = anthropic(*message(*use(0, *fragments), stop="max_tokens")).tool_calls
    assert (call.arguments, call.is_complete, call.error) == (None, False, "truncated")


def test_tool_call_that_the_model_wrote_wrong():
    (call,) = anthropic(*message(*use(0, '{"k": Dave}'), stop="tool_use")).tool_calls
    assert (call.arguments, call.error, call.raw_arguments) == (None, "invalid_json", '{"k": Dave}')


def test_parallel_tool_calls_and_what_a_call_carries_besides():
    blocks = [*use(0, "{}", id="a", caller={"type": "direct"}), *use(1, "{}", id="b")]
    first, second = anthropic(*message(*blocks, stop="tool_use")).tool_calls
    assert (first.id, second.id) == ("a", "b")
    assert (first.raw, second.raw) == ({"caller": {"type": "direct"}}, None)


@pytest.mark.parametrize("type_", ["server_tool_use", "mcp_tool_use"])
def test_provider_runs_its_own_tools(type_):
    result = {"type": "web_search_tool_result", "tool_use_id": "toolu_1", "content": [{"url": "https://a.example"}]}
    transcript = anthropic(*message(*use(0, '{"q":1}', type_=type_), *block(1, result)))
    (call,) = transcript.tool_calls
    assert (call.is_provider_executed, call.arguments) == (True, {"q": 1})
    assert transcript.parts[1] == ToolResult(
        call_id="toolu_1",
        output=[{"url": "https://a.example"}],
        is_provider_executed=True,
        raw={"type": "web_search_tool_result"},
    )
    assert transcript.finish_reason == "stop"


def test_result_of_a_failed_tool():
    content = {"type": "web_search_tool_result_error", "error_code": "unavailable"}
    transcript = anthropic(*message(*block(0, {"type": "web_search_tool_result", "content": content})))
    assert transcript.parts[0].is_error
    mcp = {"type": "mcp_tool_result", "tool_use_id": "m", "is_error": True, "content": []}
    assert anthropic(*message(*block(0, mcp))).parts[0].is_error


def test_signature_of_thinking_is_kept():
    deltas = [
        {"type": "thinking_delta", "thinking": "why"},
        {"type": "signature_delta", "signature": "old"},
        {"type": "signature_delta", "signature": "sig"},
    ]
    transcript = anthropic(*message(*thinking(*deltas), *text(1, "Hi")))
    assert transcript.parts == [ReasoningPart(text="why", signature="sig"), TextPart(text="Hi")]


def test_signature_without_thinking_is_kept():
    transcript = anthropic(*message(*thinking({"type": "signature_delta", "signature": "sig"})))
    assert transcript.parts == [ReasoningPart(signature="sig")]


def test_thinking_whole_in_the_start():
    whole = block(0, {"type": "thinking", "thinking": "why", "signature": "sig"})
    assert anthropic(*message(*whole)).parts == [ReasoningPart(text="why", signature="sig")]


def test_empty_thinking_leaves_no_part():
    assert anthropic(*message(*thinking(), *text(1, "Hi"))).parts == [TextPart(text="Hi")]


def test_redacted_thinking_is_kept_whole():
    redacted = {"type": "redacted_thinking", "data": "xyz"}
    assert anthropic(*message(*block(0, redacted))).parts == [ReasoningPart(raw=redacted)]


def test_thinking_between_calls_is_a_part_of_its_own():
    blocks = [*thinking({"type": "thinking_delta", "thinking": "a"}), *use(1, "{}")]
    again = block(2, {"type": "thinking", "thinking": ""}, {"type": "thinking_delta", "thinking": "b"})
    transcript = anthropic(*message(*blocks, *again, *use(3, "{}", id="b"), stop="tool_use"))
    assert [type(part).__name__ for part in transcript.parts] == [*("ReasoningPart", "ToolCall") * 2]


def test_citations_belong_to_their_text():
    citation = {"type": "char_location", "cited_text": "x"}
    deltas = [{"type": "text_delta", "text": "Hi"}, {"type": "citations_delta", "citation": citation}]
    streamed = anthropic(*message(*block(0, {"type": "text", "text": "", "citations": []}, *deltas)))
    assert streamed.parts == [TextPart(text="Hi", citations=(citation,))]
    whole = anthropic(*message(*block(0, {"type": "text", "text": "Hi", "citations": [citation]})))
    assert whole.parts == streamed.parts


def test_counts_are_the_totals_and_no_step_is_added_to_them():
    steps = [
        {"type": "compaction", "input_tokens": 100, "output_tokens": 20, "cache_read_input_tokens": 7},
        {"type": "message", "input_tokens": 10, "output_tokens": 5},
    ]
    usage = {"input_tokens": 10, "output_tokens": 5, "iterations": steps}
    counted = anthropic(*message(*text(0, "Hi"), usage=usage)).usage
    assert (counted.input_tokens, counted.output_tokens, counted.cached_input_tokens) == (10, 5, None)


def test_compaction_is_kept_whole():
    deltas = [{"type": "compaction_delta", "content": "so far"}, {"type": "compaction_delta", "content": "…"}]
    transcript = anthropic(*message(*block(0, {"type": "compaction", "content": None}, *deltas), *text(1, "Hi")))
    assert transcript.parts[0] == OpaquePart(raw={"type": "compaction", "content": "so far…"})
    assert transcript.text == "Hi"


def test_block_type_of_tomorrow_is_kept_whole():
    start = {"type": "hologram", "data": [1]}
    body = named(*message(*block(0, start, {"type": "hologram_delta", "x": 1}), *text(1, "Hi")))
    events = read("anthropic-messages", body)
    assert fold(events).parts == [OpaquePart(raw=start), TextPart(text="Hi")]
    assert [json.loads(e.raw)["delta"] for e in events if isinstance(e, Unknown)] == [
        {"type": "hologram_delta", "x": 1}
    ]


def test_event_type_of_tomorrow_is_unknown():
    start, *rest = message(*text(0, "Hi"))
    events = read("anthropic-messages", named(start, {"type": "vertex_event", "x": 1}, *rest))
    assert [json.loads(e.raw) for e in events if isinstance(e, Unknown)] == [{"type": "vertex_event", "x": 1}]
    assert fold(events).outcome == "finished"


REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "refusal",
    "pause_turn": "other",
    "compaction": "other",
    "guardrail_intervened": "content_filter",
}


@pytest.mark.parametrize("reason", REASONS)
def test_stop_reason_gives_the_finish_reason(reason):
    transcript = anthropic(*message(*text(0, "Hi"), stop=reason))
    assert (transcript.finish_reason, transcript.raw_finish_reason) == (REASONS[reason], reason)


def test_explanation_of_a_refusal():
    details = {"type": "refusal", "category": "cyber", "explanation": "No."}
    end = {"type": "message_delta", "delta": {"stop_reason": "refusal", "stop_details": details}}
    start, *_ = message()
    transcript = anthropic(start, end, {"type": "message_stop"})
    assert transcript.parts == [RefusalPart(text="No.")]


def test_end_after_a_stop_reason_is_complete_and_before_is_not():
    events = message(*text(0, "Hi"))
    assert anthropic(*events[:-1]).outcome == "finished"
    assert anthropic(*events[:-2]).outcome == "truncated"


def test_bare_message_stop_is_complete():
    start, *_ = message()
    transcript = anthropic(start, *text(0, "Hi"), {"type": "message_stop"})
    assert (transcript.outcome, transcript.finish_reason, transcript.raw_finish_reason) == ("finished", "other", None)


def test_type_in_the_event_line_only():
    bare = b"".join(
        f"event: {e['type']}\ndata: {json.dumps({k: v for k, v in e.items() if k != 'type'})}\n\n".encode()
        for e in message(*text(0, "Hi"))
    )
    transcript = fold(read("anthropic-messages", bare))
    assert (transcript.text, transcript.outcome) == ("Hi", "finished")


def test_error_without_event_line():
    error = {"type": "error", "error": {"type": "rate_limit_error", "message": "slow"}, "request_id": "r"}
    transcript = fold(read("anthropic-messages", sse(error)))
    assert (transcript.error.type, transcript.error.message, transcript.error.retryable) == (
        "rate_limit_error",
        "slow",
        True,
    )


def test_error_by_event_line_only():
    body = b'event: error\ndata: {"message": "boom"}\n\n'
    assert fold(read("anthropic-messages", body)).error.message == "boom"
    assert fold(read("anthropic-messages", b"event: error\ndata: boom\n\n")).error.message == "boom"


def test_error_of_a_server_that_speaks_another_dialect():
    assert fold(read("anthropic-messages", sse({"error": {"message": "boom"}}))).error.message == "boom"


def test_delta_of_a_block_that_never_started():
    lone = {"type": "content_block_delta", "index": 3, "delta": {"type": "text_delta", "text": "Hi"}}
    args = {"type": "content_block_delta", "index": 4, "delta": {"type": "input_json_delta", "partial_json": "{}"}}
    start, *end = message()
    events = read("anthropic-messages", named(start, lone, args, *end))
    assert fold(events).text == "Hi"
    assert fold(events).tool_calls == []  # the name of the tool is missing
    assert [json.loads(event.raw) for event in events if isinstance(event, Unknown)] == [args]


def test_blocks_that_never_stop_are_ended_in_turn():
    starts = [block(n, {"type": "text", "text": f"{n} "})[0] for n in range(100)]
    transcript = anthropic(*message(*starts))
    assert transcript.text == "".join(f"{n} " for n in range(100))


def test_whole_message_instead_of_a_stream():
    blocks = [{"type": "text", "text": "Hi"}, {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}]
    body = {"type": "message", "id": "m", "content": blocks, "stop_reason": "tool_use", "usage": {"output_tokens": 4}}
    transcript = fold(read("anthropic-messages", json.dumps(body).encode()))
    assert (transcript.text, transcript.tool_calls[0].arguments, transcript.outcome) == ("Hi", {"a": 1}, "finished")


def test_every_event_and_block_of_the_sdk_is_known():
    types = pytest.importorskip("anthropic.types")
    events = {member.model_fields["type"].annotation for member in get_args(get_args(types.RawMessageStreamEvent)[0])}
    assert len(events) > 5
    assert {get_args(event)[0] for event in events} <= set(EVENTS)
    blocks = {get_args(b.model_fields["type"].annotation)[0] for b in get_args(get_args(types.ContentBlock)[0])}
    assert len(blocks) > 10
    opaque = {name for name in blocks if class_of({"type": name}) is OpaqueBlock}
    assert opaque <= {"container_upload", "fallback", "compaction"}
