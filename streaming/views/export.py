"""A conversation as one Markdown text, for its owner to keep."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext

from streaming.models import Conversation
from streaming.views.shown import ShownMessage, ShownPart
from streaming.views.window import shown_messages


def as_markdown(conversation: Conversation) -> str:
    """Returns the messages of the path that is shown: what was said, the tools that were called, links to files.

    Reasoning is left out, and so are the arguments and results of tools.
    """
    title = conversation.title or gettext("Untitled")
    return "\n\n".join([f"# {title}", *map(_message, shown_messages(conversation))]) + "\n"


def _message(message: ShownMessage) -> str:
    heading = gettext("You") if message.role == "user" else gettext("Assistant")
    parts = [PARTS[part.kind](part) for part in message.parts if part.kind in PARTS]
    note = [f"*{message.note}*"] if message.note else []
    return "\n\n".join([f"## {heading}", *filter(None, parts), *note])


def _text(part: ShownPart) -> str:
    return part.text.strip()


def _tool(part: ShownPart) -> str:
    summary = f": {part.text}" if part.text else ""
    return f"> **{part.label}**{summary}"


def _file(part: ShownPart) -> str:
    label = part.label.replace("[", "(").replace("]", ")")
    return f"[{label}]({part.url})" if part.url else label


PARTS: dict[str, Callable[[ShownPart], str]] = {"text": _text, "tool": _tool, "file": _file, "image": _file}
