"""Words, calls and reasons in other places than the usual ones."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streaming.protocol import Cited, FilePart
from streaming.protocol.dialects import DIALECTS
from tests.protocol.wire import anthropic, assert_says, block, chat, chunk, fold, message, named, read, sse

END, CALLED, DONE = chunk(finish="stop"), chunk(finish="tool_calls"), "[DONE]"
CALL = {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
SOURCE = {"type": "url_citation", "url_citation": {"url": "https://example.com"}}


def say(text: str, finish: str | None = None) -> dict[str, Any]:
    return chunk({"content": text}, finish)


def whole(finish: str | None, delta: Any = None, **message: Any) -> dict[str, Any]:
    """Returns a chunk with a `message`, and with a delta if it is not None."""
    choice = {"index": 0, "message": message, "finish_reason": finish} | ({} if delta is None else {"delta": delta})
    return {"model": "m", "choices": [choice]}


WORDS: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "messages and no deltas": ([whole(None, content="Hi"), whole("stop", content=" you")], {"text": "Hi you"}),
    "a message beside an empty delta": ([whole("stop", {}, content="Hi")], {"text": "Hi"}),
    "calls only in the last message": (
        [say("Hi"), whole("tool_calls", {}, content="Hi", tool_calls=[CALL])],
        {"text": "Hi", "calls": [("f", {"x": 1})]},
    ),
    "calls in the last message, once more": (
        [chunk({"tool_calls": [CALL]}), whole("tool_calls", {}, tool_calls=[CALL])],
        {"calls": [("f", {"x": 1})]},
    ),
    "the answer of a second choice": (
        [{"choices": [{"index": n, "message": {"content": "ab"[n]}, "finish_reason": "stop"} for n in range(2)]}],
        {"text": "a"},
    ),
    "an item without a type": (
        [chunk({"content": [{"text": "Hi"}]}), chunk({"content": {"text": "!"}})],
        {"text": "Hi!"},
    ),
    "a refusal among the content": ([chunk({"content": [{"type": "refusal", "refusal": "No"}]})], {"refusal": "No"}),
    "reasoning in an object": ([chunk({"reasoning": {"content": "Hm"}}), say("Hi")], {"reasoning": "Hm", "text": "Hi"}),
}


@pytest.mark.parametrize("case", WORDS)
def test_words_are_found(case):
    payloads, wanted = WORDS[case]
    assert_says("openai-chat", sse(*payloads, DONE), wanted | {"outcome": "finished"})


def test_message_of_each_choice_is_read():
    payload, _ = WORDS["the answer of a second choice"]
    assert fold(read("openai-chat", sse(*payload, DONE)), choice=1).text == "b"


def test_image_and_citation_count_once():
    deltas = [
        {"content": "Hi", "images": [IMAGE], "annotations": [SOURCE]},
        {"images": [IMAGE], "annotations": [SOURCE]},
    ]
    events = read("openai-chat", sse(*map(chunk, deltas), END))
    assert [type(part) for part in fold(events).parts].count(FilePart) == 1
    assert len([event for event in events if isinstance(event, Cited)]) == 1


def test_reason_with_each_chunk_ends_nothing():
    payloads = [chunk({"reasoning_content": "ha"}, "stop"), *[say("ha", "stop")] * 3]
    transcript = chat(*payloads, DONE)
    assert (transcript.reasoning, transcript.text) == ("ha", "hahaha")


@pytest.mark.parametrize(
    "again", [{"reasoning": "Hm"}, {"reasoning_details": [{"type": "reasoning.text", "text": "Hm"}]}]
)
def test_thought_that_comes_once_more_in_another_field(again):
    payloads = [chunk({"reasoning_content": "Hm"}), chunk(again)] * 2
    assert chat(*payloads, say("Hi"), END).reasoning == "HmHm"


@pytest.mark.parametrize("reasons", [("length", "stop"), ("stop", "length"), ("length", "length"), ("length", "eos")])
def test_reason_that_says_more_counts(reasons):
    assert chat(say("Hi"), *(chunk(finish=reason) for reason in reasons), DONE).finish_reason == "length"


@pytest.mark.parametrize("word", ["null", "None", ""])
def test_word_for_no_reason(word):
    assert chat(say("Hi", word), say("!", word), END).finish_reason == "stop"
    assert chat(say("Hi", word)).outcome == "truncated"


@pytest.mark.parametrize("reason", ["context_length", "max_new_tokens", "CONTEXT_WINDOW_EXCEEDED", "MaxTokens"])
def test_reason_of_a_length_limit(reason):
    assert chat(say("Hi"), chunk(finish=reason)).finish_reason == "length"


def f(*fragments: Any, **wire: Any) -> list[dict[str, Any]]:
    deltas = [{"type": "input_json_delta", "partial_json": fragment} for fragment in fragments]
    return block(0, {"type": "tool_use", "id": "t", "name": "f", "input": {}} | wire, *deltas)


INPUTS: dict[str, list[dict[str, Any]]] = {
    "a placeholder first": f("{}", '{"x":1}'),
    "the whole text so far": f('{"x"', '{"x":1', '{"x":1}'),
    "all of it once more": f('{"x":', "1}", '{"x":1}'),
    "an object": f({"x": 1}),
    "text in the start": f(input='{"x":1}'),
    "text of an object": f('"{\\"x\\":', '1}"'),
    "the start twice": [f()[0], *f('{"x":1}')],
}


@pytest.mark.parametrize("case", INPUTS)
def test_input_of_a_tool_is_found(case):
    (call,) = anthropic(*message(*INPUTS[case], stop="tool_use")).tool_calls
    assert (call.id, call.name, call.arguments) == ("t", "f", {"x": 1})


@pytest.mark.parametrize(("start", "deltas"), [("ab", ["cd"]), ("", ["ab", "cd"]), ("abcd", ["ab", "cd"])])
@pytest.mark.parametrize("kind", ["text", "thinking"])
def test_words_of_the_start_are_not_lost(kind, start, deltas):
    transcript = anthropic(
        *message(*block(0, {"type": kind, kind: start}, *({"type": f"{kind}_delta", kind: d} for d in deltas)))
    )
    assert (transcript.text, transcript.reasoning) == (("abcd", "") if kind == "text" else ("", "abcd"))


@pytest.mark.parametrize("kind", ["text", "thinking"])
def test_delta_with_the_type_of_its_block(kind):
    transcript = anthropic(*message(*block(0, {"type": "text", "text": ""}, {"type": kind, kind: "Hi"})))
    assert transcript.text + transcript.reasoning == "Hi"


def test_end_of_a_message_may_have_the_reason_and_the_usage():
    *events, _, _ = message(*block(0, {"type": "text", "text": "Hi"}))
    stop = {"type": "message_stop", "stop_reason": "max_tokens", "usage": {"output_tokens": 7}}
    transcript = fold(read("anthropic-messages", named(*events, stop)))
    assert (transcript.finish_reason, transcript.usage.output_tokens) == ("length", 7)


@pytest.mark.parametrize("error", [{}, {"code": 0, "message": ""}, "", False, None])
def test_error_without_values_is_none(error):
    assert chat(chunk({"content": "a"}, error=error), END).outcome == "finished"
    start, *rest = message()
    assert anthropic(start, {"type": "vendor_event", "error": error}, *rest).outcome == "finished"


@pytest.mark.parametrize(
    ("error", "is_retryable"),
    [
        ({"object": "error", "message": "full", "code": "3505", "raw_status_code": 429}, True),
        ({"error": {"message": "full", "http_code": 529}}, True),
        ({"throttlingException": {"message": "full"}}, True),
        ({"validationException": {"message": "full"}}, False),
        ({"modelStreamErrorException": {"message": "full", "originalStatusCode": 500}}, True),
    ],
)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_status_and_name_of_an_error(dialect, error, is_retryable):
    found = fold(read(dialect, sse(error))).error
    assert (found.message, found.retryable) == ("full", is_retryable)


def test_error_within_a_message():
    inner = json.dumps({"error": {"message": "slow down", "code": 429}})
    error = chat({"error": {"message": inner, "type": "upstream"}}).error
    assert (error.message, error.code) == ("slow down", "429")
    assert chat({"error": {"message": inner[:-1]}}).error.message == inner[:-1]
