"""The path that a transcript shows, and the other versions of its messages."""

from __future__ import annotations

import re

import pytest

from streaming.admin.transcript import render
from streaming.models import Message
from streaming.protocol import TextPart
from tests.admin.site import exchange, page_of, words

pytestmark = [pytest.mark.urls("tests.admin.urls"), pytest.mark.django_db]


def add(conversation, role, text, parent):
    message = Message(conversation=conversation, role=role, parent=parent)
    message.set_parts((TextPart(text=text),))
    message.save()
    return message


@pytest.fixture
def tree():
    """A question with two answers; the owner sees the second one. The first one has been continued."""
    conversation = exchange(prompt="Will it rain?", parts=(TextPart(text="Not today."),))
    first = conversation.active_leaf
    follow_up = add(conversation, "user", "Are you sure?", first)
    second = add(conversation, "assistant", "It will pour.", first.parent)
    conversation.active_leaf = second
    conversation.save()
    return conversation, first, follow_up, second


def shown_in(page):
    return re.findall(r'id="message-([0-9a-f-]+)"', page)


def test_owners_path_is_shown_and_says_what_has_versions(superuser, tree):
    conversation, first, _follow_up, second = tree
    page = page_of(superuser, "conversation", conversation.pk)
    assert shown_in(page) == [str(first.parent_id), str(second.pk)]
    assert "Answer 2 of 2 to “Will it rain?”" in words(page)
    assert f'href="?at={first.pk}#message-{first.pk}"' in page
    assert "on another branch" not in page


def test_other_version_is_shown_to_its_end_and_marked(superuser, tree):
    conversation, first, follow_up, second = tree
    page = page_of(superuser, "conversation", conversation.pk, at=str(first.pk))
    assert shown_in(page) == [str(first.parent_id), str(first.pk), str(follow_up.pk)]
    assert page.count("on another branch") == 2
    assert "Answer 1 of 2 to “Will it rain?”" in words(page)
    assert "It will pour. the owner sees this one" in words(page)
    assert f'href="?at={second.pk}#message-{second.pk}"' in page


def test_versions_of_questions_say_after_what_they_come(superuser, tree):
    conversation, first, follow_up, _second = tree
    add(conversation, "user", "Why 100%?", first)
    add(conversation, "user", "Another first question", None)
    page = words(page_of(superuser, "conversation", conversation.pk, at=str(follow_up.pk)))
    assert "Version 1 of 2 of the question after “Not today.”" in page
    assert "Version 1 of 2 of the first question" in page
    assert "Why 100%?" in page


@pytest.mark.parametrize("at", ["nonsense", "6f1e0b5e-2d5a-4f0e-9d56-2d5c0a3b1111"])
def test_unknown_message_leads_to_the_owners_path(superuser, tree, at):
    conversation, first, _follow_up, second = tree
    page = page_of(superuser, "conversation", conversation.pk, at=at)
    assert shown_in(page) == [str(first.parent_id), str(second.pk)]


def test_long_path_is_shown_around_the_message_that_is_looked_at(superuser, monkeypatch):
    monkeypatch.setattr(render, "MAX_MESSAGES", 4)
    conversation = exchange()
    path = list(conversation.messages.order_by("created_at"))
    for number in range(10):
        path.append(add(conversation, ("user", "assistant")[number % 2], f"message {number}", path[-1]))
    conversation.active_leaf = path[-1]
    conversation.save()
    keys = [str(message.pk) for message in path]
    assert shown_in(page_of(superuser, "conversation", conversation.pk)) == keys[-4:]
    assert shown_in(page_of(superuser, "conversation", conversation.pk, at=keys[4])) == keys[2:6]
    assert "All messages" in page_of(superuser, "conversation", conversation.pk)
