"""StreamParser: its contract, its leniencies both ways, its bounds."""

from __future__ import annotations

import json

import pytest

from streaming.protocol import Finished, Heartbeat, StreamParser, TextDelta, Truncated, Unknown, Warning
from streaming.protocol import parser as parser_module
from tests.protocol.wire import chunk, fold, parse, read, sse

A = chunk({"content": "a"})
END = chunk(finish="stop")


def test_unknown_dialect_names_the_known():
    with pytest.raises(ValueError, match="'opnai', must be one of: anthropic-messages, openai-chat, openai-responses"):
        StreamParser("opnai")


def test_unknown_option_names_the_known():
    with pytest.raises(ValueError, match=r"flush_at_end.*options must be of: split_think_tags, flush"):
        StreamParser("openai-chat", flush_at_end=True)


@pytest.mark.parametrize("dialect", ["anthropic-messages", "openai-chat", "openai-responses"])
@pytest.mark.parametrize(
    "body", [b"", b"\n\n", b": comment\n\n", b"data: {", b"dat", b"\xef\xbb", b"event: x\n", b"id"]
)
def test_nothing_is_truncated(dialect, body):
    assert isinstance(read(dialect, body)[-1], Truncated)


def test_close_twice_and_feed_after_the_end_give_nothing():
    parser = StreamParser("openai-chat")
    assert isinstance(parser.close()[-1], Truncated)
    assert parser.close() == parser.feed(sse(A)) == []


def test_what_follows_the_end_is_not_read():
    events = read("openai-chat", sse(A, END, "[DONE]", A) + b"garbage\n\n")
    assert [event for event in events if isinstance(event, TextDelta)] == [TextDelta(0, "a")]
    assert isinstance(events[-1], Finished)


# The leniencies, each with its body, and what is read with it and without


def outcome(body, **options):
    transcript = fold(read("openai-chat", body, **options))
    return transcript.outcome, transcript.text


def test_flush_at_eof():
    body = sse(A, END)[:-2]
    assert outcome(body) == ("finished", "a")
    assert outcome(body, flush_at_eof=False) == ("truncated", "a")
    assert outcome(sse(A, "[DONE]")[:-1]) == ("finished", "a")
    assert outcome(sse(A) + b'data: {"choices": [{"finish_reason": "stop"') == ("truncated", "a")


def test_split_joined_data():
    body = b"".join(b"data: " + json.dumps(payload).encode() + b"\n" for payload in (A, A, END)) + b"data: [DONE]\n\n"
    assert outcome(body) == ("finished", "aa")
    assert outcome(body, split_joined_data=False)[0] == "failed"
    pretty = b"".join(b"data: " + line + b"\n" for line in json.dumps(A, indent=1).encode().split(b"\n")) + b"\n"
    assert outcome(pretty + sse(END)) == outcome(pretty + sse(END), split_joined_data=False) == ("finished", "a")


def test_joined_data_is_shown_as_soon_as_the_next_line_comes():
    parser = StreamParser("openai-chat")
    line = b"data: " + json.dumps(A).encode() + b"\n"
    assert parser.feed(line) == []
    assert TextDelta(0, "a") in parser.feed(line)


def test_read_error_field():
    body = sse(A) + b'error: {"message": "boom"}\n\n' + sse(END)
    assert outcome(body) == ("failed", "a")
    assert outcome(body, read_error_field=False) == ("finished", "a")
    assert fold(read("openai-chat", b"error: boom\n\n")).error.message == "boom"
    assert outcome(sse(A) + b'error: {"mess') == ("truncated", "a")


def test_read_unframed_body():
    body = b'{"error": {"message": "boom"}}'
    assert outcome(body) == ("failed", "")
    assert outcome(body, read_unframed_body=False) == ("truncated", "")


