"""Conversations as turns for a vendor's format: in requests that staff look at, and in datasets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from streaming.access import redacted, redacted_text
from streaming.context import sent_of, summary_turn
from streaming.models import Generation, History, Message, Role, Summary
from streaming.protocol import FilePart, GenerationRequest, Part, TextPart, Turn, encode
from streaming.protocol.requests import repair
from streaming.providers import dialect_of, options_of
from streaming.tools import toolbox_for

DEFAULT_DIALECT = "openai-chat"
"""The most common dialect: that of a request to a provider whose own is not known."""

OPTIONS = ("max_output_tokens", "temperature", "tool_choice")
"""The options of a provider that are fields of each request. Keys and headers are never among them."""


def turns_from(messages: Iterable[Message]) -> tuple[Turn, ...]:
    """Returns the turns after the site's redaction. Each file is a line of text with its name."""
    turns = [Turn(role="assistant" if one.role == Role.ASSISTANT else "user", parts=_parts(one)) for one in messages]
    return repair(turns)


def _parts(message: Message) -> tuple[Part, ...]:
    return tuple(_without_file(part) for part in redacted(message.typed_parts))


def _without_file(part: Part) -> Part:
    if isinstance(part, FilePart):
        return TextPart(text=f"[File {part.filename or part.media_type}]")
    return part


def request_body(generation: Generation) -> dict[str, Any]:
    """Returns the body of the request that began this generation, made anew from the rows and today's settings."""
    alias, conversation = generation.provider, generation.conversation
    options = options_of(alias)
    request = GenerationRequest(
        turns=_turns_sent(generation),
        system=redacted_text(conversation.system_prompt) or options.get("system", ""),
        model=generation.model or options.get("model"),
        tools=toolbox_for(generation.asked_provider, conversation.tool_names).specs,
        extra=options.get("extra_body", {}),
        **{name: options[name] for name in OPTIONS if name in options},
    )
    return encode(dialect_of(alias) or DEFAULT_DIALECT, request)


def _turns_sent(generation: Generation) -> tuple[Turn, ...]:
    """Returns the turns that the model was sent: a summary or nothing in place of those that were left out."""
    path = History.read(generation.conversation).path(generation.message.parent)
    sent = sent_of(generation.context)
    if sent is None or sent.first is None:
        return turns_from(path)
    ids = [message.pk for message in path]
    turns = turns_from(path[ids.index(sent.first) if sent.first in ids else 0 :])
    summary = Summary.objects.filter(pk=sent.summary).first() if sent.summary else None
    return (summary_turn(redacted_text(summary.text)), *turns) if summary else turns
