"""The output item with the model's reasoning."""

from __future__ import annotations

from typing import Any

from streaming.protocol.dialects.answer import AnswerWriter, Prose
from streaming.protocol.dialects.openai_responses.streamed import Streamed

JSONObject = dict[str, Any]


class ReasoningItem:
    """Reasoning: one part for the whole item, because the item goes back whole on the next turn.

    A server may send the thoughts, a summary, or the same text as both. Only the kind that comes first is taken.
    Its sections (summary or content indexes) are separated by an empty line.
    """

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None:
        self._prose = Prose(writer)
        self._source = ""
        self._section: int | None = None
        self._streamed = Streamed()

    def announce(self, wire: JSONObject) -> None:
        """Does nothing: the whole item comes when it is done."""

    def done(self, wire: JSONObject) -> None:
        for source in ("summary", "content"):
            sections = wire.get(source)
            for index, section in enumerate(sections if isinstance(sections, list) else []):
                self._fill(source, index, section)
        if wire:
            self._prose.sign(raw=wire)
        self._prose.end()

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

    def _grow(self, source: str, section: int | None, text: Any) -> None:
        text = _words(text)
        if not text or self._source not in ("", source):
            return
        if section != self._section:
            self._streamed = Streamed()
            if self._source:
                self._prose.reasoning("\n\n")
        self._source = source
        self._section = section
        self._prose.reasoning(text)
        self._streamed.add(text)

    def _fill(self, source: str, section: int | None, text: Any) -> None:
        if not self._source or (self._source == source and (section or 0) > (self._section or 0)):
            self._grow(source, section, text)
        elif self._source == source and section == self._section:
            self._grow(source, section, self._streamed.rest_of(_words(text)))


def _words(section: Any) -> str:
    text = section.get("text") if isinstance(section, dict) else section
    return text if isinstance(text, str) else ""
