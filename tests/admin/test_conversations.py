"""The list of conversations, and their deletion."""

from __future__ import annotations

import datetime
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from streaming.models import Conversation, Generation, Message, SideCall, Status, Summary
from streaming.protocol import TextPart
from tests.admin.site import address, client_with, exchange, page_of, rows_of, words

pytestmark = [pytest.mark.urls("tests.admin.urls"), pytest.mark.django_db]


def test_conversation_is_deleted_as_a_whole_with_one_permission():
    kept, gone = exchange("kept"), exchange("gone")
    client = client_with("view_conversation", "delete_conversation")
    url = address("conversation", "delete", gone.pk)
    assert "Are you sure" in client.get(url).content.decode()
    assert client.post(url, {"post": "yes"}).status_code == 302
    assert list(Conversation.objects.all()) == [kept]
    assert (Message.objects.count(), Generation.objects.count()) == (2, 1)


def test_conversation_is_not_deleted_without_the_permission():
    conversation = exchange()
    client = client_with("view_conversation", "delete_message")
    url = address("conversation", "delete", conversation.pk)
    assert client.post(url, {"post": "yes"}).status_code == 403
    assert Conversation.objects.count() == 1


def test_conversation_with_a_running_generation_is_protected(superuser):
    conversation = exchange(status=Status.RUNNING)
    url = address("conversation", "delete", conversation.pk)
    assert "stop it first" in superuser.get(url).content.decode()
    superuser.post(url, {"post": "yes"})
    action = {"action": "delete_selected", "_selected_action": [str(conversation.pk)], "post": "yes"}
    superuser.post(address("conversation", "changelist"), action)
    assert Conversation.objects.count() == 1


def test_action_deletes_several_conversations(superuser):
    chosen = [exchange("one"), exchange("two")]
    action = {"action": "delete_selected", "_selected_action": [str(each.pk) for each in chosen], "post": "yes"}
    superuser.post(address("conversation", "changelist"), action)
    assert (Conversation.objects.count(), Message.objects.count()) == (0, 0)


def test_links_lead_from_the_front_page_to_a_generation(superuser):
    exchange("Weather")
    page = superuser.get(reverse("admin:index")).content.decode()
    for kind, text in [("conversation", "Weather"), ("generation", "gpt-5-mini")]:
        assert f'href="{address(kind, "changelist")}"' in page
        assert text in page_of(superuser, kind)
    listed = page_of(superuser, "conversation")
    one = re.search(r'<th class="field-shown_title"><a href="([^"]+)">Weather</a>', listed)
    assert one is not None
    page = superuser.get(one[1]).content.decode()
    run = re.search(r'class="streaming-status[^"]*" href="([^"]+)">finished</a>', page)
    assert run is not None
    assert "1,234 → 500" in superuser.get(run[1]).content.decode()


def test_list_shows_totals_and_the_newest_status(superuser):
    conversation = exchange("Weather")
    second = Message.objects.create(conversation=conversation, role="assistant")
    later = Generation.objects.create(
        conversation=conversation, message=second, provider="default", status=Status.CANCELLED, input_tokens=6
    )
    Generation.objects.filter(pk=later.pk).update(created_at=timezone.now() + datetime.timedelta(seconds=1))
    shown = words(page_of(superuser, "conversation"))
    assert "Weather cancelled owner of Weather 3 1,240 → 500" in shown


def test_page_has_the_cost_of_answers_titles_and_summaries(superuser):
    conversation = exchange(cost="0.5")
    used = {"conversation": conversation, "provider": "default", "status": "finished"}
    SideCall.objects.create(**used, purpose="title", cost="0.00001")
    Summary.objects.create(
        **used, generation=conversation.generations.get(), upto=conversation.active_leaf, cost="0.25"
    )
    assert "Cost: 0.75001" in words(page_of(superuser, "conversation", conversation.pk))
    free = words(page_of(superuser, "conversation", exchange("free").pk))
    assert "Cost: -" in free


def test_conversation_of_a_visitor_names_no_user(superuser):
    Conversation.objects.create(key="k", owner_key="visitor:0123456789ab", title="Hello", provider="default")
    page = page_of(superuser, "conversation")
    assert "visitor 01234567 " in words(page)
    assert "0123456789ab" not in page


@pytest.mark.parametrize("key", ["50%:x", "%s", "100 %(sign)d", "api"])
def test_owner_of_any_name_is_shown(superuser, key):
    """An archive, or the site's own code, may name owners as it likes."""
    Conversation.objects.create(key="k", owner_key=key, title="Hello", provider="default")
    assert key.partition(":")[0] in words(page_of(superuser, "conversation"))


def test_search_lists_a_conversation_once_however_often_it_matches(superuser):
    conversation = exchange(prompt="rain, again", parts=(TextPart(text="rain, indeed"),))
    assert rows_of(superuser, "conversation", q="rain") == [conversation.pk]


def test_status_filter_means_the_status_that_the_column_shows(superuser):
    failed, recovered = exchange("failed", status="failed"), exchange("recovered", status="failed")
    again = Message.objects.create(conversation=recovered, role="assistant")
    later = Generation.objects.create(conversation=recovered, message=again, provider="default", status="finished")
    Generation.objects.filter(pk=later.pk).update(created_at=timezone.now() + datetime.timedelta(seconds=1))
    assert rows_of(superuser, "conversation", status="failed") == [failed.pk]
    assert rows_of(superuser, "conversation", status="finished") == [recovered.pk]
