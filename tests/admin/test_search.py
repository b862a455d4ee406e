"""The search of the lists, and the piece of text that shows the hit."""

from __future__ import annotations

import html
import re

import pytest
from django.contrib.auth import get_user_model
from django.http import QueryDict

from streaming.admin.cells import owner_link
from streaming.admin.snippets import repeats, snippet
from streaming.models import Conversation, Owner
from streaming.protocol import TextPart
from tests.admin.site import exchange, page_of, rows_of

pytestmark = [pytest.mark.urls("tests.admin.urls"), pytest.mark.django_db]


@pytest.fixture
def people():
    users = get_user_model().objects
    ada = users.create(username="ada", email="ada@example.org")
    adamant = users.create(username="adamant", email="second@example.org")
    return exchange("One", owner=ada), exchange("Two", owner=adamant)


@pytest.mark.parametrize("query", ["owner:ada", "ada", "owner:ada@example.org", 'owner:"ada"'])
@pytest.mark.parametrize("kind", ["conversation", "message", "generation"])
def test_owner_is_found_by_the_exact_name(superuser, people, kind, query):
    found = rows_of(superuser, kind, q=query)
    column = "pk" if kind == "conversation" else "conversation"
    model = {
        "conversation": Conversation,
        "message": people[0].messages.model,
        "generation": people[0].generations.model,
    }
    assert set(model[kind].objects.filter(pk__in=found).values_list(column, flat=True)) == {people[0].pk}


@pytest.mark.parametrize("name", ["Ada Byron", 'Ada "A" Byron', "O'Brien", "'ada'", "a\\b c", "Ada\u00a0Byron", 'a"b'])
def test_link_of_an_owner_finds_the_owners_conversations(superuser, name):
    made = exchange(owner=get_user_model().objects.create(username=name))
    exchange("Other")
    query = QueryDict(owner_link(made).partition("?")[2].partition('"')[0])
    assert rows_of(superuser, "conversation", q=query["q"]) == [made.pk]


def test_visitors_are_gathered_and_told_apart(superuser, people):
    def visit(token, key):
        return Conversation.objects.create(key=key, owner_key=f"visitor:{token}", provider="default").pk

    first, again, other = visit("3f2a91c0aa", "k1"), visit("3f2a91c0aa", "k2"), visit("77777777bb", "k3")
    code = Conversation.objects.create(key="k4", owner_key="code:", provider="default").pk
    assert set(rows_of(superuser, "conversation", q="owner:visitor")) == {first, again, other}
    assert set(rows_of(superuser, "conversation", q="owner:visitor:3f2a91c0")) == {first, again}
    assert rows_of(superuser, "conversation", q="owner:code") == [code]
    assert "?q=owner%3Avisitor%3A3f2a91c0" in page_of(superuser, "conversation")


def test_jobs_of_the_sites_code_are_told_apart(superuser):
    def job(owner, key):
        return Conversation.objects.create(key=key, owner_key=owner.key, provider="default").pk

    reports, titles = job(Owner.of_code("monthly-reports"), "k1"), job(Owner.of_code("monthly-titles"), "k2")
    assert rows_of(superuser, "conversation", q="owner:code:monthly-reports") == [reports]
    assert set(rows_of(superuser, "conversation", q="owner:code")) == {reports, titles}
    assert {"the site's code (monthly-reports)", "the site's code (monthly-titles)"} <= shown_owners(superuser)


def shown_owners(client):
    page = page_of(client, "conversation")
    return {html.unescape(name) for name in re.findall(r'<a href="[^"]*\?q=owner[^"]*">([^<]*)</a>', page)}


def test_each_word_must_be_found_in_the_title_or_a_text(superuser):
    wanted = exchange("Umbrella", prompt="Will it rain?", parts=(TextPart(text="Not in Rome."),))
    exchange("Umbrella", prompt="Will it snow?", parts=(TextPart(text="Not in Rome."),))
    assert rows_of(superuser, "conversation", q="umbrella rain rome") == [wanted.pk]
    assert rows_of(superuser, "conversation", q='"it rain"') == [wanted.pk]
    assert rows_of(superuser, "conversation", q='"rain it"') == []
    assert rows_of(superuser, "conversation", q="owner:nobody rain") == []


def test_words_behind_the_first_ones_do_not_count(superuser):
    wanted = exchange("Umbrella", prompt=" ".join(f"word{number}" for number in range(30)))
    exchange("Umbrella", prompt=" ".join(f"word{number}" for number in range(29)))
    query = " ".join(f"word{number}" for number in range(1500))
    assert rows_of(superuser, "conversation", q=query) == [wanted.pk]


@pytest.mark.parametrize(
    "query", ["\0", "'", '"', "%", "owner:", "\\", "a" * 5000, "a " * 1500, "owner:a " * 1500, "🙂", "((", "&|!"]
)
@pytest.mark.parametrize("kind", ["conversation", "message", "generation"])
def test_no_search_breaks_the_list(superuser, kind, query):
    exchange()
    page_of(superuser, kind, q=query)


def test_list_shows_the_piece_of_the_text_with_the_hit(superuser):
    exchange("Weather", prompt="x " * 300 + "a needle <b>here</b> " + "y " * 300)
    for kind in ("conversation", "message"):
        page = page_of(superuser, kind, q="needle")
        assert "a <mark>needle</mark> &lt;b&gt;here" in page
        assert "<mark>" not in page_of(superuser, kind)


def test_snippet_marks_every_word_and_cuts_both_ends():
    shown = snippet("w " * 100 + "Rain and <rain>" + " z" * 100, ["rain"])
    assert shown.startswith("…w w")
    assert "<mark>Rain</mark> and &lt;<mark>rain</mark>&gt;" in shown
    assert shown.endswith("…")
    assert snippet("no hit", ["x"]) == "no hit"


@pytest.mark.parametrize(
    ("title", "text", "terms", "is_repeated"),
    [
        ("Will it rain?", "Will it rain?", ["rain"], True),
        ("Will it rain tomorr…", "Will it rain tomorrow in Rome?", ["rain"], True),
        ("Will it rain tomorr…", "Will it rain tomorrow in Rome?", ["rome"], False),
        ("Weather", "Will it rain?", ["rain"], False),
        ("", "Will it rain?", ["rain"], False),
    ],
)
def test_hit_that_the_title_shows_is_not_shown_again(title, text, terms, is_repeated):
    assert repeats(title, text, terms) == is_repeated
