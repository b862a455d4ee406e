"""The moment between the acceptance of a submission and the start of its answer."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from streaming.database import in_database
from streaming.intake import Accepted, Sender, Submission, accept
from streaming.settlement import alive


@asynccontextmanager
async def accepting(sender: Sender, submission: Submission) -> AsyncIterator[Accepted]:
    """Accepts a submission on a database thread. The new generation must be started inside this context.

    That thread also adds the generation to `alive`. A busy event loop could add it only after its lease has run out,
    and the reaper would take it for dead. If it could not be started, it is no longer alive, and the reaper settles it.
    """
    new: list[uuid.UUID] = []

    def accept_alive() -> Accepted:
        accepted = accept(sender, submission)
        if accepted.start is not None:
            new.append(accepted.generation.pk)
            alive.update(new)
        return accepted

    try:
        yield await in_database(accept_alive)
    except BaseException:
        alive.difference_update(new)
        raise
