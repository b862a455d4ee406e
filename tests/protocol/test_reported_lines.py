"""Chat streams from bug reports: lines and events that are no chunks, a missing line break, and thoughts as text."""

from __future__ import annotations

import json

import pytest

from streaming.protocol import Unknown
from tests.protocol.wire import chat, chunk, fold, outcome, read, sse

END = chunk(finish="stop")
DONE = "[DONE]"
TOOL_FAILED = {"tool": "exec", "status": "failed", "error": "command not found"}


def event(name: str, payload: object) -> bytes:
    return f"event: {name}\n".encode() + sse(payload)


@pytest.mark.parametrize("name", ["nanobot.tool.progress", "hermes.status", "tool.failed"])
def test_event_that_a_server_invented_tells_of_no_failure(name):
    body = sse(chunk({"content": "I look. "})) + event(name, TOOL_FAILED) + sse(chunk({"content": "No."}), END, DONE)
    events = read("openai-chat", body)
    assert (fold(events).outcome, fold(events).text) == ("finished", "I look. No.")
    assert [json.loads(one.raw) for one in events if isinstance(one, Unknown)] == [TOOL_FAILED]


@pytest.mark.parametrize("name", ["error", "stream.error", "response.failed", "message"])
def test_failure_in_an_event_with_a_usual_name(name):
    body = sse(chunk({"content": "I look. "})) + event(name, {"error": {"message": "overloaded"}})
    assert outcome(body) == ("failed", "I look. ")


@pytest.mark.parametrize("sign", ["2024-04-07 20:20:50.554328", "2024-04-07T20:20:50Z", "connected", "ok", "1", "..."])
def test_sign_of_life_before_the_first_word(sign):
    assert outcome(sse(sign, sign, chunk({"content": "Hi"}), END, DONE)) == ("finished", "Hi")


@pytest.mark.parametrize("text", ["Unauthorized", "2024-04-07 20:20:50"])
def test_stream_of_nothing_but_a_word_has_failed(text):
    transcript = fold(read("openai-chat", sse(text)))
    assert (transcript.outcome, transcript.error.message) == ("failed", text)


def test_chunk_that_is_cut_off_before_the_next_one_on_its_line():
    cut = json.dumps(chunk({"content": "lost"}))[:40]
    body = sse(chunk({"content": "10 "}), f"{cut}data: {json.dumps(chunk({'content': '11'}))}", END, DONE)
    events = read("openai-chat", body)
    assert (fold(events).outcome, fold(events).text) == ("finished", "10 11")
    assert cut in [one.raw.strip('"').replace('\\"', '"') for one in events if isinstance(one, Unknown)]


@pytest.mark.parametrize("text", ["data: {}", 'data: {"choices": []}'])
def test_text_about_data_is_no_chunk(text):
    assert outcome(sse(chunk({"content": text}), END, DONE)) == ("finished", text)


def thinking(*texts: str) -> list[dict[str, object]]:
    return [chunk({"content": text, "reasoning_content": text}) for text in texts]


def test_thought_that_is_also_sent_as_text():
    transcript = chat(*thinking("I ", "think"), chunk({"content": "Hi"}), END, DONE)
    assert (transcript.reasoning, transcript.text) == ("I think", "Hi")
    assert len(transcript.parts) == 2


def test_answer_that_is_also_sent_as_a_thought():
    transcript = chat(*thinking("H", "i"), END, DONE)
    assert (transcript.reasoning, transcript.text) == ("Hi", "Hi")


def test_word_of_an_answer_that_is_also_a_thought():
    transcript = chat(chunk({"content": "So "}), *thinking("it"), chunk({"content": " is."}), END, DONE)
    assert transcript.text == "So it is."


def test_sign_of_life_that_is_no_text():
    body = b"data: :\xa7\n\n" + sse(chunk({"content": "Hi"}), END, DONE)
    for skips in (True, False):
        assert outcome(body, skip_empty_data=skips) == ("finished", "Hi")
