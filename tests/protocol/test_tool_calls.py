"""Which call a fragment belongs to, and the verdict on what its fragments add up to."""

from __future__ import annotations

import time

import pytest

from streaming.protocol import ToolCallDelta, ToolCallEnded, ToolCallStarted, Warning
from streaming.protocol.dialects.answer import call as calls
from streaming.protocol.dialects.answer import judge
from tests.protocol.wire import chat, chunk, fold, parse, read, sse, tool

END = chunk(finish="tool_calls")


def nested(name, levels):
    value = 1
    for _ in range(levels):
        value = {name: value}
    return value


VERDICTS = {
    "object": ('{"a": 1}', ({"a": 1}, True, None)),
    "nothing": ("", ({}, True, None)),
    "space": (" \n", ({}, True, None)),
    "big_number": ('{"n": 123456789012345678901234567890}', ({"n": 123456789012345678901234567890}, True, None)),
    "space_around": (' {"a": 1}\n', ({"a": 1}, True, None)),
    "same_key_twice": ('{"a": 1, "a": 2}', ({"a": 2}, True, None)),
    "separator_inside": ('{"a": "\u2028"}', ({"a": "\u2028"}, True, None)),
    "number": ("12", (None, False, "not_an_object")),
    "string": ('"x"', (None, False, "not_an_object")),
    "array": ("[1]", (None, False, "not_an_object")),
    "null": ("null", (None, False, "not_an_object")),
    "open_object": ('{"a": 1', (None, False, "truncated")),
    "open_string": ('{"a": "x', (None, False, "truncated")),
    "open_escape": ('{"a": "x\\', (None, False, "truncated")),
    "open_unicode_escape": ('{"a": "\\ud8', (None, False, "truncated")),
    "open_literal": ('{"a": tr', (None, False, "truncated")),
    "open_key": ('{"a', (None, False, "truncated")),
    "two_objects": ('{"a":1}{"b":2}', (None, False, "concatenated")),
    "words_after": ('{"a":1} done', (None, False, "concatenated")),
    "unquoted": ('{"keywords": Dave}', (None, False, "invalid_json")),
    "trailing_comma": ('{"a":1,}', (None, False, "invalid_json")),
    "raw_newline": ('{"a":"\n"}', (None, False, "invalid_json")),
    "bad_escape": ('{"a":"C:\\path"}', (None, False, "invalid_json")),
    "nan": ('{"a":NaN}', (None, False, "invalid_json")),
    "lone_surrogate": ('{"a":"\\ude00"}', (None, False, "invalid_json")),
    "markdown_fence": ('```json\n{"a":1}\n```', (None, False, "invalid_json")),
    "deep": ('{"a":' * 100 + "1" + "}" * 100, (nested("a", 100), True, None)),
    "rather_deep": ('{"a":' * 101 + "1" + "}" * 101, (None, False, "too_large")),
    "too_deep": ('{"a":' * 100_000, (None, False, "invalid_json")),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_verdict(case):
    raw, expected = VERDICTS[case]
    assert judge(raw) == expected


def test_call_is_announced_when_its_name_is_known():
    parts = [
        tool(index=0, id="a", arguments='{"x"'),
        tool(index=0, name="f", arguments=":"),
        tool(index=0, arguments="1}"),
    ]
    events = read("openai-chat", sse(*parts, END))
    assert events[1:5] == [
        ToolCallStarted(0, "a", "f"),
        ToolCallDelta(0, '{"x"'),
        ToolCallDelta(0, ":"),
        ToolCallDelta(0, "1}"),
    ]


def test_call_without_a_name_is_delivered_and_warned_of():
    events = read("openai-chat", sse(tool(index=0, id="a", arguments="{}"), END))
    assert Warning("tool_call_without_name") in events
    assert ToolCallEnded(0, "{}", {}, True) in events


def test_deltas_add_up_to_the_raw_arguments():
    for texts in (["{}"], ["{}", '{"a":1}'], ['{"a"', ":1}"], ["", "{", "}"], ["{}", "x"]):
        parts = [tool(index=0, id="a", name="f"), *(tool(index=0, arguments=text) for text in texts)]
        events = read("openai-chat", sse(*parts, END))
        (ended,) = [event for event in events if isinstance(event, ToolCallEnded)]
        assert "".join(event.text for event in events if isinstance(event, ToolCallDelta)) == ended.raw_arguments


def test_interleaved_calls():
    parts = [
        tool(index=0, id="a", name="f", arguments='{"x"'),
        tool(index=1, id="b", name="g", arguments='{"y"'),
        tool(index=0, arguments=":1}"),
        tool(index=1, arguments=":2}"),
    ]
    assert [(c.id, c.arguments) for c in chat(*parts, END).tool_calls] == [("a", {"x": 1}), ("b", {"y": 2})]


def test_made_up_ids_are_distinct_and_the_same_each_time():
    parts = [tool(name=name, arguments="{}") for name in "fg"]
    assert [call.id for call in chat(*parts, END).tool_calls] == ["call_1", "call_2"]


def test_index_as_text_and_id_as_number():
    parts = tool(index="0", id=7, name="f", arguments='{"x"'), tool(index="0", arguments=":1}")
    assert [(c.id, c.arguments) for c in chat(*parts, END).tool_calls] == [("7", {"x": 1})]


def test_arguments_over_the_bound_are_refused_and_not_kept(monkeypatch):
    monkeypatch.setattr(calls, "MAX_ARGUMENTS_CHARS", 10)
    parts = [tool(index=0, id="a", name="f", arguments='{"a":"')] + [tool(index=0, arguments="xxxx")] * 5
    (call,) = chat(*parts, tool(index=0, arguments='"}'), END).tool_calls
    assert (call.arguments, call.error, len(call.raw_arguments)) == (None, "too_large", 10)


def _seconds_to_read(body: bytes) -> float:
    chunks = [body[i : i + 8192] for i in range(0, len(body), 8192)]
    began = time.process_time()
    assert fold(parse("openai-chat", chunks)).tool_calls[0].is_complete
    return time.process_time() - began


def test_arguments_in_small_fragments_cost_linear_time():
    def body(length: int) -> bytes:
        fragment = sse(tool(index=0, arguments="xxxx"))
        ends = sse(tool(index=0, id="a", name="f", arguments='{"content":"')), sse(tool(index=0, arguments='"}'), END)
        return ends[0] + fragment * (length // 4) + ends[1]

    bodies = body(64 * 1024), body(256 * 1024)
    one, four = (min(_seconds_to_read(body) for _ in range(3)) for body in bodies)
    assert four < one * 8  # four times the input; quadratic would be sixteen times


def test_name_on_every_fragment_cannot_make_the_cost_quadratic():
    body = sse(*[tool(index=0, name="f", arguments='{"a":"}')] * 20_000)
    began = time.process_time()
    parse("openai-chat", [body])
    assert time.process_time() - began < 5
