"""Turns HTTP statuses, error codes and broken connections into `ProviderError`s."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime

from streaming.errors import ProviderError
from streaming.protocol.dialects.wire import read_error
from streaming.protocol.error_codes import code_of_answer
from streaming.providers.redact import redact


def from_status(status: int, body: object, headers: Mapping[str, str]) -> ProviderError:
    """Returns the error for an answer with a status of 400 or above.

    `body` is the decoded JSON of the answer, or its text, or None.
    """
    code, kind, message = _words(body)
    words = [word for word in (code, kind) if word and word != str(status)]
    detail = ": ".join(filter(None, [f"HTTP {status}", "/".join(words), message]))
    return ProviderError(
        code_of_answer(status, words, message), redact(detail), status=status, retry_after=retry_after(headers)
    )


def _words(body: object) -> tuple[str | None, str | None, str]:
    """Returns the code, the type and the message of a body: JSON in any shape of an error inside a stream, or text."""
    if not isinstance(body, (dict, list)) or not body:
        return None, None, body if isinstance(body, str) else ""
    error = read_error(body)
    return error.code, error.type, error.message


def from_transport(exc: BaseException, *, began: bool) -> ProviderError:
    """Returns the error for a connection that could not be made, or that broke after the answer `began`.

    The causes decide, not the type of `exc`. On the aiohttp transport both SDKs report every refused connection as a
    time-out.
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
    """Returns the wait in seconds that `Retry-After` asks for, as a number or a date (RFC 9110 §10.2.3).

    The vendors' `retry-after-ms` is more exact.
    """
    try:
        return max(0.0, float(headers["retry-after-ms"]) / 1000)
    except (KeyError, ValueError):
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
    except (ValueError, OverflowError):  # no date; a number in it has too many digits
        return None
