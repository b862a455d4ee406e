"""The sentences with which servers say that a request is too long, and the numbers in them."""

from __future__ import annotations

import pytest

from streaming.context import share_of


@pytest.mark.parametrize(
    ("detail", "share"),
    [
        ("HTTP 400: invalid_request_error: prompt is too long: 213,462 tokens > 200000 maximum", 200_000 / 213_462),
        (
            "HTTP 400: context_length_exceeded: This model's maximum context length is 8192 tokens. However, your "
            "messages resulted in 9000 tokens. Please reduce the length of the messages.",
            8192 / 9000,
        ),
        (
            "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4500 in the "
            "messages, 500 in the completion).",
            4096 / 5000,
        ),
        (
            "HTTP 400: exceed_context_size_error: request (9000 tokens) exceeds the available context size "
            "(8192 tokens), try increasing it",
            8192 / 9000,
        ),
        ("Your input exceeds the context window of this model. Please adjust your input and try again.", None),
        ("prompt is too long: 10 tokens > 200000 maximum", None),
        ("", None),
    ],
)
def test_share_that_would_have_fitted(detail: str, share: float | None) -> None:
    assert share_of(detail) == share
