"""Output items of the Responses API whose words, names and ids come in other places than the usual ones."""

from __future__ import annotations

from typing import Any

import pytest

from streaming.protocol import Cited, Heartbeat
from tests.protocol.wire import completed, created, fold, item, named, read, responses

CALL = {"type": "function_call", "id": "i", "call_id": "c", "name": "f", "arguments": ""}
MESSAGE = {"type": "message", "id": "m", "role": "assistant", "content": []}
HELLO = {"type": "response.output_text.delta", "item_id": "m", "content_index": 0, "delta": "Hi"}
THOUGHT = {"type": "reasoning", "id": "r", "summary": []}


def pieces(*deltas: str) -> list[dict[str, Any]]:
    return [{"type": "response.function_call_arguments.delta", "item_id": "i", "delta": delta} for delta in deltas]


CALLS: dict[str, list[dict[str, Any]]] = {
    "a placeholder first": item(0, CALL, *pieces("{}", '{"x":1}'), arguments='{"x":1}'),
    "a placeholder, and the arguments in the item": item(0, CALL, *pieces("{}"), arguments='{"x":1}'),
    "the whole text so far": item(0, CALL, *pieces('{"x"', '{"x":1', '{"x":1}'), arguments='{"x":1}'),
    "the last pieces are missing": item(0, CALL, *pieces('{"x"'), arguments='{"x":1}'),
    "the name in the whole item": item(0, CALL | {"name": None}, *pieces('{"x":1}'), name="f"),
    "no announcement": item(0, CALL, *pieces('{"x":1}'), arguments='{"x":1}')[1:],
}


@pytest.mark.parametrize("case", CALLS)
def test_call_is_found(case):
    (call,) = responses(created(), *CALLS[case], completed()).tool_calls
    assert (call.id, call.name, call.arguments) == ("c", "f", {"x": 1})


THOUGHTS: dict[str, dict[str, Any]] = {
    "name until 2025": {"type": "response.reasoning.delta", "delta": "Hm"},
    "name of a summary until 2025": {
        "type": "response.reasoning_summary.delta",
        "summary_index": 0,
        "delta": {"text": "Hm"},
    },
    "whole part": {"type": "response.reasoning_summary_part.done", "summary_index": 0, "part": {"text": "Hm"}},
}


@pytest.mark.parametrize("case", THOUGHTS)
def test_thoughts_are_found(case):
    events = item(0, THOUGHT, THOUGHTS[case]) + item(1, MESSAGE, HELLO)
    transcript = responses(created(), *events, completed())
    assert (transcript.reasoning, transcript.text) == ("Hm", "Hi")


def test_content_that_is_text():
    assert responses(created(), *item(0, MESSAGE, content="Hi"), completed()).text == "Hi"


def test_item_that_is_null():
    added, done = item(0, MESSAGE)
    assert len(responses(created(), added | {"item": None}, HELLO, done | {"item": None}, completed()).parts) == 1


def test_cancelled_response_has_failed():
    end = {"type": "response.cancelled", "response": {"status": "cancelled"}}
    transcript = responses(created(), *item(0, MESSAGE, HELLO), end)
    assert (transcript.outcome, transcript.text, transcript.error.code) == ("failed", "Hi", "cancelled")


@pytest.mark.parametrize("type_", ["keepalive", "ping", "response.heartbeat"])
def test_sign_of_life(type_):
    assert Heartbeat() in read("openai-responses", named(created(), {"type": type_}, completed()))


def test_annotation_by_its_name_until_2025():
    cited = {"type": "response.output_text_annotation.added", "content_index": 0, "annotation": {"url": "u"}}
    events = read("openai-responses", named(created(), *item(0, MESSAGE, HELLO, cited), completed()))
    assert Cited(0, {"url": "u"}) in events
    assert fold(events).text == "Hi"


