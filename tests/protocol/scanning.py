"""Helpers for tests of the JSON scanner: text in pieces, and the deltas that it gives."""

from __future__ import annotations

from collections import defaultdict

from streaming.protocol import JSONScanner, StringDelta


def scan(*pieces: str) -> tuple[JSONScanner, list[StringDelta]]:
    scanner = JSONScanner()
    return scanner, [delta for piece in pieces for delta in scanner.feed(piece)]


def joined(deltas: list[StringDelta]) -> dict[tuple[str | int, ...], str]:
    texts: dict[tuple[str | int, ...], str] = defaultdict(str)
    for delta in deltas:
        assert delta.text, "an empty delta says nothing"
        texts[delta.path] += delta.text
    return dict(texts)


def every_way(text: str) -> list[tuple[str, ...]]:
    """Returns the text whole, character by character, and cut in two at every position."""
    return [(text,), tuple(text), *((text[:at], text[at:]) for at in range(1, len(text)))]
