"""Stopping a generation, whichever process runs it."""

from __future__ import annotations

import uuid
from typing import Literal

from streaming.database import in_database
from streaming.journal import redis_journal
from streaming.models import Generation
from streaming.settlement import reap_one
from streaming.supervisor.supervisor import current

StopAnswer = Literal["stopping", "finished", "not_running"]


async def stop(generation_id: uuid.UUID, reason: str = "user") -> StopAnswer:
    """Asks the process that runs the generation to stop. The request is in the row before this returns.

    If the generation runs in this process, the provider's connection is closed first. Another process stops it at its
    next tick, or at once if the site has Redis. The answer is "stopping", or "finished" if nothing was left to stop.
    """
    run = current().find(generation_id)
    is_here = run is not None and run.is_live
    if run is not None:
        run.cancel(reason)
    is_asked = await in_database(_request_cancel, generation_id, reason)
    if run is None and is_asked and (redis := redis_journal()):
        await redis.call_stop(generation_id)
    return "stopping" if is_here or is_asked else "finished"


def _request_cancel(generation_id: uuid.UUID, reason: str) -> bool:
    reap_one(generation_id)
    return Generation.objects.filter(pk=generation_id).request_cancel(reason)
