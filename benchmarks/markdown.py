"""Measures what rendered Markdown costs: CPU per token, bytes sent, and the longest single step.

    python -m benchmarks.markdown

Texts come in pieces of four or five characters, as models send them. A fast model sends
80 of them a second, and a reader gets 20 deliveries a second, or 10 where the HTML changes; so `TOKENS` of them are
rendered together. A row shows the text's size, the CPU time of all rendering
divided by the number of tokens, the longest step, the bytes that a reader with HTML gets divided by the text's bytes,
and the time that it takes to render the whole text at once, as a reload does. Figures are the best of `RUNS`.

The first row is the stream of `benchmarks.serve`: the token " word" 400 times.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import msgspec

from streaming.markdown import MarkdownStream, render
from streaming.protocol.ui_stream import frame
from tests.markdown.corpus import ANSWERS, PROSE, pieces

RUNS = 3
TOKENS = {False: 4, True: 8}  # by whether the last delivery had a change of the HTML

TEXTS = {
    "benchmarks.serve": " word" * 400,
    "prose, 1 KB": PROSE * 3,
    "prose, 200 KB": PROSE * 560,
    "an answer with everything": ANSWERS[0],
    "seven answers": "\n\n".join(ANSWERS),
    "one fence, 50 KB": "```python\n" + "    value = compute(1, 'a')  # why\n" * 1470 + "```\n",
    "one table, 5,000 rows": "| a | b | c |\n|---|---|---|\n" + "| some text | **bold** | 3 |\n" * 5000,
    "one list, 200 KB": "- an item with `code` and some words\n" * 5400,
    "one line, 1 MB": "word " * 200_000,
}


class Cost(NamedTuple):
    """Microseconds of CPU a token, milliseconds of the longest step, bytes sent per byte of text."""

    per_token: float
    longest: float
    wire: float


def cost(text: str) -> Cost:
    """Streams a text once."""
    stream, cut, at, patch = MarkdownStream(), pieces(text), 0, None
    spent, longest, sent = 0.0, 0.0, 0
    while at < len(cut) or patch is None:
        piece = "".join(cut[at : (next_at := at + TOKENS[patch is not None])])
        began = time.process_time()
        patch = stream.feed(piece) if next_at < len(cut) else stream.finish(piece)
        took = time.process_time() - began
        spent, longest, at = spent + took, max(longest, took), next_at
        sent += len(frame(at, msgspec.json.encode({"type": "text-delta", "id": "0", "delta": piece})))
        sent += len(patch.chunk("0")) + len("data: \n\n") if patch else 0
    return Cost(spent / len(cut) * 1e6, longest * 1e3, sent / len(text.encode()))


def whole(text: str) -> float:
    """Milliseconds of CPU to render a text at once."""
    began = time.process_time()
    render(text)
    return (time.process_time() - began) * 1e3


def main() -> None:
    render(ANSWERS[0])
    print(f"{'text':28}{'KB':>7}{'µs a token':>12}{'longest, ms':>13}{'wire':>7}{'whole, ms':>11}")
    for name, text in TEXTS.items():
        best = min(cost(text) for _ in range(RUNS))
        at_once = min(whole(text) for _ in range(RUNS))
        size = len(text.encode()) / 1000
        print(f"{name:28}{size:7.0f}{best.per_token:12.1f}{best.longest:13.1f}{best.wire:7.1f}{at_once:11.1f}")


if __name__ == "__main__":
    main()
