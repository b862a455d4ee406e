"""The output item with the model's reasoning."""

from __future__ import annotations

from typing import Any

from streaming.protocol.dialects.answer import AnswerWriter, Prose
from streaming.protocol.dialects.openai_responses.streamed import Streamed, words_of

JSONObject = dict[str, Any]


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

    def cut(self) -> None:
        """Does nothing: nothing is held back."""

    def begin_content_part(self, payload: Any) -> None:
        self._is_growing = False

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
