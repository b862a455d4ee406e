"""The fields of the events of an OpenAI response that are read."""

from __future__ import annotations

from typing import Any

import msgspec


class Payload(msgspec.Struct, gc=False):
    """The fields of all event types that are read. One flat struct decodes nearly as fast as a tagged union."""

    type: str = ""
    delta: Any = None
    output_index: int | None = None
    item_id: Any = None
    content_index: int | None = None
    summary_index: int | None = None
    item: dict[str, Any] | None = None
    part: Any = None
    response: Any = None
    text: Any = None
    arguments: Any = None
    input: Any = None
    code: Any = None
    refusal: Any = None
    annotation: Any = None
    error: Any = None
    call_id: Any = None
