"""The deletion of many conversations: the page before it counts their rows, and does not load them."""

from __future__ import annotations

import uuid

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import connection, models
from django.db.models.signals import pre_delete
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext, isolate_apps

from streaming.admin import deletion, dependents
from streaming.models import Conversation, Feedback, Generation, JournalEntry, Message, Share
from tests.admin.site import address, client_with, exchange, words

pytestmark = [pytest.mark.urls("tests.admin.urls"), pytest.mark.django_db]


def asked(chosen, **more):
    keys = [str(one.pk) for one in chosen]
    return {"action": "delete_selected", "_selected_action": keys, **more}


def filled(title):
    found = exchange(title)
    JournalEntry.objects.create(generation=found.generations.get(), first_seq=1, last_seq=1, frames=b"x")
    Feedback.objects.create(message=found.active_leaf, thumb=1)
    Share.objects.create(conversation=found, digest=uuid.uuid4().hex)
    return found


def test_page_counts_all_rows(superuser):
    chosen = [filled("One"), filled("Two")]
    exchange("Another")
    page = words(superuser.post(address("conversation", "changelist"), asked(chosen)).content.decode())
    for line in ("Conversations: 2", "Messages: 4", "Generations: 2", "Journal entries: 2", "Shared links: 2"):
        assert line in page
    assert "Feedback: 2" in page
    assert "Reviews" not in page
    assert all(str(one.pk) in page for one in chosen)
    alone = words(superuser.get(address("conversation", "delete", chosen[0].pk)).content.decode())
    assert "Messages: 2" in alone


def test_page_loads_no_content_however_many_they_are(superuser, monkeypatch):
    monkeypatch.setattr(deletion, "MAX_LISTED", 3)
    chosen = [filled(str(number)) for number in range(8)]

    def statements(*some):
        with CaptureQueriesContext(connection) as captured:
            page = words(superuser.post(address("conversation", "changelist"), asked(some)).content.decode())
        return [query["sql"] for query in captured], page

    one, _page = statements(chosen[0])
    many, page = statements(*chosen)
    assert len(many) == len(one)
    for column in ('"parts"', '"timeline"', '"frames"', '"messages"'):
        assert [sql for sql in many if column in sql.partition(" FROM ")[0]] == []
    assert "and 5 more" in page


def test_rows_are_deleted_some_at_a_time(superuser, monkeypatch):
    chosen, kept = [filled(str(number)) for number in range(3)], filled("kept")
    monkeypatch.setattr("streaming.archive.pruning.CONVERSATIONS_PER_DELETION", 2)
    response = superuser.post(address("conversation", "changelist"), asked(chosen, post="yes"), follow=True)
    assert "Successfully deleted 3 conversations" in response.content.decode()
    assert list(Conversation.objects.all()) == [kept]
    assert LogEntry.objects.count() == 3


def test_staff_learn_what_a_receiver_of_the_site_has_kept(superuser):
    def hold(instance, **kwargs):
        if instance.pk == kept.pk:
            raise RuntimeError("legal hold")

    kept, other = exchange("kept"), exchange("other")
    pre_delete.connect(hold, sender=Conversation)
    try:
        body = asked([kept, other], post="yes")
        page = superuser.post(address("conversation", "changelist"), body, follow=True).content.decode()
    finally:
        pre_delete.disconnect(hold, sender=Conversation)
    assert list(Conversation.objects.all()) == [kept]
    assert "Conversations that could not be deleted: 1." in page


def test_filters_choose_what_is_deleted(superuser):
    """The list's own query computes columns. A filter by one of them must not get lost."""
    failed, kept = exchange("failed", status="failed"), exchange("kept")
    url = f"{address('conversation', 'changelist')}?status=failed"
    superuser.post(url, asked([failed, kept], select_across="1", post="yes"))
    assert list(Conversation.objects.all()) == [kept]


def test_more_than_a_form_may_have_are_refused_with_a_reason(superuser, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 10
    for number in range(8):
        exchange(str(number))
    some = Conversation.objects.all()[:1]
    url = address("conversation", "changelist")
    response = superuser.post(url, asked(some, select_across="1"), follow=True)
    assert "prune_conversations" in words(response.content.decode())
    Conversation.objects.filter(pk=some[0].pk).delete()
    assert "Are you sure" in superuser.post(url, asked(some, select_across="1")).content.decode()


def test_active_answer_protects_its_conversation(superuser):
    live, other = exchange("live", status="running"), exchange("other")
    Generation.objects.filter(conversation=live).update(active_conversation=live)
    page = superuser.post(address("conversation", "changelist"), asked([live, other])).content.decode()
    assert "stop it first" in page
    superuser.post(address("conversation", "changelist"), asked([live, other], post="yes"))
    assert Conversation.objects.count() == 2


def test_action_of_the_site_is_not_replaced(superuser, monkeypatch):
    def own(model_admin, request, queryset):
        return HttpResponse(f"the site's own, for {queryset.count()}")

    own.short_description = "Delete"
    for actions in (admin.site._actions, admin.site._global_actions):
        monkeypatch.setitem(actions, "delete_selected", own)
    response = superuser.post(address("conversation", "changelist"), asked([exchange()]))
    assert response.content == b"the site's own, for 1"


def test_action_that_the_site_turned_off_stays_off(superuser, monkeypatch):
    monkeypatch.delitem(admin.site._actions, "delete_selected")
    one = exchange()
    assert "delete_selected" not in superuser.get(address("conversation", "changelist")).content.decode()
    superuser.post(address("conversation", "changelist"), asked([one], post="yes"))
    assert Conversation.objects.exists()


def test_those_without_the_permission_have_no_such_action():
    one = exchange()
    client_with("view_conversation").post(address("conversation", "changelist"), asked([one], post="yes"))
    assert Conversation.objects.exists()


def test_every_table_below_a_conversation_is_counted():
    below, found = {Conversation}, True
    while found:
        found = {
            model
            for model in apps.get_app_config("streaming").get_models()
            if model not in below
            and any(
                field.related_model in below and field.remote_field.on_delete is models.CASCADE
                for field in model._meta.get_fields()
                if field.many_to_one or (field.one_to_one and field.concrete)
            )
        }
        below |= found
    assert below == {Conversation, *dependents.DEPENDENTS}


@isolate_apps("tests.admin")
def test_rows_of_the_site_are_counted_or_protect(monkeypatch, transactional_db):
    class Ticket(models.Model):
        message = models.ForeignKey(Message, models.CASCADE)

        class Meta:
            app_label = "tests"
            verbose_name_plural = "tickets"

        def __str__(self):
            return "ticket"

    class Hold(models.Model):
        ticket = models.ForeignKey(Ticket, models.PROTECT)

        class Meta:
            app_label = "tests"

        def __str__(self):
            return "legal hold"

    relations = {
        Message: [Ticket._meta.get_field("message").remote_field],
        Ticket: [Hold._meta.get_field("ticket").remote_field],
    }
    monkeypatch.setattr(dependents, "relations_of", lambda model: relations.get(model, []))
    with connection.schema_editor() as editor:
        editor.create_model(Ticket)
        editor.create_model(Hold)
    try:
        ticket = Ticket.objects.create(message=exchange().active_leaf)
        rows = dependents.Dependents(Conversation.objects.all())
        assert (rows.counts["tickets"], rows.protected) == (1, [])
        Hold.objects.create(ticket=ticket)
        assert dependents.Dependents(Conversation.objects.all()).protected == ["Hold: legal hold"]
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(Hold)
            editor.delete_model(Ticket)
