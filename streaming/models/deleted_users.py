"""Deleted users: what is removed with an account beside its conversations, which have a foreign key to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models
from django.db.models.signals import post_delete

from streaming.models.attachments import Attachment
from streaming.models.ledger import LedgerEntry
from streaming.models.owners import Owner


def receive_deletions(candidates: Iterable[type[models.Model]]) -> None:
    """Connects `forget` to those of the models that have the table of users: the user model and its proxies.

    If a row is deleted by a proxy, Django sends the signal for the proxy only.
    """
    users = get_user_model()._meta.concrete_model
    for model in candidates:
        if model._meta.concrete_model is users:
            post_delete.connect(forget, sender=model)


def forget(instance: Any, using: str, **kwargs: Any) -> None:
    """Deletes the files that a deleted user has not sent, and takes the user's name out of the ledger.

    The budget of the site still counts what the user had used.
    """
    owner = Owner.of_user(instance.pk)
    Attachment.objects.using(using).filter(owner_key=owner.key).delete()
    LedgerEntry.objects.using(using).owned_by(owner).update(owner_key="")
