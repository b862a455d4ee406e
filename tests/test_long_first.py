"""Long tests begin first, and no test is lost."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.long_first import spread


def item(number: int, *, is_long: bool) -> Any:
    return SimpleNamespace(number=number, get_closest_marker=lambda _name: is_long or None)


def slices(items: list[Any], workers: int) -> list[list[Any]]:
    """The items that xdist's `worksteal` gives each worker at first."""
    rest, found = list(items), []
    for worker in range(workers):
        size = len(rest) // (workers - worker)
        found.append(rest[:size])
        rest = rest[size:]
    return found


@pytest.mark.parametrize("workers", [2, 3, 4])
@pytest.mark.parametrize(("long", "short"), [(0, 9), (4, 40), (7, 60), (9, 2), (1, 0), (0, 0)])
def test_each_slice_begins_with_its_share_of_long_tests(workers: int, long: int, short: int) -> None:
    items = [item(number, is_long=number >= short) for number in range(short + long)]
    ordered: list[Any] = list(spread(items, workers))
    assert sorted(one.number for one in ordered) == list(range(short + long))
    if short > long >= workers:
        assert all(first.number >= short for first, *_ in slices(ordered, workers))
