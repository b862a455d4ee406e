"""Reads the fields of a delta that hold reasoning."""

from __future__ import annotations

from functools import partial
from typing import Any

from streaming.protocol.dialects.answer import AnswerWriter, Prose
from streaming.protocol.dialects.openai_chat.delta import DETAILS, THINKING, thought_of, words_of
from streaming.protocol.dialects.openai_chat.words.cumulative import CumulativeFilter
from streaming.protocol.dialects.openai_chat.words.reasoning_record import ReasoningRecord
from streaming.protocol.dialects.openai_chat.words.returned_fields import ReturnedFields


class Reasoning:
    """The reasoning of one choice. It is written as parts of `prose`."""

    def __init__(self, writer: AnswerWriter, prose: Prose) -> None:
        self.record = ReasoningRecord() if writer.split_think_tags else None
        """What has been said, if it may come twice: in a field, and in tags."""
        self.words = CumulativeFilter(prose.reasoning if self.record is None else partial(self._write, is_tagged=False))
        """Takes the text of the reasoning."""
        self._writer = writer
        self._prose = prose
        self._returned = ReturnedFields(writer.reserve)
        self._last = ("", "")
        """The field and the text of the last words."""

    def read(self, delta: dict[str, Any]) -> None:
        """Reads the fields of a normal delta: text, or items that may also have signatures."""
        details_field = next(filter(delta.__contains__, DETAILS), "")
        details = delta.get(details_field)
        field, text = thought_of(delta)
        if not text and details:
            field, text = details_field, words_of(details)
        last_field, last_text = self._last
        if text and (field == last_field or text != last_text):  # else the same words once more, in another field
            self._last = (field, text)
            self.words.take(text)
            self._returned.note_text(field)
        if not text or type(delta[field]) is dict:
            for name in THINKING.intersection(delta):
                self._sign(_with_inner(delta[name]))
        if isinstance(details, list):
            self._returned.add_details(details_field, [piece for piece in details if isinstance(piece, dict)])
            self._expect_settling()
            self._sign(details)

    def read_tagged(self, text: str) -> None:
        """Reads reasoning that stood in tags within the text."""
        self._write(text, is_tagged=True)

    def read_item(self, item: Any) -> None:
        """Reads an item of the content that is reasoning."""
        if text := words_of(item):
            self.words.take(text)
        self._sign([item])
        self._sign(item.get("summary"))

    def read_opaque(self, opaque: Any) -> None:
        """Reads Copilot's signature. It comes in pieces after the reasoning, and is added when that part ends."""
        if isinstance(opaque, str):
            self._returned.add_opaque(opaque)
            self._expect_settling()

    def settle(self) -> None:
        """Writes what is held back into the part that is about to end."""
        self.words.settle()
        has_text = self._prose.is_reasoning
        if has_text or self._returned.must_go_back:
            returned, self._returned = self._returned, ReturnedFields(self._writer.reserve)
            if fields := returned.collect(has_text=has_text):
                self._prose.sign(raw=fields)

    def _write(self, text: str, *, is_tagged: bool) -> None:
        new = text if self.record is None else self.record.new(text, is_tagged=is_tagged)
        if new:
            self._prose.reasoning(new)

    def _expect_settling(self) -> None:
        """Makes the end of the stream settle, even if no part is open."""
        if self._returned.must_go_back:
            self._writer.open_prose[self._prose] = None

    def _sign(self, details: Any) -> None:
        for detail in details if isinstance(details, list) else []:
            signature = detail.get("signature") if isinstance(detail, dict) else None
            if isinstance(signature, str) and signature:
                self._prose.sign(signature=signature)


def _with_inner(wire: Any) -> list[dict[str, Any]]:
    """Returns an object, and the objects that are its values; nothing if `wire` is none."""
    return [each for each in (wire, *wire.values()) if isinstance(each, dict)] if isinstance(wire, dict) else []
