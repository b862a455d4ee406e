"""Splits reasoning in `<think>` tags from the text while it streams. Some servers leave it in the text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple


class Tags(NamedTuple):
    """The tags that count at one place, and the pattern that finds them."""

    words: tuple[str, ...]
    pattern: re.Pattern[str]

    @classmethod
    def of(cls, *words: str) -> Tags:
        return cls(words, re.compile("|".join(map(re.escape, words))))


NAMES = ("think", "thinking", "thought", "reasoning", "seed:think", "mm:think")
HARMONY = "<|start|>assistant<|channel|>final<|message|>"
OPENING = (
    *(*(f"<{name}>" for name in NAMES), "[THINK]", "◁think▷"),
    *("<|START_THINKING|>", "<|begin_of_thought|>"),  # Cohere, OpenThinker
    *("<|channel|>analysis<|message|>", "<|channel>thought\n"),  # gpt-oss, Gemma
)
CLOSING = (
    *(*(f"</{name}>" for name in NAMES), "[/THINK]", "◁/think▷"),
    *("<|END_THINKING|>", "<|end_of_thought|>"),
    *(f"<|end|>{HARMONY}", HARMONY, "<channel|>"),
    "[BEGIN FINAL RESPONSE]",  # Apriel
)
FRAMES = (
    *("<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|START_TEXT|>", "<|END_TEXT|>"),
    *("<|begin_of_solution|>", "<|end_of_solution|>", "[END FINAL RESPONSE]"),
)
"""What some models write around the answer. It is left out after a thought."""
AT_FIRST = Tags.of(*OPENING, *CLOSING)
WITHIN_THOUGHT = Tags.of(*CLOSING)
AFTER_THOUGHT = Tags.of(*OPENING, *FRAMES)
LONGEST = max(map(len, CLOSING))
FIRSTS = re.compile("[<\\[◁]")


class ThinkTags:
    """Takes text with tags, cut anywhere, and passes on text and reasoning.

    Only a tail that may be the beginning of a tag is held back, at most `LONGEST` - 1 characters. `a < b` passes.

    Some chat templates write the opening tag themselves, so that only the closing one streams. Then `recast` is called
    once: the text so far was reasoning.
    """

    def __init__(
        self, text: Callable[[str], None], reasoning: Callable[[str], None], recast: Callable[[], None]
    ) -> None:
        self._text = self._write = text
        self._reasoning = reasoning
        self._recast = recast
        self._tags = AT_FIRST
        self._held = ""

    def feed(self, text: str) -> None:
        text = self._held + text
        at = 0
        while match := self._tags.pattern.search(text, at):
            self._pass(text[at : match.start()])
            self._turn(match[0])
            at = match.end()
        end = len(text) - unfinished_tag(text[at:], self._tags.words)
        self._held = text[end:]
        self._pass(text[at:end])

    def flush(self) -> None:
        """Passes on what was held back: the text ended, so it was not the beginning of a tag."""
        held, self._held = self._held, ""
        self._pass(held)

    def _turn(self, tag: str) -> None:
        if tag in OPENING:
            self._tags, self._write = WITHIN_THOUGHT, self._reasoning
        elif tag in CLOSING:
            if self._tags is AT_FIRST:
                self._recast()
            self._tags, self._write = AFTER_THOUGHT, self._text

    def _pass(self, text: str) -> None:
        if text:
            self._write(text)


def unfinished_tag(text: str, tags: tuple[str, ...]) -> int:
    """Returns the length of the end of `text` that may be the beginning of one of the tags."""
    for match in FIRSTS.finditer(text, max(0, len(text) - LONGEST + 1)):
        end = text[match.start() :]
        if any(tag.startswith(end) for tag in tags):
            return len(end)
    return 0
