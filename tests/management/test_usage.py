"""`manage.py usage`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError
from django.db.models import F

from streaming.models import Conversation, Generation, Message, SideCall, Summary, from_now
from tests.management.commands import result_of, run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def answers() -> None:
    """Twenty answers of one model that took 1 to 20 ms, and an old one of another model that failed."""
    for at in range(21):
        conversation = Conversation.objects.create(key=f"{at}", owner_key="visitor:v")
        answer = Message.objects.create(conversation=conversation, role="assistant")
        Generation.objects.create(
            conversation=conversation, message=answer, provider="default", model="a" if at < 20 else "b",
            status="finished" if at < 20 else "failed", input_tokens=10, output_tokens=5 if at < 20 else None,
            cost="0.5" if at < 20 else None, first_delta_ms=at + 1 if at < 20 else None, duration_ms=at + 1,
        )  # fmt: skip
    Generation.objects.filter(model="b").update(created_at=from_now(-40 * 86_400))


def test_rows_have_sums_and_quantiles() -> None:
    result = result_of("usage", "--by", "model")
    assert (result["by"], result["currency"]) == ("model", "USD")
    first, second = result["rows"]
    assert Decimal(first.pop("cost")) == 10
    assert first == {
        "group": "a", "requests": 20, "failed": 0, "input_tokens": 200, "output_tokens": 100,
        "first_delta_p50": 10, "first_delta_p95": 19, "duration_p50": 10, "duration_p95": 19,
    }  # fmt: skip
    assert second == {
        "group": "b", "requests": 1, "failed": 1, "input_tokens": 10, "output_tokens": 0, "cost": None,
        "first_delta_p50": None, "first_delta_p95": None, "duration_p50": 21, "duration_p95": 21,
    }  # fmt: skip


def test_queries_do_not_grow_with_the_groups(django_assert_max_num_queries: Any) -> None:
    Generation.objects.update(model=F("duration_ms"))
    with django_assert_max_num_queries(5):
        assert len(result_of("usage", "--by", "model")["rows"]) == 21


def test_summaries_add_their_tokens_and_their_cost_to_the_model_that_wrote_them() -> None:
    row = Generation.objects.filter(model="a").select_related("message").first()
    assert row is not None
    where = {"conversation_id": row.conversation_id, "generation": row, "upto": row.message, "provider": "default"}
    for model, cost in (("a", "0.25"), ("small", "0.125"), ("b", None)):
        Summary.objects.create(**where, model=model, input_tokens=100, output_tokens=7, cost=cost)
    rows = {one["group"]: one for one in result_of("usage", "--by", "model")["rows"]}
    assert list(rows) == ["a", "b", "small"]
    assert (rows["a"]["requests"], rows["a"]["input_tokens"], Decimal(rows["a"]["cost"])) == (20, 300, Decimal("10.25"))
    assert (rows["b"]["output_tokens"], rows["b"]["cost"]) == (7, None)
    assert (rows["small"]["requests"], Decimal(rows["small"]["cost"])) == (0, Decimal("0.125"))
    assert rows["small"]["duration_p50"] is None


def test_titles_add_their_tokens_by_every_group() -> None:
    conversation = Conversation.objects.get(key="3")
    SideCall.objects.create(
        conversation=conversation, purpose="title", provider="default", model="a", status="finished",
        input_tokens=50, output_tokens=3, cost="0.01",
    )  # fmt: skip
    for group in ("day", "model", "provider", "status", "owner"):
        rows = result_of("usage", "--by", group, "--since", "30d")["rows"]
        assert [(row["requests"], row["input_tokens"], Decimal(row["cost"])) for row in rows] == [
            (20, 250, Decimal("10.01"))
        ]


def test_table_is_for_people() -> None:
    out, _ = run("usage", "--by", "model", "--since", "30d")
    head, row = out.splitlines()
    assert head.split()[:4] == ["model", "requests", "failed", "input_tokens"]
    assert row.split()[:5] == ["a", "20", "0", "200", "100"]
    assert len(head) == len(row)


def test_rows_are_days_unless_something_else_is_asked() -> None:
    assert len(result_of("usage")["rows"]) == 2
    assert result_of("usage", "--owner", "visitor:nobody")["rows"] == []
    assert result_of("usage", "--by", "owner", "--owner", "visitor:v")["rows"][0]["requests"] == 21


@pytest.mark.parametrize("age", ["99999999999999d", "999999d", "3000000h"])
def test_age_that_no_calendar_has_is_an_error(age: str) -> None:
    with pytest.raises(CommandError, match="too long"):
        run("usage", "--since", age)


def test_unknown_column_is_an_error() -> None:
    with pytest.raises(CommandError, match="invalid choice: 'colour'"):
        run("usage", "--by", "colour")
