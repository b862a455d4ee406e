"""A conversation as staff read it: the messages of all branches, each with the figures of its generation.

The template is `streaming/admin/transcript.html`. Each kind of part has its own template beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from streaming.admin import cells
from streaming.files.addresses import addressed, id_of
from streaming.files.kinds import IMAGES
from streaming.models import Conversation, Generation, Message
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
)

MAX_MESSAGES = 200
"""The most messages in one transcript: a browser scrolls them easily. Older ones are in the list of messages."""

MAX_SHOWN = 20_000
"""The most characters shown of one value. A data URL or a tool's output may have millions."""


class ShownPart(NamedTuple):
    """One part. `template` is the name of its template, and `json` is its structured field as JSON."""

    template: str
    part: Any
    json: str = ""


class Entry(NamedTuple):
    """One message. `is_aside` is True if it is on a branch that the owner does not see now."""

    message: Message
    parts: list[ShownPart]
    generation: Generation | None
    facts: list[str]
    is_aside: bool


def render_conversation(conversation: Conversation, *, with_errors: bool) -> SafeString:
    """Renders the newest messages, in the order of time. `with_errors` adds the details of failures, for staff."""
    newest = conversation.messages.select_related("generation").order_by("-created_at", "-pk")[: MAX_MESSAGES + 1]
    messages = list(newest)[::-1]
    is_cut = len(messages) > MAX_MESSAGES
    shown = _shown_path(conversation, messages)
    entries = [_entry(message, is_aside=message.pk not in shown) for message in messages[-MAX_MESSAGES:]]
    return _render(entries, conversation=conversation, is_cut=is_cut, with_errors=with_errors)


def render_message(message: Message, *, with_errors: bool) -> SafeString:
    """Renders one message, like `render_conversation`."""
    return _render([_entry(message, is_aside=False)], with_errors=with_errors)


def _render(entries: list[Entry], **context: Any) -> SafeString:
    return render_to_string("streaming/admin/transcript.html", {"entries": entries, "images": IMAGES, **context})


def _shown_path(conversation: Conversation, messages: Iterable[Message]) -> set[Any]:
    parents = {message.pk: message.parent_id for message in messages}
    path, current = set(), conversation.active_leaf_id
    while current in parents:
        path.add(current)
        current = parents[current]
    return path


def _entry(message: Message, *, is_aside: bool) -> Entry:
    generation = getattr(message, "generation", None)
    facts = _facts(generation) if generation else []
    return Entry(message, _shown_parts(message), generation, facts, is_aside)


def _facts(generation: Generation) -> list[str]:
    facts = [
        generation.model or generation.provider,
        cells.tokens_of(generation),
        cells.milliseconds(generation.first_delta_ms),
        cells.seconds(generation.duration_ms),
        cells.speed(generation),
        generation.finish_reason,
    ]
    return [fact for fact in facts if fact]


def _shown_parts(message: Message) -> list[ShownPart]:
    try:
        return [_shown_part(part) for part in message.typed_parts]
    except msgspec.ValidationError:
        # Another version of the app, or a person, wrote these parts. Staff must be able to see them anyway.
        return [ShownPart("opaque", None, pretty(message.parts))]


def _shown_part(part: Part) -> ShownPart:
    if isinstance(part, FilePart) and id_of(part):
        return ShownPart("attachment", addressed((part,))[0])
    template, structured = SHOWN[type(part)]
    return ShownPart(template, part, pretty(getattr(part, structured)) if structured else "")


SHOWN: dict[type, tuple[str, str]] = {
    TextPart: ("text", ""),
    ReasoningPart: ("reasoning", ""),
    RefusalPart: ("refusal", ""),
    ToolCall: ("tool_call", "arguments"),
    ToolResult: ("tool_result", "output"),
    ToolApproval: ("tool_approval", ""),
    FilePart: ("file", ""),
    OpaquePart: ("opaque", "raw"),
}
"""The class of a part -> its template, and the field that is shown as JSON."""


def pretty(value: Any) -> str:
    """The value as indented JSON, cut at `MAX_SHOWN` characters. Text stays as it is."""
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
