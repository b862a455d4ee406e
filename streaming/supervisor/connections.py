"""The connections of an event loop to providers and to Redis. They end with the loop."""

from __future__ import annotations

import asyncio

from streaming.journal import close_journals
from streaming.providers import close_providers


async def close_with_the_loop() -> None:
    """Waits until the event loop ends, and closes its connections.

    A worker ends a loop after each job, by `asyncio.run`, which cancels all tasks. Nobody drains it.
    """
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        await close_providers()
        await close_journals()
