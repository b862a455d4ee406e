"""Reviews: staff rate, label and flag answers, and go from one to the next."""

from __future__ import annotations

import pytest
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from streaming.models import Feedback, Message, Review, Thumb
from tests.admin.site import VIEW_ALL, address, client_with, exchange, page_of, words

pytestmark = [pytest.mark.urls("tests.admin.urls"), pytest.mark.django_db]


@pytest.fixture
def reviewer():
    return client_with(*VIEW_ALL, "review_message", name="rita")


def send(client, message, *, json=False, **fields):
    data = {f"{message.pk}-{name}": value for name, value in fields.items()}
    headers = {"Accept": "application/json"} if json else {}
    return client.post(reverse("admin:streaming_message_review", args=[message.pk]), data, headers=headers)


def test_review_is_stored_with_who_and_when_and_shown(reviewer):
    answer = exchange().active_leaf
    response = send(reviewer, answer, rating="4", flag="1", label=["correct", "odd one"], note="Look again.")
    assert response["Location"].endswith(f"#message-{answer.pk}")
    review = Review.objects.get()
    assert (review.rating, review.is_flagged, review.label_set) == (4, True, ["correct", "odd one"])
    assert (review.note, review.reviewer.username) == ("Look again.", "rita")
    page = page_of(reviewer, "conversation", answer.conversation_id)
    assert "reviewed by rita" in words(page)
    assert f'name="{answer.pk}-rating" value="4" checked' in page
    assert 'value="odd one" checked' in page
    assert "★★★★ · flagged · correct · odd one · rita" in words(page_of(reviewer, "message"))


def test_reviews_at_the_same_time_do_not_collide(reviewer, monkeypatch):
    """Another process stores its review after this one has looked for it."""
    answer = exchange().active_leaf

    def stored_after(look):
        def looked(rows, *args, **kwargs):
            try:
                return look(rows, *args, **kwargs)
            finally:
                if rows.model is Review and not Review.objects.exists():
                    Review.objects.bulk_create([Review(message=answer, rating=1)])

        return looked

    for name in ("get", "first"):
        monkeypatch.setattr(QuerySet, name, stored_after(getattr(QuerySet, name)))
    assert send(reviewer, answer, rating="4").status_code == 302
    assert Review.objects.values_list("rating", flat=True)[0] == 4


def test_second_review_replaces_the_first(reviewer):
    answer = exchange().active_leaf
    send(reviewer, answer, rating="4", flag="1", label=["correct"])
    send(reviewer, answer, rating="1")
    review = Review.objects.get()
    assert (review.rating, review.is_flagged, review.label_set) == (1, False, [])


def test_review_leaves_the_thumb_of_the_owner_alone(reviewer):
    answer = exchange().active_leaf
    Feedback.objects.create(message=answer, thumb=Thumb.DOWN, comment="Wrong city.")
    send(reviewer, answer, rating="5")
    assert Feedback.objects.get().thumb == Thumb.DOWN
    page = words(page_of(reviewer, "conversation", answer.conversation_id))
    assert "thumbs down: Wrong city." in page


def test_script_gets_the_review_on_one_line(reviewer):
    assert send(reviewer, exchange().active_leaf, json=True, rating="3").json() == {"state": "★★★ · rita"}


@pytest.mark.parametrize("fields", [{"rating": "6"}, {"rating": "x"}, {"note": "x" * 10_001}])
def test_wrong_review_is_refused_and_nothing_is_stored(reviewer, fields):
    answer = exchange().active_leaf
    assert send(reviewer, answer, json=True, **fields).status_code == 400
    assert send(reviewer, answer, **fields).status_code == 302
    assert not Review.objects.exists()


def test_only_answers_are_reviewed(reviewer):
    question = exchange().active_leaf.parent
    assert send(reviewer, question, rating="1").status_code == 404


@pytest.mark.parametrize("permissions", [VIEW_ALL, ["view_conversation", "review_message"]])
def test_reviews_need_the_permission_and_the_one_for_content(permissions):
    client, answer = client_with(*permissions), exchange().active_leaf
    assert send(client, answer, rating="1").status_code == 403
    assert client.get(reverse("admin:streaming_message_next")).status_code == 403
    assert "streaming-review" not in page_of(client, "conversation", answer.conversation_id)
    assert not Review.objects.exists()


def test_review_leads_back_only_to_this_site(reviewer):
    answer = exchange().active_leaf
    assert send(reviewer, answer, here="/admin/x/?at=1")["Location"].startswith("/admin/x/?at=1#")
    assert send(reviewer, answer, here="https://evil.example/")["Location"].startswith("/admin/streaming/message/")


def target(response):
    assert response.status_code == 302
    return response["Location"]


def test_next_goes_through_the_unreviewed_answers_of_a_list(reviewer):
    old, new = exchange("old", status="failed"), exchange("new", status="failed")
    exchange("fine")
    start = reverse("admin:streaming_message_next")
    first = target(reviewer.get(start, {"review": "inbox"}))
    assert first.startswith(address("conversation", "change", new.pk))
    assert f"at={new.active_leaf.pk}" in first
    page = reviewer.get(first).content.decode()
    assert f'data-next="{start}?review=inbox"' in page
    following = target(send(reviewer, new.active_leaf, rating="2", here=first.partition("#")[0], next="1"))
    second = target(reviewer.get(following))
    assert second.startswith(address("conversation", "change", old.pk))
    send(reviewer, old.active_leaf, rating="2")
    assert target(reviewer.get(start, {"review": "inbox"})).startswith(address("message", "changelist"))


def test_next_begins_again_after_the_oldest(reviewer):
    old, new = exchange("old"), exchange("new")
    skipped = target(reviewer.get(reverse("admin:streaming_message_next"), {"after": str(old.active_leaf.pk)}))
    assert str(new.active_leaf.pk) in skipped
    assert target(reviewer.get(reverse("admin:streaming_message_next"), {"after": "nonsense"})) == skipped


def test_next_finds_an_answer_of_the_same_moment(reviewer):
    keys = sorted(exchange(title).active_leaf.pk for title in ("one", "two"))
    Message.objects.filter(pk__in=keys).update(created_at=timezone.now())
    exchange("newest")
    assert str(keys[0]) in target(reviewer.get(reverse("admin:streaming_message_next"), {"after": str(keys[1])}))


def test_next_by_a_wrong_filter_leads_to_the_list(reviewer):
    leads_to = target(reviewer.get(reverse("admin:streaming_message_next"), {"created_at__gte": "nonsense"}))
    assert leads_to == address("message", "changelist") + "?e=1"


def test_next_shows_the_message_alone_to_staff_who_may_not_view_conversations():
    client, answer = client_with("view_message", "review_message"), exchange().active_leaf
    assert target(client.get(reverse("admin:streaming_message_next"))).startswith(
        address("message", "change", answer.pk)
    )


def test_labels_are_stored_as_every_database_takes_them(reviewer):
    """PostgreSQL refuses NUL. The note is checked by its form; labels are no field of it."""
    answer = exchange().active_leaf
    send(reviewer, answer, label=["a\0b"])
    assert Review.objects.get().label_set == ["a\ufffdb"]


def test_help_of_the_keys_says_what_each_of_them_does(superuser):
    shown = words(page_of(superuser, "conversation", exchange().pk))
    assert "n saves and goes to the next unreviewed one." in shown
