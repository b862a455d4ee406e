"""StreamParser: its contract, its bounds, and data that is no payload."""

from __future__ import annotations

import pytest

from streaming.protocol import Finished, StreamParser, TextDelta, Truncated, Unknown, Warning
from streaming.protocol import parser as parser_module
from tests.protocol.wire import chunk, fold, outcome, parse, read, sse

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


# Data that is no payload


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


@pytest.mark.parametrize("dialect", ["anthropic-messages", "openai-responses"])
@pytest.mark.parametrize("body", [b'{"detail": "Not Found"}', b'[{"error": {"message": "Not Found"}}]'])
def test_json_error_body_in_every_dialect(dialect, body):
    assert fold(read(dialect, body)).error.message == "Not Found"
