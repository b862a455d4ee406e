"""A generation goes through the statuses that the table of transitions allows, and no others."""

from __future__ import annotations

import itertools

import pytest

from streaming.models import TRANSITIONS, Conversation, Generation, Message, Role, Status
from streaming.models.generations import ENDS


@pytest.mark.django_db
@pytest.mark.parametrize(("before", "after"), [*itertools.product(Status, ENDS)])
def test_settling_obeys_the_table(before: Status, after: Status) -> None:
    conversation = Conversation.objects.create(key="c", owner_key="nobody")
    message = Message.objects.create(conversation=conversation, role=Role.ASSISTANT)
    one = Generation.objects.create(conversation=conversation, message=message, provider="default", status=before)
    assert Generation.objects.filter(pk=one.pk).settle(after) == (after in TRANSITIONS[before])
    one.refresh_from_db()
    assert one.status == (after if after in TRANSITIONS[before] else before)


def test_every_status_has_an_entry_and_can_be_reached() -> None:
    assert TRANSITIONS.keys() == set(Status)
    assert {one for following in TRANSITIONS.values() for one in following} == set(Status) - {Status.PENDING}
