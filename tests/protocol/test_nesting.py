"""Nesting: how deep a JSON value may be."""

from __future__ import annotations

import pytest

from streaming.protocol.nesting import MAX_NESTING, is_too_deep


def nested(levels, kind):
    value = 1
    for _ in range(levels):
        value = [value] if kind is list else {"a": value}
    return value


@pytest.mark.parametrize("kind", [list, dict])
def test_value_is_too_deep_from_one_level_above_the_bound(kind):
    assert not is_too_deep(nested(MAX_NESTING, kind))
    assert is_too_deep(nested(MAX_NESTING + 1, kind))


def test_value_of_any_depth_is_measured_without_recursion():
    assert is_too_deep(nested(100_000, list))


def test_deepest_branch_counts():
    assert is_too_deep([1, {"a": nested(MAX_NESTING, list)}, "x"])


@pytest.mark.parametrize("value", [None, 1, "x", [], {}, [[], {}], [1] * 10_000])
def test_wide_or_plain_value_is_not_too_deep(value):
    assert not is_too_deep(value)
