"""The sum of an ended answer's frames, for readers that were sent all of them."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import Error as DatabaseTrouble

from streaming.database import in_database
from streaming.models import Generation, earlier_rows, parts_of
from streaming.protocol import RefusalPart, TextPart


async def total_of(generation_id: uuid.UUID) -> dict[str, Any]:
    """Returns the whole `text` of the answer, and its metadata: `status`, `finishReason`, `usage` and more.

    It is read from the rows, because a text that is collected beside the frames would cost each reader its size in
    memory. It is empty if the rows are gone or the database is away.
    """
    try:
        return await in_database(_total, generation_id)
    except (DatabaseTrouble, Generation.DoesNotExist):
        return {}


def _total(generation_id: uuid.UUID) -> dict[str, Any]:
    generation = Generation.objects.select_related("message__parent").get(pk=generation_id)
    parts = parts_of([*earlier_rows(generation.message), generation.message])
    text = "".join(part.text for part in parts if isinstance(part, TextPart | RefusalPart))
    return {"text": text, **generation.metadata}
