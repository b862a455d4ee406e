"""What went wrong, in our words: HTTP statuses, error codes and broken connections become `ProviderError`s."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from streaming.errors import ProviderError
from streaming.providers.redact import redact

STATUSES: dict[int, str] = {
    401: "authentication",
    402: "permission",
    403: "permission",
    404: "model_not_found",
    408: "timeout",
    413: "context_length",
    429: "rate_limited",
    502: "unreachable",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}

WORDS: dict[str, str] = {
    "context_length_exceeded": "context_length",
    "exceed_context_size_error": "context_length",
    "string_above_max_length": "context_length",
    "model_not_found": "model_not_found",
    "invalid_api_key": "authentication",
    "insufficient_quota": "permission",  # a 429 that no waiting cures
    "billing_error": "permission",
    "overloaded_error": "overloaded",
}
"""The `code` or `type` inside an error body that says more than the status does."""

STREAM_WORDS: dict[str, str] = {
    "authentication_error": "authentication",
    "permission_error": "permission",
    "not_found_error": "model_not_found",
    "invalid_request_error": "bad_request",
    "rate_limit_error": "rate_limited",
    "rate_limit_exceeded": "rate_limited",
    "server_overloaded": "overloaded",
    "timeout_error": "timeout",
    "not_sse": "not_a_stream",
}
"""The same inside a stream, where no status says anything."""

TOO_LONG = re.compile(r"prompt is too long|maximum context length|context (?:window|size|length)", re.IGNORECASE)
"""Anthropic and several compatible servers have no code for it, only a sentence."""


def from_status(status: int, body: object, headers: Mapping[str, str]) -> ProviderError:
    """An answer with a status of 400 or above. `body` is its decoded JSON, or its text, or None."""
    error = _error_object(body)
    words = [str(error[key]) for key in ("code", "type") if error.get(key)]
    message = str(error.get("message") or (body if isinstance(body, str) else ""))
    detail = ": ".join(filter(None, [f"HTTP {status}", "/".join(words), message]))
    code = _code(status, words, message)
    return ProviderError(code, redact(detail), status=status, retry_after=retry_after(headers))


def _error_object(body: object) -> dict[str, Any]:
    """`{"error": {…}}`, `{"error": "…"}`, `{"message": …}` and `{"detail": …}` are all in use."""
    if not isinstance(body, dict):
        return {}
    inner = body.get("error", body)
    if not isinstance(inner, dict):
        return {"message": inner}
    return inner if inner.get("message") else inner | {"message": inner.get("detail")}


def code_of_words(*words: str | None) -> str | None:
    """The code for an error's own words inside a stream; None when it knows none of them."""
    known = STREAM_WORDS | WORDS
    return next((known[word] for word in words if word in known), None)


def _code(status: int, words: list[str], message: str) -> str:
    for word in words:
        if word in WORDS:
            return WORDS[word]
    if status in (400, 422):
        return "context_length" if TOO_LONG.search(message) else "bad_request"
    return STATUSES.get(status, "bad_request" if status < 500 else "provider_error")


def from_transport(exc: BaseException, *, began: bool) -> ProviderError:
    """A connection that could not be made, or broke after it `began` to answer.

    The cause decides, not the type of `exc`: on the aiohttp transport both SDKs call every refused
    connection a time-out.
    """
    causes = list(_causes(exc))
    code = "connection_lost" if began else "unreachable"
    if any(isinstance(cause, TimeoutError) for cause in causes):
        code = "timeout"
    detail = ": ".join(filter(None, [type(causes[-1]).__name__, str(causes[-1])]))
    return ProviderError(code, redact(detail))


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    while exc is not None:
        yield exc
        exc = exc.__cause__


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds until the provider wants to be asked again: `Retry-After`, a number or a date (RFC 9110 §10.2.3)."""
    value = headers.get("retry-after")
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        return _seconds_until(value)


def _seconds_until(date: str) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - time.time())
    except ValueError:
        return None
