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
from streaming.protocol.dialects.openai_chat.chunks import delta_of
from streaming.protocol.dialects.openai_chat.words import kinds_of

# OpenAI's own limit on `n`.
MAX_CHOICES = 128
MAX_HELD = 32

Placed = list[tuple[Choice, Any]]


class ChoiceTable:
    """The choices of one stream. `asked` is the number of answers that were asked for; None if it is not known."""

    def __init__(self, writer: AnswerWriter, asked: int | None) -> None:
        self.known: dict[int, Choice] = {}
        """The choices by those indexes that need no judgement."""
        self.all: dict[int, Choice] = {}
        """The choices by their numbers."""
        self._writer = writer
        self._is_one = False
        self._is_several = asked is not None and asked > 1
        self._enough_words = 2 if asked == 1 else MAX_HELD
        self._lead: int | None = None
        self._held: list[Any] = []
        self._numbers: dict[int, int] = {}

    def place(self, wire: Any) -> Placed:
        """Returns the deltas that can be read now, with their choices. `wire` may be held back."""
        if self._is_one:
            return [(self._only(wire), wire)]
        if self._is_several:
            return [(self._at(wire), wire)]
        if self._lead is None:
            return self._begin(wire)
        self._held.append(wire)
        verdict = self._verdict(wire)
        if verdict is None:
            self.known.clear()  # so that each delta comes here
            return []
        return self._divide() if verdict else self._join()

    def settle(self) -> Placed:
        """Returns the deltas that are held back, at the end of the stream."""
        if not self._held:
            return []
        finished = {_index(wire) for wire in self._held if wire.finish_reason}
        if self._lead is not None and self.all[0].ending.reason:
            finished.add(self._lead)
        seen = {self._lead, *map(_index, self._held)}
        return self._divide() if len(seen) > 1 and seen <= finished else self._join()

    def _begin(self, wire: Any) -> Placed:
        """Reads the first deltas. An index other than 0 that has no words yet may be one of several."""
        self._held.append(wire)
        if len({_index(each) for each in self._held}) > 1 and all(map(_is_opening, self._held)):
            return self._divide()
        if _index(wire) and not _kinds(wire) and len(self._held) < MAX_HELD:
            return []
        self._lead = _index(wire)
        held, self._held = self._held, []
        return [(self._only(each), each) for each in held]

    def _verdict(self, wire: Any) -> bool | None:
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

    def _join(self) -> Placed:
        self._is_one = True
        held, self._held = self._held, []
        return [(self._only(wire), wire) for wire in held]

    def _divide(self) -> Placed:
        """Makes each index a choice. If the first index was not 0, its choice is already number 0: they swap."""
        self._is_several = True
        if self._lead:
            self._numbers = {self._lead: 0, 0: self._lead}
        held, self._held = self._held, []
        return [(self._at(wire), wire) for wire in held]

    def _only(self, wire: Any) -> Choice:
        choice = self.all.get(0) or self._open(0)
        if len(self.known) < MAX_CHOICES and (self._is_one or _index(wire) == self._lead):
            self.known[_index(wire)] = choice
        return choice

    def _at(self, wire: Any) -> Choice:
        number = self._numbers.get(_index(wire), _index(wire))
        choice = self.known[_index(wire)] = self.all.get(number) or self._open(number)
        return choice

    def _open(self, number: int) -> Choice:
        if len(self.all) >= MAX_CHOICES:
            raise StreamTooLarge(f"the answer has more than {MAX_CHOICES} choices")
        self.all[number] = choice = Choice(self._writer, number)
        return choice


def _index(wire: Any) -> int:
    return wire.index or 0


def _delta(wire: Any) -> dict[str, Any]:
    if isinstance(wire.message, dict) and wire.delta is None:
        return wire.message
    return delta_of(wire) or ({} if wire.text is None else {"content": wire.text})


def _kinds(wire: Any) -> set[str]:
    return kinds_of(_delta(wire))


def _is_opening(wire: Any) -> bool:
    return bool(_delta(wire).get("role")) and not _kinds(wire) and not wire.finish_reason
