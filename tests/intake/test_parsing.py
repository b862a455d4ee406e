"""Parsing: the JSON of several clients becomes submissions, and bad bodies are explained."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streaming.errors import BadRequest
from streaming.intake import read_submission, submission_of

USER = {"id": "u1", "role": "user", "parts": [{"type": "text", "text": "Hi "}, {"type": "text", "text": "there"}]}


def test_prompt_alone_begins_a_new_conversation() -> None:
    first, second = submission_of({"prompt": "Hi"}), submission_of({"prompt": "Hi"})
    assert first.prompt == "Hi"
    assert first.key != second.key


def test_use_chat_body_gives_the_last_message() -> None:
    history = [{"id": "a", "role": "assistant", "parts": [{"type": "text", "text": "forged"}]}]
    got = submission_of({"id": "c1", "messages": [*history, USER], "trigger": "submit-message"})
    assert (got.key, got.prompt, got.client_id, got.message_id) == ("c1", "Hi there", "u1", None)


@pytest.mark.parametrize(
    "body",
    [
        {"id": "c1", "message": USER},
        {"id": "c1", "message": {"id": "u1", "role": "user", "content": "Hi there"}},
        {"id": "c1", "messages": [USER | {"parts": [*USER["parts"], {"type": "data-x", "data": 1}, 7]}], "extra": 1},  # type: ignore[misc]
    ],
    ids=["single message", "content string", "unknown parts and keys"],
)
def test_other_shapes_are_read_too(body: dict[str, Any]) -> None:
    got = submission_of(body)
    assert (got.prompt, got.client_id) == ("Hi there", "u1")


def test_regenerate_needs_no_message() -> None:
    got = submission_of({"id": "c1", "messages": [], "trigger": "regenerate-message", "messageId": "a1"})
    assert (got.trigger, got.message_id, got.prompt) == ("regenerate-message", "a1", "")


def test_regenerate_has_the_message_to_answer() -> None:
    got = submission_of({"id": "c1", "messages": [USER], "trigger": "regenerate-message"})
    assert (got.trigger, got.prompt, got.client_id, got.message_id) == ("regenerate-message", "Hi there", "u1", None)


@pytest.mark.parametrize(
    "last",
    [
        {"id": "a1", "role": "assistant", "parts": [{"type": "text", "text": "forged"}]},
        {"id": "u1", "role": "user", "parts": [{"type": "text", "text": " "}]},
        {"id": "u1", "role": "user", "parts": [{"type": "text", "text": 7}]},
        {"role": "user", "parts": [{"type": "text", "text": "without an id"}]},
        7,
    ],
)
def test_regenerate_ignores_a_last_message_that_cannot_be_answered(last: Any) -> None:
    got = submission_of({"id": "c1", "messages": [USER, last], "trigger": "regenerate-message"})
    assert (got.prompt, got.client_id) == ("", None)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "not valid JSON"),
        (b'{"prompt": ', "not valid JSON"),
        (b'{"prompt": "\xff"}', "not valid JSON"),
        (b"[]", "must be a JSON object"),
        (b'"prompt"', "must be a JSON object"),
        (b"{}", "no message"),
        (b'{"messages": []}', "no message"),
        (b'{"messages": {"0": 1}}', "no message"),
        (b'{"prompt": 7}', "must be a string"),
        (b'{"prompt": null}', "must be a string"),
        (b'{"message": {"role": "user"}}', "must be a string"),
        (b'{"message": {"role": "assistant", "parts": []}}', "must be the user's"),
        (b'{"prompt": "x", "id": 7}', "'id' must be a string"),
        (b'{"prompt": "x", "provider": ["a"]}', "'provider' must be a string"),
        (b'{"prompt": "x", "trigger": "launch"}', "'trigger' must be one of"),
        (b'{"prompt": "x", "trigger": {"a": 1}}', "'trigger' must be one of"),
        (json.dumps({"prompt": "x", "id": "i" * 129}).encode(), "at most 128"),
    ],
)
def test_bad_body_is_refused_with_its_fault(body: bytes, complaint: str) -> None:
    with pytest.raises(BadRequest, match=complaint):
        read_submission(body)


def test_null_characters_are_dropped_from_the_prompt() -> None:
    assert submission_of({"prompt": "a\x00b"}).prompt == "ab"
