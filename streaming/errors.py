"""All exceptions that this package raises on purpose.

    StreamingError
    ├── RequestError          the caller must act; it has an HTTP status and a code
    │   ├── BadRequest        400  malformed JSON, missing prompt, unknown provider
    │   ├── LoginRequired     401
    │   ├── Forbidden         403  cross-site
    │   ├── NotFound          404  no such conversation, or it belongs to somebody else
    │   ├── Conflict          409  an answer is already being generated; key reused with another body
    │   ├── TooLarge          413
    │   ├── UnsupportedFile   415  not an accepted type, or not the type that its name says
    │   ├── TooManyRequests   429  generations, messages, streams per owner
    │   │   └── OverBudget    429  a budget or the site's own quota is spent
    │   ├── SiteFault         500  the site itself is not set up, for example its database
    │   ├── NotAsync          501  the site is served through WSGI, which cannot stream
    │   └── Overloaded        503  too many generations in this process; shutting down; no database
    ├── ProviderError         the provider failed or refused; each SDK's errors become this in one place
    └── GenerationError       the one-call API was asked for an answer that did not finish
        └── OutputInvalid     the answer finished, but is not the object that was asked for

The person who made a request reads the text of its `RequestError`. The text of a `ProviderError` is for staff; people
read the message of its `code`.
"""

from __future__ import annotations

from typing import Any, ClassVar


def _(message: str) -> str:
    """Returns the message itself. It marks messages for the catalogues, because this module knows no Django."""
    return message


SITE_FAULT = _("Something is wrong on this site. The site's administrator has to fix this.")


class StreamingError(Exception):
    """The base of all exceptions of this package."""


class RequestError(StreamingError):
    """The request cannot be served. The message says what to change; it may be a lazy translation.

    `retry_after` is the number of seconds after which the same request may succeed; None if waiting does not help.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"
    retry_after: int | None = None

    def __init__(self, message: object = "", *, retry_after: int | None = None) -> None:
        super().__init__(message)
        if retry_after is not None:
            self.retry_after = retry_after


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
    """It does not exist, or it belongs to somebody else."""

    status = 404
    code = "not_found"


class Conflict(RequestError):
    """The conversation has a running generation, or a client message id was used for two different messages."""

    status = 409
    code = "conflict"


class TooLarge(RequestError):
    """The prompt is longer than `STREAMING_MAX_PROMPT_CHARS`, or a file or the body exceeds its limit."""

    status = 413
    code = "too_large"


class UnsupportedFile(RequestError):
    """The site or the model does not take this type of file, or the file is not of the type that it claims."""

    status = 415
    code = "unsupported_file"


class TooManyRequests(RequestError):
    """The owner exceeds a limit of the site. The text says which."""

    status = 429
    code = "too_many_requests"
    retry_after: int | None = 5


class SiteFault(RequestError):
    """The site is not set up, so it cannot serve any request. The log says what is missing."""

    status = 500
    code = "internal"

    def __init__(self, message: str = SITE_FAULT) -> None:
        super().__init__(message)


class OverBudget(TooManyRequests):
    """A budget of the owner or of the site is spent, or the site's own quota refuses.

    `retry_after` is the number of seconds after which there is a new budget; None if nobody knows.
    """

    code = "over_budget"
    retry_after = None


class NotAsync(RequestError):
    """The site is served through WSGI, but streaming needs ASGI."""

    status = 501
    code = "not_async"


class Overloaded(RequestError):
    """This process runs its maximum of generations, is shutting down, or cannot reach the database."""

    status = 503
    code = "overloaded"
    retry_after = 2


class ProviderError(StreamingError):
    """A provider refused the request, could not be reached, or broke off the stream.

    `code` is a key of `PUBLIC_MESSAGES`. `detail` is for staff and holds no secrets. `status` is the HTTP status, if
    there was one. `retry_after` is how long the provider asks to wait, in seconds.
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
    "authentication": _("The model's provider refused the site's key. The site's administrator has to fix this."),
    "permission": _("The site may not use this model. The site's administrator has to fix this."),
    "model_not_found": _("The configured model does not exist. The site's administrator has to fix this."),
    "bad_request": _("The model's provider could not accept this conversation."),
    "context_length": _("This conversation is too long for the model. Start a new one or shorten the message."),
    "rate_limited": _("The model's provider is asking for fewer requests. Try again in a moment."),
    "overloaded": _("The model is busy. Try again in a moment."),
    "unreachable": _("The model could not be reached. Try again in a moment."),
    "timeout": _("The model took too long to answer. Try again."),
    "timeout_first_delta": _("The model did not begin to answer. Try again."),
    "timeout_stall": _("The model fell silent in the middle of its answer. What arrived is kept."),
    "timeout_total": _("The answer took longer than this site allows. What arrived is kept."),
    "too_long": _("The answer became longer than this site allows. What arrived is kept."),
    "not_a_stream": _("The model's server answered with something that is not an answer."),
    "connection_lost": _("The connection to the model broke off. What arrived is kept."),
    "truncated": _("The answer broke off before it was complete. What arrived is kept."),
    "deleted": _("This conversation has been deleted."),
    "interrupted": _("The server stopped while answering. What arrived is kept."),
    "provider_error": _("The model's provider reported an error."),
    "internal": _("Something went wrong on this site while answering. What arrived is kept."),
}
"""The message that people read for each code, in English. Code that shows one passes it to `gettext`."""

# The only list of codes for which asking again may help. `provider_error` is one of them, because the provider's own
# errors (HTTP 500, `server_error`, `api_error`) pass. `streaming.protocol.error_codes` gives servers' errors a code.
RETRYABLE = frozenset({"rate_limited", "overloaded", "unreachable", "timeout", "connection_lost", "provider_error"})


class GenerationError(StreamingError):
    """The answer did not finish. `result` holds what there is of it. The text may be shown to people."""

    def __init__(self, message: str, result: Any) -> None:
        super().__init__(message)
        self.result = result


class OutputInvalid(GenerationError):
    """The answer is not the object that was asked for. `result.text` has what the model wrote.

    `fault` is `refused`, `cut` (the length limit), `missing` (only prose), `malformed` (broken JSON) or `mismatch`
    (another type). `path` is the place, for example `$.items[0].price`, and `reason` says what is wrong there.
    """

    def __init__(self, fault: str, path: str, reason: str, result: Any) -> None:
        super().__init__(reason if path == "$" else f"{path}: {reason}", result)
        self.fault = fault
        self.path = path
        self.reason = reason
