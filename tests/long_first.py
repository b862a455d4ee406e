"""Each of several workers begins with its share of the tests marked `long`, so that none of these is left for the end.

pytest-xdist with `--dist worksteal` gives each worker one slice of the list, and moves tests from the end of one slice
to workers that have no more. A long test at the end of the list would keep one worker busy while the others wait.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import islice

import pytest


@pytest.hookimpl(trylast=True)  # after pytest-randomly
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers > 1:
        items[:] = spread(items, workers)


def spread(items: Sequence[pytest.Item], workers: int) -> list[pytest.Item]:
    """Returns the items in an order in which each of `workers` equal slices begins with as many long tests."""
    long = [item for item in items if item.get_closest_marker("long")]
    short = (item for item in items if not item.get_closest_marker("long"))
    spread: list[pytest.Item] = []
    for worker in range(workers):
        size = (len(items) - len(spread)) // (workers - worker)
        begin = long[worker::workers]
        spread += [*begin, *islice(short, max(0, size - len(begin)))]
    return [*spread, *short]
