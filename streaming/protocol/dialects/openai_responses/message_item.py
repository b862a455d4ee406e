"""The output item with the words of an answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec

from streaming.protocol.dialects.answer import AnswerWriter, Prose, continued
from streaming.protocol.dialects.openai_responses.streamed import (
    REFUSAL,
    TEXT,
    Streamed,
    kind_of,
    parts_of,
    whole_of,
    words_of,
)
from streaming.protocol.dialects.wire import object_of
from streaming.protocol.events import Cited

JSONObject = dict[str, Any]

# How many annotations, and how many parts, are held back until their part has words. Each takes memory.
MAX_EARLY = 100

# How many annotations are remembered, to find those that only the end has. Answers have a few dozen.
MAX_KNOWN = 1_000


class MessageItem:
    """Text and refusals with their annotations: one part for each content index.

    Some servers count the index up with each delta, or send -1 (vLLM). So a part goes on under any index until an event
    ends it, or announces another one.
    """

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None:
        self._writer = writer
        self._proses: dict[int | None, Prose] = {}
        self._begun: dict[int | None, tuple[str, str]] = {}
        """The parts that were announced and have no delta yet, with the kind and words that the announcement had."""
        self._early: list[tuple[int | None, Any]] = []
        """Annotations that came before the first words of their part, with its index."""
        self._writes: dict[int | None, Callable[[str], None]] = {}
        """The writer of the newest part, if it is text."""
        self._cited: Counter[int | None] = Counter()
        """The number of annotations of each part."""
        self._known: set[int] = set()
        """The hashes of these annotations."""
        self._filled = 0
        self._streamed = Streamed()
        self._newest: int | None = None
        """The index of the part that began last, of which `_streamed` counts the text."""
        self._is_growing = False
        """True until an event ends that part."""
        self._kind = TEXT
        """The key of that part's words."""
        self.announce(wire)

    def announce(self, wire: JSONObject) -> None:
        self._wire = wire
        for place, part in enumerate(parts_of(wire.get("content"))):
            self._begin(place, part)

    def done(self, wire: JSONObject) -> None:
        parts = parts_of(wire.get("content"))
        if not self._proses:  # else it streamed, perhaps under other indexes than these
            for place, part in enumerate(parts):
                self._fill(place, part)
        elif len(self._proses) == len(parts) == 1:
            self._complete(self._newest, parts[0])
        else:
            self._fill_later(parts)
        self.cut()
        self._cite_early()
        for index, part in zip(self._proses, parts, strict=False):
            self._cite_rest(index, part)
        for prose in self._proses.values():
            prose.end(_shell(wire))

    def cut(self) -> None:
        """Writes the words that only the announcements of parts had."""
        self._write_begun(list(self._begun))

    def may_be(self, wire: JSONObject) -> bool:
        return not self._proses or self._streamed.begins(whole_of(wire))

    def begin_part(self, payload: Any) -> None:
        self._write_begun([index for index in self._begun if index != payload.content_index])
        self._begin(payload.content_index, object_of(payload.part))

    def grow_text(self, payload: Any) -> None:
        delta = payload.delta
        write = self._writes.get(payload.content_index)
        if write is not None and type(delta) is str and delta:  # nearly all, so it comes first
            write(delta)
            self._streamed.add(delta)
        elif text := words_of(delta):
            self._grow(payload.content_index, TEXT, text)

    def grow_refusal(self, payload: Any) -> None:
        if text := words_of(payload.delta, REFUSAL):
            self._grow(payload.content_index, REFUSAL, text)

    def grow_part(self, payload: Any) -> None:
        """Reads a delta that is a piece of a part."""
        self.grow_text(payload)
        if isinstance(payload.delta, dict):
            self.grow_refusal(payload)

    def end_part(self, payload: Any) -> None:
        """Reads a whole part. If another part of the item streamed, it counts for nothing: indexes may differ."""
        part = object_of(payload.part)
        index = self._place_of(payload.content_index, kind_of(part))
        if len(self._proses) == self._filled or index in self._begun:
            self._fill(index, part)
        else:
            self._complete(index, part)
        if index in self._proses:
            self._cite_rest(index, part)
        self._end(index)

    def end_text(self, payload: Any) -> None:
        index = self._place_of(payload.content_index)
        self._fill(index, {"type": "output_text", "text": payload.text})
        self._end(index)

    def end_refusal(self, payload: Any) -> None:
        index = self._place_of(payload.content_index, REFUSAL)
        self._fill(index, {"type": "refusal", REFUSAL: payload.refusal})
        self._end(index)

    def annotate(self, payload: Any) -> None:
        index = self._place_of(payload.content_index)
        if index in self._proses or len(self._early) == MAX_EARLY:
            self._open(index)
            self._cite(index, payload.annotation)
        else:
            self._early.append((index, payload.annotation))

    def _begin(self, index: int | None, part: JSONObject) -> None:
        if index not in self._proses and len(self._begun) < MAX_EARLY:
            kind = kind_of(part)
            self._begun[index] = (kind, words_of(part, kind) or self._begun.get(index, ("", ""))[1])

    def _write_begun(self, indexes: list[int | None]) -> None:
        for index in indexes:
            kind, text = self._begun[index]
            self._write(index, kind, text)

    def _place_of(self, index: int | None, kind: str = TEXT) -> int | None:
        """Returns the index under which the part is kept that an event is about."""
        if index in self._proses or index in self._begun:
            return index
        goes_on = self._is_growing and self._kind == kind
        return next(iter(self._begun), self._newest if goes_on else index)

    def _grow(self, index: int | None, kind: str, text: str) -> None:
        index = self._place_of(index, kind)
        self._write(index, kind, continued(self._begun.get(index, ("", ""))[1], text))

    def _cite_early(self) -> None:
        """Cites what came for parts that never had words, on the last part that has some."""
        if self._early and not self._proses:
            self._open(self._early[0][0])
        early, self._early = self._early, []
        for _, annotation in early:
            self._cite(next(reversed(self._proses)), annotation)

    def _cite(self, index: int | None, annotation: Any) -> None:
        if isinstance(annotation, dict):
            self._cited[index] += 1
            if len(self._known) < MAX_KNOWN:
                self._known.add(_hash_of(annotation))
            self._writer.emit(Cited(self._proses[index].place(), annotation))

    def _cite_rest(self, index: int | None, part: JSONObject) -> None:
        """Cites what a whole part has more than the events: some servers send only the first ones as events."""
        whole = part.get("annotations")
        if isinstance(whole, list) and len(whole) > self._cited[index] and len(self._known) < MAX_KNOWN:
            for annotation in [each for each in whole if _hash_of(each) not in self._known]:
                self._cite(index, annotation)

    def _open(self, index: int | None) -> Prose:
        if index not in self._proses:
            self._proses[index] = Prose(self._writer)
            self._streamed, self._newest, self._is_growing = Streamed(), index, True
            self._writes = {}
            self._begun.pop(index, None)
            for annotation in [each for at, each in self._early if at == index]:
                self._cite(index, annotation)
            self._early = [each for each in self._early if each[0] != index]
        return self._proses[index]

    def _end(self, index: int | None) -> None:
        """Ends a part, if it is known what goes back with it. Otherwise the end of the item ends it."""
        self._is_growing = self._is_growing and index != self._newest
        if index in self._proses and (raw := _shell(self._wire | {"status": "completed"})):
            self._proses[index].end(raw)

    def _fill(self, index: int | None, part: JSONObject) -> None:
        """Takes what did not stream of a whole content part. A part without an index is the one that streamed."""
        self._complete(index, part)
        if index in self._proses or (self._proses and (index is None or None in self._proses)):
            return
        kind = kind_of(part)
        if text := words_of(part, kind):
            self._filled += 1
            self._write(index, kind, text)

    def _fill_later(self, parts: list[JSONObject]) -> None:
        """Takes the parts after those that streamed, if the last of these is at its own index and complete."""
        count = len(self._proses)
        is_in_place = list(self._proses) == list(range(count)) and count < len(parts)
        if is_in_place and self._streamed.is_all_of(parts[count - 1].get(self._kind)):
            for place in range(count, len(parts)):
                self._fill(place, parts[place])

    def _complete(self, index: int | None, part: JSONObject) -> None:
        if index in self._proses and index == self._newest:
            self._write(index, self._kind, self._streamed.rest_of(part.get(self._kind)))

    def _write(self, index: int | None, kind: str, text: str) -> None:
        if not text:
            return
        prose = self._open(index)
        if kind != self._kind:
            self._kind, self._streamed = kind, Streamed()
        write = prose.refusal if kind == REFUSAL else prose.write
        write(text)
        self._streamed.add(text)
        self._writes = {} if kind == REFUSAL else {index: write}


def _hash_of(annotation: Any) -> int:
    return hash(msgspec.json.encode(annotation))


def _shell(wire: JSONObject) -> JSONObject | None:
    """Returns what goes back with the text of a message. Without its id, the API refuses the reasoning before it."""
    if not isinstance(wire.get("id"), str):
        return None
    return {"type": "message"} | {key: wire[key] for key in ("id", "status", "phase") if isinstance(wire.get(key), str)}
