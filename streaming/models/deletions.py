"""What is done when a conversation or a user is deleted, whichever code deletes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models
from django.db.models.signals import post_delete, pre_delete
from django.utils import timezone

from streaming.models.attachments import Attachment
from streaming.models.conversations import Conversation
from streaming.models.generations import Generation
from streaming.models.ledger import LedgerEntry, counted_period
from streaming.models.metered import enter_in_ledger
from streaming.models.owners import Owner
from streaming.models.side_calls import SideCall
from streaming.models.summaries import Summary

METERED: tuple[Any, ...] = (Generation, SideCall, Summary)
"""The models that are `Metered`: their rows count in limits, budgets and reports."""


def receive_deletions(candidates: Iterable[type[models.Model]]) -> None:
    """Connects the receivers to conversations, to users, and to the proxies of both among the models.

    If a row is deleted by a proxy, Django sends the signal for the proxy only.
    """
    users = get_user_model()._meta.concrete_model
    for model in candidates:
        if model._meta.concrete_model is Conversation:
            pre_delete.connect(prepare_deletion, sender=model)
        elif model._meta.concrete_model is users:
            post_delete.connect(forget_user, sender=model)


def prepare_deletion(instance: Conversation, using: str, **kwargs: Any) -> None:
    """Enters what the requests of a conversation have used in the ledger, and keeps its running answer from writing.

    What is unused for longer than any limit counts is not looked at.
    """
    if instance.updated_at > timezone.now() - counted_period():
        kinds = (kind.objects.using(using).filter(conversation=instance.pk) for kind in METERED)
        enter_in_ledger(Conversation.objects.using(using).filter(pk=instance.pk), *kinds)
    Generation.objects.using(using).filter(active_conversation=instance.pk).keep_ticks_away()


def forget_user(instance: Any, using: str, **kwargs: Any) -> None:
    """Deletes the files that a deleted user has not sent, and takes the user's name out of the ledger.

    The user's conversations have a foreign key, so Django deletes them. The budget of the site still counts what the
    user had used.
    """
    owner = Owner.of_user(instance.pk)
    Attachment.objects.using(using).filter(owner_key=owner.key).delete()
    LedgerEntry.objects.using(using).owned_by(owner).update(owner_key="")
