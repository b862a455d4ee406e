"""Reviewed answers as a dataset: one JSON object a line, in OpenAI's or Anthropic's chat format, with the review.

Each line has what led to the answer and the answer itself. Reasoning, signatures and files are left out: neither format
takes them from others than the vendor.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse

from streaming.access import redacted_text
from streaming.admin.as_turns import turns_from
from streaming.admin.streamed import file_response
from streaming.models import Action, History, Message, Review, StaffAccess, listed
from streaming.protocol import GenerationRequest, Part, RefusalPart, TextPart, ToolCall, ToolResult, Turn, encode
from streaming.protocol.requests import repair
from streaming.tools import Toolbox, registered

FORMATS = {"openai": "openai-chat", "anthropic": "anthropic-messages"}
KEPT_FIELDS = ("system", "messages", "tools")
PER_QUERY = 200
KEPT_HISTORIES = 16
"""The number of conversations that are kept, because the answers of one conversation often come close together."""


def dataset_response(request: HttpRequest, answers: QuerySet[Message], format_name: str) -> StreamingHttpResponse:
    """Streams the reviewed ones of `answers` as a file. The export is logged before it begins."""
    reviewed = answers.filter(review__isnull=False).order_by("created_at", "pk")
    StaffAccess.objects.record(
        request.user, Action.EXPORT, "message", count=reviewed.count(), detail=f"dataset {format_name}"
    )
    lines = lines_of(reviewed, format_name)
    return file_response(request, lines, "application/jsonl", f"reviewed-{format_name}.jsonl")


def lines_of(answers: QuerySet[Message], format_name: str) -> Iterator[str]:
    """Yields a line for each of the answers, which all have a review."""
    whole = answers.defer(None).select_related("conversation", "generation", "review__reviewer")
    history = lru_cache(KEPT_HISTORIES)(History.read)
    for answer in whole.iterator(PER_QUERY):
        path = history(answer.conversation).path(answer)
        yield msgspec.json.encode(_record(answer, path, FORMATS[format_name])).decode() + "\n"


def _record(answer: Message, path: list[Message], dialect: str) -> dict[str, Any]:
    generation = answer.generation_if_any
    request = GenerationRequest(
        turns=_plain(turns_from(path)),
        system=redacted_text(answer.conversation.system_prompt),
        tools=Toolbox.of(tool for name, tool in registered().items() if listed(name) in answer.tool_names).specs,
    )
    body = encode(dialect, request)
    return {
        **{name: body[name] for name in KEPT_FIELDS if name in body},
        "metadata": {
            "id": str(answer.pk),
            "conversation": str(answer.conversation_id),
            "model": generation.model if generation else "",
            "status": generation.status if generation else "",
            **_verdict(answer.review),
        },
    }


def _verdict(review: Review) -> dict[str, Any]:
    return {
        "rating": review.rating,
        "labels": review.label_set,
        "note": redacted_text(review.note),
        "flagged": review.is_flagged,
        "reviewed_by": review.reviewer.get_username() if review.reviewer else None,
        "reviewed_at": review.reviewed_at.isoformat(),
    }


def _plain(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    return repair([Turn(role=turn.role, parts=tuple(_bare(turn.parts))) for turn in turns])


def _bare(parts: tuple[Part, ...]) -> Iterator[Part]:
    """Yields the parts that every vendor takes, without the fields that only their maker reads."""
    for part in parts:
        if isinstance(part, (TextPart, RefusalPart)):
            yield TextPart(text=part.text)
        elif isinstance(part, (ToolCall, ToolResult)) and not part.is_provider_executed:
            yield msgspec.structs.replace(part, raw=None, origin=None)
