"""How one choice ends: its finish reasons and its failure."""

from __future__ import annotations

from typing import Any

from streaming.protocol.dialects.answer import failure_of, meaning_of
from streaming.protocol.dialects.openai_chat.words import is_nothing
from streaming.protocol.dialects.wire import stream_error
from streaming.protocol.events import StreamError

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
        for word in (reason, native):
            failure = failure_of(word) if isinstance(word, str) else None
            if failure:
                self.failure = self.failure or stream_error(failure, None, f"finish reason {word!r}")
        if is_reason(reason) and _tells(str(reason)) >= _tells(self.reason):
            self.reason = str(reason)
        if isinstance(native, str):
            self.native = native or self.native


def is_reason(wire: Any) -> bool:
    return bool(wire) and not is_nothing(wire)


def _tells(reason: str | None) -> int:
    """Returns how much a finish reason says: 0 for one without a known meaning, 1 for a stop, 2 for all others."""
    return {"other": 0, "stop": 1}.get(meaning_of(reason), 2)
