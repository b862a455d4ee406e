"""The deletion of large conversations reads keys, and holds those of one transaction."""

from __future__ import annotations

import datetime
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db.models import Model
from django.db.models.signals import post_delete, post_init, pre_delete

from streaming.archive import delete_conversations, prune, pruning, unused_for
from streaming.intake import delete_idle
from streaming.models import Conversation, Generation, JournalEntry, Message, Owner, Share, Summary

pytestmark = pytest.mark.django_db

LARGE = {"parts", "text", "timeline", "context", "tried", "price", "error_detail", "frames", "messages"}
ANSWERS = 5


@pytest.fixture
def owner(settings: Any) -> Owner:
    """The owner of three conversations with five answers each. What was used counts."""
    settings.STREAMING_BUDGETS = {"owner": {"day": {"tokens": 10**9}}}
    ada = Owner.of_user(get_user_model().objects.create_user("ada").pk)
    for key in ("c0", "c1", "c2"):
        _store(ada, key)
    return ada


def _store(owner: Owner, key: str) -> None:
    conversation = Conversation.objects.create(key=key, owner_key=owner.key, user_id=owner.user_id)
    message = None
    for _ in range(ANSWERS):
        question = Message.objects.create(conversation=conversation, parent=message, role="user", text="x" * 1000)
        message = Message.objects.create(conversation=conversation, parent=question, role="assistant", text="x" * 1000)
        shared = {"conversation": conversation, "status": "finished", "input_tokens": 1}
        timeline = [[number, "text", 1] for number in range(500)]
        answer = Generation.objects.create(**shared, message=message, timeline=timeline)
        Summary.objects.create(**shared, generation=answer, upto=question, text="x" * 1000)
        JournalEntry.objects.create(generation=answer, first_seq=1, last_seq=1, frames=b"x" * 1000)
    Share.objects.create(conversation=conversation, digest=key, messages=["x" * 1000])
    Conversation.objects.filter(pk=conversation.pk).update(active_leaf=message)


DELETIONS: dict[str, Callable[[Owner], object]] = {
    "page": lambda owner: [delete_idle(owner, key) for key in ("c0", "c1", "c2")],
    "code": lambda owner: sum(delete_conversations(owner)),
    "pruning": lambda owner: sum(prune(unused_for(datetime.timedelta(days=-1)))),
    "rows": lambda owner: Conversation.objects.all().delete(),
    "row": lambda owner: [one.delete() for one in Conversation.objects.all()],
    "user": lambda owner: get_user_model().objects.get(pk=owner.user_id).delete(),
}


class Loaded:
    """The rows that are read: which large columns they have, and how many of a model are in memory at most."""

    def __init__(self) -> None:
        self.columns: set[str] = set()
        self.most: Counter[type[Model]] = Counter()
        self._alive: list[weakref.ref[Model]] = []

    def note(self, instance: Model, **kwargs: Any) -> None:
        names = {field.attname for field in instance._meta.concrete_fields} - instance.get_deferred_fields()
        self.columns |= {f"{instance._meta.model_name}.{name}" for name in names & LARGE}
        self._alive = [one for one in self._alive if one() is not None] + [weakref.ref(instance)]
        self.most |= Counter(type(one()) for one in self._alive)


@pytest.fixture
def loaded(owner: Owner) -> Iterator[Loaded]:
    found = Loaded()
    post_init.connect(found.note)
    yield found
    post_init.disconnect(found.note)


@pytest.mark.parametrize("way", DELETIONS)
def test_no_large_column_is_read(owner: Owner, loaded: Loaded, way: str) -> None:
    DELETIONS[way](owner)
    assert not Generation.objects.exists()
    assert loaded.columns == set()


@pytest.mark.parametrize(("messages", "transactions"), [(100, [3]), (25, [2, 1]), (1, [1, 1, 1])])
def test_rows_of_one_transaction_are_held(
    owner: Owner, loaded: Loaded, monkeypatch: pytest.MonkeyPatch, messages: int, transactions: list[int]
) -> None:
    """Django reads each message and each answer twice: below the conversation, and below other messages."""
    monkeypatch.setattr(pruning, "MESSAGES_PER_DELETION", messages)
    assert list(delete_conversations(owner)) == transactions
    assert loaded.most[Message] <= 2 * 2 * ANSWERS * max(transactions)
    assert loaded.most[Generation] <= 2 * ANSWERS * max(transactions)


def test_receivers_of_the_site_get_whole_rows(owner: Owner, django_assert_num_queries: Any) -> None:
    """Also after the deletion, when nothing more can be read."""
    seen = []

    def see(instance: Any, signal: Any, **kwargs: Any) -> None:
        with django_assert_num_queries(0):
            seen.append((signal is pre_delete, len(instance.timeline)))

    for signal in (pre_delete, post_delete):
        signal.connect(see, sender=Generation)
    try:
        assert sum(delete_conversations(owner)) == 3
    finally:
        for signal in (pre_delete, post_delete):
            signal.disconnect(see, sender=Generation)
    assert sorted(seen) == [(False, 500)] * 3 * ANSWERS + [(True, 500)] * 3 * ANSWERS
