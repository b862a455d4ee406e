"""Every exception this package raises on purpose.

    StreamingError
    ├── RequestError          the caller must act; has an HTTP status and a code
    │   ├── BadRequest        400  malformed JSON, missing prompt, unknown provider
    │   ├── LoginRequired     401
    │   ├── Forbidden         403  cross-site
    │   ├── NotFound          404  no such conversation, or somebody else's
    │   ├── Conflict          409  an answer is already being generated; key reused with another body
    │   ├── TooLarge          413
    │   ├── UnsupportedFile   415  not of the accepted types, or not what it is called
    │   ├── TooManyRequests   429  generations, messages, streams per owner
    │   ├── NotAsync          501  reached through WSGI, where nothing can stream
    │   └── Overloaded        503  generations per process; draining; the database is away
    ├── ProviderError         the model's server must act (or its key must); mapped from SDK errors in one place each
    └── GenerationError       raised by the one-call API when the answer it was asked for did not finish

The text of a `RequestError` is written for the person who made the request and is sent to them as it is.
The text of a `ProviderError` is for staff: what people read is looked up by its `code`.
"""

from __future__ import annotations

from typing import Any, ClassVar


class StreamingError(Exception):
    """The root: catch this to catch all of ours."""


class RequestError(StreamingError):
    """The request cannot be served as it stands; the message says what to change."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"


class BadRequest(RequestError):
    """The body or a parameter cannot be read."""


class LoginRequired(RequestError):
    """Nobody is signed in and the site does not allow anonymous conversations."""

    status = 401
    code = "login_required"


class Forbidden(RequestError):
    """A cross-site request, or a signed-in person without the right."""

    status = 403
    code = "forbidden"


class NotFound(RequestError):
    """It does not exist, or it is somebody else's."""

    status = 404
    code = "not_found"


class Conflict(RequestError):
    """The conversation is busy, or a client message id was used again for another message."""

    status = 409
    code = "conflict"


class TooLarge(RequestError):
    """The prompt exceeds `STREAMING_MAX_PROMPT_CHARS`, a file its limit, or the body Django's."""

    status = 413
    code = "too_large"


class UnsupportedFile(RequestError):
    """A file is of a type that the site or the model does not take, or is not what it is called."""

    status = 415
    code = "unsupported_file"


class TooManyRequests(RequestError):
    """The owner has or asks for more than one of the site's limits allows; the text says which."""

    status = 429
    code = "too_many_requests"


class NotAsync(RequestError):
    """The site is served through WSGI; streaming needs ASGI."""

    status = 501
    code = "not_async"


class Overloaded(RequestError):
    """This process has as many live generations as it may, is shutting down, or has no database just now."""

    status = 503
    code = "overloaded"


class ProviderError(StreamingError):
    """A provider refused, could not be reached, or broke the stream.

    `code` is one of a closed set, the keys of `PUBLIC_MESSAGES`. `detail` is for staff and holds no secrets.
    `retry_after` is in seconds, as the provider asked.
    """

    def __init__(
        self, code: str, detail: str = "", *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(detail or code)
        self.code = code if code in PUBLIC_MESSAGES else "provider_error"
        self.detail = detail
        self.status = status
        self.retry_after = retry_after

    @property
    def is_retryable(self) -> bool:
        return self.code in RETRYABLE


PUBLIC_MESSAGES: dict[str, str] = {
    "authentication": "The model's provider refused the site's key. The site's administrator has to fix this.",
    "permission": "The site may not use this model. The site's administrator has to fix this.",
    "model_not_found": "The configured model does not exist. The site's administrator has to fix this.",
    "bad_request": "The model's provider could not accept this conversation.",
    "context_length": "This conversation is too long for the model. Start a new one or shorten the message.",
    "rate_limited": "The model's provider is asking for fewer requests. Try again in a moment.",
    "overloaded": "The model is busy. Try again in a moment.",
    "unreachable": "The model could not be reached. Try again in a moment.",
    "timeout": "The model took too long to answer. Try again.",
    "timeout_first_delta": "The model did not begin to answer. Try again.",
    "timeout_stall": "The model fell silent in the middle of its answer. What arrived is kept.",
    "timeout_total": "The answer took longer than this site allows. What arrived is kept.",
    "too_long": "The answer became longer than this site allows. What arrived is kept.",
    "not_a_stream": "The model's server answered with something that is not an answer.",
    "connection_lost": "The connection to the model broke off. What arrived is kept.",
    "truncated": "The answer broke off before it was complete. What arrived is kept.",
    "interrupted": "The server stopped while answering. What arrived is kept.",
    "provider_error": "The model's provider reported an error.",
    "internal": "Something went wrong on this site while answering. What arrived is kept.",
}
# A provider's own error (HTTP 500, `server_error`, `api_error`) passes; what a request did wrong has other codes.
RETRYABLE = frozenset({"rate_limited", "overloaded", "unreachable", "timeout", "connection_lost", "provider_error"})


class GenerationError(StreamingError):
    """The answer did not finish. `result` holds what there is of it; the text is safe to show."""

    def __init__(self, message: str, result: Any) -> None:
        super().__init__(message)
        self.result = result
