"""JSONScanner: its bounds, and its cost, which is linear in the text."""

from __future__ import annotations

import gc
import json
import sys
import time
from typing import Any

import pytest

from streaming.protocol import JSONError, JSONScanner, StringDelta
from streaming.protocol.json_scanner.scalars import MAX_NUMBER
from streaming.protocol.json_scanner.scanner import MAX_DEPTH, MAX_LENGTH
from tests.protocol.scanning import scan


def test_depth_of_ten_thousand() -> None:
    for opening, closing, key in (("[", "]", 0), ('{"a":', "}", "a")):
        scanner, deltas = scan(opening * 10_000 + '"x"' + closing * 10_000)
        assert scanner.is_complete
        assert deltas == [StringDelta((key,) * 10_000, "x")]
        value: Any = scanner.snapshot()
        for _ in range(10_000):
            value = value[key]
        assert value == "x"


def test_depth_is_bounded() -> None:
    for pieces in (("[" * (MAX_DEPTH + 1),), ("[",) * (MAX_DEPTH + 1)):
        assert scan(*pieces)[0].error == JSONError(MAX_DEPTH, "too_deep")


def test_length_is_bounded() -> None:
    start, rest = '["' + "x" * (MAX_LENGTH - 3), '"]'
    for pieces in ((start + rest,), (start, '"', "]")):
        scanner, deltas = scan(*pieces)
        assert scanner.error == JSONError(MAX_LENGTH, "too_long")
        assert len(deltas[0].text) == MAX_LENGTH - 3


def test_numbers_are_bounded() -> None:
    digits = "1" * (MAX_NUMBER + 1)
    for pieces in ((f"[{digits}]",), ("[", *digits, "]")):
        assert scan(*pieces)[0].error == JSONError(1, "too_long")


def test_integers_beyond_the_interpreters_limit_are_mistakes_not_exceptions() -> None:
    digits = "1" * (sys.get_int_max_str_digits() + 1)
    for pieces in ((f"[{digits}]",), ("[" + digits[:50], digits[50:] + "]")):
        assert scan(*pieces)[0].error == JSONError(len(digits) + 1, "invalid_number")
    assert not scan(digits)[0].is_complete


def test_paths_of_many_deep_strings_do_not_cost_the_square_of_their_number() -> None:
    text = '["a",' * 10_000
    whole, deltas = scan(text)
    assert whole.error is None
    assert sum(len(delta.path) for delta in deltas) <= 16 * len(text)
    assert scan(*text)[1] == deltas


def seconds(text: str, size: int) -> float:
    """Returns the CPU time to scan `text` in pieces of `size`."""
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    scanner = JSONScanner()
    gc.collect()
    start = time.process_time()
    for piece in pieces:
        scanner.feed(piece)
    return time.process_time() - start


LONG = {
    "one string": lambda count: json.dumps({"content": "def f(x):\n    return 'x'\n" * (count // 25)}),
    "one plain string": lambda count: json.dumps({"content": "x" * count}),
    "many strings": lambda count: json.dumps([{"name": "x", "note": "y"}] * (count // 30)),
    "numbers": lambda count: json.dumps([12345] * (count // 7)),
    "deep": lambda count: "[" * min(count, MAX_DEPTH) + '"x",' * (count // 4),
    "escapes": lambda count: '["' + "\\u0041" * (count // 6),
}


@pytest.mark.parametrize("size", [1, 4, 10**9])
@pytest.mark.parametrize("make", LONG.values(), ids=LONG.keys())
def test_eight_times_the_text_takes_eight_times_the_time(make: Any, size: int) -> None:
    short, long = make(25_000), make(200_000)
    best_of_short = best_of_long = float("inf")
    for _ in range(12):  # repeatedly, because other processes may slow down one measurement
        best_of_short = min(best_of_short, seconds(short, size))
        best_of_long = min(best_of_long, seconds(long, size))
        if best_of_long <= 12 * best_of_short:  # quadratic cost would be 64
            return
    pytest.fail(f"eight times the text took {best_of_long / best_of_short:.1f} times as long")


def test_taking_snapshots_of_a_growing_string_all_the_time_stays_cheap() -> None:
    text = json.dumps({"path": "/etc/hosts", "content": "x" * 100_000})
    scanner = JSONScanner()
    start = time.process_time()
    for at in range(0, len(text), 10):
        scanner.feed(text[at : at + 10])
        scanner.snapshot()
    assert scanner.snapshot() == json.loads(text)
    assert time.process_time() - start < 5, "10,000 snapshots; a copy of 50 KB each is about 0.1 s"
