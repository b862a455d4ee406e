"""Deletes a conversation for its owner, also one in which an answer is being written."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from streaming.database import in_database
from streaming.errors import Conflict
from streaming.intake import delete_idle
from streaming.models import Owner
from streaming.supervisor import stop_all

PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0)
"""Seconds between two attempts. A process that writes an answer obeys a stop at its next tick."""


async def stop_and_delete(owner: Owner, key: str) -> None:
    """Stops what is being written in a conversation and deletes it, with its messages and files.

    Raises:
        Conflict: the answer did not end within five seconds.
        NotFound: there is no such conversation of the owner's.
    """
    for pause in PAUSES:
        await stop_all(owner, key)
        with suppress(Conflict):
            return await in_database(delete_idle, owner, key)
        await asyncio.sleep(pause)
    await in_database(delete_idle, owner, key)
