"""Staff with chosen permissions, conversations with an answer, and the admin's pages about them."""

from __future__ import annotations

import uuid
from html.parser import HTMLParser

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from streaming.models import Conversation, Generation, Message, Status
from streaming.protocol import TextPart

KINDS = ["conversation", "message", "generation"]
VIEW_ALL = ["view_conversation", "view_message", "view_generation"]


def client_with(*permissions: str, name: str = "reader") -> Client:
    """The client of a signed-in staff member with only these permissions."""
    user = get_user_model().objects.create_user(name, password="secret", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def exchange(title="Weather", prompt="Will it rain?", parts=None, owner=None, **outcome):
    """Makes a conversation with one question and one settled answer."""
    owner = owner or get_user_model().objects.get_or_create(username=f"owner of {title}")[0]
    conversation = Conversation.objects.create(
        key=uuid.uuid4().hex, owner_key=f"user:{owner.pk}", user=owner, title=title, provider="default"
    )
    question = Message(conversation=conversation, role="user", client_id=f"client-{conversation.key}")
    question.set_parts((TextPart(text=prompt),))
    question.save()
    answer = Message(conversation=conversation, role="assistant", parent=question)
    answer.set_parts(parts or (TextPart(text="Not today."),))
    answer.save()
    conversation.active_leaf = answer
    conversation.save()
    Generation.objects.create(
        conversation=conversation,
        message=answer,
        **{
            "provider": "default",
            "model": "gpt-5-mini",
            "status": Status.FINISHED,
            "finish_reason": "stop",
            "input_tokens": 1234,
            "output_tokens": 500,
            "first_delta_ms": 150,
            "duration_ms": 2150,
            **outcome,
        },
    )
    return conversation


def rows_in(conversation, kind):
    """The conversation's rows of a kind, the oldest first."""
    if kind == "conversation":
        return [conversation]
    return list({"message": conversation.messages, "generation": conversation.generations}[kind].order_by("created_at"))


def one_of(conversation, kind):
    return rows_in(conversation, kind)[0]


def address(kind, view, *args):
    return reverse(f"admin:streaming_{kind}_{view}", args=args)


def page_of(client, kind, pk=None, **query):
    url = address(kind, "change", pk) if pk else address(kind, "changelist")
    response = client.get(url, query)
    assert response.status_code == 200
    return response.content.decode()


def rows_of(client, kind, **query):
    """The primary keys on the first page of a list, in its order."""
    response = client.get(address(kind, "changelist"), query)
    assert response.status_code == 200, response.headers.get("Location")
    return [row.pk for row in response.context["cl"].result_list]


class Words(HTMLParser):
    """Collects the text of a page without its tags."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)


def words(html: str) -> str:
    parser = Words()
    parser.feed(html)
    return " ".join(" ".join(parser.found).split())
