"""Makes rows into the values that the chat templates show.

The templates and chat.js show the same values, the parts of a UIMessage and its metadata. So an answer looks the same
while it streams and after a reload.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from django.utils.translation import gettext, gettext_lazy

from streaming.files.addresses import address, addressed, id_served_at
from streaming.files.kinds import IMAGES
from streaming.journal import read_frames
from streaming.models import Branch, Conversation, Generation, Message, MessageTree, contributions, parts_of, path_of
from streaming.protocol import Part
from streaming.protocol.ui_stream import chunk_of, fold_chunks, ui_parts

# A generation's status or finish reason -> the note below an answer that is not complete.
NOTES = {
    "cancelled": gettext_lazy("Stopped."),
    "length": gettext_lazy("The answer reached its length limit."),
    "content_filter": gettext_lazy("The provider's filter withheld the rest of this answer."),
}
# The texts that chat.js shows on its own.
SCRIPT_TEXTS = {
    "answering": gettext_lazy("The assistant is answering."),
    "stillAnswering": gettext_lazy("Still answering."),
    "answered": gettext_lazy("The answer is complete."),
    "reconnecting": gettext_lazy("Connection lost. Reconnecting…"),
    "notUploaded": gettext_lazy("The file could not be sent. Remove it and try again."),
    "unreachable": gettext_lazy("The site could not be reached. Your message is still in its box."),
    "unshown": gettext_lazy("That version could not be shown. Try again."),
    "unstopped": gettext_lazy("The answer could not be stopped. Try again."),
    "broken": gettext_lazy("Something went wrong on this page. Reload it to see the answer."),
}


class ShownPart(NamedTuple):
    """One part. `kind` selects the template `streaming/_part_<kind>.html`. All other fields are text or empty.

    `is_markdown` is True for the text of an answer. What people write is shown as they wrote it.
    """

    kind: str
    id: str = ""
    text: str = ""
    name: str = ""
    state: str = ""
    input: str = ""
    output: str = ""
    url: str = ""
    label: str = ""
    is_markdown: bool = False

    @property
    def template(self) -> str:
        return f"streaming/_part_{self.kind}.html"


class ShownMessage(NamedTuple):
    """One message.

    `note` says why an answer is not complete. `status` is the status of its generation. `branch` is its place among the
    other versions of this message.
    """

    role: str
    id: str = ""
    parts: tuple[ShownPart, ...] = ()
    status: str = ""
    note: str = ""
    is_active: bool = False
    branch: Branch | None = None

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts if part.kind == "text")


BLANK_MESSAGES = tuple(ShownMessage(role) for role in ("user", "assistant"))
BLANK_PARTS = tuple(ShownPart(kind) for kind in ("text", "reasoning", "tool", "file", "image"))


def shown_messages(conversation: Conversation | None) -> list[ShownMessage]:
    """The messages of the path that is shown. An answer that is being written has the parts that it has so far."""
    if conversation is None:
        return []
    tree = MessageTree(conversation)
    grouped = contributions(path_of(conversation))
    return [_shown(rows)._replace(branch=tree.branch(rows[0])) for rows in grouped]


def script_texts() -> str:
    """The texts of chat.js in the active language, as a JSON object."""
    return json.dumps({name: gettext(str(text)) for name, text in (NOTES | SCRIPT_TEXTS).items()})


def _note(metadata: dict[str, Any]) -> str:
    """The note for an answer with this metadata. Empty if the answer is complete or is being written."""
    named = (metadata.get("status"), metadata.get("finishReason"))
    return str(metadata.get("error") or next((NOTES[name] for name in named if name in NOTES), ""))


def _shown(rows: list[Message]) -> ShownMessage:
    first = rows[0]
    generation: Generation | None = getattr(rows[-1], "generation", None)
    if generation is None:
        return ShownMessage(first.role, first.public_id, _shown_parts(parts_of(rows)))
    parts = _parts_so_far(generation) if generation.is_active else parts_of(rows)
    return ShownMessage(
        role=first.role,
        id=first.public_id,
        parts=tuple(part._replace(is_markdown=part.kind == "text") for part in _shown_parts(parts)),
        status=generation.status,
        note=_note(generation.metadata),
        is_active=generation.is_active,
    )


def _parts_so_far(generation: Generation) -> tuple[Part, ...]:
    return fold_chunks(chunk_of(frame) for frame in read_frames(generation.pk, 0, limit=2**31))


def _shown_parts(parts: tuple[Part, ...]) -> tuple[ShownPart, ...]:
    """The parts that the page has a template for. It has none for sources; these are for other clients."""
    kinds = ((part["type"].partition("-")[0], part) for part in ui_parts(addressed(parts)))
    return tuple(_PARTS[kind](part) for kind, part in kinds if kind in _PARTS)


def _text(part: dict[str, Any]) -> ShownPart:
    return ShownPart("text", text=part["text"])


def _reasoning(part: dict[str, Any]) -> ShownPart:
    return ShownPart("reasoning", text=part["text"])


def _tool(part: dict[str, Any]) -> ShownPart:
    return ShownPart(
        "tool",
        id=part["toolCallId"],
        name=part["type"].partition("-")[2],
        state=part["state"],
        input=_readable(part.get("input", part.get("rawInput"))),
        output=_readable(part.get("output", part.get("errorText"))),
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


def _readable(value: Any) -> str:
    """A JSON value with indentation. Text stays as it is."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, indent=2, ensure_ascii=False)


_PARTS = {"text": _text, "reasoning": _reasoning, "tool": _tool, "file": _file}
