"""Snippets: the piece of a text around the words that were searched for, with the words marked."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.db.models import Expression, F, Value
from django.db.models.functions import Greatest, Left, Lower, StrIndex, Substr
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString

from streaming.access import is_redacting

BEFORE, LENGTH = 50, 180
EXCERPT_CHARS = 120
HIT_CHARS = 400


def piece_around(term: str) -> Expression | F:
    """Returns the expression of a piece of a message's text: around the term, or the beginning without a term.

    A function that redacts gets the whole text, because it could not see what to hide in a piece.
    """
    if is_redacting():
        return F("text")
    if not term:
        return Left("text", EXCERPT_CHARS + 1)
    at = StrIndex(Lower("text"), Lower(Value(term)))
    return Substr("text", Greatest(at - HIT_CHARS // 4, Value(1)), HIT_CHARS)


def pattern_of(terms: Sequence[str]) -> re.Pattern[str] | None:
    """Returns the pattern of the words of all terms; None if there are none."""
    words = sorted({word for term in terms for word in re.findall(r"\w+", term)}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, words)), re.IGNORECASE) if words else None


def repeats(title: str, text: str, terms: Sequence[str]) -> bool:
    """Returns True if the title shows all hits of the snippet: most titles are the beginning of the first message."""
    pattern = pattern_of(terms)
    shown, known = _piece(text, pattern)[2], " ".join(title.split()).rstrip("… ")
    if shown in known:
        return True
    hits = pattern.finditer(shown) if pattern else ()
    return shown.startswith(known) and all(hit.end() <= len(known) for hit in hits)


def _piece(text: str, pattern: re.Pattern[str] | None) -> tuple[int, int, str]:
    """The places where the piece around the first hit begins and ends, and the piece on one line."""
    hit = pattern.search(text) if pattern else None
    start = max(0, hit.start() - BEFORE) if hit else 0
    end = start + (LENGTH if pattern else EXCERPT_CHARS)
    return start, end, " ".join(text[start:end].split())


def snippet(text: str, terms: Sequence[str]) -> SafeString:
    """Returns the piece around the first hit, with each hit in a `mark`. Without a hit it is the beginning."""
    pattern = pattern_of(terms)
    start, end, piece = _piece(text, pattern)
    return format_html("{}{}{}", "…" if start else "", marked(piece, pattern), "…" if len(text) > end else "")


def marked(piece: str, pattern: re.Pattern[str] | None) -> SafeString:
    """Returns the escaped text with each match in a `mark`."""
    if pattern is None:
        return conditional_escape(piece)
    pieces, at = [], 0
    for match in pattern.finditer(piece):
        pieces += [("{}", piece[at : match.start()]), ("<mark>{}</mark>", match[0])]
        at = match.end()
    shown = [format_html(form, text) for form, text in [*pieces, ("{}", piece[at:])]]
    return format_html_join("", "{}", ((one,) for one in shown))
