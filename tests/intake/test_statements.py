"""The number of SQL statements with which a message is accepted, whatever the length of its conversation."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connections
from django.db.models.signals import post_save
from django.test.utils import CaptureQueriesContext

from streaming.database import alias
from streaming.intake import Accepted, Sender, Submission, accept
from streaming.journal import Batch
from streaming.models import Message, Status
from streaming.protocol import TextPart
from streaming.settlement import Settlement, settle
from tests.engine import ALICE

pytestmark = pytest.mark.django_db(transaction=True)

# With BEGIN and COMMIT: the conversation is found, its messages are read, the owner's active answers are counted, both
# messages are stored, the generation is stored, and the answer becomes the end of the path.
ACCEPT = 8
# The conversation is created instead, and a visitor's conversations are counted.
ACCEPT_FIRST = 9
# With BEGIN and COMMIT: the generation, the last frames, and the message.
SETTLE = 5


def _ask(client_id: str) -> Accepted:
    return accept(Sender(ALICE, "worker"), Submission(key="c1", prompt="Hi", client_id=client_id))


def _settle(accepted: Accepted) -> None:
    ending = Settlement(status=Status.FINISHED, parts=(TextPart(text="Hello."),))
    assert settle(accepted.generation, ending, Batch(1, [b"id: 1\ndata: {}\n\n"]))


def _count(work: Callable[[], object]) -> int:
    with CaptureQueriesContext(connections[alias()]) as captured:
        work()
    return len(captured)


def test_message_takes_as_many_statements_in_a_long_conversation_as_in_a_new_one() -> None:
    assert _accepted_and_settled("first") == (ACCEPT_FIRST, SETTLE)
    assert [_accepted_and_settled(f"m{number}") for number in range(20)] == [(ACCEPT, SETTLE)] * 20


def _accepted_and_settled(client_id: str) -> tuple[int, int]:
    accepted: list[Accepted] = []
    return _count(lambda: accepted.append(_ask(client_id))), _count(lambda: _settle(accepted[0]))


def test_message_that_is_sent_again_takes_less() -> None:
    _settle(_ask("m1"))
    assert _count(lambda: _ask("m1")) == 4


def test_receivers_of_a_site_get_each_message() -> None:
    created: list[str] = []

    def receiver(instance: Message, **kwargs: object) -> None:
        created.append(instance.role)

    post_save.connect(receiver, sender=Message)
    try:
        _ask("m1")
    finally:
        post_save.disconnect(receiver, sender=Message)
    assert created == ["user", "assistant"]
