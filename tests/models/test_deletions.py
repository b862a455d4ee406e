"""Deleted users: their unsent files go, and the ledger no longer names them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db.models.signals import post_delete
from django.utils import timezone

from streaming.models import Attachment, LedgerEntry, Owner, receive_deletions
from streaming.models.deletions import forget_user
from tests.proxies import proxy_of

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["user model", "proxy"])
def users(request: Any) -> Iterator[Any]:
    if request.param == "user model":
        yield get_user_model()
        return
    with proxy_of(get_user_model()) as proxy:
        receive_deletions([proxy, LedgerEntry])
        yield proxy
        post_delete.disconnect(forget_user, sender=proxy)


def test_unsent_files_and_the_name_in_the_ledger_go(users: Any) -> None:
    for name in ("ada", "bob"):
        owner = Owner.of_user(users.objects.create_user(name).pk)
        LedgerEntry.objects.create(id=name, owner_key=owner.key, is_answer=True, created_at=timezone.now())
        Attachment.objects.create(owner_key=owner.key, media_type="text/plain", size=1)
    bob = Owner.of_user(users.objects.get(username="bob").pk)
    users.objects.get(username="ada").delete()
    assert dict(LedgerEntry.objects.values_list("id", "owner_key")) == {"ada": "", "bob": bob.key}
    assert Attachment.objects.get().owner_key == bob.key


def test_other_models_are_not_received() -> None:
    assert not post_delete.has_listeners(LedgerEntry)
