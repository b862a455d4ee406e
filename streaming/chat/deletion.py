"""Deletion of conversations by a site's own code."""

from __future__ import annotations

from typing import Any

from streaming.archive import delete_conversations as delete_stored
from streaming.chat.asker import asker_of
from streaming.database import in_steps
from streaming.models import Owner
from streaming.supervisor import stop_all


async def delete_conversations(key: str | None = None, *, user: Any = None, owner: Owner | None = None) -> int:
    """Deletes the owner's conversation `key` or, without a key, all that the owner has stored; files included.

    Answers that are being written there are stopped first. Returns the number of deleted conversations.

    Raises:
        LoginRequired: the user is anonymous.
    """
    asker = await asker_of(user, owner)
    await stop_all(asker, key)
    return await in_steps(delete_stored(asker, key))
