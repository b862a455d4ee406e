"""The answer: its parts, the verdict on a call's arguments, think tags, finish reasons and usage."""

from __future__ import annotations

import pytest

from streaming.protocol import (
    PartEnded,
    TextDelta,
    ToolCallDelta,
    ToolCallEnded,
    ToolCallStarted,
    Truncated,
    Usage,
    Warning,
)
from streaming.protocol.dialects.answer import AnswerWriter, Prose, StreamTooLarge, call, judge, read_usage, writer
from streaming.protocol.dialects.answer.reasons import finish_reason_of
from streaming.protocol.dialects.answer.usage import merge
from tests.protocol.wire import chat, chunk, fold, read, sse, tool

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
    "null": ("null", ({}, True, None)),
    "object_as_text": ('"{\\"a\\": 1}"', ({"a": 1}, True, None)),
    "open_object_as_text": ('"{\\"a\\": 1"', (None, False, "truncated")),
    "object_as_text_twice": ('"\\"{}\\""', (None, False, "not_an_object")),
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
def test_arguments_are_judged_strictly(case):
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


def test_made_up_ids_are_distinct_and_the_same_each_time():
    parts = [tool(name=name, arguments="{}") for name in "fg"]
    assert [each.id for each in chat(*parts, END).tool_calls] == ["call_1", "call_2"]


def test_arguments_over_the_bound_are_refused_and_not_kept(monkeypatch):
    monkeypatch.setattr(call, "MAX_ARGUMENTS_CHARS", 10)
    parts = [tool(index=0, id="a", name="f", arguments='{"a":"')] + [tool(index=0, arguments="xxxx")] * 5
    (found,) = chat(*parts, tool(index=0, arguments='"}'), END).tool_calls
    assert (found.arguments, found.error, len(found.raw_arguments)) == (None, "too_large", 10)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["<think>a</think>b"], ("a", "b")),
        (["<", "think", ">a<", "/think>", "b"], ("a", "b")),
        (["a < b"], ("", "a < b")),
        (["a <", " b"], ("", "a < b")),
        (["a <th"], ("", "a <th")),
        (["<thinking>a</thinking>b"], ("a", "b")),
        (["<mm:think>a</mm:", "think>b"], ("a", "b")),
        (["<think>a"], ("a", "")),
        (["<think>a</thi"], ("a</thi", "")),
        (["x<think>a</think>y<think>b</think>z"], ("ab", "xyz")),
        (["<think></think>b"], ("", "b")),
    ],
)
def test_think_tags_are_split_off_if_asked_for(texts, expected):
    body = sse(*(chunk({"content": text}) for text in texts), END)
    transcript = fold(read("openai-chat", body, split_think_tags=True))
    assert (transcript.reasoning, transcript.text) == expected
    assert fold(read("openai-chat", body)).text == "".join(texts)


def test_open_part_ends_before_the_answer_does():
    answer = AnswerWriter()
    Prose(answer).write("a")
    answer.truncate()
    assert answer.events == [TextDelta(0, "a"), PartEnded(0), Truncated()]


def test_answer_ends_once():
    answer = AnswerWriter()
    answer.truncate()
    answer.finish("stop")
    assert answer.events == [Truncated()]


def test_more_parts_than_the_bound_are_too_large(monkeypatch):
    monkeypatch.setattr(writer, "MAX_PARTS", 2)
    answer = AnswerWriter()
    answer.reserve()
    answer.reserve()
    with pytest.raises(StreamTooLarge, match="more than 2 parts"):
        answer.reserve()


def test_id_that_an_earlier_call_has_gets_a_number():
    answer = AnswerWriter(taken_ids=["a", "a_2", "call_1"])
    assert [answer.ids.take("a"), answer.ids.take("b"), answer.ids.take("")] == ["a_3", "b", "call_1_2"]


@pytest.mark.parametrize(
    ("raw", "has_refused", "has_called", "reason"),
    [
        ("stop", False, False, "stop"),
        ("STOP", False, False, "stop"),
        ("stop", True, False, "refusal"),
        ("stop", True, True, "tool_calls"),
        ("length", True, True, "length"),
        ("what", False, False, "other"),
        (None, False, True, "other"),
    ],
)
def test_finish_reason_follows_from_the_word_and_the_parts(raw, has_refused, has_called, reason):
    assert finish_reason_of(raw, has_refused=has_refused, has_called=has_called) == reason


@pytest.mark.parametrize(
    "wire", [None, 7, "x", [], {}, {"input_tokens": None}, {"input_tokens": -1}, {"input_tokens": 2**31}]
)
def test_usage_that_is_no_count_is_unknown(wire):
    assert read_usage(wire) == Usage()


def test_later_usage_replaces_what_it_knows_and_a_zero_replaces_no_count():
    old, new = Usage(input_tokens=5, output_tokens=1), Usage(input_tokens=0, output_tokens=0, reasoning_tokens=0)
    assert merge(old, new) == Usage(input_tokens=5, output_tokens=1, reasoning_tokens=0)
    assert merge(old, Usage(output_tokens=7)) == Usage(input_tokens=5, output_tokens=7)
