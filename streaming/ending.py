"""How a run ended: one status, and the code by which people are told what went wrong."""

from __future__ import annotations

import logging
from typing import NamedTuple

from streaming.errors import ProviderError
from streaming.models.generations import Status
from streaming.protocol.events import Event, Failed, Finished, StreamError
from streaming.providers.redact import redact

logger = logging.getLogger(__name__)

# The providers' own words inside a stream → our codes. OpenAI, Anthropic, and the servers that imitate them.
WIRE_CODES = {
    "authentication_error": "authentication",
    "invalid_api_key": "authentication",
    "billing_error": "permission",
    "permission_error": "permission",
    "not_found_error": "model_not_found",
    "model_not_found": "model_not_found",
    "invalid_request_error": "bad_request",
    "context_length_exceeded": "context_length",
    "exceed_context_size_error": "context_length",
    "rate_limit_error": "rate_limited",
    "rate_limit_exceeded": "rate_limited",
    "insufficient_quota": "rate_limited",
    "overloaded_error": "overloaded",
    "server_overloaded": "overloaded",
    "timeout_error": "timeout",
    "not_sse": "not_a_stream",
}


class Ending(NamedTuple):
    """`code` is a key of `errors.PUBLIC_MESSAGES`, empty when nothing went wrong; `detail` is for staff."""

    status: Status
    code: str = ""
    detail: str = ""


def ending_of(terminal: Event | None, cancel_reason: str | None, trouble: BaseException | None) -> Ending:
    """Decide from the stream's last event, the reason it was cancelled for, and what reading it raised.

    A stream that said it was complete is finished, whatever happened after.
    """
    if isinstance(terminal, Finished):
        return Ending(Status.FINISHED)
    if cancel_reason:
        return _cancelled(cancel_reason)
    if trouble is not None:
        return _troubled(trouble)
    if isinstance(terminal, Failed):
        return Ending(Status.FAILED, _code_of(terminal.error), _detail_of(terminal.error))
    return Ending(Status.TRUNCATED, "truncated")


def _cancelled(reason: str) -> Ending:
    if reason == "shutdown":
        return Ending(Status.INTERRUPTED, "interrupted")
    return Ending(Status.CANCELLED)


def _troubled(trouble: BaseException) -> Ending:
    if not isinstance(trouble, ProviderError):
        logger.error("A generation failed inside this site.", exc_info=trouble)
        return Ending(Status.FAILED, "internal", type(trouble).__name__)
    status = Status.TRUNCATED if trouble.code == "connection_lost" else Status.FAILED
    return Ending(status, trouble.code, trouble.detail)


def _code_of(error: StreamError) -> str:
    return WIRE_CODES.get(error.code or "") or WIRE_CODES.get(error.type or "") or "provider_error"


def _detail_of(error: StreamError) -> str:
    return redact(" ".join(filter(None, (error.code, error.type, error.message))))
