"""25 bugs that real parsers had. Each test is named after the bug."""

from __future__ import annotations

import json
import time

import pytest

from streaming.protocol import Finished, StreamParser, TextDelta, Transcript, Truncated
from tests.protocol.wire import (
    anthropic,
    block,
    chat,
    chunk,
    completed,
    created,
    fold,
    item,
    message,
    named,
    parse,
    read,
    responses,
    sse,
    tool,
)

END = chunk(finish="stop")


@pytest.mark.parametrize("end", [[], [chunk(finish="length")]])
def test_01_arguments_cut_short_were_repaired_and_executed(end):
    start = tool(index=0, id="a", name="write", arguments='{"path":"/etc/hosts","content":"line1')
    (call,) = chat(start, *end).tool_calls
    assert (call.arguments, call.is_complete, call.error) == (None, False, "truncated")
    assert call.raw_arguments.endswith("line1")


def test_02_call_was_closed_because_a_prefix_of_it_parsed():
    parser = StreamParser("openai-chat")
    for text in ('{"a":1', "}"):
        events = parser.feed(sse(tool(index=0, id="a", name="f", arguments=text)))
        assert not [event for event in events if type(event).__name__ == "ToolCallEnded"]
    (call,) = fold(parse("openai-chat", [sse(tool(index=0, id="a", name="f", arguments="1"))])).tool_calls
    assert (call.arguments, call.is_complete) == (None, False)


WHOLE = {
    "openai-chat": (sse(chunk({"content": "Hi"}), END, "[DONE]"), b'"finish_reason": "stop"}'),
    "anthropic-messages": (
        named(*message(*block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Hi"}))),
        b'"message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}',
    ),
    "openai-responses": (
        named(created(), *item(0, {"type": "message", "content": [{"text": "Hi"}]}), completed()),
        b'"response.completed", "response": {"status": "completed", "usage": {"input_tokens": 7, "output_tokens": 3}}',
    ),
}


@pytest.mark.parametrize("dialect", WHOLE)
def test_03_cut_stream_was_reported_as_success(dialect):
    body, signal = WHOLE[dialect]
    complete_at = body.index(signal) + len(signal)
    for at in range(len(body)):
        last = parse(dialect, [body[:at]])[-1]
        assert type(last) is Truncated if at <= complete_at else type(last) in (Finished, Truncated), at
    assert type(parse(dialect, [body])[-1]) is Finished


@pytest.mark.parametrize("block_", [b"retry: 3000\n\n", b"id: 1\n\n: ping\n\n", b"event: ping\n\n", b"data:\n\n"])
def test_04_block_without_data_killed_the_stream(block_):
    body = sse(chunk({"content": "a"})) + block_ + sse(chunk({"content": "b"}), END)
    assert fold(read("openai-chat", body)).text == "ab"


def test_05_lines_were_cut_at_unicode_separators():
    text = "a\u2028b\u0085c\u2029d"
    assert fold(read("openai-chat", sse(json.dumps(chunk({"content": text}), ensure_ascii=False), END))).text == text


def test_06_crlf_over_two_chunks_made_two_events():
    body = b'data: {"choices":[{"delta":\r\ndata: {"content":"a"}}]}\r\n\r\n' + sse(END)
    assert fold(read("openai-chat", body)).text == "a"


def test_07_data_without_space_was_not_read():
    body = sse(chunk({"content": "a"}), "[DONE]").replace(b"data: ", b"data:")
    assert fold(read("openai-chat", body)).outcome == "finished"


def _seconds_to_read(body: bytes) -> float:
    chunks = [body[i : i + 1024] for i in range(0, len(body), 1024)]
    best = float("inf")
    for _ in range(5):
        began = time.process_time()
        parse("openai-chat", chunks)
        best = min(best, time.process_time() - began)
    return best


def test_08_long_line_in_small_chunks_was_quadratic():
    bodies = [sse(chunk({"content": "x" * size})) for size in (1_000_000, 16_000_000)]
    one, sixteen = map(_seconds_to_read, bodies)
    assert sixteen < one * 100  # quadratic would be 256 times; what no longer fits the processor's cache takes longer


def test_09_overloaded_after_text_was_a_normal_end():
    start, *_ = message()
    text = block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Hi"})
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    transcript = anthropic(start, *text[:2], error)
    assert (transcript.outcome, transcript.text, transcript.finish_reason) == ("failed", "Hi", None)
    assert (transcript.error.type, transcript.error.retryable) == ("overloaded_error", True)


@pytest.mark.parametrize("choices", [[], [{"index": 0, "delta": {"content": ""}}]])
def test_10_error_with_choices_was_an_empty_success(choices):
    assert chat({"error": {"message": "no credit"}, "choices": choices}).error.message == "no credit"


ERRORS = {
    "nested": {"type": "error", "error": {"type": "tokens", "code": "rate_limit_exceeded", "message": "slow down"}},
    "flat": {"type": "error", "code": "rate_limit_exceeded", "message": "slow down", "param": None},
    "mixed": {"type": "error", "code": "rate_limit_exceeded", "error": {"message": "slow down"}},
}


@pytest.mark.parametrize("form", ERRORS)
def test_11_error_of_the_responses_api_lost_its_message(form):
    error = responses(created(), ERRORS[form]).error
    assert (error.code, error.message, error.retryable) == ("rate_limit_exceeded", "slow down", True)


def test_12_missing_choices_or_delta_raised():
    odd = [{"choices": []}, {"choices": [{"index": 0}]}, {"choices": [{"index": 0, "delta": None}]}, {"choices": None}]
    assert chat(*odd, chunk({"content": "a"}), END).text == "a"


def test_13_call_without_index_was_dropped():
    transcript = chat(tool(id="a", name="f", arguments='{"x":'), tool(arguments="1}"), END)
    assert [call.arguments for call in transcript.tool_calls] == [{"x": 1}]


def test_14_two_calls_at_index_0_were_merged():
    parts = [tool(index=0, id=id, name=id, arguments="{}") for id in "ab"]
    assert [call.id for call in chat(*parts, END).tool_calls] == ["a", "b"]


def test_15_repeated_name_was_doubled():
    parts = [tool(index=0, id="abc", name="read_file", arguments=text) for text in ("{", "}")]
    (call,) = chat(*parts, END).tool_calls
    assert (call.id, call.name, call.arguments) == ("abc", "read_file", {})


@pytest.mark.parametrize("first", [None, "", "{}"])
def test_16_arguments_became_undefined_or_doubled(first):
    parts = tool(index=0, id="a", name="f", arguments=first), tool(index=0, arguments='{"x":1}')
    (call,) = chat(*parts, END).tool_calls
    assert (call.raw_arguments, call.arguments) == ('{"x":1}', {"x": 1})


def test_17_usage_after_the_finish_reason_was_lost():
    usage = {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}
    assert chat(chunk({"content": "a"}), END, usage, chunk(usage=None), "[DONE]").usage.output_tokens == 2


def test_17_zero_in_the_last_report_erased_the_input():
    assert anthropic(*message(usage={"input_tokens": 0, "output_tokens": 9})).usage.input_tokens == 10


def test_18_finish_reason_decided_whether_calls_were_delivered():
    parts = tool(index=0, id="a", name="f", arguments="{}")
    assert chat(parts, chunk(finish="stop")).tool_calls[0].is_complete
    broken = tool(index=0, id="a", name="f", arguments='{"x": Dave}')
    (call,) = chat(broken, chunk(finish="tool_calls")).tool_calls
    assert (call.arguments, call.error) == (None, "invalid_json")


def test_19_spliced_messages_were_merged():
    start, *rest = message(*block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "par"}))
    other = {"type": "message_start", "message": {"id": "msg_2"}}
    transcript = anthropic(start, *rest[:2], other, *rest)
    assert (transcript.text, transcript.outcome) == ("par", "truncated")


