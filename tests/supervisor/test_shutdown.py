"""A process that runs one event loop after the other, as a worker does for its jobs."""

from __future__ import annotations

import asyncio
import signal
import weakref
from collections.abc import Iterator

import pytest

from streaming.supervisor.shutdown import SIGNALS, Shutdown

Received = list[int]


@pytest.fixture
def received() -> Iterator[Received]:
    """The signals that the worker's own handler has received."""
    got: Received = []
    before = {number: signal.signal(number, lambda number, frame: got.append(number)) for number in SIGNALS}
    yield got
    for number, handler in before.items():
        signal.signal(number, handler)


async def _drain(seconds: float) -> None:
    """Drains nothing."""


async def _job() -> weakref.ref[Shutdown]:
    shutdown = Shutdown(_drain)
    shutdown.install()
    return weakref.ref(shutdown)


def test_handlers_of_earlier_loops_are_given_back(received: Received) -> None:
    own = signal.getsignal(signal.SIGTERM)
    shutdowns = [asyncio.run(_job()) for _ in range(3)]
    assert [shutdown() is None for shutdown in shutdowns] == [True, True, False]
    signal.raise_signal(signal.SIGTERM)
    assert received == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGTERM) is own
