"""How a run ended: one status, and the code by which people are told what went wrong."""

from __future__ import annotations

import logging
from typing import NamedTuple

from streaming.errors import RETRYABLE, ProviderError
from streaming.models.generations import Status
from streaming.protocol.error_codes import code_of_error
from streaming.protocol.events import Event, Failed, Finished, StreamError
from streaming.providers.redact import redact

logger = logging.getLogger(__name__)


class Ending(NamedTuple):
    """`code` is a key of `errors.PUBLIC_MESSAGES`, empty when nothing went wrong; `detail` is for staff.

    `cancel_reason` says who stopped it: `user`, `abandoned`. `retryable` is the parser's verdict on an error inside
    the stream; None where the parser gave none.
    """

    status: Status
    code: str = ""
    detail: str = ""
    cancel_reason: str = ""
    retry_after: float | None = None
    retryable: bool | None = None

    @property
    def is_retryable(self) -> bool:
        """True if asking again may help: by the parser's verdict, or else by the code."""
        return self.code in RETRYABLE if self.retryable is None else self.retryable


def cancelled(reason: str) -> Ending:
    return Ending(Status.CANCELLED, cancel_reason=reason)


def expired(code: str) -> Ending:
    return Ending(Status.FAILED, code)


INTERRUPTED = Ending(Status.INTERRUPTED, "interrupted")


def ending_of(terminal: Event | None, verdict: Ending | None, trouble: BaseException | None) -> Ending:
    """Decide from the stream's last event, the reason reading was broken off for, and what reading raised.

    A stream that said it was complete is finished, whatever happened after.
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
    status = Status.TRUNCATED if trouble.code == "connection_lost" else Status.FAILED
    return Ending(status, trouble.code, trouble.detail, retry_after=trouble.retry_after)


def _reported(error: StreamError) -> Ending:
    code = code_of_error(error.code, error.type, error.message) or "provider_error"
    return Ending(Status.FAILED, code, _detail_of(error), retryable=error.retryable)


def _detail_of(error: StreamError) -> str:
    return redact(" ".join(filter(None, (error.code, error.type, error.message))))
