"""The typed events of a generation: what a provider's bytes mean, and what its tools gave, one frozen class each.

`part` is the position of the part in `Transcript.parts`: it is given out in order of first appearance, so a delta
names its place and nobody has to search for it. `choice` is the alternative it belongs to when a request asked for
several (`n > 1`), each of which counts its parts from 0; it is 0 otherwise. A `Transcript` folds one choice.

Order: `Started` at most once and before any part; deltas of a part before its `PartEnded`; `ToolCallStarted` before
that call's deltas before its `ToolCallEnded`; exactly one of `Finished`, `Failed`, `Truncated`, last.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "refusal", "other"]


class Event(msgspec.Struct, frozen=True, gc=False):
    """The base of all events. Do not subclass outside this module."""


class Started(Event, frozen=True):
    """The provider accepted the request; its id for the answer and the model's name, where it gave them."""

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
    """What the provider wants back with this reasoning on the next turn: a signature, or its whole object."""

    part: int
    signature: str | None = None
    raw: dict[str, Any] | None = None
    choice: int = 0


class RefusalDelta(Event, frozen=True):
    """The refusal grew by `text`."""

    part: int
    text: str
    choice: int = 0


class PartEnded(Event, frozen=True):
    """A text, reasoning or refusal part will not grow any more."""

    part: int
    choice: int = 0


class ToolCallStarted(Event, frozen=True):
    """The model began a tool call. `id` is the provider's, or made up (and stable) when it sent none."""

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
    """The strict verdict on one call's arguments.

    `error` is None when `is_complete`; else `truncated` (the JSON or the stream ended inside it), `invalid_json`,
    `not_an_object`, `concatenated` (a second value followed the first) or `too_large` (or nested too deep).
    """

    part: int
    raw_arguments: str
    arguments: dict[str, Any] | None
    is_complete: bool
    error: str | None = None
    raw: dict[str, Any] | None = None
    choice: int = 0


class ToolResulted(Event, frozen=True):
    """A tool gave `output`, a JSON value: the wire's if the provider ran it, else this side's."""

    part: int
    call_id: str
    output: Any
    is_error: bool = False
    is_provider_executed: bool = True
    choice: int = 0


class ToolApproved(Event, frozen=True):
    """Whether a call may be executed; None asks a person. Never the wire's: this side decides."""

    part: int
    call_id: str
    is_approved: bool | None = None
    reason: str = ""
    choice: int = 0


class StepStarted(Event, frozen=True):
    """The model is asked once more, with what tools gave. Never the wire's: a wire knows one request."""


class Cited(Event, frozen=True):
    """A citation or annotation on text part `part`; `citation` is the wire's object."""

    part: int
    citation: dict[str, Any]
    choice: int = 0


class FileReceived(Event, frozen=True):
    """The model produced an image, audio or document; `url` is an http(s) or data URL."""

    part: int
    media_type: str
    url: str
    choice: int = 0


class OpaqueReceived(Event, frozen=True):
    """A whole block that has no class of its own, kept for the next turn."""

    part: int
    raw: dict[str, Any]
    choice: int = 0


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Token counts. None means unknown, never zero; the sum with something unknown is what is known."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_input_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    total_tokens: int | None = None

    def __add__(self, other: Usage) -> Usage:
        return Usage(*map(_sum, msgspec.structs.astuple(self), msgspec.structs.astuple(other)))


MAX_COUNT = 2**31 - 1
"""Two thousand million tokens: no context is near it, and every database's integer column holds it."""


def _sum(one: int | None, other: int | None) -> int | None:
    return one if other is None else other if one is None else min(one + other, MAX_COUNT)


class UsageReported(Event, frozen=True):
    """The totals so far; each report replaces the one before."""

    usage: Usage


class Heartbeat(Event, frozen=True):
    """The provider is alive but has nothing to say: a comment or a ping."""


class Warning(Event, frozen=True):
    """Something was off and was coped with; `code` is stable, `detail` holds no content of the answer."""

    code: str
    detail: str = ""


class Unknown(Event, frozen=True):
    """A well-formed thing this version has no meaning for; `raw` is its payload."""

    raw: str


class StreamError(msgspec.Struct, frozen=True, gc=False):
    """A provider's error as it was worded on the wire; never shown to people as it is."""

    code: str | None
    type: str | None
    message: str
    retryable: bool | None = None


class Finished(Event, frozen=True):
    """The wire said that the answer is complete. `raw_reason` is its own word for why."""

    reason: FinishReason
    raw_reason: str | None = None


class Failed(Event, frozen=True):
    """The provider reported an error inside the stream, or sent something that is no stream."""

    error: StreamError


class Truncated(Event, frozen=True):
    """The stream ended without the signal that completes it."""


TERMINAL = (Finished, Failed, Truncated)
