"""A language in which every translated text stands in ⟦brackets⟧, and the search for words of a page without them."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.utils import translation

INNERMOST = re.compile(r"⟦[^⟦⟧]*⟧")
WORD = re.compile(r"[^\W\d_]{2,}")
SILENT = {"script", "style", "kbd", "code", "pre", "time", "option"}
"""Elements whose text is no prose: keys, code, values, and times that Django formats."""
SPOKEN = ("title", "aria-label", "placeholder", "alt", "data-label")
"""The attributes that people see or hear."""


def wrapped(text: str) -> str:
    return f"⟦{text}⟧"


@pytest.fixture
def brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts every text that passes through gettext into brackets, Django's own too."""
    real: Any = translation._trans  # type: ignore[attr-defined]
    functions: dict[str, Any] = {
        "gettext": wrapped,
        "pgettext": lambda context, text: wrapped(text),
        "ngettext": lambda one, many, number: wrapped(one if number == 1 else many),
        "npgettext": lambda context, one, many, number: wrapped(one if number == 1 else many),
    }
    for name, function in functions.items():
        monkeypatch.setattr(real, name, function, raising=False)


class Bare(HTMLParser):
    """Collects the words outside brackets."""

    def __init__(self, known: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._known = re.compile(known)
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SILENT:
            self._silent.append(tag)
        values = dict(attrs)
        for name in SPOKEN:
            self._look(values.get(name) or "")
        for text in json.loads(values.get("data-texts") or "{}").values():
            self._look(text if isinstance(text, str) else "")  # others are data: the labels of servers
        if tag == "input" and values.get("type") in ("submit", "button"):
            self._look(values.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._silent:
            self._silent.remove(tag)

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._look(data)

    def _look(self, text: str) -> None:
        before = None
        while before != text:
            before, text = text, INNERMOST.sub("", text)
        self.found += WORD.findall(self._known.sub("", text))


def bare_words(page: str, known: str = r"$^") -> list[str]:
    """Returns the words of a page that no catalogue could translate. `known` is the pattern of words that are data."""
    parser = Bare(known)
    parser.feed(page)
    parser.close()
    return parser.found
