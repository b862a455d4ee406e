"""Writes messages as CSV for spreadsheets: one row for each message, all branches."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from streaming.archive.bundle import Bundle
from streaming.models import Conversation, Generation, Message

CONVERSATION = ("key", "title", "owner_key")
MESSAGE = ("id", "parent_id", "role", "created_at", "text")
GENERATION = (
    "provider", "model", "status", "finish_reason", "error_code", "input_tokens", "output_tokens",
    "cached_input_tokens", "reasoning_tokens", "cost", "first_delta_ms", "duration_ms",
)  # fmt: skip
# Spreadsheets take a cell that begins with one of these for a formula: CWE-1236, "CSV injection". The list is OWASP's.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class _Line:
    """A file for `csv.writer` that returns what is written to it."""

    def write(self, text: str) -> str:
        return text


def spreadsheet(bundles: Iterable[Bundle]) -> Iterator[str]:
    """Yields the heading and the rows, each with its line ending.

    A text that a spreadsheet would calculate has an apostrophe before it.
    """
    writer: Any = csv.writer(_Line())
    yield writer.writerow(("conversation", *CONVERSATION[1:], *MESSAGE, *GENERATION))
    for bundle in bundles:
        written = {generation.message_id: generation for generation in bundle.rows["generation"]}
        for message in bundle.rows["message"]:
            yield writer.writerow(_cells(bundle.conversation, message, written.get(message.pk)))


def _cells(conversation: Conversation, message: Message, generation: Generation | None) -> list[Any]:
    rows = ((conversation, CONVERSATION), (message, MESSAGE), (generation, GENERATION))
    return [plain_cell(getattr(row, name, None)) for row, names in rows for name in names]


def plain_cell(value: Any) -> Any:
    """Returns the value of a cell. A text that a spreadsheet would calculate has an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