def test_annotation_before_the_words_of_its_part():
    cited = {"type": "response.output_text.annotation.added", "content_index": 0, "annotation": {"url": "u"}}
    whole = {"type": "response.output_text.done", "content_index": 0, "text": "Hi"}
    for words in ([whole], [HELLO, whole], []):
        content = [{"type": "output_text", "text": "Hi", "annotations": [{"url": "u"}]}]
        events = read(
            "openai-responses", named(created(), *item(0, MESSAGE, cited, *words, content=content), completed())
        )
        assert fold(events).text == "Hi"
        assert events.count(Cited(0, {"url": "u"})) == 1
    events = read("openai-responses", named(created(), *item(0, MESSAGE, cited, cited), completed()))
    assert events.count(Cited(0, {"url": "u"})) == 2


@pytest.mark.parametrize("end", ["text", "part", "item"])
def test_the_end_has_words_that_did_not_stream(end):
    whole = {"type": "output_text", "text": "Hi there"}
    ends = {
        "text": [{"type": "response.output_text.done", "content_index": 0, "text": "Hi there"}],
        "part": [{"type": "response.content_part.done", "content_index": 0, "part": whole}],
        "item": [],
    }
    stream = item(0, MESSAGE, {**HELLO, "delta": "H"}, {**HELLO, "delta": "i"}, *ends[end], content=[whole])
    answer = fold(read("openai-responses", named(created(), *stream, completed())))
    assert [part.text for part in answer.parts] == ["Hi there"]


@pytest.mark.parametrize("other", ["Hi", "hi there", "Ho there", "H", ""])
def test_the_end_has_other_words_than_the_stream(other):
    whole = {"type": "response.output_text.done", "content_index": 0, "text": other}
    stream = item(0, MESSAGE, HELLO, whole, content=[{"type": "output_text", "text": other}])
    assert fold(read("openai-responses", named(created(), *stream, completed()))).text == "Hi"


def test_the_end_has_thoughts_that_did_not_stream():
    delta = {"type": "response.reasoning_summary_text.delta", "summary_index": 0, "delta": "First"}
    whole = {"type": "response.reasoning_summary_text.done", "summary_index": 0, "text": "First, think"}
    stream = item(0, THOUGHT, delta, whole, summary=[{"type": "summary_text", "text": "First, think"}])
    assert fold(read("openai-responses", named(created(), *stream, completed()))).reasoning == "First, think"


@pytest.mark.parametrize("output_id", ["m", "another"])
def test_the_response_has_words_of_an_item_that_no_event_announced(output_id):
    whole = MESSAGE | {"id": output_id, "content": [{"type": "output_text", "text": "Hi there"}]}
    assert responses(created(), HELLO | {"output_index": 0}, completed(output=[whole])).text == "Hi there"


def test_the_response_has_the_name_of_a_call_that_no_event_announced():
    streamed = [piece | {"output_index": 0} for piece in pieces('{"x"', ":1}")]
    (call,) = responses(created(), *streamed, completed(output=[CALL | {"arguments": '{"x":1}'}])).tool_calls
    assert (call.name, call.arguments) == ("f", {"x": 1})


def test_the_response_has_another_call_than_the_stream():
    added, *_ = item(0, CALL)
    other = CALL | {"id": "another", "call_id": "another", "name": "g", "arguments": '{"y":2}'}
    (call,) = responses(created(), added, pieces('{"x":1}')[0], completed(output=[other])).tool_calls
    assert (call.id, call.name, call.arguments, call.raw) == ("c", "f", {"x": 1}, None)


@pytest.mark.parametrize(("texts", "said"), [(["Hi", " you"], "Hi you"), (["H", "i"], "Hi"), (["Hi"], "Hi")])
def test_the_item_has_parts_that_did_not_stream(texts, said):
    content = [{"type": "output_text", "text": text} for text in texts]
    assert responses(created(), *item(0, MESSAGE, HELLO, content=content), completed()).text == said
