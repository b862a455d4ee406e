"""The output item with the model's reasoning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Any

from streaming.protocol.dialects.answer import AnswerWriter, Prose, continued
from streaming.protocol.dialects.openai_responses.items.item import Item, JSONObject
from streaming.protocol.dialects.openai_responses.items.streamed import Streamed, whole_of, words_of
from streaming.protocol.dialects.openai_responses.payload import Payload

Index = int | None

# How many sections are kept until it shows if their words stream. Each takes memory.
MAX_ANNOUNCED = 100


class ReasoningItem(Item):
    """Reasoning: one part for the whole item, because the item goes back whole on the next turn.

    A server may send the thoughts, a summary, or the same text as both. Only the kind that comes first is taken.
    Its sections (summary or content indexes) are separated by an empty line. Some servers count the content index up
    with each delta, or send -1 (vLLM). So a section of the thoughts goes on under any index until an event ends it, or
    announces another one.
    """

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None:
        super().__init__(writer, wire)
        self._prose = Prose(writer)
        self._source = ""
        """The kind that is taken: `content`, `summary`, or empty before the first word."""
        self._section: Index = None
        """The index of the newest section."""
        self._streamed = Streamed()
        self._is_growing = False
        """True until an event ends the newest section. It counts only for thoughts."""
        self._announced: dict[tuple[str, Index], str] = {}
        """The words that the announcements of sections had, until the sections have deltas. By source and index."""
        self.announce(wire)

    def announce(self, wire: JSONObject) -> None:
        for source, index, section in _sections(wire):
            self._announce_section(source, index, section)

    def done(self, wire: JSONObject) -> None:
        for source, index, section in _sections(wire):
            self._fill(source, index, section)
        self.cut()
        if wire:
            self._prose.sign(raw=wire)
        self._prose.end()

    def cut(self) -> None:
        """Writes the words that only the announcements had."""
        self._is_growing = False
        self._write_announced(list(self._announced))

    def may_be(self, wire: JSONObject) -> bool:
        return not self._source or self._streamed.begins(whole_of(wire))

    def begin_content_part(self, payload: Payload) -> None:
        self._is_growing = False
        self._begin("content", payload.content_index, payload.part)

    def begin_summary_part(self, payload: Payload) -> None:
        self._begin("summary", payload.summary_index, payload.part)

    def grow_summary(self, payload: Payload) -> None:
        self._grow("summary", payload.summary_index, payload.delta)

    def grow_content(self, payload: Payload) -> None:
        self._grow("content", payload.content_index, payload.delta)

    def end_summary(self, payload: Payload) -> None:
        self._fill("summary", payload.summary_index, payload.text)

    def end_content(self, payload: Payload) -> None:
        self._fill("content", payload.content_index, payload.text)

    def end_summary_part(self, payload: Payload) -> None:
        self._fill("summary", payload.summary_index, payload.part)

    def end_content_part(self, payload: Payload) -> None:
        self._fill("content", payload.content_index, payload.part)

    def _begin(self, source: str, index: Index, section: Any) -> None:
        """Reads the announcement of a section. Those that were announced before it get no more words."""
        of_source = (place for place in self._announced if place[0] == source)
        self._write_announced(takewhile(lambda place: place != (source, index), list(of_source)))
        self._announce_section(source, index, section)

    def _announce_section(self, source: str, index: Index, section: Any) -> None:
        text = words_of(section)
        is_new = not self._source or (index or 0) > (self._section or 0)
        if text and is_new and len(self._announced) < MAX_ANNOUNCED:
            self._announced[source, index] = text

    def _write_announced(self, places: Iterable[tuple[str, Index]]) -> None:
        for source, index in places:
            self._fill(source, index, self._announced[source, index])
            self._announced.pop((source, index), None)

    def _grow(self, source: str, index: Index, delta: Any) -> None:
        text = words_of(delta)
        if not text or self._source not in ("", source):
            return
        if not self._source or (index != self._section and not self._goes_on(source)):
            text = continued(self._take_announced(source, index), text)
            self._streamed.restart()
            if self._source:
                self._prose.reasoning("\n\n")
            self._source, self._section = source, index
        self._is_growing = True
        self._prose.reasoning(text)
        self._streamed.add(text)

    def _goes_on(self, source: str) -> bool:
        """Returns True if words under another index still belong to the newest section."""
        return source == "content" and self._is_growing

    def _take_announced(self, source: str, index: Index) -> str:
        """Returns what the announcement of a section had. If none has its index, the first one counts."""
        first = next((place for place in self._announced if place[0] == source), (source, index))
        place = (source, index) if (source, index) in self._announced else first
        return self._announced.pop(place, "")

    def _fill(self, source: str, index: Index, section: Any) -> None:
        """Reads a whole section. It counts as far as it did not stream."""
        if self._source not in ("", source):
            return
        if self._source and (index == self._section or self._goes_on(source)):
            self._grow(source, index, self._streamed.rest_of(words_of(section)))
            self._section = index
        elif not self._source or (index or 0) > (self._section or 0):
            self._grow(source, index, section)
        self._is_growing = False


def _sections(wire: JSONObject) -> Iterator[tuple[str, int, Any]]:
    """Yields the sections of a whole item with their source and index. Some servers send one section without a list."""
    for source in ("summary", "content"):
        sections = wire.get(source)
        for index, section in enumerate(sections if isinstance(sections, list) else [sections]):
            yield source, index, section