@pytest.mark.parametrize("id", ["resp_1", "resp_2", None])
def test_19_spliced_responses_were_merged(id):
    parts = [
        item(0, {"type": "message", "id": n}, {"type": "response.output_text.delta", "delta": n}) for n in ("par", "hi")
    ]
    again = {"type": "response.created", "response": {"id": id}}
    for begun in ([], parts[0][:1], parts[1]):  # nothing, a message without words, a whole message
        whole = responses(created(), *begun, again, *parts[0], completed())
        assert (whole.text.removeprefix("hi"), whole.outcome) == ("par", "finished")
    transcript = responses(created(), *parts[0][:2], again, *parts[1], completed())
    spliced = ("par", "truncated") if id == "resp_2" else ("parhi", "finished")
    assert (transcript.text, transcript.outcome) == spliced


def test_20_thought_was_doubled_or_lost():
    assert chat(chunk({"reasoning": "x", "reasoning_content": "x"}), END).reasoning == "x"
    assert chat(chunk({"reasoning": "x"}), END).reasoning == "x"


def test_21_think_tag_over_chunks_leaked_into_the_text():
    parts = [chunk({"content": text}) for text in ("<thi", "nk>a</thi", "nk>b")]
    transcript = chat(*parts, END, split_think_tags=True)
    assert (transcript.reasoning, transcript.text) == ("a", "b")


def test_21_less_than_was_held_back_for_ever():
    parser = StreamParser("openai-chat", split_think_tags=True)
    transcript = Transcript()
    for event in parser.feed(sse(chunk({"content": "a < b"}))):
        transcript.apply(event)
    assert transcript.text == "a < b"


def test_later_closing_tag_was_held_back():
    parser = StreamParser("openai-chat", split_think_tags=True)
    said = [event for text in ("<think>a</think>b", "</think>") for event in parser.feed(sse(chunk({"content": text})))]
    assert said[-1] == TextDelta(1, "</think>")


def test_22_error_field_and_error_body_were_ignored():
    for body in (b'error: {"code":400,"message":"no"}\n\n', b'{"error":{"message":"no"}}'):
        assert fold(read("openai-chat", body)).error.message == "no"


def test_23_braces_inside_a_string_were_split():
    arguments = '{"code":"if (a) {b}{c}"}'
    assert chat(tool(index=0, id="a", name="f", arguments=arguments), END).tool_calls[0].raw_arguments == arguments


def test_24_whole_message_at_the_end_was_appended():
    last = {"choices": [{"index": 0, "message": {"content": "Hello"}, "finish_reason": "stop"}]}
    assert chat(chunk({"content": "Hel"}), chunk({"content": "lo"}), last).text == "Hello"


def test_25_item_id_of_every_event_made_a_new_item():
    delta = "response.output_text.delta"
    deltas = [
        {"type": delta, "item_id": f"id-{n}", "content_index": 0, "delta": text} for n, text in enumerate(["Hel", "lo"])
    ]
    transcript = responses(created(), *item(0, {"type": "message", "id": "other"}, *deltas), completed())
    assert [part.text for part in transcript.parts] == ["Hello"]
