"""Secrets are masked in texts for staff; other text is kept."""

from __future__ import annotations

import pytest

from streaming.providers.redact import MASK, MAX_LENGTH, hide, redact


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-CANARY1234",
        "sk-ant-api03-CANARY_12-34",
        "xai-CANARY1234",
        "gsk_CANARY1234",
        "hf_CANARY1234",
        "AIzaSyCANARY1234",
        "eyJhbGciOiJI.eyJzdWIiCANARY.c2lnbmF0dXJl",
    ],
)
@pytest.mark.parametrize("sentence", ["Incorrect API key provided: {}.", "({})", '{{"k": "{}"}}', "{}"])
def test_keys_are_known_by_their_form(secret: str, sentence: str) -> None:
    masked = redact(sentence.format(secret))
    assert "CANARY" not in masked
    assert MASK in masked


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer CANARY",
        "authorization: Basic CANARY==",
        "Bearer CANARY.CANARY-CANARY",
        "x-api-key: CANARY",
        "https://host/path?api_key=CANARY&page=2",
        "https://host/?access_token=CANARY",
        "{'api-key': 'CANARY'}",
        '{"client_secret":"CANARY"}',
        "password = CANARY",
        "https://user:CANARY@host/",
    ],
)
def test_secrets_are_known_by_their_name(text: str) -> None:
    assert "CANARY" not in redact(text)


def test_a_hidden_secret_may_have_any_form() -> None:
    hide("red tulip", "red tulips of Delft", "", "of")
    assert redact("of red tulips of Delft and a red tulip") == f"of {MASK} and a {MASK}"


@pytest.mark.parametrize(
    "text",
    [
        "HTTP 400: prompt is too long: 210000 tokens > 200000 maximum",
        "HTTP 404: model_not_found: The model `gpt-x` does not exist",
        "ConnectionRefusedError: [Errno 111] Connect call failed ('127.0.0.1', 9)",
        "risk-free task-oriented words",
    ],
)
def test_other_text_is_kept(text: str) -> None:
    assert redact(text) == text


def test_length_is_bounded() -> None:
    assert len(redact("x" * 1_000_000)) == MAX_LENGTH


def test_a_key_on_the_edge_is_masked_before_the_cut() -> None:
    assert "CANARY" not in redact("x" * (MAX_LENGTH - 12) + " sk-CANARYCANARYCANARY")
