"""Leases: a process holds its generations by renewing their leases.

A tick is one transaction for all generations of a process. It renews the leases that are due and selects all rows for
update, which locks them: nobody settles them during the tick. So it reads which of them must stop. Last it inserts the
new frames. If it renews leases, it inserts within a savepoint, so that these are renewed even if the frames cannot be
stored. A tick with very many frames needs several inserts. A tick that neither renews nor writes only reads.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection, Mapping
from typing import NamedTuple

from django.db import DatabaseError, connections

from streaming.conf import settings
from streaming.database import alias, atomic, retry_on_deadlock, told
from streaming.journal import Batch, write_frames
from streaming.models import Generation, GenerationQuerySet

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
def tick(worker: str, live: Mapping[uuid.UUID, Batch], due: Collection[uuid.UUID]) -> Tick:
    """Renews the leases of the generations `due`, and writes the new frames of all `live` generations of `worker`.

    Raises:
        DatabaseError: nothing was changed.
    """
    held = Generation.objects.held_by(worker, live).order_by()
    batches = {pk: batch for pk, batch in live.items() if batch.frames}
    if not due and not batches:
        return Tick(_reasons(held), has_written=True)
    with atomic():
        if due:
            Generation.objects.held_by(worker, due).renew(settings.LEASE_SECONDS)
        reasons = _reasons(held.order_by("pk").select_for_update())
        still_held = {pk: batch for pk, batch in batches.items() if pk in reasons}
        if due:
            return Tick(reasons, _can_write(still_held))
        write_frames(still_held)
    return Tick(reasons, has_written=True)


def _reasons(held: GenerationQuerySet) -> dict[uuid.UUID, str | None]:
    """The generations that the worker still holds, each with the reason why it must stop, or None."""
    rows = held.values_list("pk", "cancel_requested_at", "cancel_reason")
    return {pk: (reason or "user") if requested_at else None for pk, requested_at, reason in rows}


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
