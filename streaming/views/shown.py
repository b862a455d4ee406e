"""Makes rows into the values that the chat templates show.

The templates and chat.js show the same values, the parts of a UIMessage and its metadata. So an answer looks the same
while it streams and after a reload.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from typing import Any, NamedTuple

from django.utils.translation import gettext, gettext_lazy

from streaming import mcp
from streaming.files.addresses import address, addressed, id_served_at
from streaming.files.kinds import IMAGES
from streaming.journal import EVERY_FRAME, read_frames
from streaming.models import (
    Branch,
    Feedback,
    Generation,
    Message,
    Role,
    Status,
    asked_provider,
    parts_of,
)
from streaming.protocol import Part, ReasoningPart, ToolResult
from streaming.protocol.ui_stream import chunk_of, fold_chunks, ui_parts
from streaming.views.context import ContextLine
from streaming.views.durations import duration, thought_for
from streaming.views.values import ShownValue, readable_name, shown_value, summary_of

# A generation's status or finish reason -> the note below an answer that is not complete. An answer is `empty` if it
# has finished with nothing but reasoning.
NOTES = {
    "empty": gettext_lazy("The model gave no answer."),
    "cancelled": gettext_lazy("Stopped."),
    "length": gettext_lazy("The answer reached its length limit."),
    "content_filter": gettext_lazy("The provider's filter withheld the rest of this answer."),
}
# The texts that chat.js shows on its own.
SCRIPT_TEXTS = {
    "answering": gettext_lazy("The assistant is answering."),
    "stillAnswering": gettext_lazy("Still answering."),
    "answered": gettext_lazy("The answer is complete."),
    "waits": gettext_lazy("The assistant waits for your decision."),
    "reconnecting": gettext_lazy("Connection lost. Reconnecting…"),
    "signedOut": gettext_lazy("You are not signed in any more. Sign in again to go on."),
    "gone": gettext_lazy("This is no longer here. It may have been deleted."),
    "offline": gettext_lazy("The site could not be reached. Try again."),
    "unexpected": gettext_lazy(
        "The site answered with something else than was asked for. Reload this page; you may have to sign in again."
    ),
    "inSeconds": gettext_lazy("{seconds} s"),
    "inMinutes": gettext_lazy("{minutes} min {seconds} s"),
    "copied": gettext_lazy("Copied."),
    "thanked": gettext_lazy("Thank you for your feedback."),
    "goOn": gettext_lazy("Continue."),
    "editWaits": gettext_lazy("An answer is still being written in this conversation. Wait for it, or stop it."),
    "queued": gettext_lazy("The message will be sent after this answer."),
    "loaded": gettext_lazy("Earlier messages are shown."),
    "tokens": gettext_lazy("{input} + {output} tokens"),
    "thinkingFor": gettext_lazy("Thinking… {time}"),
    "thoughtFor": gettext_lazy("Thought for {time}"),
    "notUploaded": gettext_lazy("The file could not be sent. Remove it and try again."),
    "unreachable": gettext_lazy("The site could not be reached. Your message is still in its box."),
    "unshown": gettext_lazy("That version could not be shown. Try again."),
    "unkept": gettext_lazy("Your feedback could not be sent. Try again."),
    "unstopped": gettext_lazy("The answer could not be stopped. Try again."),
    "summarized": gettext_lazy("The model reads a summary in place of the messages above."),
    "broken": gettext_lazy("Something went wrong on this page. Reload it to see the answer."),
}


MANY_CHARS = 1200
MANY_LINES = 15
LARGE_CHARS = 100_000


class ShownPart(NamedTuple):
    """One part. `kind` selects the template `streaming/_part_<kind>.html`. The other fields are empty, or are shown."""

    kind: str
    id: str = ""
    text: str = ""
    name: str = ""
    state: str = ""
    input: ShownValue | None = None
    output: ShownValue | None = None
    duration: str = ""
    url: str = ""
    label: str = ""
    is_markdown: bool = False  # what people write is shown as they wrote it

    @property
    def template(self) -> str:
        return f"streaming/_part_{self.kind}.html"


class ShownMessage(NamedTuple):
    """One message.

    `note` says why an answer is not complete, and `note_kind` is the status or finish reason behind it. `provider` and
    `usage` are those of its generation. `branch` is its place among the other versions of this message.
    `feedback` is what the owner thinks of it. `line` is above the first message that the model is sent.
    """

    role: str
    id: str = ""
    parts: tuple[ShownPart, ...] = ()
    created_at: datetime.datetime | None = None
    provider: str = ""
    usage: str = ""
    note_kind: str = ""
    note: str = ""
    is_active: bool = False
    branch: Branch | None = None
    feedback: Feedback | None = None
    line: ContextLine | None = None

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts if part.kind == "text")

    @property
    def is_long(self) -> bool:
        """True for a question that is folded. chat.js has the same rule (`chat/folds.js`)."""
        return self.role == Role.USER and (len(self.text) > MANY_CHARS or self.text.count("\n") >= MANY_LINES)

    @property
    def is_large(self) -> bool:
        """True for a question over which a browser would take long. chat.js has the same rule (`chat/large.js`)."""
        return self.role == Role.USER and len(self.text) > LARGE_CHARS


BLANK_MESSAGES = tuple(ShownMessage(role) for role in ("user", "assistant"))
BLANK_PARTS = tuple(ShownPart(kind) for kind in ("text", "reasoning", "tool", "file", "image"))


def script_texts() -> str:
    """The texts of chat.js in the active language, as a JSON object. `servers` has the labels of the MCP servers."""
    texts = {name: str(text) for name, text in (NOTES | SCRIPT_TEXTS).items()}
    return json.dumps({**texts, "servers": mcp.labels()})


def _note(metadata: dict[str, Any], shown: tuple[ShownPart, ...]) -> tuple[str, str]:
    """The kind and the text of an answer's note. The text is empty if the answer is complete or is being written."""
    status, error = metadata.get("status", ""), metadata.get("error")
    kind = status if error or status in NOTES else metadata.get("finishReason") or ""
    if status == Status.FINISHED and kind not in NOTES and all(part.kind == "reasoning" for part in shown):
        kind = "empty"
    return kind, str(error or NOTES.get(kind, ""))


