"""What a model is asked to summarize, within its window."""

from __future__ import annotations

import pytest

from streaming.context import digest_request
from streaming.protocol import TextPart, Turn, text_of

TURNS = [Turn(role="user", parts=(TextPart(text=f"{number} " + "wörd " * 300),)) for number in range(20)]


@pytest.mark.parametrize("earlier", ["", "short", "lông " * 3_200])
@pytest.mark.parametrize("most", [1, 100, 6_000, 1_000_000])
def test_summary_so_far_and_turns_fit_together(earlier: str, most: int) -> None:
    frame = len(text_of(digest_request("x", [], instructions="", most_bytes=10).turns[0].parts))
    text = text_of(digest_request(earlier, TURNS, instructions="", most_bytes=most).turns[0].parts)
    assert len(text.encode()) <= most + frame
    if most >= 6_000:
        assert earlier[:1_000] in text
        assert TURNS[-1].parts[0].text in text  # type: ignore[union-attr]
