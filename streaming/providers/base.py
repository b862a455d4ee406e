"""What a provider is: anything that turns a request into a body of raw bytes in a known dialect."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

from streaming.protocol import GenerationRequest

Dialect = Literal["openai-chat", "openai-responses", "anthropic-messages"]

DOCUMENTS = ("image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/*", "application/json")
"""The files that the vendors' own models understand, or have words for in their dialect."""

ProblemKind = Literal["bad_backend", "missing_extra", "empty_key", "missing_model", "unknown_option", "bad_option"]


class Problem(NamedTuple):
    """Something `manage.py check` should say about one provider. `hint` tells what to do."""

    kind: ProblemKind
    message: str
    hint: str


class Provider(Protocol):
    """One configured model. Made once per event loop with `OPTIONS` as keyword arguments, shared by all requests.

    It may have an attribute `origin`: who answers, for example `openai-chat api.deepseek.com`. Signatures, ids and
    encrypted pieces of an answer go back only to the same origin. Without it, the alias is the origin.
    """

    dialect: Dialect
    """The grammar of `stream`'s bytes: what to give to `StreamParser`."""

    model: str
    """The model asked for when a request names none; its name as the provider spells it."""

    parser_options: Mapping[str, Any]
    """Keyword arguments for `StreamParser`."""

    def stream(self, request: GenerationRequest) -> AsyncGenerator[bytes, None]:
        """The answer's body, cut anywhere. Nothing is sent before the first step.

        `aclose()`, or cancelling the task that iterates, closes the connection to the provider at once.

        Raises:
            ProviderError: and nothing else, before or between the bytes.
        """
        ...

    async def close(self) -> None:
        """Give back connections. The object is not used afterwards."""
        ...

    @classmethod
    def check(cls, alias: str, options: Mapping[str, Any]) -> list[Problem]:
        """What is wrong with `options`, without a network call and without making an instance."""
        ...


class ProviderClass(Protocol):
    """The class a `BACKEND` path must lead to. One whose models understand files says which in `takes`."""

    __name__: str
    dialect: ClassVar[str]

    def __call__(self, **options: Any) -> Provider: ...

    def check(self, alias: str, options: Mapping[str, Any]) -> list[Problem]: ...
