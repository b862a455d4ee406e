"""The typed events of a generation: what the provider's bytes mean, and what tools returned. One frozen class each.

`part` is the position of the part in `Transcript.parts`. Parts are numbered in the order in which they first appear,
so each delta says where it belongs. `choice` is the number of the alternative, if the request asked for several
(`n > 1`); otherwise it is 0. Each choice counts its parts from 0, and a `Transcript` folds one choice.

Order: `Started` comes at most once, before all parts. The deltas of a part come before its `PartEnded`. A call's
`ToolCallStarted` comes before its deltas, and these before its `ToolCallEnded`. The last event is exactly one of
`Finished`, `Failed`, `Truncated`.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "refusal", "other"]


class Event(msgspec.Struct, frozen=True, gc=False):
    """The base of all events. Do not subclass outside this module."""


class Started(Event, frozen=True):
    """The provider began to answer. `id` is its id of the answer; both fields are None if it did not give them."""

    id: str | None
    model: str | None


class TextDelta(Event, frozen=True):
    """The answer grew by `text`."""

    part: int
    text: str
    choice: int = 0


class ReasoningDelta(Event, frozen=True):
    """The model's reasoning (raw or summarised) grew by `text`."""

    part: int
    text: str
    choice: int = 0


class ReasoningSigned(Event, frozen=True):
    """The provider wants `signature` or `raw`, its whole object, back on the next turn. None changes nothing."""

    part: int
    signature: str | None = None
    raw: dict[str, Any] | None = None
    choice: int = 0
    duration_ms: int | None = None
    """How long the model thought, as the app measured it."""


class TextRecast(Event, frozen=True):
    """The text part `part` was reasoning: its closing tag came without an opening one. Its `PartEnded` follows."""

    part: int
    choice: int = 0


class RefusalDelta(Event, frozen=True):
    """The refusal grew by `text`."""

    part: int
    text: str
    choice: int = 0


class PartEnded(Event, frozen=True):
    """A text, reasoning or refusal part is complete. `raw` is what the provider wants back with a text or refusal."""

    part: int
    choice: int = 0
    raw: dict[str, Any] | None = None
    text: str | None = None
    """The whole text, if it replaces the deltas. Only the app sets it, for a text that is the arguments of a call."""


class ToolCallStarted(Event, frozen=True):
    """The model began a tool call. If the provider sent no `id`, the parser made one: the same for the same bytes."""

    part: int
    id: str
    name: str
    is_provider_executed: bool = False
    is_json: bool = True
    choice: int = 0


class ToolCallDelta(Event, frozen=True):
    """The raw arguments grew by `text`."""

    part: int
    text: str
    choice: int = 0


class ToolCallEnded(Event, frozen=True):
    """The tool call is complete or broken: the strict verdict on its arguments.

    `raw_arguments` are the deltas together. If `is_replaced`, they were of no use, and the server gave others instead.
    `error` is None if `is_complete`. Otherwise it is `truncated` (the JSON or the stream ended inside the arguments),
    `invalid_json`, `not_an_object`, `concatenated` (a second value follows the first) or `too_large` (too long or
    nested too deep).
    """

    part: int
    raw_arguments: str
    arguments: dict[str, Any] | None
    is_complete: bool
    error: str | None = None
    raw: dict[str, Any] | None = None
    choice: int = 0
    is_replaced: bool = False


class ToolResulted(Event, frozen=True):
    """A tool returned `output`, a JSON value, and took `duration_ms`. The provider executed it, or the parser's app."""

    part: int
    call_id: str
    output: Any
    is_error: bool = False
    is_provider_executed: bool = True
    choice: int = 0
    raw: dict[str, Any] | None = None
    duration_ms: int | None = None


class ToolApproved(Event, frozen=True):
    """The app decided if a call may be executed; None asks a person. The parser never returns this event."""

    part: int
    call_id: str
    is_approved: bool | None = None
    reason: str = ""
    choice: int = 0


class StepStarted(Event, frozen=True):
    """The app asks the model again, with the tool results. The parser never returns this event."""


class Cited(Event, frozen=True):
    """The text part `part` has a citation or annotation; `citation` is the provider's own object."""

    part: int
    citation: dict[str, Any]
    choice: int = 0


class FileReceived(Event, frozen=True):
    """The model produced an image, audio or document; `url` is an http(s) or data URL."""

    part: int
    media_type: str
    url: str
    choice: int = 0
    raw: dict[str, Any] | None = None


class OpaqueReceived(Event, frozen=True):
    """The provider sent a block that has no class here. It is kept whole for the next turn."""

    part: int
    raw: dict[str, Any]
    choice: int = 0


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Token counts. None means unknown, never zero. A sum counts only what is known."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_input_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    total_tokens: int | None = None

    def __add__(self, other: Usage) -> Usage:
        return Usage(*map(_sum, msgspec.structs.astuple(self), msgspec.structs.astuple(other)))


MAX_COUNT = 2**31 - 1
"""The largest count that is read. No context is near it, and an integer column of every database can hold it."""


def _sum(one: int | None, other: int | None) -> int | None:
    return one if other is None else other if one is None else min(one + other, MAX_COUNT)


class UsageReported(Event, frozen=True):
    """The provider reported the totals so far. They replace all earlier ones."""

    usage: Usage


class Heartbeat(Event, frozen=True):
    """The provider sent a sign of life without content: a comment or a ping."""


class Warning(Event, frozen=True):
    """The parser worked around a mistake. `code` is stable; `detail` holds nothing of the answer's content."""

    code: str
    detail: str = ""


class Unknown(Event, frozen=True):
    """The provider sent something well-formed that this version does not know; `raw` is its payload."""

    raw: str


class StreamError(msgspec.Struct, frozen=True, gc=False):
    """A provider's error in its own words, which are not for the people who read the answer.

    `retryable` is True if asking again may help, and False if it cannot help or the error's words are unknown. It is
    None if the error has neither `code` nor `type`. The table is in `streaming.protocol.error_codes`.
    """

    code: str | None
    type: str | None
    message: str
    retryable: bool | None = None


class Finished(Event, frozen=True):
    """The provider said that the answer is complete. `raw_reason` is its own word for the finish reason."""

    reason: FinishReason
    raw_reason: str | None = None


class Failed(Event, frozen=True):
    """The provider reported an error inside the stream, or sent something that is no stream."""

    error: StreamError


class Truncated(Event, frozen=True):
    """The stream ended without the provider's signal that the answer is complete."""


TERMINAL = (Finished, Failed, Truncated)
