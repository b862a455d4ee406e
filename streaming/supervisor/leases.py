"""Leases: a process holds its generations by renewing their leases at each tick.

A tick is one transaction for all generations of a process. First it renews their leases; this locks their rows, so that
nobody settles them during the tick. Then it reads which of them must stop. Last it inserts the new frames, inside a
savepoint, so that leases are renewed even if frames cannot be stored. These are three statements; a tick with very many
frames needs several inserts.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from typing import NamedTuple

from django.db import DatabaseError, connections

from streaming.conf import settings
from streaming.database import alias, atomic, retry_on_deadlock, told
from streaming.journal import Batch, write_frames
from streaming.models import Generation

logger = logging.getLogger(__name__)


class Tick(NamedTuple):
    """The result of a tick.

    `held` has the generations that the worker still holds. Each value is the reason why the generation must stop, or
    None. A generation that is missing was settled by another process and must stop, too. `has_written` is False if the
    frames could not be stored.
    """

    held: dict[uuid.UUID, str | None]
    has_written: bool


@retry_on_deadlock
def tick(worker: str, live: Mapping[uuid.UUID, Batch]) -> Tick:
    """Renews the leases of `worker`, and writes the new frames of its `live` generations."""
    with atomic():
        held = Generation.objects.held_by(worker, live)
        held.renew(settings.LEASE_SECONDS)
        reasons = {
            pk: (reason or "user") if requested_at else None
            for pk, requested_at, reason in held.values_list("pk", "cancel_requested_at", "cancel_reason")
        }
        return Tick(reasons, _can_write({pk: live[pk] for pk in reasons}))


def _can_write(batches: Mapping[uuid.UUID, Batch]) -> bool:
    """Writes the frames. Returns False if the database refused them.

    Raises:
        DatabaseError: the database has undone the whole transaction, and the leases with it.
    """
    try:
        with atomic():
            write_frames(batches)
    except DatabaseError as trouble:
        if connections[alias()].needs_rollback:
            raise
        logger.warning("The journal took no frames (%s); they are kept, and tried again.", told(trouble))
        return False
    return True
