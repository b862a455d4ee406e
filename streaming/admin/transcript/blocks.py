"""Parts as the transcript shows them. A tool call has its approval, its result and its duration with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from streaming.access import redacted
from streaming.admin import cells
from streaming.admin.drawing import calls_of
from streaming.files.addresses import addressed, id_of
from streaming.files.kinds import IMAGES
from streaming.models import Message, Role
from streaming.protocol import (
    FilePart,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolApproval,
    ToolCall,
    ToolResult,
    is_of_another_version,
)

MAX_SHOWN = 20_000
"""The most characters shown of one value. A data URL or a tool's output may have millions."""

MAX_PICTURE = 4_000_000
"""The most characters of a picture inside the page."""


class Block(NamedTuple):
    """One part. `template` names its template `streaming/admin/part_<template>.html`, `json` is its structured field.

    A tool call has its `result` and `approval` with it, and the time that it took if the timeline knows it. What models
    write is Markdown; what people write is shown as it is, like on the chat page.
    """

    template: str
    part: Any
    json: str = ""
    result: Block | None = None
    approval: Any = None
    took: str | None = None
    is_markdown: bool = False

    @property
    def picture(self) -> str:
        """The data URL of a picture that a model made; empty for files elsewhere, which the admin does not load."""
        begins = tuple(f"data:{kind};base64," for kind in IMAGES)
        return self.part.url if self.part.url.startswith(begins) and len(self.part.url) <= MAX_PICTURE else ""


def blocks_of(message: Message, timeline: Sequence[Sequence[Any]] | None, *, reasoning: bool) -> list[Block]:
    """Returns the blocks of a message, after the site's redaction. Without `reasoning`, its text is left out."""
    shown = [part if reasoning else _without_reasoning(part) for part in redacted(message.typed_parts)]
    is_markdown = message.role == Role.ASSISTANT
    blocks = [_block(part)._replace(is_markdown=is_markdown) for part in shown]
    times = {call: cells.duration(ends - begins) for call, begins, ends in calls_of(timeline or ())}
    return _joined(blocks, times)


def _without_reasoning(part: Part) -> Part:
    """Hides the text of reasoning, and a part that another version of the app wrote, which may be anything."""
    if is_of_another_version(part):
        return OpaquePart(raw={})
    return ReasoningPart(text="") if isinstance(part, ReasoningPart) else part


def _joined(blocks: list[Block], times: dict[str, str | None]) -> list[Block]:
    """Puts results and approvals into the blocks of their calls. Those of a call in another message stay alone."""
    calls = {block.part.id for block in blocks if isinstance(block.part, ToolCall)}
    results = {block.part.call_id: block for block in blocks if isinstance(block.part, ToolResult)}
    approvals = {block.part.call_id: block.part for block in blocks if isinstance(block.part, ToolApproval)}
    alone = [block for block in blocks if getattr(block.part, "call_id", None) not in calls]
    return [
        block._replace(
            result=results.get(block.part.id), approval=approvals.get(block.part.id), took=times.get(block.part.id)
        )
        if isinstance(block.part, ToolCall)
        else block
        for block in alone
    ]


def _block(part: Part) -> Block:
    if isinstance(part, FilePart) and id_of(part):
        return Block("attachment", addressed((part,))[0])
    template, structured = SHOWN[type(part)]
    return Block(template, part, structured(part))


def _nothing(part: Any) -> str:
    return ""


def _field(name: str) -> Callable[[Any], str]:
    return lambda part: pretty(getattr(part, name))


SHOWN: dict[type, tuple[str, Callable[[Any], str]]] = {
    TextPart: ("text", _nothing),
    ReasoningPart: ("reasoning", _nothing),
    RefusalPart: ("refusal", _nothing),
    ToolCall: ("tool_call", _field("arguments")),
    ToolResult: ("tool_result", _field("output")),
    ToolApproval: ("tool_approval", _nothing),
    FilePart: ("file", _nothing),
    OpaquePart: ("opaque", _field("raw")),
}
"""The class of a part -> its template, and the function that returns its structured field as JSON."""


def pretty(value: Any) -> str:
    """The value as indented JSON, cut at `MAX_SHOWN` characters. Text stays as it is."""
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
