"""Deletes a conversation for its owner, also one in which an answer is being written."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress

from streaming.database import in_database
from streaming.errors import Conflict
from streaming.intake import delete
from streaming.models import Generation, Owner
from streaming.supervisor import stop

PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0)
"""Seconds between two attempts. A process that writes an answer obeys a stop at its next tick."""


async def stop_and_delete(owner: Owner, key: str) -> None:
    """Stops what is being written in a conversation and deletes it, with its messages and files.

    Raises:
        Conflict: the answer did not end within five seconds.
        NotFound: there is no such conversation of the owner's.
    """
    for pause in PAUSES:
        for generation_id in await in_database(_active_ids, owner, key):
            await stop(generation_id)
        with suppress(Conflict):
            return await in_database(delete, owner, key)
        await asyncio.sleep(pause)
    await in_database(delete, owner, key)


def _active_ids(owner: Owner, key: str) -> list[uuid.UUID]:
    active = Generation.objects.active().owned_by(owner).filter(conversation__key=key)
    return list(active.values_list("pk", flat=True))
