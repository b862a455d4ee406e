"""The contract of a provider: it turns a request into the raw bytes of an answer in a known dialect."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

from streaming.protocol import DialectName, GenerationRequest

DOCUMENTS = ("image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/*", "application/json")
"""The media types of files that the vendors' own models understand. Text files are sent as text."""

ProblemKind = Literal["bad_backend", "missing_extra", "empty_key", "missing_model", "unknown_option", "bad_option"]


class Problem(NamedTuple):
    """One finding of `manage.py check` about a provider. `hint` says what to do."""

    kind: ProblemKind
    message: str
    hint: str


class Provider(Protocol):
    """One configured model.

    Each event loop has one instance, made with `OPTIONS` as keyword arguments and shared by all requests. It may have
    an attribute `origin`: who answers, for example `openai-chat api.deepseek.com`. Signatures, ids and encrypted pieces
    of an answer go back only to the same origin. Without the attribute, the alias is the origin.
    An attribute `structured` says how it is asked for a JSON object (`Way`); without it, by the prompt.
    Its class may have a method `load(options)`. It imports what the first answer needs, when the server starts.
    """

    dialect: DialectName
    """The dialect of the bytes that `stream` yields; `StreamParser` takes it."""

    model: str
    """The provider's name for the model that is used if a request names none."""

    parser_options: Mapping[str, Any]
    """Keyword arguments for `StreamParser`."""

    def stream(self, request: GenerationRequest) -> AsyncGenerator[bytes, None]:
        """Yields the answer's body in chunks that may be cut anywhere. The request is sent when the iteration begins.

        `aclose()` closes the connection to the provider at once, and so does cancelling the task that iterates.

        Raises:
            ProviderError: the provider failed, before or between the chunks. It raises no other exception.
        """
        ...

    async def close(self) -> None:
        """Closes the connections. The object is not used afterwards."""
        ...

    @classmethod
    def check(cls, alias: str, options: Mapping[str, Any]) -> list[Problem]:
        """Returns the problems of `options`. Makes no network call and no instance."""
        ...


class ProviderClass(Protocol):
    """The class that a `BACKEND` path must name. If its models understand files, its `takes` lists the media types."""

    __name__: str
    dialect: ClassVar[str]

    def __call__(self, **options: Any) -> Provider: ...

    def check(self, alias: str, options: Mapping[str, Any]) -> list[Problem]: ...
