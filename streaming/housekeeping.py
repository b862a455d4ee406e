"""Housekeeping: what every process looks for now and then, whoever left it behind."""

from __future__ import annotations

import asyncio
import itertools
import logging
import random

from django.db import Error as DatabaseTrouble

from streaming.conf import settings
from streaming.database import in_database
from streaming.files import forget_unsent
from streaming.journal import prune_frames
from streaming.memory import give_back
from streaming.settlement import reap

logger = logging.getLogger(__name__)

# Frames are kept for an hour; looking for old ones every few minutes is soon enough.
SWEEPS_PER_PRUNING = 60


async def sweep_forever() -> None:
    """Settle the dead, and remove what nobody needs; at irregular times, so that processes do not sweep together."""
    for sweep in itertools.count(1):
        await asyncio.sleep(settings.SWEEP_SECONDS * random.uniform(0.5, 1))  # noqa: S311  # spreads load
        try:
            await in_database(reap)
            if sweep % SWEEPS_PER_PRUNING == 0:
                await in_database(prune_frames)
                await in_database(forget_unsent)
            asyncio.get_running_loop().run_in_executor(None, give_back)  # which the next sweep need not wait for
        except DatabaseTrouble as trouble:
            logger.warning("Sweeping failed (%s); trying again later.", type(trouble).__name__)
        except Exception:
            # Whatever it was: who does not sweep leaves the dead to nobody.
            logger.exception("Sweeping failed.")
