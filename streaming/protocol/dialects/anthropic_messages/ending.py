"""The end of a message: its stop reason, and what relays put into other places of the last events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from streaming.protocol.dialects.answer import failure_of, meaning_of
from streaming.protocol.dialects.wire import is_error, object_of, read_error, reports_error, reread, stream_error
from streaming.protocol.events import StreamError

BEDROCK_COUNTS = {
    "input_tokens": "inputTokenCount",
    "output_tokens": "outputTokenCount",
    "cache_read_input_tokens": "cacheReadInputTokenCount",
    "cache_creation_input_tokens": "cacheWriteInputTokenCount",
}
"""Bedrock's name of each count, in the metrics of the last event."""


class Ending:
    """The stop reason so far, and the error that came with a reason that is a failure."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self.error: StreamError | None = None

    @property
    def failure(self) -> str | None:
        """The word in the stop reason that says that the answer broke off."""
        return failure_of(self.reason)

    def read(self, reason: Any, data: bytes) -> None:
        """Reads the stop reason of an event, and the error beside it. A later reason counts unless it says less."""
        says_less = self.reason is not None and meaning_of(str(reason)) == "stop" != meaning_of(self.reason)
        if reason and not says_less:
            self.reason = str(reason)
        if self.failure is not None:
            self.error = error_beside_stop(self.failure, reread(data)) or self.error


def usage_elsewhere(event: Any) -> Any:
    """Returns the usage of an event that has none at its place: that of the delta, or Bedrock's counts."""
    metrics = object_of(object_of(event).get("amazon-bedrock-invocationMetrics"))
    usage = object_of(object_of(event).get("delta")).get("usage")
    return usage or {name: metrics.get(key) for name, key in BEDROCK_COUNTS.items()}


def error_beside_stop(word: str, wire: Any) -> StreamError | None:
    """Returns the error in the event `wire`; None if it has none. Its code is `word` if it has no code and no type."""
    found = next(_errors(wire), None)
    if found is None:
        return None
    error = read_error(found)
    has_words = error.code is not None or error.type is not None
    return error if has_words else stream_error(word, None, error.message)


def _errors(wire: Any) -> Iterator[Any]:
    """Yields what may be the error: an object of its own, or flat among the fields of the delta."""
    event = object_of(wire)
    delta = object_of(event.get("delta"))
    details = object_of(delta.get("stop_details") or event.get("stop_details"))
    told = details | {"message": details.get("message") or details.get("explanation")}
    yield from (each["error"] for each in (event, delta) if reports_error(each.get("error")))
    yield from (each for each in (delta, told) if is_error(each))
