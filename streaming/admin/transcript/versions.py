"""The path that a transcript shows, and the other versions of its messages.

`?at=<message>` in the address selects the path through that message, to the newest message below it. Without it, the
transcript shows the path that the owner sees.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from streaming.access import redacted_text
from streaming.admin.snippets import piece_around
from streaming.models import Conversation, Message, MessageTree, Place, Role


class Version(NamedTuple):
    """One version of a message. `number` counts from 1; `text` is its beginning."""

    pk: uuid.UUID
    number: int
    text: str
    is_here: bool
    is_owners: bool


class Versions(NamedTuple):
    """All versions of one message. `what` says what they are versions of, `number` is the one on the path."""

    what: str
    number: int
    all: list[Version]

    @property
    def previous(self) -> Version | None:
        return self.all[self.number - 2] if self.number > 1 else None

    @property
    def next(self) -> Version | None:
        return self.all[self.number] if self.number < len(self.all) else None


class Paths:
    """The tree of a conversation, the path `here` that is shown, and the keys of the path that the owner sees."""

    def __init__(self, conversation: Conversation, at: uuid.UUID | None = None) -> None:
        self._tree = MessageTree.read(conversation)
        leaf = self._tree.get(conversation.active_leaf_id)
        chosen = self._tree.get(at)
        self.owners = {message.pk for message in self._tree.path(leaf)}
        self.here = self._tree.path(leaf if chosen is None or chosen.pk in self.owners else self._below(chosen))

    def versions(self, shown: Iterable[Message | Place]) -> dict[uuid.UUID, Versions]:
        """Returns the versions of those messages that have more than one. Makes one query."""
        siblings = {message.pk: self._tree.siblings(message) for message in shown}
        several = {pk: versions for pk, versions in siblings.items() if len(versions) > 1}
        beginnings = _beginnings(self._with_parents(several))
        return {pk: self._versions(pk, versions, beginnings) for pk, versions in several.items()}

    def _below(self, message: Place) -> Place:
        return self._tree.newest_leaf(message)

    def _with_parents(self, several: dict[uuid.UUID, list[Place]]) -> set[uuid.UUID]:
        versions = [one for versions in several.values() for one in versions]
        return {one.pk for one in versions} | {one.parent_id for one in versions if one.parent_id}

    def _versions(self, here: uuid.UUID, versions: list[Place], beginnings: dict[uuid.UUID, str]) -> Versions:
        shown = [
            Version(one.pk, number, beginnings.get(one.pk, ""), one.pk == here, one.pk in self.owners)
            for number, one in enumerate(versions, 1)
        ]
        number = next(one.number for one in shown if one.is_here)
        parent = beginnings.get(versions[0].parent_id, "") if versions[0].parent_id else ""
        sentence = WHAT[versions[0].role == Role.ASSISTANT, bool(parent)]
        return Versions(sentence % {"number": number, "count": len(shown), "text": parent}, number, shown)


WHAT = {
    (True, True): _("Answer %(number)d of %(count)d to “%(text)s”"),
    (True, False): _("Answer %(number)d of %(count)d"),
    (False, True): _("Version %(number)d of %(count)d of the question after “%(text)s”"),
    (False, False): _("Version %(number)d of %(count)d of the first question"),
}
"""For an answer or a question, with or without a message before it: the sentence that says what has versions."""


def _beginnings(keys: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    found = Message.objects.filter(pk__in=keys).order_by().annotate(piece=piece_around("")).values_list("pk", "piece")
    return {pk: _short(redacted_text(text)) for pk, text in found}


def _short(text: str, length: int = 60) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"
