"""The record of the part of a conversation that a model was sent, as `Generation.context` stores it."""

from __future__ import annotations

import uuid
from typing import Any, NamedTuple

import msgspec

from streaming.records import readable


class Sent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The part of the conversation that the last request of a generation contained.

    `dropped` messages were not sent word by word. The first that was sent is `first`, which clients know as `shown`.
    `summary` is the id of the `Summary` that was sent in their place. `is_retried` is True if the provider had refused
    a longer request. `estimated` and `counted` are the request's tokens as estimated here and as the provider counted
    them; they correct the next estimate. `allowed` is the limit of tokens that was known.
    """

    policy: str
    dropped: int = 0
    first: uuid.UUID | None = None
    shown: str = ""
    summary: uuid.UUID | None = None
    is_retried: bool = False
    estimated: int = 0
    counted: int = 0
    allowed: int | None = None

    def dumped(self) -> dict[str, Any]:
        """Returns the value for the column."""
        value: dict[str, Any] = msgspec.to_builtins(self)
        return value

    @property
    def tokens_per_estimated(self) -> float:
        """The number of the provider's tokens for one estimated token; 1 if the provider has not counted.

        It is bounded, because some compatible servers count wrongly.
        """
        if not (self.estimated and self.counted):
            return 1.0
        return min(max(self.counted / self.estimated, 0.25), 4.0)


class Trail(NamedTuple):
    """The origin of the turns of a request.

    `ids` are the ids of their messages, and `shown` those by which clients know them. `last` is the value of
    `Generation.context` of the newest answer of the same provider on this path; None if it has none.
    """

    ids: tuple[uuid.UUID, ...] = ()
    shown: tuple[str, ...] = ()
    last: dict[str, Any] | None = None

    @property
    def sent(self) -> Sent | None:
        """The record of what the last answer's model was sent; None if there is none."""
        return sent_of(self.last)


def sent_of(value: Any) -> Sent | None:
    """Returns the value of `Generation.context` as an object; None if it is empty or has another shape."""
    return readable(value, Sent)


def metadata_of(value: Any) -> dict[str, Any]:
    """Returns what clients get of a value of `Generation.context`; an empty dict if all messages were sent."""
    sent = sent_of(value)
    if sent is None or not sent.dropped:
        return {}
    return {"context": {"dropped": sent.dropped, "first": sent.shown, "isSummarized": bool(sent.summary)}}
