"""Thoughts that come as content, with a mark. Gemini's API for OpenAI clients sends a flag, tags, or both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streaming.protocol.dialects.answer import unfinished_tag
from streaming.protocol.dialects.openai_chat.delta import THINKING
from streaming.protocol.dialects.wire import object_of

OPENING = "<thought>"
CLOSING = "</thought>"

MARKS = frozenset({"extra_content", "thought", "channel"})
"""The fields of a delta that may say that its content is a thought."""

THOUGHT_FLAG = {"google": {"thought": True}}
"""The `extra_content` that says only this (Gemini)."""


def is_marked(delta: dict[str, Any]) -> bool:
    """Returns True if a delta says that its content is a thought: Gemini, relays of it, gpt-oss."""
    google = object_of(object_of(delta.get("extra_content")).get("google"))
    return (
        google.get("thought") is True
        or delta.get("thought") is True
        or (delta.get("channel") == "analysis" and THINKING.isdisjoint(delta))
    )


class MarkedThoughts:
    """Takes content that is flagged as a thought (`think`) or not (`speak`), cut anywhere.

    The tags are no part of the thought. Without the flag, an opening tag counts only as the first text (`may_open`).
    A flagged thought ends at its closing tag, or with the first content that has no flag.
    """

    def __init__(self, reasoning: Callable[[str], None], text: Callable[[str], None], *, may_open: bool) -> None:
        self._reasoning = reasoning
        self._text = text
        self._may_open = may_open
        self._is_open = False
        self._is_flagged = False
        self._held = ""

    def think(self, text: str) -> None:
        text, self._held = self._held + text, ""
        self._may_open, self._is_flagged = False, True
        if self._is_open:
            self._read_thought(text)
        else:
            self._begin(text, is_thought=True)

    def speak(self, text: str) -> None:
        held, self._held = self._held, ""
        if self._may_open:
            self._begin(held + text, is_thought=False)
        elif self._is_open and not self._is_flagged:
            self._read_thought(held + text)
        elif (self._is_open or held) and (CLOSING in held + text or CLOSING.startswith(held + text)):
            self._is_open = True
            self._read_thought(held + text)
        else:
            self._is_open = False
            self._pass(self._reasoning, held)
            self._pass(self._text, text)

    def settle(self) -> None:
        """Passes on what is held back: it was not the beginning of a tag."""
        held, self._held = self._held, ""
        is_thought = self._is_open or self._is_flagged
        self._pass(self._reasoning if is_thought else self._text, held)

    def _begin(self, text: str, *, is_thought: bool) -> None:
        """Reads text that may begin with the opening tag. If it does not, `is_thought` says what it is."""
        if text != OPENING and OPENING.startswith(text):
            self._held = text
            return
        self._may_open = False
        self._is_open = is_thought or text.startswith(OPENING)
        if self._is_open:
            self._read_thought(text.removeprefix(OPENING))
        else:
            self._pass(self._text, text)

    def _read_thought(self, text: str) -> None:
        thought, tag, rest = text.partition(CLOSING)
        if tag:
            self._is_open = False
            self._pass(self._reasoning, thought)
            self._pass(self._text, rest)
        else:
            end = len(thought) - unfinished_tag(thought, (CLOSING,))
            self._pass(self._reasoning, thought[:end])
            self._held = thought[end:]

    def _pass(self, sink: Callable[[str], None], text: str) -> None:
        if text:
            sink(text)
