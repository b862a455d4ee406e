"""Tells which choice a delta belongs to. Some servers give one answer several choice indexes.

LiteLLM sends thinking as choice 0 and text as choice 1; others count the index up with each chunk. Some servers send
several choices although one was asked for. Unless several were asked for, words at another index are

- the same answer if they are of a kind (reasoning, text, calls) that the answer does not have yet; also after the
  finish reason if that announced calls and none have come (GitHub Copilot);
- another choice if it begins as OpenAI's do, with a role and no words, or after a choice has finished;
- held back otherwise, until words of an earlier index follow (another choice), or until enough deltas are held or
  the stream ends (the same answer, unless each index has its own finish reason). Two deltas with words are
  enough where one answer was asked for, `MAX_HELD` deltas where the number is not known.
"""

from __future__ import annotations

from typing import Any

from streaming.protocol.dialects.answer import AnswerWriter, StreamTooLarge
from streaming.protocol.dialects.openai_chat.choice import Choice
from streaming.protocol.dialects.openai_chat.chunks import WireChoice, delta_of
from streaming.protocol.dialects.openai_chat.delta import kinds_of

# OpenAI's own limit on `n`.
MAX_CHOICES = 128
MAX_HELD = 32

Placed = list[tuple[Choice, WireChoice]]


class ChoiceTable:
    """The choices of one stream. `asked` is the number of answers that were asked for; None if it is not known."""

    def __init__(self, writer: AnswerWriter, asked: int | None) -> None:
        self.known: dict[int, Choice] = {}
        """The choices by those indexes that need no judgement."""
        self.all: dict[int, Choice] = {}
        """The choices by their numbers."""
        self._writer = writer
        self._is_several = True if asked is not None and asked > 1 else None
        """True if each index is a choice, False if all are the same one, None as long as it is not known."""
        self._enough_words = 2 if asked == 1 else MAX_HELD
        self._lead: int | None = None
        """The first index."""
        self._held: list[WireChoice] = []
        self._numbers: dict[int, int] = {}
        """The numbers of choices that differ from their indexes."""

    def place(self, wire: WireChoice) -> Placed:
        """Returns the deltas that can be read now, with their choices. `wire` may be held back."""
        if self._is_several is not None:
            return [(self._choice_of(wire), wire)]
        self._held.append(wire)
        if self._lead is None:
            return self._begin(wire)
        is_several = self._judge(wire)
        if is_several is None:
            self.known.clear()  # so that each delta comes here
            return []
        return self._decide(is_several=is_several)

    def settle(self) -> Placed:
        """Returns the deltas that are held back, at the end of the stream."""
        if not self._held:
            return []
        finished = {_index(wire) for wire in self._held if wire.finish_reason}
        if self._lead is not None and self.all[0].ending.reason:
            finished.add(self._lead)
        seen = {self._lead, *map(_index, self._held)}
        return self._decide(is_several=len(seen) > 1 and seen <= finished)

    def _begin(self, wire: WireChoice) -> Placed:
        """Reads the first deltas. An index other than 0 that has no words yet may be one of several."""
        if len({_index(each) for each in self._held}) > 1 and all(map(_is_opening, self._held)):
            return self._decide(is_several=True)
        if _index(wire) and not _kinds(wire) and len(self._held) < MAX_HELD:
            return []
        self._lead = _index(wire)
        return self._release()

    def _judge(self, wire: WireChoice) -> bool | None:
        """Returns True if the held deltas are of other choices, False if of the same answer, None if in doubt."""
        lead, index, kinds = self.all[0], _index(wire), _kinds(wire)
        speakers = [_index(each) for each in self._held if _kinds(each)]
        if index != self._lead and kinds == {"calls"} and lead.awaits_calls:
            return False
        if index != self._lead and (lead.ending.reason or (_is_opening(wire) and lead.kinds != {"reasoning"})):
            return True
        if kinds and (index == self._lead or (index in speakers[:-1] and speakers[-2] != index)):
            return True
        if kinds and lead.kinds and lead.kinds.isdisjoint(kinds):
            return False
        return False if len(speakers) >= self._enough_words or len(self._held) >= MAX_HELD else None

    def _decide(self, *, is_several: bool) -> Placed:
        """Ends the doubt. The choice of the first index has the number 0, so an index 0 beside it takes its number."""
        self._is_several = is_several
        if is_several and self._lead:
            self._numbers = {self._lead: 0, 0: self._lead}
        return self._release()

    def _release(self) -> Placed:
        held, self._held = self._held, []
        return [(self._choice_of(wire), wire) for wire in held]

    def _choice_of(self, wire: WireChoice) -> Choice:
        index = _index(wire)
        number = self._numbers.get(index, index) if self._is_several else 0
        choice = self.all.get(number) or self._open(number)
        is_sure = self._is_several is not None or index == self._lead
        if is_sure and len(self.known) < MAX_CHOICES:
            self.known[index] = choice
        return choice

    def _open(self, number: int) -> Choice:
        if len(self.all) >= MAX_CHOICES:
            raise StreamTooLarge(f"the answer has more than {MAX_CHOICES} choices")
        self.all[number] = choice = Choice(self._writer, number)
        return choice


def _index(wire: WireChoice) -> int:
    return wire.index or 0


def _said_in(wire: WireChoice) -> dict[str, Any]:
    return wire.message if isinstance(wire.message, dict) and wire.delta is None else delta_of(wire)


def _kinds(wire: WireChoice) -> set[str]:
    return kinds_of(_said_in(wire))


def _is_opening(wire: WireChoice) -> bool:
    return bool(_said_in(wire).get("role")) and not _kinds(wire) and not wire.finish_reason
