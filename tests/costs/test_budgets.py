"""Budgets and the site's own quota, checked before an answer begins."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from streaming.costs import budget_warning, budgets, check_budgets, check_quota, spending, used_since
from streaming.errors import OverBudget
from streaming.intake import limits
from streaming.models import Conversation, Generation, Message, Owner, SideCall, Summary
from streaming.testing import frames_of
from tests import engine
from tests.engine import ALICE, BOB, Script

pytestmark = pytest.mark.django_db
NOON = datetime.datetime(2026, 11, 28, 12, tzinfo=datetime.UTC)
GRANTS: list[tuple[Owner, str]] = []


@pytest.fixture(autouse=True)
def at_noon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stops the clock, and forgets what other tests have spent."""
    monkeypatch.setattr(spending, "SITE_SECONDS", -1)
    monkeypatch.setattr(timezone, "now", lambda: NOON)
    yield
    spending._warned.clear()
    spending._site_sums.clear()


def spent(owner: Owner, hours_ago: float, tokens: int | None, cost: str | None = None) -> None:
    conversation = Conversation.objects.create(key=f"{Conversation.objects.count()}", owner_key=owner.key)
    answer = Message.objects.create(conversation=conversation, role="assistant")
    row = Generation.objects.create(
        conversation=conversation, message=answer, input_tokens=tokens, output_tokens=tokens, cost=cost, status="failed"
    )
    Generation.objects.filter(pk=row.pk).update(created_at=NOON - datetime.timedelta(hours=hours_ago))


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        (
            {"owner": {"day": {"tokens": 20}}},
            "You have used up the budget of 20 tokens for today. There is a new one tomorrow.",
        ),
        ({"owner": {"month": {"tokens": 30}}}, "30 tokens for this month. There is a new one next month."),
        ({"owner": {"day": {"money": "0.1"}}}, "You have used up the budget of USD 0.1 for today."),
        ({"site": {"month": {"money": 1}}}, "This site has used up the budget of USD 1 for this month."),
        ({"site": {"day": {"tokens": 60}}}, "This site has used up the budget of 60 tokens for today."),
    ],
)
def test_spent_budget_refuses_and_says_which(settings: Any, setting: Any, complaint: str) -> None:
    settings.STREAMING_BUDGETS = setting
    check_budgets(ALICE)
    spent(ALICE, 1, 10, "0.1")
    spent(ALICE, 24, 5, "0.1")
    spent(BOB, 2, 20, "0.8")
    with pytest.raises(OverBudget) as caught:
        check_budgets(ALICE)
    assert complaint in str(caught.value)
    assert caught.value.status == 429


@pytest.mark.parametrize(
    "setting",
    [
        {},
        {"owner": {}},
        {"owner": {"day": {"tokens": 21}}},
        {"owner": {"month": {"tokens": 31, "money": "0.21"}}},
        {"site": {"day": {"tokens": 61, "money": 1}}},
    ],
)
def test_budget_that_is_not_spent_lets_pass(settings: Any, setting: Any) -> None:
    settings.STREAMING_BUDGETS = setting
    spent(ALICE, 1, 10, "0.1")
    spent(ALICE, 24, 5, "0.1")
    spent(ALICE, 28 * 24, 1000, "9")
    spent(ALICE, 1, None)
    spent(BOB, 2, 20, "0.8")
    check_budgets(ALICE)


def test_refusal_says_when_there_is_a_new_budget(settings: Any) -> None:
    seconds = {"day": 12 * 3600, "month": (2 * 24 + 12) * 3600}
    for period, until in seconds.items():
        settings.STREAMING_BUDGETS = {"owner": {period: {"tokens": 0}}}
        with pytest.raises(OverBudget) as caught:
            check_budgets(ALICE)
        assert caught.value.retry_after == until


def test_day_is_that_of_the_sites_time_zone(settings: Any) -> None:
    settings.STREAMING_BUDGETS = {"owner": {"day": {"tokens": 20}}}
    spent(ALICE, 13, 10)
    check_budgets(ALICE)
    settings.TIME_ZONE = "Asia/Kathmandu"  # noon in UTC is 17:45 there
    with pytest.raises(OverBudget):
        check_budgets(ALICE)


