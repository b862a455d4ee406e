from __future__ import annotations

import datetime
import re
import uuid
from html.parser import HTMLParser

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path, reverse
from django.utils import timezone

from streaming.admin import cells, transcript
from streaming.models import Conversation, Generation, Message, Status
from streaming.protocol import (
    FilePart,
    OpaquePart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolApproval,
    ToolCall,
    ToolResult,
)

urlpatterns = [path("admin/", admin.site.urls)]
pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]

EVIL = '<script>alert("x")</script>'
LISTS = ["conversation", "message", "generation"]
VIEW_ALL = ["view_conversation", "view_message", "view_generation"]


def client_with(*permissions: str, name: str = "reader") -> Client:
    """A signed-in member of the staff with these permissions and no others."""
    user = get_user_model().objects.create_user(name, password="secret", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def superuser():
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root", password="secret"))
    return client


def exchange(title="Weather", prompt="Will it rain?", parts=None, owner=None, **outcome):
    """A conversation with one question and one settled answer."""
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
    """The conversation's rows of a kind, oldest first."""
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
    """Primary keys on the first page of a list, in its order."""
    response = client.get(address(kind, "changelist"), query)
    assert response.status_code == 200, response.headers.get("Location")
    return [row.pk for row in response.context["cl"].result_list]


class Words(HTMLParser):
    """The visible text of a page, its tags aside."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)


def words(html: str) -> str:
    parser = Words()
    parser.feed(html)
    return " ".join(" ".join(parser.found).split())


# --- permissions


@pytest.mark.parametrize("kind", LISTS)
def test_list_without_permission(kind):
    client = client_with()
    assert client.get(address(kind, "changelist")).status_code == 403


@pytest.mark.parametrize("kind", LISTS)
def test_list_for_people_outside_the_staff(kind):
    client = Client()
    client.force_login(get_user_model().objects.create_user("customer"))
    assert client.get(address(kind, "changelist")).status_code == 302


@pytest.mark.parametrize("kind", LISTS)
def test_one_without_permission(kind):
    pk = one_of(exchange(), kind).pk
    others = [permission for permission in VIEW_ALL if permission != f"view_{kind}"]
    client = client_with(*others)
    assert client.get(address(kind, "change", pk)).status_code == 403


@pytest.mark.parametrize("kind", LISTS)
def test_nobody_adds_or_changes(superuser, kind):
    row = one_of(exchange(), kind)
    assert superuser.get(address(kind, "add")).status_code == 403
    assert superuser.post(address(kind, "change", row.pk), {"title": "Mine"}).status_code == 403
    page = page_of(superuser, kind, row.pk)
    assert 'name="_save"' not in page
    assert not re.search(r"<(textarea|select)|<input[^>]+type=.text", page.partition('id="content"')[2])


@pytest.mark.parametrize("kind", ["message", "generation"])
def test_nobody_deletes_single_rows(superuser, kind):
    row = one_of(exchange(), kind)
    assert superuser.post(address(kind, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert type(row).objects.filter(pk=row.pk).exists()


def test_conversation_deleted_whole_with_the_permission_alone():
    kept, gone = exchange("kept"), exchange("gone")
    client = client_with("view_conversation", "delete_conversation")
    url = address("conversation", "delete", gone.pk)
    assert "Are you sure" in client.get(url).content.decode()
    assert client.post(url, {"post": "yes"}).status_code == 302
    assert list(Conversation.objects.all()) == [kept]
    assert (Message.objects.count(), Generation.objects.count()) == (2, 1)


def test_conversation_not_deleted_without_the_permission():
    conversation = exchange()
    client = client_with("view_conversation", "delete_message")
    url = address("conversation", "delete", conversation.pk)
    assert client.post(url, {"post": "yes"}).status_code == 403
    assert Conversation.objects.count() == 1


def test_conversation_with_a_live_answer_is_protected(superuser):
    conversation = exchange(status=Status.RUNNING)
    url = address("conversation", "delete", conversation.pk)
    assert "stop it first" in superuser.get(url).content.decode()
    superuser.post(url, {"post": "yes"})
    action = {"action": "delete_selected", "_selected_action": [str(conversation.pk)], "post": "yes"}
    superuser.post(address("conversation", "changelist"), action)
    assert Conversation.objects.count() == 1


def test_several_conversations_deleted_by_the_action(superuser):
    chosen = [exchange("one"), exchange("two")]
    action = {"action": "delete_selected", "_selected_action": [str(each.pk) for each in chosen], "post": "yes"}
    superuser.post(address("conversation", "changelist"), action)
    assert (Conversation.objects.count(), Message.objects.count()) == (0, 0)


def test_transcript_needs_the_permission_to_view_messages():
    conversation = exchange(prompt="the secret question")
    assert "the secret question" not in page_of(client_with("view_conversation"), "conversation", conversation.pk)
    reader = client_with("view_conversation", "view_message", name="second reader")
    assert "the secret question" in page_of(reader, "conversation", conversation.pk)


def test_search_finds_no_words_for_people_who_may_not_read_them():
    conversation = exchange(prompt="the secret question")
    blind = client_with("view_conversation", "view_generation")
    assert "today" not in page_of(blind, "generation", conversation.generations.get().pk)
    assert rows_of(blind, "conversation", q="secret") == []
    assert rows_of(blind, "generation", q="today") == []
    reader = client_with(*VIEW_ALL, name="second reader")
    assert rows_of(reader, "conversation", q="secret") == [conversation.pk]
    assert rows_of(reader, "generation", q="today") == [conversation.generations.get().pk]


def test_error_detail_needs_the_permission_to_view_generations():
    conversation = exchange(status=Status.FAILED, error_code="rate_limited", error_detail="HTTP 429: slow down")
    answer = conversation.active_leaf.pk
    without = client_with("view_conversation", "view_message")
    assert "slow down" not in page_of(without, "conversation", conversation.pk)
    assert "slow down" not in page_of(without, "message", answer)
    reader = client_with(*VIEW_ALL, name="second reader")
    assert "rate_limited: HTTP 429: slow down" in words(page_of(reader, "conversation", conversation.pk))
    assert "rate_limited: HTTP 429: slow down" in words(page_of(reader, "message", answer))
    assert "HTTP 429: slow down" in page_of(reader, "generation", conversation.generations.get().pk)


# --- cost


@pytest.mark.parametrize("kind", LISTS)
def test_list_takes_the_same_queries_for_3_rows_and_30(superuser, kind):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            page_of(superuser, kind)
        return len(captured)

    for number in range(3):
        exchange(f"early {number}")
    page_of(superuser, kind)
    few = queries()
    for number in range(27):
        exchange(f"late {number}")
    assert queries() == few
    assert few <= 14


def test_transcript_takes_the_same_queries_for_any_length(superuser):
    conversation = exchange()

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            page_of(superuser, "conversation", conversation.pk)
        return len(captured)

    queries()
    few = queries()
    parent = conversation.active_leaf
    for number in range(20):
        parent = Message.objects.create(conversation=conversation, role="user", parent=parent, text=str(number))
    assert queries() == few


def test_list_of_messages_does_not_load_them_whole(superuser):
    exchange(prompt="x" * 500)
    with CaptureQueriesContext(connection) as captured:
        page = page_of(superuser, "message")
    assert "x" * 120 in page
    assert "x" * 121 not in page
    assert not [query for query in captured if '"streaming_message"."parts"' in query["sql"]]


def test_long_transcript_shows_the_newest_and_the_way_to_the_rest(superuser, monkeypatch):
    monkeypatch.setattr(transcript, "MAX_MESSAGES", 1)
    conversation = exchange(prompt="the first", parts=(TextPart(text="the last"),))
    page = page_of(superuser, "conversation", conversation.pk)
    assert "the last" in page
    assert "the first" not in page
    everything = re.search(r'href="([^"]+conversation__id__exact[^"]+)"', page)
    assert everything is not None
    assert len(superuser.get(everything[1]).context["cl"].result_list) == 2


# --- what is shown


def test_click_through_from_the_front_page_to_a_generation(superuser):
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


def test_conversation_list_sums_up(superuser):
    conversation = exchange("Weather")
    second = Message.objects.create(conversation=conversation, role="assistant")
    later = Generation.objects.create(
        conversation=conversation, message=second, provider="default", status=Status.CANCELLED, input_tokens=6
    )
    Generation.objects.filter(pk=later.pk).update(created_at=timezone.now() + datetime.timedelta(seconds=1))
    shown = words(page_of(superuser, "conversation"))
    assert "Weather cancelled owner of Weather 3 1,240 → 500" in shown


def test_conversation_of_a_visitor(superuser):
    Conversation.objects.create(key="k", owner_key="visitor:0123", title="Hello", provider="default")
    assert "a visitor" in words(page_of(superuser, "conversation"))


def test_generation_list_shows_status_tokens_times_and_speed(superuser):
    exchange("Weather")
    assert "finished stop Weather owner of Weather gpt-5-mini 1,234 → 500 150 ms 2.1 s 250/s" in words(
        page_of(superuser, "generation")
    )


def test_generation_of_which_nothing_is_known(superuser):
    nothing = dict.fromkeys(("input_tokens", "output_tokens", "first_delta_ms", "duration_ms"))
    conversation = exchange(**nothing, finish_reason="", model="")
    assert "finished - Weather owner of Weather default - - - -" in words(page_of(superuser, "generation"))
    assert "None" not in words(page_of(superuser, "generation", conversation.generations.get().pk))


@pytest.mark.parametrize(
    ("read", "written", "shown"),
    [(None, None, None), (0, 0, "0 → 0"), (None, 7, "? → 7"), (12_345, None, "12,345 → ?")],
)
def test_tokens_are_never_invented(read, written, shown):
    assert cells.tokens(read, written) == shown


@pytest.mark.parametrize(("first", "total"), [(1000, 1000), (None, None), (5, 0)])
def test_speed_without_time_spent(first, total):
    assert cells.speed(Generation(output_tokens=5, first_delta_ms=first, duration_ms=total)) is None


@pytest.mark.parametrize("status", Status)
def test_status_has_a_colour_of_its_own_beside_its_word(status):
    assert (
        cells.status_badge(status) == f'<span class="streaming-status streaming-status-{status}">{status.label}</span>'
    )


EVERY_PART = (
    ReasoningPart(text="Clouds, says the reasoning."),
    TextPart(text="It rains.\n\n    indented"),
    RefusalPart(text="That I will not say."),
    ToolCall(id="1", name="get_weather", raw_arguments='{"city": "Rom"}', arguments={"city": "Rom"}, is_complete=True),
    ToolCall(id="2", name="get_time", raw_arguments='{"zone": "Eur', error="truncated"),
    ToolResult(call_id="1", output={"sky": "grey"}),
    ToolResult(call_id="2", output="no such zone", is_error=True),
    ToolApproval(call_id="1"),
    ToolApproval(call_id="2", is_approved=False, reason="Not today."),
    FilePart(media_type="image/png", url="https://example.org/a.png", filename="a.png"),
    OpaquePart(raw={"type": "new_thing"}),
)


def test_transcript_shows_every_kind_of_part(superuser):
    assert {type(part) for part in EVERY_PART} == set(transcript.SHOWN)
    conversation = exchange(parts=EVERY_PART)
    shown = words(page_of(superuser, "conversation", conversation.pk))
    for piece in [
        "Reasoning Clouds, says the reasoning.",
        "It rains. indented",
        "Refusal That I will not say.",
        'Tool call get_weather { "city": "Rom" }',
        'Tool call get_time incomplete: truncated {"zone": "Eur',
        'Tool result { "sky": "grey" }',
        "Tool error no such zone",
        "Approval asked for",
        "Call refused Not today.",
        "File image/png a.png https://example.org/a.png",
        'Other content { "type": "new_thing" }',
        "gpt-5-mini · 1,234 → 500 · 150 ms · 2.1 s · 250/s · stop",
    ]:
        assert piece in shown


def test_transcript_loads_nothing_from_elsewhere(superuser):
    conversation = exchange(parts=EVERY_PART)
    page = page_of(superuser, "conversation", conversation.pk)
    assert "<img" not in page
    assert 'href="https://example.org' not in page


def test_transcript_marks_other_branches(superuser):
    conversation = exchange()
    Message.objects.create(conversation=conversation, role="user", text="first try")
    page = page_of(superuser, "conversation", conversation.pk)
    assert page.count("streaming-aside") == 1
    assert page.count("on another branch") == 1


def test_parts_that_cannot_be_read_are_shown_raw(superuser):
    conversation = exchange()
    Message.objects.filter(pk=conversation.active_leaf.pk).update(parts=[{"type": "from the future", "x": 1}])
    assert "from the future" in words(page_of(superuser, "conversation", conversation.pk))


def test_huge_values_are_cut(superuser):
    conversation = exchange(parts=(ToolResult(call_id="1", output="x" * 1_000_000),))
    assert len(page_of(superuser, "conversation", conversation.pk)) < 100_000
    assert len(page_of(superuser, "message", conversation.active_leaf.pk)) < 150_000


def test_content_is_escaped_everywhere(superuser):
    parts = (
        TextPart(text=EVIL),
        ReasoningPart(text=EVIL),
        RefusalPart(text=EVIL),
        ToolCall(id=EVIL, name=EVIL, raw_arguments=EVIL, error=EVIL),
        ToolCall(id="2", name="f", arguments={EVIL: EVIL}, is_complete=True),
        ToolResult(call_id="2", output=EVIL),
        FilePart(media_type=EVIL, url=f"javascript:{EVIL}", filename=EVIL),
        OpaquePart(raw={EVIL: EVIL}),
    )
    owner = get_user_model().objects.create(username=EVIL)
    conversation = exchange(
        EVIL,
        prompt=EVIL,
        parts=parts,
        owner=owner,
        model=EVIL,
        finish_reason="<b>stop</b>",
        error_code="<b>x</b>",
        error_detail=EVIL,
        provider=EVIL,
    )
    Conversation.objects.update(system_prompt=EVIL, provider=EVIL, key=EVIL)
    pages = [page_of(superuser, kind) for kind in LISTS]
    pages += [page_of(superuser, "conversation", conversation.pk)]
    pages += [page_of(superuser, "message", message.pk) for message in conversation.messages.all()]
    pages += [page_of(superuser, "generation", conversation.generations.get().pk)]
    for page in pages:
        assert EVIL not in page
        assert "<b>" not in page
        assert "alert(" in page
    assert "javascript:" not in "".join(re.findall(r'(?:href|src)="([^"]*)"', "".join(pages)))


# --- searching and filtering


@pytest.mark.parametrize(
    ("kind", "query"),
    [
        ("conversation", "Needle"),
        ("conversation", "haystack question"),
        ("conversation", "owner of Needle"),
        ("message", "haystack"),
        ("message", "Needle"),
        ("generation", "Needle"),
        ("generation", "rare-model"),
        ("generation", "owner of Needle"),
    ],
)
def test_search(superuser, kind, query):
    exchange("Other")
    conversation = exchange("Needle", prompt="a haystack question", model="rare-model")
    found = rows_of(superuser, kind, q=query)
    assert found
    assert set(found) <= {row.pk for row in rows_in(conversation, kind)}


@pytest.mark.parametrize("kind", LISTS)
def test_search_by_a_client_id_or_a_whole_id(superuser, kind):
    exchange("Other")
    conversation = exchange("Needle")
    row = one_of(conversation, kind)
    assert rows_of(superuser, kind, q=str(row.pk)) == [row.pk]
    assert rows_of(superuser, kind, q=str(uuid.uuid4())) == []
    if kind != "generation":
        assert rows_of(superuser, kind, q=f"client-{conversation.key}") == [row.pk]


def test_search_lists_a_conversation_once_however_often_it_matches(superuser):
    conversation = exchange(prompt="rain, again", parts=(TextPart(text="rain, indeed"),))
    assert rows_of(superuser, "conversation", q="rain") == [conversation.pk]


@pytest.mark.parametrize(
    "query",
    [
        {"status__exact": "failed"},
        {"provider": "second"},
        {"model": "rare-model"},
        {"finish_reason": "length"},
        {"error_code": "overloaded"},
        {"created_at__gte": "2001-01-01 00:00:00+00:00", "status__exact": "failed"},
        {"created_at__year": str(timezone.now().year), "error_code": "overloaded"},
    ],
)
def test_generation_filters(superuser, query):
    exchange("Other")
    wanted = exchange(
        provider="second", model="rare-model", status="failed", finish_reason="length", error_code="overloaded"
    )
    assert rows_of(superuser, "generation", **query) == [wanted.generations.get().pk]


def test_conversation_filter_by_the_status_of_any_generation(superuser):
    exchange("Other")
    wanted = exchange(status="failed")
    assert rows_of(superuser, "conversation", generations__status__exact="failed") == [wanted.pk]


def test_unknown_id_leads_back_to_the_front_page(superuser):
    for kind in LISTS:
        response = superuser.get(address(kind, "change", "nonsense"))
        assert (response.status_code, response.headers["Location"]) == (302, reverse("admin:index"))
