"""How a run ended: a status, and the code of the error message that people see."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NamedTuple

from streaming.errors import RETRYABLE, ProviderError
from streaming.models import Status
from streaming.protocol import Event, Failed, Finished, StreamError
from streaming.protocol.error_codes import code_of_error
from streaming.providers.redact import redact

logger = logging.getLogger(__name__)

SERVER_FAULT = 500


class Ending(NamedTuple):
    """The end of a run.

    `code` is a key of `errors.PUBLIC_MESSAGES`, and empty if nothing failed. `detail` is for staff. `cancel_reason` is
    "user" or "abandoned" for a cancelled run. `retry_after` is the pause that the provider asks for, in seconds.
    `retryable` is what the parser says of an error inside the stream; None if it says nothing.
    """

    status: Status
    code: str = ""
    detail: str = ""
    cancel_reason: str = ""
    retry_after: float | None = None
    retryable: bool | None = None

    @property
    def is_retryable(self) -> bool:
        """True if another request may succeed. The parser decides; if it says nothing, the code does."""
        return self.code in RETRYABLE if self.retryable is None else self.retryable


def cancelled(reason: str) -> Ending:
    """The end of a run that somebody stopped."""
    return Ending(Status.CANCELLED, cancel_reason=reason)


def expired(code: str) -> Ending:
    """The end of a run whose provider has passed a time limit."""
    return Ending(Status.FAILED, code)


def told_of(endings: Sequence[Ending]) -> Ending:
    """Returns the failure that people are told of when several providers have failed.

    It is the last failure that may pass. If none may, it is the first: that of the provider which was asked for.
    """
    return next((one for one in reversed(endings) if one.is_retryable), endings[0])


def is_server_fault(trouble: ProviderError | None) -> bool:
    """Returns True if the provider answered with a status of 500 or above that says nothing more precise."""
    return trouble is not None and trouble.code == "provider_error" and (trouble.status or 0) >= SERVER_FAULT


INTERRUPTED = Ending(Status.INTERRUPTED, "interrupted")
DELETED = Ending(Status.INTERRUPTED, "deleted")


def ending_of(terminal: Event | None, verdict: Ending | None, trouble: BaseException | None) -> Ending:
    """Decides how a run ended.

    `terminal` is the stream's last event, `verdict` is the ending for which reading was broken off, and `trouble` is
    the exception that reading raised. A stream that reported its end is finished, whatever happened afterwards.
    """
    if isinstance(terminal, Finished):
        return Ending(Status.FINISHED)
    if verdict is not None:
        return verdict
    if trouble is not None:
        return _troubled(trouble)
    if isinstance(terminal, Failed):
        return _reported(terminal.error)
    return Ending(Status.TRUNCATED, "truncated")


def _troubled(trouble: BaseException) -> Ending:
    if not isinstance(trouble, ProviderError):
        logger.error("A generation failed inside this site.", exc_info=trouble)
        return Ending(Status.FAILED, "internal", type(trouble).__name__)
    status = Status.TRUNCATED if trouble.code in ("connection_lost", "truncated") else Status.FAILED
    return Ending(status, trouble.code, trouble.detail, retry_after=trouble.retry_after)


def _reported(error: StreamError) -> Ending:
    code = code_of_error(error.code, error.type, error.message) or "provider_error"
    return Ending(Status.FAILED, code, _detail_of(error), retryable=error.retryable)


def _detail_of(error: StreamError) -> str:
    return redact(" ".join(filter(None, (error.code, error.type, error.message))))
