"""How a generation ended, in the words that clients read."""

from __future__ import annotations

from typing import Any

import msgspec

# The wire's closed set of finish reasons; `interrupted` exists in v7 only and is left out.
UI_FINISH_REASONS = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool-calls",
    "content_filter": "content-filter",
    "refusal": "content-filter",
}


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The end of one generation. `error_text` is for people; `metadata` is what `GET api/chat/<id>` gives as well.

    `status` is `finished`, `cancelled`, `failed`, `truncated` or `interrupted`.
    """

    status: str
    finish_reason: str | None = None
    error_text: str = ""
    metadata: dict[str, Any] = {}

    @property
    def ui_finish_reason(self) -> str:
        return UI_FINISH_REASONS.get(self.finish_reason or "", "other")
