"""How one choice ends: its finish reasons and its failure."""

from __future__ import annotations

from typing import Any

from streaming.protocol.dialects.answer import failure_of, meaning_of
from streaming.protocol.dialects.wire import is_nothing, read_error, stream_error
from streaming.protocol.events import StreamError

KEYS = ("type", "reason", "finish_reason", "name", "value")
"""The keys of a finish reason that is an object, best first."""

TELLING = ("length", "content_filter", "refusal")


class Ending:
    """The end of one choice, as far as it is known."""

    def __init__(self) -> None:
        self.reason: str | None = None
        """The finish reason."""
        self.native: str | None = None
        """The reason in the words of the server behind a gateway (OpenRouter)."""
        self.failure: StreamError | None = None

    @property
    def is_known(self) -> bool:
        return bool(self.reason or self.native or self.failure)

    @property
    def word(self) -> str | None:
        """The finish reason, or the native one if that says more: OpenRouter calls some cuts a stop."""
        is_plain = self.reason is None or meaning_of(self.reason) in ("stop", "other")
        says_more = self.reason is None or meaning_of(self.native) in TELLING
        return self.native if self.native and is_plain and says_more else self.reason

    def read(self, reason: Any, native: Any) -> None:
        """Takes a finish reason, unless an earlier one says more, and a native one."""
        for wire in (reason, native):
            word = reason_in(wire)
            if failure := failure_of(word):
                message = read_error(wire).message if isinstance(wire, dict) else f"finish reason {word!r}"
                self.failure = self.failure or stream_error(failure, None, message)
        word = reason_in(reason)
        if word and _tells(word) >= _tells(self.reason):
            self.reason = word
        self.native = reason_in(native) or self.native


def reason_in(wire: Any) -> str | None:
    """Returns the word of a finish reason; None if it is none. Some servers send an object (SGLang) or a list."""
    if isinstance(wire, list):
        wire = next(iter(wire), None)
    if isinstance(wire, dict):
        wire = next((wire[key] for key in KEYS if wire.get(key)), None)
    return str(wire) if wire and not is_nothing(wire) else None


def _tells(reason: str | None) -> int:
    """Returns how much a finish reason says: 0 for one without a known meaning, 1 for a stop, 2 for all others."""
    return {"other": 0, "stop": 1}.get(meaning_of(reason), 2)