@pytest.mark.parametrize("data", ["", "null", "[]", ": OPENROUTER PROCESSING", "ping"])
def test_skip_empty_data(data):
    body = sse(A, data, END)
    assert Heartbeat() in read("openai-chat", body)
    assert Unknown(data) in read("openai-chat", body, skip_empty_data=False)
    assert outcome(body) == outcome(body, skip_empty_data=False) == ("finished", "a")


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("option", ["max_line_bytes", "max_event_bytes"])
def test_bounds(size, option):
    tail = b"data: " + b"x" * 2000 + b"\n\n" if option == "max_line_bytes" else b"data: {\n" * 2000 + b"\n"
    body = sse(A) + tail + sse(A)
    events = parse("openai-chat", [body[i : i + size] for i in range(0, len(body), size)], **{option: 1000})
    assert fold(events).text == "a"
    assert events[-1].error.code == "too_large"


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_stream_is_bounded(size, monkeypatch):
    monkeypatch.setattr(parser_module, "MAX_STREAM_BYTES", 300)
    body = sse(A) * 100
    events = parse("openai-chat", [body[i : i + size] for i in range(0, len(body), size)])
    assert fold(events).text == "a" * (300 // len(sse(A)))
    assert events[-1].error.code == "too_large"


def test_stream_that_ends_within_its_bound_does_not_fail(monkeypatch):
    body = sse(A, END, "[DONE]")
    monkeypatch.setattr(parser_module, "MAX_STREAM_BYTES", len(body))
    assert isinstance(parse("openai-chat", [body + sse(A)])[-1], Finished)


# What is no payload


def test_sentence_before_the_answer_fails_at_once():
    parser = StreamParser("openai-chat")
    (failed,) = parser.feed(sse("Number of choices must be 1"))
    assert failed.error.message == "Number of choices must be 1"


def test_sentence_within_the_answer_is_warned_of():
    events = read("openai-chat", sse(A, "what?", A, END))
    assert Warning("not_json", "5 bytes of data are no JSON") in events
    assert fold(events).text == "aa"


def test_json_that_is_no_object_is_unknown():
    assert Unknown("42") in read("openai-chat", sse(A, "42", END))


def test_named_error_that_is_json_text():
    assert fold(read("openai-chat", b'event: error\ndata: "boom"\n\n')).error.message == "boom"


def test_payload_nested_too_deep_does_not_raise():
    assert outcome(sse('{"usage":' + "[" * 100_000, A, END)) == ("finished", "a")


@pytest.mark.parametrize("dialect", ["anthropic-messages", "openai-chat", "openai-responses"])
def test_error_beside_bytes_that_are_no_text_does_not_raise(dialect):
    body = b'event: error\ndata: {"\xff": 1e999, "type": "error", "error": {"message": "boom"}}\n\n'
    assert fold(read(dialect, body)).outcome == "failed"


def test_body_that_is_neither_stream_nor_json():
    transcript = fold(read("openai-chat", b"Bad Gateway"))
    assert (transcript.error.code, transcript.error.message) == ("not_sse", "Bad Gateway")


def test_body_of_any_length_is_kept_within_bounds():
    transcript = fold(parse("openai-chat", [b"<p>x</p>\n" * 100_000]))
    assert len(transcript.error.message) <= 500


@pytest.mark.parametrize("dialect", ["anthropic-messages", "openai-responses"])
@pytest.mark.parametrize("body", [b'{"detail": "Not Found"}', b'[{"error": {"message": "Not Found"}}]'])
def test_json_error_body_in_every_dialect(dialect, body):
    assert fold(read(dialect, body)).error.message == "Not Found"


def test_unknown_field_within_the_stream_is_kept():
    assert Unknown("x-trace: 7") in read("openai-chat", sse(A) + b"x-trace: 7\n" + sse(END))
    assert Unknown("x-trace: 7\n") in read("openai-chat", b"x-trace: 7\n" + sse(A, END))


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["<think>a</think>b"], ("a", "b")),
        (["<", "think", ">a<", "/think>", "b"], ("a", "b")),
        (["a < b"], ("", "a < b")),
        (["a <", " b"], ("", "a < b")),
        (["a <th"], ("", "a <th")),
        (["<thinking>a</thinking>b"], ("a", "b")),
        (["<think>a"], ("a", "")),
        (["<think>a</thi"], ("a</thi", "")),
        (["x<think>a</think>y<think>b</think>z"], ("ab", "xyz")),
        (["<think></think>b"], ("", "b")),
    ],
)
def test_split_think_tags(texts, expected):
    body = sse(*(chunk({"content": text}) for text in texts), END)
    transcript = fold(read("openai-chat", body, split_think_tags=True))
    assert (transcript.reasoning, transcript.text) == expected
    assert fold(read("openai-chat", body)).text == "".join(texts)
