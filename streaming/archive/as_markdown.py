"""Writes conversations as Markdown for people: the path that is shown. An archive has all branches."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

from streaming.archive.bundle import Bundle
from streaming.models import History
from streaming.protocol import FilePart, Part, ReasoningPart, RefusalPart, TextPart, ToolCall, ToolResult


def markdown(bundles: Iterable[Bundle]) -> Iterator[str]:
    """Yields one text for each conversation: its title, then each message below a heading with its role."""
    for number, bundle in enumerate(bundles):
        yield ("\n" if number else "") + "\n\n".join(_blocks(bundle)) + "\n"


def _blocks(bundle: Bundle) -> Iterator[str]:
    conversation = bundle.conversation
    yield f"# {_one_line(conversation.title or conversation.key)}"
    yield f"{conversation.created_at:%Y-%m-%d %H:%M} · {conversation.provider} · `{conversation.key}`"
    history = History(conversation, bundle.rows["message"])
    for message in history.path(history.leaf):
        yield f"## {message.role}"
        yield from filter(None, map(_block, message.typed_parts))


def _block(part: Part) -> str:
    write = BLOCKS.get(type(part))
    return write(part) if write else ""


def _reasoning(part: ReasoningPart) -> str:
    return "\n".join(f"> {line}".rstrip() for line in part.text.splitlines())


def _call(part: ToolCall) -> str:
    return f"Call of `{_one_line(part.name)}`:\n\n{_fenced(part.raw_arguments)}"


def _result(part: ToolResult) -> str:
    output = part.output if isinstance(part.output, str) else json.dumps(part.output, ensure_ascii=False, indent=2)
    return f"{'Error' if part.is_error else 'Result'}:\n\n{_fenced(output)}"


def _file(part: FilePart) -> str:
    return f"File: {_one_line(part.filename or part.media_type)}"


def _fenced(text: str) -> str:
    """Fences a text. The fence is longer than any in the text."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text}\n{fence}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


BLOCKS: dict[type, Callable[..., str]] = {
    TextPart: lambda part: part.text,
    RefusalPart: lambda part: part.text,
    ReasoningPart: _reasoning,
    ToolCall: _call,
    ToolResult: _result,
    FilePart: _file,
}
