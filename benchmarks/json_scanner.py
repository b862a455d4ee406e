"""Measures how a streaming tool argument is read: JSONScanner against parsing the whole buffer again.

    python -m benchmarks.json_scanner

One argument with a long string (code, with escapes) arrives in fragments of 4 characters. `JSONScanner` returns the
new text of each fragment. The vendors' SDKs parse the whole buffer again with `jiter.from_json(partial_mode=True)`.
Both run in turn on the same fragments. Times are CPU times, medians of RUNS. The full size is parsed again only once,
because the cost grows with the square of the size.
"""

from __future__ import annotations

import gc
import json
import statistics
import time
from collections.abc import Callable

import jiter

from streaming.protocol import JSONScanner

FRAGMENT = 4
RUNS = 5
FULL = 256 * 1024
SIZES = (FULL // 8, FULL // 4, FULL // 2, FULL)
CODE = 'def greet(name):\n\treturn f"Hello, {name} \\u2013 wie geht’s?"\n'


def argument(size: int) -> str:
    """Tool arguments of `size` characters."""
    frame = '{"path":"src/greet.py","content":"%s"}'
    body = json.dumps(CODE, ensure_ascii=False)[1:-1]
    room = size - len(frame % "")
    return frame % (body * (room // len(body))).ljust(room)


def scan(fragments: list[str]) -> None:
    scanner = JSONScanner()
    for fragment in fragments:
        scanner.feed(fragment)
    assert scanner.is_complete, scanner.error


def reparse(fragments: list[str]) -> None:
    buffer = b""
    for fragment in fragments:
        buffer += fragment.encode()
        jiter.from_json(buffer, partial_mode=True)


def seconds(read: Callable[[list[str]], None], fragments: list[str]) -> float:
    gc.collect()
    start = time.process_time()
    read(fragments)
    return time.process_time() - start


def measure(size: int) -> tuple[float, float]:
    text = argument(size)
    fragments = [text[at : at + FRAGMENT] for at in range(0, len(text), FRAGMENT)]
    turns = [
        (seconds(scan, fragments), seconds(reparse, fragments) if size < FULL or not turn else None)
        for turn in range(RUNS)
    ]
    return (
        statistics.median(scanned for scanned, _ in turns),
        statistics.median(reparsed for _, reparsed in turns if reparsed is not None),
    )


def main() -> None:
    print("| argument | fragments | JSONScanner | per fragment | against half | jiter, re-parsed | times faster |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    half = None
    for size in SIZES:
        scanned, reparsed = measure(size)
        ratio = f"{scanned / half:.2f}×" if half else ""
        each = scanned / size * FRAGMENT * 1e6
        print(
            f"| {size // 1024} KB | {size // FRAGMENT:,} | {scanned * 1e3:.1f} ms | {each:.2f} µs | {ratio} "
            f"| {reparsed * 1e3:,.0f} ms | {reparsed / scanned:.0f}× |",
            flush=True,
        )
        half = scanned


if __name__ == "__main__":
    main()
