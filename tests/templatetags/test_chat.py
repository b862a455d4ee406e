"""`{% chat %}` in a template of a site's own."""

from __future__ import annotations

import re

import pytest
from django.template import Context, Template
from django.test import AsyncClient
from django.utils import translation

from streaming.database import in_database
from streaming.models import Conversation
from tests.pages import answered

pytestmark = pytest.mark.usefixtures("engine")


async def test_chat_is_shown_in_any_page() -> None:
    await answered(AsyncClient())
    conversation = await Conversation.objects.aget()
    template = Template("{% load streaming %}{% chat conversation %}")
    with translation.override("en"):
        rendered = await in_database(template.render, Context({"conversation": conversation}))
        fresh = await in_database(template.render, Context({"conversation": None}))
        unnamed = await in_database(template.render, Context({}))
    assert 'data-conversation="c1"' in rendered
    assert "Hello" in rendered
    assert "data-whole-page" not in rendered
    assert 'data-conversation=""' in fresh
    assert 'data-conversation=""' in unnamed
    assert re.search(r'action="/chat/[0-9a-f]{32}/send/"', fresh)
