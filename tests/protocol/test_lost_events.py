"""Events that a relay cut: what they had is joined, or the calls that lack it are not complete."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streaming.protocol import Heartbeat, Transcript, Warning
from streaming.protocol.dialects.wire.payload_reader import MAX_PIECES
from tests.protocol.test_reported_blocks import begin, pieces, stop, text, use
from tests.protocol.test_reported_items import added, arguments, call, done
from tests.protocol.wire import chunk, completed, created, fold, message, named, outcome, parse, read, sse, tool

ANTHROPIC = "anthropic-messages"
START, *END = message(stop="tool_use")
LOST = b'data: {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": "n\n\n'
LOST_OF_RESPONSES = b'data: {"type": "response.function_call_arguments.delta", "output_index": 0, "delta": "no\n\n'


def anthropic(*events: Any) -> Transcript:
    """Returns the transcript of events; bytes stand for themselves."""
    return fold(read(ANTHROPIC, b"".join(each if isinstance(each, bytes) else named(each) for each in events)))


@pytest.mark.parametrize("lost", [LOST, b'data: "partial_json": "no"}}\n\n', LOST.replace(b'"', b"'")])
def test_call_with_a_hole_in_its_arguments_is_not_complete(lost):
    first, last = pieces(0, '{"command": "rm ', 'tmp"}')
    [found] = anthropic(START, begin(0, use()), first, lost, last, stop(0), *END).tool_calls
    assert (found.arguments, found.is_complete, found.error) == (None, False, "truncated")
    assert found.raw_arguments == '{"command": "rm tmp"}'


def test_call_that_lost_all_its_arguments_is_not_a_call_without_arguments():
    [found] = anthropic(START, begin(0, use()), LOST, stop(0), *END).tool_calls
    assert (found.is_complete, found.error) == (False, "truncated")


ACCESS_LOG = b'data: INFO: 127.0.0.1:80 - "POST /v1/messages HTTP/1.1" 200 OK\n\n'


@pytest.mark.parametrize(
    "sign", [b"data: ok\n\n", b": ok\n\n", b"data: 2026-01-01 10:00\n\n", b"data:\n\n", ACCESS_LOG]
)
def test_sign_of_life_is_no_loss(sign):
    first, last = pieces(0, '{"x":', "1}")
    [found] = anthropic(START, begin(0, use()), first, sign, last, stop(0), *END).tool_calls
    assert found.arguments == {"x": 1}


def test_loss_before_or_after_whole_arguments_does_not_harm_them():
    whole = [begin(0, use()), *pieces(0, '{"x":', "1}")]
    [found] = anthropic(START, *whole, LOST, stop(0), *END).tool_calls
    assert found.arguments == {"x": 1}
    [found] = anthropic(START, LOST, *whole, stop(0), *END).tool_calls
    assert found.arguments == {"x": 1}
    [found] = anthropic(START, whole[0], LOST, *whole[1:], stop(0), *END).tool_calls
    assert found.arguments == {"x": 1}


def test_loss_is_warned_of_once():
    events = read(ANTHROPIC, named(START, *text(0)) + LOST + LOST + named(*END))
    assert [each.code for each in events if isinstance(each, Warning)] == ["not_json"] * 2


def test_whole_arguments_at_the_end_fill_the_hole():
    first, last = arguments('{"x": "a', output_index=0), arguments('b"}', output_index=0)
    whole = '{"x": "a secret b"}'
    begun = named(created(), added(call(1), output_index=0), first) + LOST_OF_RESPONSES + named(last)
    [found] = fold(
        read("openai-responses", begun + named(done(call(1, whole), output_index=0), completed()))
    ).tool_calls
    assert (found.arguments, found.raw_arguments) == ({"x": "a secret b"}, whole)
    [found] = fold(read("openai-responses", begun + named(completed()))).tool_calls
    assert (found.is_complete, found.error) == (False, "truncated")


def test_whole_free_text_at_the_end_fills_the_hole():
    wire = {"type": "custom_tool_call", "id": "i", "call_id": "c", "name": "run", "input": ""}
    first = {"type": "response.custom_tool_call_input.delta", "output_index": 0, "delta": "rm "}
    begun = named(created(), added(wire, output_index=0), first) + LOST_OF_RESPONSES
    [found] = fold(
        read("openai-responses", begun + named(done(wire | {"input": "rm -i x"}, output_index=0), completed()))
    ).tool_calls
    assert (found.raw_arguments, found.is_complete) == ("rm -i x", True)


def test_hole_in_the_arguments_of_a_chat_call():
    first = tool(index=0, id="a", name="f", arguments='{"command": "rm ')
    last = tool(index=0, arguments='tmp"}')
    body = sse(first) + b'data: {"choices": [{"delta": {"tool_calls": [{"index": 0, "func\n\n' + sse(last)
    [found] = fold(read("openai-chat", body + sse(chunk(finish="tool_calls"), "[DONE]"))).tool_calls
    assert (found.is_complete, found.error) == (False, "truncated")


WORDS = 'Hello wörld, "x": y'
DELTA = json.dumps(
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": WORDS}}, separators=(",", ":")
).encode()


@pytest.mark.parametrize("at", range(1, len(DELTA)))
def test_payload_that_is_cut_in_two_events(at):
    start, _, end = text(0)
    body = named(START, start) + sse(DELTA[:at], DELTA[at:]) + named(end, *END)
    events = parse(ANTHROPIC, [body])
    assert parse(ANTHROPIC, [body[i : i + 1] for i in range(len(body))]) == events
    assert fold(events).text == WORDS
    assert not any(isinstance(each, Warning) and each.code == "not_json" for each in events)


@pytest.mark.parametrize("size", [7, 16, 30, 44])
def test_payload_that_is_cut_in_many_events(size):
    start, _, end = text(0)
    pieces = [DELTA[at : at + size] for at in range(0, len(DELTA), size)]
    assert len(pieces) > 2
    body = named(START, start) + sse(*pieces) + named(end, *END)
    events = parse(ANTHROPIC, [body])
    assert parse(ANTHROPIC, [body[at : at + 1] for at in range(len(body))]) == events
    assert fold(events).text == WORDS
    assert not any(isinstance(each, Warning) and each.code == "not_json" for each in events)


def test_payload_that_is_cut_in_too_many_events_is_warned_of():
    pieces = [DELTA[at : at + 2] for at in range(0, len(DELTA), 2)]
    assert len(pieces) > MAX_PIECES
    start, delta, end = text(0)
    events = parse(ANTHROPIC, [named(START, start) + sse(*pieces) + named(delta, end, *END)])
    assert fold(events).outcome == "finished"
    assert any(isinstance(each, Warning) and each.code == "not_json" for each in events)


@pytest.mark.parametrize("sign", [b"data:\n\n", b"data: ping\n\n", b": ok\n\n", b"data: []\n\n"])
def test_sign_of_life_between_the_two_pieces(sign):
    start, _, end = text(0)
    body = named(START, start) + sse(DELTA[:40]) + sign + sse(DELTA[40:]) + named(end, *END)
    events = read(ANTHROPIC, body)
    assert fold(events).text == WORDS
    assert Heartbeat() in events


@pytest.mark.parametrize("rest", [DELTA, b"[DONE]"])
def test_rest_of_a_payload_with_more_on_its_line(rest):
    start, _, end = text(0)
    transcript = fold(read(ANTHROPIC, named(START, start) + sse(DELTA[:60], DELTA[60:] + rest) + named(end, *END)))
    assert transcript.text == WORDS * (2 if rest == DELTA else 1)


USAGE = json.dumps({"choices": [], "usage": {"prompt_tokens": 5}})


@pytest.mark.parametrize(
    "late", [[USAGE[:30], USAGE[30:]], [json.dumps(USAGE)], [f"[{USAGE}]"], [f'{{"x": 1}}{USAGE}']]
)
@pytest.mark.parametrize("before", [[], [json.dumps(chunk({"content": "lost"}))[:40]]])
def test_usage_after_the_mark_of_the_end_in_any_shape(before, late):
    transcript = fold(read("openai-chat", sse(chunk({"content": "Hi"}), *before, "[DONE]", *late)))
    assert (transcript.outcome, transcript.text, transcript.usage.input_tokens) == ("finished", "Hi", 5)


def test_usage_on_the_line_of_the_mark_after_a_piece():
    body = sse(chunk({"content": "Hi"}), json.dumps(chunk({"content": "lost"}))[:40], f"[DONE]{USAGE}")
    transcript = fold(read("openai-chat", body))
    assert (transcript.outcome, transcript.text, transcript.usage.input_tokens) == ("finished", "Hi", 5)


def test_broken_data_with_spaces_before_it_is_no_sentence():
    assert outcome(sse('  {"choices": [{"del', chunk({"content": "Hi"}), "[DONE]")) == ("finished", "Hi")


def test_beginning_of_a_payload_that_no_event_goes_on_with():
    for rest in ([], [DELTA], [b"[DONE]"], [b"ok"], [DELTA[:20], DELTA]):
        start, _, end = text(0)
        events = parse(ANTHROPIC, [named(START, start) + sse(DELTA[:40], *rest) + named(end, *END)])
        assert fold(events).text == (WORDS if DELTA in rest else "")
        assert any(isinstance(each, Warning) and each.code == "not_json" for each in events)


def responses_call(streamed: list[str], *wholes: str) -> Any:
    ends = [{"type": "response.function_call_arguments.done", "output_index": 0, "arguments": each} for each in wholes]
    deltas = [arguments(each, output_index=0) for each in streamed]
    body = named(created(), added(call(1), output_index=0), *deltas, *ends, completed())
    [found] = fold(parse("openai-responses", [body])).tool_calls
    return found.raw_arguments


@pytest.mark.parametrize("streamed", [['{"x": "a', 'b"}'], ['{"x": "secret', 'b"}'], ['{"x": "', '"}']])
def test_whole_arguments_count_if_a_delta_was_lost_without_a_sign(streamed):
    assert responses_call(streamed, '{"x": "a secret b"}') == '{"x": "a secret b"}'


@pytest.mark.parametrize("whole", ["{}", '{"x":"a b"}', '{"x": "b c d e"}', '{"y": "a b", "z": 1'])
def test_whole_arguments_that_are_another_text_do_not_count(whole):
    assert responses_call(['{"x": ', '"a b"}'], whole) == '{"x": "a b"}'


def test_whole_arguments_may_be_spaced_in_another_way():
    assert responses_call(['{"x":1}'], '{ "x": 1 }') == '{"x":1}'


def test_whole_arguments_that_come_very_often():
    text = '{"x": "' + "a" * 100_000 + '"}'
    assert responses_call([text], *['{"y": 1}'] * 20_000) == text
