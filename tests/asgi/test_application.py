"""`StreamingApplication` and its effects on the process that it runs in."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from streaming.asgi import StreamingApplication
from streaming.asgi.application import GC_THRESHOLD
from streaming.database import health
from tests.engine import forget_database_trouble

pytestmark = pytest.mark.usefixtures("engine")


async def test_server_that_starts_does_not_reap_yet() -> None:
    async def nothing(*args: Any) -> None: ...

    forget_database_trouble()
    assert health.has_been_good_for(5)
    StreamingApplication(nothing)
    assert not health.has_been_good_for(5)


@pytest.mark.parametrize(
    ("given", "then"),
    [((700, 10, 10), GC_THRESHOLD), ((0, 10, 10), (0, 10, 10)), ((50_000, 5, 5), (50_000, 5, 5))],
    ids=["default", "switched off", "higher"],
)
def test_garbage_collector_runs_less_often(given: tuple[int, int, int], then: tuple[int, int, int]) -> None:
    async def nothing(*args: Any) -> None: ...

    before = gc.get_threshold()
    try:
        gc.set_threshold(*given)
        StreamingApplication(nothing)
        assert gc.get_threshold() == then
    finally:
        gc.set_threshold(*before)
