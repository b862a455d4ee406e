"""The output item with the model's reasoning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from streaming.protocol.dialects.answer import AnswerWriter, Prose
from streaming.protocol.dialects.openai_responses.streamed import Streamed, whole_of, words_of

JSONObject = dict[str, Any]


# How many sections are kept until it shows if their words stream. Each takes memory.
MAX_BEGUN = 100


class ReasoningItem:
    """Reasoning: one part for the whole item, because the item goes back whole on the next turn.

    A server may send the thoughts, a summary, or the same text as both. Only the kind that comes first is taken.
    Its sections (summary or content indexes) are separated by an empty line. Some servers count the content index up
    with each delta, or send -1 (vLLM). So a section of the thoughts goes on under any index until an event ends it, or
    announces another one.
    """

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None:
        self._prose = Prose(writer)
        self._source = ""
        self._section: int | None = None
        self._is_growing = False
        """True until an event ends the section. It counts only for thoughts."""
        self._streamed = Streamed()
        self._begun: list[tuple[str, int | None, str]] = []
        """The sections whose announcement had words: the source, the index and the words."""
        self.announce(wire)

    def announce(self, wire: JSONObject) -> None:
        for source, index, section in _sections(wire):
            self._begin(source, index, section)

    def done(self, wire: JSONObject) -> None:
        for source, index, section in _sections(wire):
            self._fill(source, index, section)
        self.cut()
        if wire:
            self._prose.sign(raw=wire)
        self._prose.end()

    def cut(self) -> None:
        """Writes the words that only the announcements had."""
        if not self._source:
            for source, index, text in self._begun:
                self._fill(source, index, text)

    def may_be(self, wire: JSONObject) -> bool:
        return not self._source or self._streamed.begins(whole_of(wire))

    def begin_content_part(self, payload: Any) -> None:
        self._is_growing = False
        self._begin("content", payload.content_index, payload.part)

    def begin_summary_part(self, payload: Any) -> None:
        self._begin("summary", payload.summary_index, payload.part)

    def grow_summary(self, payload: Any) -> None:
        self._grow("summary", payload.summary_index, payload.delta)

    def grow_content(self, payload: Any) -> None:
        self._grow("content", payload.content_index, payload.delta)

    def end_summary(self, payload: Any) -> None:
        self._fill("summary", payload.summary_index, payload.text)

    def end_content(self, payload: Any) -> None:
        self._fill("content", payload.content_index, payload.text)

    def end_summary_part(self, payload: Any) -> None:
        self._fill("summary", payload.summary_index, payload.part)

    def end_content_part(self, payload: Any) -> None:
        self._fill("content", payload.content_index, payload.part)

    def _begin(self, source: str, section: int | None, wire: Any) -> None:
        text = words_of(wire)
        if text and not self._source and len(self._begun) < MAX_BEGUN:
            self._begun.append((source, section, text))

    def _grow(self, source: str, section: int | None, text: Any) -> None:
        text = words_of(text)
        if not text or self._source not in ("", source):
            return
        if section != self._section and not self._goes_on(source):
            self._streamed = Streamed()
            if self._source:
                self._prose.reasoning("\n\n")
            self._section = section
        self._source, self._is_growing = source, True
        self._prose.reasoning(text)
        self._streamed.add(text)

    def _goes_on(self, source: str) -> bool:
        """Returns True if words under another index still belong to the section that has streamed last."""
        return source == "content" and self._is_growing

    def _fill(self, source: str, section: int | None, text: Any) -> None:
        if self._source not in ("", source):
            return
        if self._source and (section == self._section or self._goes_on(source)):
            self._grow(source, section, self._streamed.rest_of(words_of(text)))
            self._section = section
        elif not self._source or (section or 0) > (self._section or 0):
            self._grow(source, section, text)
        self._is_growing = False


def _sections(wire: JSONObject) -> Iterator[tuple[str, int, Any]]:
    """Yields the sections of a whole item with their source and index. Some servers send one section without a list."""
    for source in ("summary", "content"):
        sections = wire.get(source)
        for index, section in enumerate(sections if isinstance(sections, list) else [sections]):
            yield source, index, section
