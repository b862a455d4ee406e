"""Parsing: the JSON of several clients becomes submissions, and bad bodies are explained."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streaming.errors import BadRequest
from streaming.intake import UNREADABLE, Submission, read_json, read_stop, read_submission, submission_of
from streaming.protocol import ToolApproval

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


CUT = [
    (r"a\u0000b", "a\ufffdb"),
    (r"\ud83d", "\ufffd"),
    (r"\ude00 \ud83d\ude00", "\ufffd \U0001f600"),
    (r"\\ud83d \\u0000", r"\ud83d \u0000"),
    (r"\uD83D\ud83d\uDE00\\", "\ufffd\U0001f600\\"),
    ("\u00e9", "\u00e9"),
]


@pytest.mark.parametrize(("written", "read"), CUT)
def test_character_that_cannot_be_stored_is_replaced_in_every_text(written: str, read: str) -> None:
    text = f'"{written}"'
    body = f'{{"id": {text}, "messageId": {text}, "messages": [7, {{"id": {text}, "parts": ['
    body += f'{{"type": "text", "text": {text}}}, {{"type": "file", "url": "x", "filename": {text}}}]}}]}}'
    got = read_submission(body.encode())
    assert {got.key, got.message_id, got.client_id, got.prompt, got.files[0].filename} == {read}
    assert read_stop(f'{{"messageId": {text}}}'.encode()) == read
    assert read_json(text) == read


@pytest.mark.parametrize("state", ["output-available", "output-error", "approval-responded"])
@pytest.mark.parametrize(("written", "read"), CUT)
def test_character_that_cannot_be_stored_is_replaced_in_answers_to_calls(state: str, written: str, read: str) -> None:
    text = f'"{written}"'
    part = f'"toolCallId": {text}, "state": "{state}", "output": {text}, "errorText": {text}'
    part += f', "approval": {{"reason": {text}}}'
    (answer,) = read_submission(f'{{"message": {{"role": "assistant", "parts": [{{{part}}}]}}}}'.encode()).answers
    assert {answer.call_id, answer.reason if isinstance(answer, ToolApproval) else answer.output} == {read}


def test_submission_of_the_sites_own_code_is_storable() -> None:
    got = Submission(key="a\0", prompt="\ud83d", answers=(ToolApproval(call_id="\0", reason="\0"),))
    assert (got.key, got.prompt, got.answers[0].call_id) == ("a\ufffd", "\ufffd", "\ufffd")


@pytest.mark.parametrize("body", ['{"prompt": "\\ud83d"', '["\\ud83d", NaN]', '"\\ud83', '["\\ud8",1"]'])
def test_half_a_character_excuses_no_other_fault(body: str) -> None:
    for given in (body, body.encode()):
        with pytest.raises(UNREADABLE):
            read_json(given)
