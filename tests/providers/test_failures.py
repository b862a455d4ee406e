"""The error of an HTTP answer, from bodies of all shapes that compatible servers send."""

from __future__ import annotations

from typing import Any

import pytest

from streaming.providers.failures import from_status

BODIES: dict[str, tuple[Any, str]] = {
    "nested": ({"error": {"message": "no", "type": "t", "code": "c"}}, "HTTP 400: c/t: no"),
    "Anthropic": ({"type": "error", "error": {"type": "t", "message": "no"}}, "HTTP 400: t: no"),
    "text": ({"error": "no"}, "HTTP 400: no"),
    "flat": ({"message": "no", "code": 400}, "HTTP 400: no"),
    "Gemini": ([{"error": {"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}}], "HTTP 400: no"),
    "FastAPI": ({"detail": [{"loc": ["body"], "msg": "no", "type": "missing"}]}, "HTTP 400: missing: no"),
    "Cloudflare": ({"success": False, "errors": [{"code": 7, "message": "no"}]}, "HTTP 400: 7: no"),
    "AWS": ({"Message": "no"}, "HTTP 400: no"),
    "no JSON": ("no", "HTTP 400: no"),
    "nothing": (None, "HTTP 400"),
    "empty": ({}, "HTTP 400"),
}


@pytest.mark.parametrize("case", BODIES)
def test_words_of_the_body_are_found(case):
    body, detail = BODIES[case]
    assert from_status(400, body, {}).detail == detail


@pytest.mark.parametrize(
    "date",
    [
        "Fri, 01 Jan 2027 00:00:00 +99999999999999999999",
        "Fri, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Fri, 99999999999999999999 Jan 2027 00:00:00 GMT",
        "soon",
    ],
)
def test_wait_until_a_date_that_there_is_not_is_no_wait(date):
    error = from_status(429, None, {"retry-after": date})
    assert (error.code, error.retry_after) == ("rate_limited", None)