def _usage(generation: Generation) -> str:
    """The tokens of an answer and their cost, as far as they are known."""
    if generation.output_tokens is None:
        return ""
    known = "?" if generation.input_tokens is None else generation.input_tokens
    tokens = gettext("{input} + {output} tokens").format(input=known, output=generation.output_tokens)
    return tokens if generation.cost is None else f"{tokens} · {generation.cost.normalize():f}"


def shown_message(rows: list[Message]) -> ShownMessage:
    """A message without its branch. `rows` are all rows of its contribution."""
    first = rows[0]
    generation = rows[-1].generation_if_any
    if generation is None:
        shown = shown_parts(addressed(parts_of(rows)))
        return ShownMessage(first.role, first.public_id, shown, created_at=first.created_at)
    parts = shown_parts(_parts_so_far(generation) if generation.is_active else parts_of(rows))
    note_kind, note = _note(generation.metadata, parts)
    return ShownMessage(
        role=first.role,
        id=first.public_id,
        parts=tuple(part._replace(is_markdown=part.kind == "text") for part in parts),
        created_at=first.created_at,
        provider=asked_provider(rows),
        usage=_usage(generation),
        note_kind=note_kind,
        note=note,
        is_active=generation.is_active,
        feedback=getattr(first, "feedback", None),
    )


def _parts_so_far(generation: Generation) -> tuple[Part, ...]:
    return fold_chunks(chunk_of(frame) for frame in read_frames(generation.pk, 0, limit=EVERY_FRAME))


def shown_parts(parts: tuple[Part, ...]) -> tuple[ShownPart, ...]:
    """The parts that the page has a template for. It has none for sources; these are for other clients."""
    kinds = ((part["type"].partition("-")[0], part) for part in ui_parts(parts))
    shown = tuple(_PARTS[kind](part) for kind, part in kinds if kind in _PARTS)
    return _with_durations(shown, parts)


def _with_durations(shown: tuple[ShownPart, ...], parts: tuple[Part, ...]) -> tuple[ShownPart, ...]:
    """Adds how long the model thought and how long each tool took, where that is known."""
    of_tools = {part.call_id: duration(part.duration_ms) for part in parts if isinstance(part, ToolResult)}
    thoughts = iter([duration(part.duration_ms) for part in parts if isinstance(part, ReasoningPart) and part.text])
    timed: dict[str, Callable[[ShownPart], ShownPart]] = {
        "tool": lambda part: part._replace(duration=of_tools.get(part.id, "")),
        "reasoning": lambda part: part._replace(label=thought_for(next(thoughts, ""))),
    }
    return tuple(timed[part.kind](part) if part.kind in timed else part for part in shown)


def _text(part: dict[str, Any]) -> ShownPart:
    return ShownPart("text", text=part["text"])


def _reasoning(part: dict[str, Any]) -> ShownPart:
    return ShownPart("reasoning", text=part["text"])


def _tool(part: dict[str, Any]) -> ShownPart:
    name, given = part["type"].partition("-")[2], part.get("input", part.get("rawInput"))
    return ShownPart(
        "tool",
        id=part["toolCallId"],
        name=name,
        label=readable_name(name, mcp.labels()),
        text=summary_of(given),
        state=part["state"],
        input=shown_value(given),
        output=shown_value(part.get("output", part.get("errorText"))),
    )


def _file(part: dict[str, Any]) -> ShownPart:
    """Shows a picture only if this site serves it. Any other server would learn who reads the message.

    Only the address of a stored file is this site's: a model that names another path of the site gets no request there.
    """
    url, media_type = part["url"], part["mediaType"]
    stored = id_served_at(url)
    is_ours = stored is not None and url == address(stored)
    is_safe = is_ours or url.startswith(("https:", "http:", "data:"))
    kind = "image" if is_ours and media_type in IMAGES else "file"
    return ShownPart(kind, url=url if is_safe else "", label=part.get("filename") or media_type)


_PARTS = {"text": _text, "reasoning": _reasoning, "tool": _tool, "file": _file}
