"""Side calls of dead processes end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from streaming.models import Conversation, SideCall, Status
from streaming.settlement import end_lost_calls


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "minutes", "then"),
    [("pending", 61, "interrupted"), ("pending", 59, "pending"), ("finished", 61, "finished")],
)
def test_a_call_that_is_pending_for_too_long_is_interrupted(status: str, minutes: int, then: Status) -> None:
    conversation = Conversation.objects.create(owner_key="visitor:1", key="c1", provider="default")
    call = SideCall.objects.create(conversation=conversation, purpose="title", provider="default", status=status)
    SideCall.objects.filter(pk=call.pk).update(created_at=timezone.now() - timedelta(minutes=minutes))
    assert sum(end_lost_calls()) == (call.status != then)
    call.refresh_from_db()
    assert call.status == then
