"""The outcome of a generation, in the words that clients read."""

from __future__ import annotations

from typing import Any

import msgspec

# The finish reasons of the UI message stream. `interrupted` is left out, because only v7 knows it.
UI_FINISH_REASONS = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool-calls",
    "content_filter": "content-filter",
    "refusal": "content-filter",
}


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The end of one generation. `error_text` is for people; `metadata` is the same as in `GET api/chat/<id>`.

    `status` is `finished`, `cancelled`, `failed`, `truncated` or `interrupted`.
    """

    status: str
    finish_reason: str | None = None
    error_text: str = ""
    metadata: dict[str, Any] = {}

    @property
    def ui_finish_reason(self) -> str:
        return UI_FINISH_REASONS.get(self.finish_reason or "", "other")
