"""Prose writes text, reasoning and refusals: one part at a time, at one place of the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streaming.protocol.dialects.answer.think_tags import ThinkTags
from streaming.protocol.dialects.answer.writer import AnswerWriter
from streaming.protocol.events import PartEnded, ReasoningDelta, ReasoningSigned, RefusalDelta, TextDelta, TextRecast

DeltaClass = type[TextDelta] | type[ReasoningDelta] | type[RefusalDelta]


class Prose:
    """One place on the wire where words arrive. Words of another kind end the open part and begin a new one."""

    __slots__ = (
        "_before_close",
        "_choice",
        "_is_sealed",
        "_kind",
        "_tags",
        "_text_part",
        "_writer",
        "part",
        "write",
    )

    def __init__(
        self,
        writer: AnswerWriter,
        choice: int = 0,
        *,
        before_close: Callable[[], None] | None = None,
        think: Callable[[str], None] | None = None,
    ) -> None:
        writer.reserve()
        self.write: Callable[[str], None] = self.text
        """Writes text. If the option `split_think_tags` is on, `think` takes what is in `<think>` tags."""
        self.part = -1
        """The number of the open part, or of the last one."""
        self._text_part: int | None = None
        self._writer = writer
        self._choice = choice
        self._kind: DeltaClass | None = None
        self._is_sealed = False
        self._before_close = before_close
        self._tags: ThinkTags | None = None
        if writer.split_think_tags:
            self._tags = ThinkTags(self.text, think or self.reasoning, self._recast)
            self.write = self._tags.feed

    @property
    def is_reasoning(self) -> bool:
        """True while a reasoning part is open."""
        return self._kind is ReasoningDelta

    @property
    def has_text(self) -> bool:
        """True once a text part has begun."""
        return self._text_part is not None

    def text(self, text: str) -> None:
        if self._kind is not TextDelta:
            self._begin(TextDelta)
        self._writer.events.append(TextDelta(self.part, text, self._choice))

    def reasoning(self, text: str) -> None:
        if self._kind is not ReasoningDelta or self._is_sealed:
            self._begin(ReasoningDelta)
        self._writer.events.append(ReasoningDelta(self.part, text, self._choice))

    def refusal(self, text: str) -> None:
        if self._kind is not RefusalDelta:
            self._begin(RefusalDelta)
            self._writer.note_refusal()
        self._writer.events.append(RefusalDelta(self.part, text, self._choice))

    def place(self) -> int:
        """Returns the number of the last text part, for a citation on it. Begins one if there is none."""
        if self._text_part is None:
            self._begin(TextDelta)
        return self._text_part or 0

    def sign(self, signature: str | None = None, raw: dict[str, Any] | None = None) -> None:
        """Adds what the provider wants back with the reasoning. A whole object (`raw`) seals the part."""
        if self._kind is not ReasoningDelta or self._is_sealed:
            self._begin(ReasoningDelta)
        self._writer.events.append(ReasoningSigned(self.part, signature, raw, self._choice))
        self._is_sealed = raw is not None

    def end(self, raw: dict[str, Any] | None = None) -> None:
        """Ends the open part. Does nothing if no part is open. `raw` is what the provider wants back with it."""
        if self._before_close is not None:
            self._before_close()
        if self._tags is not None:
            self._tags.flush()
        self._close(raw)

    def _recast(self) -> None:
        """Says that the open text part was reasoning, and ends it."""
        if self._kind is TextDelta:
            self._writer.events.append(TextRecast(self.part, self._choice))
            self._writer.silent_parts += 1
            self._text_part = None
            self._close()

    def _close(self, raw: dict[str, Any] | None = None) -> None:
        if self._before_close is not None:
            self._before_close()
        if self._kind is not None:
            self._writer.events.append(
                PartEnded(self.part, self._choice, None if self._kind is ReasoningDelta else raw)
            )
            self._kind = None
            self._writer.open_prose.pop(self, None)

    def _begin(self, kind: DeltaClass) -> None:
        self._close()
        self.part = self._writer.new_part(self._choice)
        self._kind = kind
        self._is_sealed = False
        self._writer.open_prose[self] = None
        if kind is TextDelta:
            self._text_part = self.part
        elif kind is ReasoningDelta:
            self._writer.silent_parts += 1


def continued(beginning: str, delta: str) -> str:
    """Returns the words of an announcement with the first delta: the deltas repeat it (MiniMax), or continue it."""
    return delta if delta.startswith(beginning) or beginning.startswith(delta) else beginning + delta
