"""Deletion of conversations by a site's own code."""

from __future__ import annotations

import uuid
from typing import Any

from streaming.archive import delete_conversations as delete_stored
from streaming.chat.asker import asker_of
from streaming.database import in_database
from streaming.models import Generation, Owner
from streaming.supervisor import stop


async def delete_conversations(key: str | None = None, *, user: Any = None, owner: Owner | None = None) -> int:
    """Deletes the owner's conversation `key` or, without a key, all that the owner has stored; files included.

    Answers that are being written there are stopped first. Returns the number of deleted conversations.

    Raises:
        LoginRequired: the user is anonymous.
    """
    asker = asker_of(user, owner)
    for generation_id in await in_database(_active_ids, asker, key):
        await stop(generation_id)
    return await in_database(delete_stored, asker, key)


def _active_ids(owner: Owner, key: str | None) -> list[uuid.UUID]:
    active = Generation.objects.active().owned_by(owner)
    chosen = active if key is None else active.filter(conversation__key=key)
    return list(chosen.values_list("pk", flat=True))
