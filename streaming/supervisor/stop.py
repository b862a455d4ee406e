"""Stopping generations, whichever process runs them."""

from __future__ import annotations

import uuid
from typing import Literal, cast

from streaming.database import in_database
from streaming.journal import redis_journal
from streaming.models import Generation, Owner
from streaming.settlement import reap_one
from streaming.supervisor.supervisor import current

StopAnswer = Literal["stopping", "finished", "cancelled", "failed", "truncated", "interrupted", "not_running"]


async def stop(generation_id: uuid.UUID, reason: str = "user") -> StopAnswer:
    """Asks the process that runs the generation to stop. The request is in the row before this returns.

    If the generation runs in this process, the provider's connection is closed first. Another process stops it at its
    next tick, or at once if the site has Redis.

    Returns "stopping", or how the generation had ended before: its status. Returns "not_running" if it was deleted.
    """
    run = current().find(generation_id)
    is_here = run is not None and run.is_live
    if run is not None:
        run.cancel(reason)
    is_asked = await in_database(_request_cancel, generation_id, reason)
    if run is None and is_asked and (redis := redis_journal()):
        await redis.call_stop(generation_id)
    if is_here or is_asked:
        return "stopping"
    return await in_database(_how_it_ended, generation_id)


async def stop_all(owner: Owner, key: str | None = None) -> None:
    """Stops what is being written for an owner: in the conversation `key` or, without a key, in all of them."""
    for generation_id in await in_database(_active_ids, owner, key):
        await stop(generation_id)


def _active_ids(owner: Owner, key: str | None) -> list[uuid.UUID]:
    active = Generation.objects.active().owned_by(owner)
    chosen = active if key is None else active.filter(conversation__key=key)
    return list(chosen.values_list("pk", flat=True))


def _request_cancel(generation_id: uuid.UUID, reason: str) -> bool:
    reap_one(generation_id)
    return Generation.objects.filter(pk=generation_id).request_cancel(reason)


def _how_it_ended(generation_id: uuid.UUID) -> StopAnswer:
    status = Generation.objects.filter(pk=generation_id).values_list("status", flat=True).first()
    return cast("StopAnswer", status) if status else "not_running"
