"""The output item with the words of an answer."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile

from streaming.protocol.dialects.answer import AnswerWriter, Prose, continued
from streaming.protocol.dialects.openai_responses.items.annotations import Annotations, Index
from streaming.protocol.dialects.openai_responses.items.item import Item, JSONObject
from streaming.protocol.dialects.openai_responses.items.streamed import (
    REFUSAL,
    TEXT,
    Streamed,
    kind_of,
    parts_of,
    whole_of,
    words_of,
)
from streaming.protocol.dialects.openai_responses.payload import Payload
from streaming.protocol.dialects.wire import object_of

# How many parts are held back until they have words. Each takes memory.
MAX_ANNOUNCED = 100


class MessagePart(Streamed):
    """A part that has words: the place where they go, and what has streamed of them."""

    __slots__ = ("index", "is_growing", "kind", "prose", "write")

    def __init__(self, index: Index, prose: Prose) -> None:
        super().__init__()
        self.index = index
        self.prose = prose
        self.write = prose.write
        self.kind = TEXT
        """The key of the words."""
        self.is_growing = True
        """True until an event ends the part."""


class MessageItem(Item):
    """Text and refusals with their annotations: one part for each content index.

    Some servers count the index up with each delta, or send -1 (vLLM). So the newest part goes on under any index until
    an event ends it, or announces another one.
    """

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None:
        super().__init__(writer, wire)
        self._parts: dict[Index, MessagePart] = {}
        self._announced: dict[Index, tuple[str, str]] = {}
        """The parts that were announced and have no delta yet, with the kind and words that the announcement had."""
        self._annotations = Annotations(writer)
        self._text: MessagePart | None = None
        """The part that got the last words, if they are text."""
        self._has_streamed = False
        """True once a part has words from another event than its end."""
        self.announce(wire)

    def announce(self, wire: JSONObject) -> None:
        self._wire = wire
        for place, part in enumerate(parts_of(wire.get("content"))):
            self._announce_part(place, part)

    def done(self, wire: JSONObject) -> None:
        wholes = parts_of(wire.get("content"))
        if not self._parts:  # else it streamed, perhaps under other indexes than these
            for place, whole in enumerate(wholes):
                self._fill(place, whole)
        elif len(self._parts) == len(wholes) == 1:
            self._complete(next(iter(self._parts)), wholes[0])
        else:
            self._fill_later(wholes)
        self.cut()
        self._cite_waiting()
        for part, whole in zip(self._parts.values(), wholes, strict=False):
            self._annotations.cite_rest(part.index, part.prose, whole)
        for part in self._parts.values():
            part.prose.end(_sent_back(wire))

    def cut(self) -> None:
        """Writes the words that only the announcements of parts had."""
        self._write_announced(list(self._announced))

    def may_be(self, wire: JSONObject) -> bool:
        newest = self._newest
        return newest is None or newest.begins(whole_of(wire))

    def begin_part(self, payload: Payload) -> None:
        """Reads the announcement of a part. Those that were announced before it get no more words."""
        self._write_announced(takewhile(lambda index: index != payload.content_index, list(self._announced)))
        self._announce_part(payload.content_index, object_of(payload.part))

    def grow_text(self, payload: Payload) -> None:
        delta = payload.delta
        part = self._text
        if part is not None and part.index == payload.content_index and type(delta) is str and delta:
            write = part.write  # nearly all deltas come here, and a call of a local function is faster
            write(delta)
            part.add(delta)
        elif text := words_of(delta):
            self._grow(payload.content_index, TEXT, text)

    def grow_refusal(self, payload: Payload) -> None:
        if text := words_of(payload.delta, REFUSAL):
            self._grow(payload.content_index, REFUSAL, text)

    def grow_part(self, payload: Payload) -> None:
        """Reads a delta that is a piece of a part."""
        self.grow_text(payload)
        if isinstance(payload.delta, dict):
            self.grow_refusal(payload)

    def end_part(self, payload: Payload) -> None:
        """Reads a whole part. If another part of the item streamed, it counts for nothing: indexes may differ."""
        whole = object_of(payload.part)
        index = self._place_of(payload.content_index, kind_of(whole))
        if not self._has_streamed or index in self._announced:
            self._fill(index, whole)
        else:
            self._complete(index, whole)
        part = self._parts.get(index)
        if part is not None:
            self._annotations.cite_rest(index, part.prose, whole)
        self._end(index)

    def end_text(self, payload: Payload) -> None:
        index = self._place_of(payload.content_index)
        self._fill(index, {"type": "output_text", TEXT: payload.text})
        self._end(index)

    def end_refusal(self, payload: Payload) -> None:
        index = self._place_of(payload.content_index, REFUSAL)
        self._fill(index, {"type": "refusal", REFUSAL: payload.refusal})
        self._end(index)

    def annotate(self, payload: Payload) -> None:
        index = self._place_of(payload.content_index)
        if index in self._parts or not self._annotations.wait(index, payload.annotation):
            self._annotations.cite(index, self._part_at(index).prose, payload.annotation)

    @property
    def _newest(self) -> MessagePart | None:
        return next(reversed(self._parts.values()), None)

    def _announce_part(self, index: Index, part: JSONObject) -> None:
        if index not in self._parts and len(self._announced) < MAX_ANNOUNCED:
            kind = kind_of(part)
            self._announced[index] = (kind, words_of(part, kind) or self._announced.get(index, ("", ""))[1])

    def _write_announced(self, indexes: Iterable[Index]) -> None:
        for index in indexes:
            kind, text = self._announced[index]
            if text:
                self._has_streamed = True
                self._write(index, kind, text)

    def _place_of(self, index: Index, kind: str = TEXT) -> Index:
        """Returns the index under which the part is kept that an event is about."""
        if index in self._parts or index in self._announced:
            return index
        newest = self._newest
        if newest is not None and newest.is_growing and newest.kind == kind:
            index = newest.index
        return next(iter(self._announced), index)

    def _grow(self, index: Index, kind: str, text: str) -> None:
        self._has_streamed = True
        index = self._place_of(index, kind)
        self._write(index, kind, continued(self._announced.get(index, ("", ""))[1], text))

    def _cite_waiting(self) -> None:
        """Cites what came for parts that never had words, on the last part that has some."""
        if self._annotations:
            last = self._newest or self._part_at(self._annotations.first_index)
            self._annotations.cite_waiting(last.index, last.prose, is_last=True)

    def _part_at(self, index: Index) -> MessagePart:
        """Returns the part at the index, a new one if it has had no words."""
        found = self._parts.get(index)
        if found is None:
            found = self._parts[index] = MessagePart(index, Prose(self._writer))
            self._text = None
            self._announced.pop(index, None)
            self._annotations.cite_waiting(index, found.prose)
        return found

    def _end(self, index: Index) -> None:
        """Ends a part, if it is known what goes back with it. Otherwise the end of the item ends it."""
        part = self._parts.get(index)
        if part is None:
            return
        part.is_growing = False
        if raw := _sent_back(self._wire | {"status": "completed"}):
            part.prose.end(raw)

    def _fill(self, index: Index, whole: JSONObject) -> None:
        """Takes what did not stream of a whole part. A part without an index is the one that streamed."""
        self._complete(index, whole)
        if index in self._parts or (self._parts and (index is None or None in self._parts)):
            return
        kind = kind_of(whole)
        if text := words_of(whole, kind):
            self._write(index, kind, text)

    def _fill_later(self, wholes: list[JSONObject]) -> None:
        """Takes the parts after those that streamed, if the last of these is at its own index and complete."""
        count, newest = len(self._parts), self._newest
        is_in_place = list(self._parts) == list(range(count)) and count < len(wholes)
        if newest is not None and is_in_place and newest.is_all_of(wholes[count - 1].get(newest.kind)):
            for place in range(count, len(wholes)):
                self._fill(place, wholes[place])

    def _complete(self, index: Index, whole: JSONObject) -> None:
        newest = self._newest
        if newest is not None and index == newest.index:
            self._write(index, newest.kind, newest.rest_of(whole.get(newest.kind)))

    def _write(self, index: Index, kind: str, text: str) -> None:
        if not text:
            return
        part = self._part_at(index)
        if kind != part.kind:
            part.kind = kind
            part.restart()
        if kind == REFUSAL:
            part.prose.refusal(text)
        else:
            part.write(text)
        part.add(text)
        self._text = part if kind == TEXT else None


def _sent_back(wire: JSONObject) -> JSONObject | None:
    """Returns what goes back with the text of a message. Without its id, the API refuses the reasoning before it."""
    if not isinstance(wire.get("id"), str):
        return None
    return {"type": "message"} | {key: wire[key] for key in ("id", "status", "phase") if isinstance(wire.get(key), str)}