@pytest.mark.parametrize("period", ["day", "month"])
def test_day_whose_first_hour_comes_twice_begins_with_the_first(
    settings: Any, period: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STREAMING_BUDGETS = {"owner": {period: {"tokens": 20}}}
    settings.TIME_ZONE = "America/Havana"  # on 1 November 2026 at 05:00 UTC it is midnight again
    spent(ALICE, 0, 10)
    Generation.objects.update(created_at=datetime.datetime(2026, 11, 1, 4, 30, tzinfo=datetime.UTC))
    monkeypatch.setattr(timezone, "now", lambda: datetime.datetime(2026, 11, 1, 5, 30, tzinfo=datetime.UTC))
    with pytest.raises(OverBudget):
        check_budgets(ALICE)


def test_person_whose_time_zone_is_active_has_no_new_day(settings: Any) -> None:
    settings.STREAMING_BUDGETS = {"owner": {"day": {"tokens": 20}}}
    spent(ALICE, 11, 10)
    with timezone.override("Pacific/Kiritimati"), pytest.raises(OverBudget) as caught:  # it is 2 o'clock there
        check_budgets(ALICE)
    assert caught.value.retry_after == 12 * 3600


def test_site_is_warned_once_at_80_percent(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[tuple[Any, ...]] = []

    def hear(sender: Any, budget: Any, owner: Any, used: Decimal, **more: Any) -> None:
        heard.append((budget.scope, owner, used))

    budget_warning.connect(hear)
    settings.STREAMING_BUDGETS = {"owner": {"day": {"tokens": 100}}, "site": {"day": {"tokens": 200}}}
    spent(ALICE, 1, 39)
    with caplog.at_level(logging.WARNING, "streaming"):
        check_budgets(ALICE)
        assert heard == []
        spent(ALICE, 1, 1)
        check_budgets(ALICE)
        check_budgets(ALICE)
        spent(BOB, 1, 40)
        check_budgets(BOB)
    budget_warning.disconnect(hear)
    assert heard == [("owner", ALICE, 80), ("owner", BOB, 80), ("site", None, 160)]
    assert "visitor:alice has spent 80 % of its budget of tokens for the day." in caplog.text


def test_whole_site_is_not_summed_up_for_each_answer(
    settings: Any, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    settings.STREAMING_BUDGETS = {"site": {"day": {"tokens": 10}, "month": {"tokens": 10}}}
    monkeypatch.setattr(spending, "SITE_SECONDS", 60)
    with django_assert_num_queries(1):
        check_budgets(ALICE)
        check_budgets(BOB)


def test_all_budgets_of_an_owner_and_of_the_site_are_two_statements(
    settings: Any, django_assert_num_queries: Any
) -> None:
    both = {"tokens": 10**9, "money": 10**9}
    settings.STREAMING_BUDGETS = {scope: {"day": both, "month": both} for scope in ("owner", "site")}
    spent(ALICE, 1, 10, "0.1")
    with django_assert_num_queries(2):
        check_budgets(ALICE)
    settings.STREAMING_MAX_TOKENS_PER_DAY = 21
    with django_assert_num_queries(1):
        limits._check_per_day(ALICE)


def test_what_is_metered_counts_together(settings: Any) -> None:
    spent(ALICE, 1, 10, "0.1")
    spent(ALICE, 24, 5, "0.01")
    spent(BOB, 1, 100, "9")
    conversation = Conversation.objects.filter(owner_key=ALICE.key).first()
    assert conversation
    counts = {"conversation": conversation, "input_tokens": 3, "output_tokens": None, "cost": "0.001"}
    SideCall.objects.create(purpose="title", **counts)
    answer = conversation.generations.get()
    Summary.objects.create(generation=answer, upto=answer.message, text="", created_at=NOON, **counts)
    for kind in (SideCall, Summary):
        kind.objects.update(created_at=NOON - datetime.timedelta(hours=1))
    begins = {"day": NOON - datetime.timedelta(hours=12), "month": NOON - datetime.timedelta(days=27)}
    assert used_since(ALICE, begins) == {
        "day": {"tokens": 26, "money": Decimal("0.102")},
        "month": {"tokens": 36, "money": Decimal("0.112")},
    }
    assert used_since(None, begins)["month"]["tokens"] == 236
    assert used_since(Owner("nobody"), begins)["day"] == {"tokens": 0, "money": 0}


def grant(owner: Owner, alias: str) -> str | None:
    GRANTS.append((owner, alias))
    return "Ask your teacher first." if owner == BOB else None


def test_sites_own_rule_refuses_with_its_text(settings: Any) -> None:
    settings.STREAMING_QUOTA = f"{__name__}.grant"
    check_quota(ALICE, "default")
    with pytest.raises(OverBudget, match="Ask your teacher first"):
        check_quota(BOB, "default")
    assert GRANTS[-2:] == [(ALICE, "default"), (BOB, "default")]


def test_budgets_are_read_in_order(settings: Any) -> None:
    settings.STREAMING_BUDGETS = {"site": {"month": {"money": "1.5"}}}
    assert [tuple(one) for one in budgets()] == [("site", "month", "money", Decimal("1.5"))]


@pytest.mark.usefixtures("engine")
@pytest.mark.django_db(transaction=True)
async def test_nothing_is_stored_of_a_refused_message(settings: Any, scripted: Script) -> None:
    scripted(text="ok")
    settings.STREAMING_BUDGETS = {"owner": {"day": {"tokens": 1}}}
    await frames_of((await engine.submit()).pk)
    await Generation.objects.aupdate(created_at=NOON)
    with pytest.raises(OverBudget, match="1 tokens for today"):
        await engine.submit("more")
    settings.STREAMING_BUDGETS, settings.STREAMING_QUOTA = {}, f"{__name__}.grant"
    with pytest.raises(OverBudget, match="Ask your teacher"):
        await engine.submit("more", owner=BOB)
    assert await Message.objects.acount() == 2
