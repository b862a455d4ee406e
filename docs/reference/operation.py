"""The words of the reference's tables: what one address does for one HTTP method."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from streaming.errors import Forbidden, LoginRequired, NotAsync, Overloaded, RequestError, SiteFault

Errors = tuple[type[RequestError], ...]

ALWAYS: Errors = (LoginRequired, Forbidden, SiteFault, NotAsync, Overloaded)
"""The refusals that every address of an owner can give."""

JSON, EVENTS, HTML, TEXT, FORM = (
    "application/json",
    "text/event-stream",
    "text/html",
    "text/plain",
    "application/x-www-form-urlencoded",
)


class Answer(NamedTuple):
    """A response that is no refusal. Without a `kind` it has no JSON, and without `media` no body."""

    meaning: str
    kind: type[msgspec.Struct] | None = None
    media: tuple[str, ...] = ()

    @property
    def media_types(self) -> tuple[str, ...]:
        return self.media or ((JSON,) if self.kind else ())


class Query(NamedTuple):
    """A parameter in the address, or a header if `place` says so."""

    name: str
    meaning: str
    schema: dict[str, Any] = {"type": "string"}  # nobody changes it
    place: str = "query"


class Operation(NamedTuple):
    """What one address does for one method. The first sentence of `meaning` is its title."""

    meaning: str
    answers: dict[int, Answer]
    body: type[msgspec.Struct] | None = None
    form: dict[str, Any] | None = None
    queries: tuple[Query, ...] = ()
    errors: Errors = ()
    always: Errors = ALWAYS


Methods = dict[str, Operation]
