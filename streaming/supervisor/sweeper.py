"""The sweeper: every process regularly removes what dead processes and old answers have left."""

from __future__ import annotations

import asyncio
import ctypes
import functools
import itertools
import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import Error as DatabaseTrouble

from streaming.archive import (
    forget_expired_shares,
    forget_old,
    forget_old_accesses,
    forget_old_entries,
    forget_revoked_links,
)
from streaming.conf import settings
from streaming.database import in_database, in_steps, told
from streaming.files import forget_unsent
from streaming.journal import prune_frames
from streaming.settlement import end_lost_calls, reap

logger = logging.getLogger(__name__)

# Frames are kept for an hour, so it is soon enough to look for old ones every few minutes.
SWEEPS_PER_PRUNING = 60
CHORES: tuple[Callable[[], Iterator[int]], ...] = (
    prune_frames,
    forget_unsent,
    end_lost_calls,
    forget_old,
    forget_expired_shares,
    forget_revoked_links,
    forget_old_accesses,
    forget_old_entries,
)
"""What a pruning does. Each step is a piece of work of its own. A chore that fails does not stop the next ones."""


async def sweep_forever() -> None:
    """Settles the generations of dead processes. Removes old frames, files, conversations, links and logs.

    The pauses are random, so that the processes of a site do not sweep at the same time.
    """
    for sweep in itertools.count(1):
        await asyncio.sleep(settings.SWEEP_SECONDS * random.uniform(0.5, 1))  # noqa: S311  # spreads load
        with _failures_logged():
            while await in_database(reap):
                pass
        for chore in CHORES if sweep % SWEEPS_PER_PRUNING == 0 else ():
            with _failures_logged():
                await in_steps(chore())
        with _failures_logged():
            asyncio.get_running_loop().run_in_executor(None, return_memory)  # not awaited: the next sweep need not wait


@contextmanager
def _failures_logged() -> Iterator[None]:
    """A context whose failure is logged. A process that stops sweeping leaves dead generations unsettled."""
    try:
        yield
    except DatabaseTrouble as trouble:
        logger.warning("Sweeping failed (%s); trying again later.", told(trouble))
    except Exception:
        logger.exception("Sweeping failed.")


def return_memory() -> None:
    """Returns freed memory to the operating system; does nothing where the C library cannot.

    glibc keeps freed memory for later use. Measured: with a 9 MB answer the process grows to about 160 MB, and this
    returns the memory. It takes milliseconds, and other Python threads run at the same time.
    """
    _trim()(0)


@functools.cache
def _trim() -> Callable[[int], object]:
    """glibc's `malloc_trim` (malloc_trim(3)); its argument is the number of bytes to keep."""
    try:
        trim: Callable[[int], object] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # no such function; no such library; Windows, which needs a name
        return lambda kept: None
    return trim
