"""Splits reasoning in `<think>` tags from the text while it streams. Some servers leave it in the text."""

from __future__ import annotations

import re
from collections.abc import Callable


def _any_of(*tags: str) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, tags)))


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
TAGS = {False: (*OPENING, *CLOSING, *FRAMES), True: CLOSING}
"""The tags that end each state. In text, a closing tag counts only if no tag came before it."""
TAG = {False: _any_of(*OPENING, *CLOSING), True: _any_of(*CLOSING)}
LATER_TAG = {False: _any_of(*OPENING, *FRAMES), True: TAG[True]}
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
        self._sinks = {False: text, True: reasoning}
        self._recast = recast
        self._is_thinking = False
        self._tags = TAG
        self._held = ""

    def feed(self, text: str) -> None:
        text = self._held + text
        at = 0
        while match := self._tags[self._is_thinking].search(text, at):
            self._pass(text[at : match.start()])
            self._turn(match[0])
            at = match.end()
        keep = unfinished_tag(text[at:], TAGS[self._is_thinking])
        self._held = text[len(text) - keep :]
        self._pass(text[at : len(text) - keep])

    def flush(self) -> None:
        """Passes on what was held back: the text ended, so it was not the beginning of a tag."""
        held, self._held = self._held, ""
        self._pass(held)

    def _turn(self, tag: str) -> None:
        if tag in FRAMES:
            return
        if not self._is_thinking and tag in CLOSING:
            self._recast()
        else:
            self._is_thinking = not self._is_thinking
        self._tags = LATER_TAG

    def _pass(self, text: str) -> None:
        if text:
            self._sinks[self._is_thinking](text)


def unfinished_tag(text: str, tags: tuple[str, ...]) -> int:
    """Returns the length of the end of `text` that may be the beginning of one of the tags."""
    for match in FIRSTS.finditer(text, max(0, len(text) - LONGEST + 1)):
        end = text[match.start() :]
        if any(tag.startswith(end) for tag in tags):
            return len(end)
    return 0
