"""The cost of rendering, as ratios and counts: a machine's speed changes neither. `python -m benchmarks.markdown` has
the figures."""

from __future__ import annotations

import cProfile
import pstats

import pytest

from benchmarks.markdown import cost
from streaming.markdown import MarkdownStream, render
from tests.markdown.corpus import ANSWERS, PROSE, pieces

LONG = {
    "prose": PROSE * 60,
    "fence": "```python\n" + "    value = compute(1, 'a')\n" * 900 + "```\n",
    "table": "| a | b | c |\n|---|---|---|\n" + "| some text | **bold** | 3 |\n" * 700,
    "list": "- an item with `code` and some words\n" * 600,
    "one paragraph": "a line of **text** that goes on\n" * 700,
    "quote": "> a line of text that goes on\n" * 700,
}


def calls(text: str) -> int:
    """The number of function calls that a streamed text needs. It is the same on every machine."""
    stream, cut = MarkdownStream(), pieces(text)
    profile = cProfile.Profile()
    profile.enable()
    for piece in cut:
        stream.feed(piece)
    stream.finish()
    profile.disable()
    total: int = pstats.Stats(profile).total_calls  # type: ignore[attr-defined]
    return total


@pytest.mark.parametrize("name", LONG)
def test_cost_is_linear_in_the_length(name):
    text = LONG[name]
    begin = text[: len(text) // 4]
    calls(begin)  # fills the caches
    assert calls(text) <= 4 * calls(begin) * 1.4


def test_prose_needs_few_calls_a_token():
    """A call costs some 0.1 µs, so 150 of them are far below 40 µs on any machine."""
    text = PROSE * 30
    assert calls(text) / len(pieces(text)) <= 150


def test_plain_words_need_next_to_nothing():
    assert calls(" word" * 400) / 400 <= 25


@pytest.mark.parametrize("text", ["\n\n".join(ANSWERS), PROSE * 3, *LONG.values()], ids=lambda text: text[:20])
def test_bytes_sent_are_at_most_twelve_times_the_text(text):
    assert cost(text).wire <= 12


@pytest.mark.parametrize("text", ANSWERS, ids=lambda text: text[:20])
def test_bytes_sent_of_a_short_answer_are_not_many_more(text):
    """A formula in MathML is ten times as long as in TeX, and the first paragraph has its whole credit."""
    assert cost(text).wire <= 15


def test_tail_of_a_long_block_is_still_shown_now_and_then():
    text = "a **word** and more of it\n" * 400
    stream = MarkdownStream()
    shown = [patch for piece in pieces(text) if (patch := stream.feed(piece))]
    assert len(shown) >= 10
    assert len(shown[-1].tail) > len(render(text)) * 0.7
