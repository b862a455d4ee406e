"""All rows of the app are read where they are written."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import models

from streaming.models import Conversation, Generation, Message, SideCall, Summary
from streaming.models.managers import WrittenManager


@pytest.mark.parametrize("model", list(apps.get_app_config("streaming").get_models()))
def test_every_model_and_its_relations_use_the_manager(model: type[models.Model]) -> None:
    assert isinstance(model._default_manager, WrittenManager)
    assert isinstance(model._base_manager, WrittenManager)


@pytest.mark.parametrize("model", [Message, Generation, SideCall, Summary])
def test_managers_do_not_delete_everything(model: type[models.Model]) -> None:
    """As Django's own: only a QuerySet deletes."""
    assert not hasattr(model._default_manager, "delete")
    assert model._default_manager.all().delete.alters_data  # type: ignore[attr-defined]


def test_another_database_may_be_named() -> None:
    assert Conversation.objects.db == Conversation().messages.all().db == "default"
    assert Conversation.objects.using("replica").db == "replica"
