"""The cost of a generation: prices of the settings, prices of the package, and answers that broke off."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from django.utils import timezone

from streaming.costs import cost_of, package, with_cached
from streaming.database import in_database
from streaming.models import Generation
from streaming.protocol import Usage
from streaming.settlement import reap_one
from streaming.supervisor import current, stop
from streaming.testing import frames_of
from tests.engine import Script, leave_for_dead, load, run_until, submit

DAY = datetime.datetime(2026, 11, 28, 12, tzinfo=datetime.UTC)
OPENAI = {"BACKEND": "streaming.providers.openai.ChatCompletions"}
ANTHROPIC = {"BACKEND": "streaming.providers.anthropic.Messages"}
SCRIPTED = {"BACKEND": "streaming.providers.scripted.Scripted"}


def used(model: str = "m", alias: str = "default", **counts: int | None) -> Generation:
    """A generation of that day with these token counts."""
    tokens = {f"{name}_tokens": count for name, count in counts.items()}
    return Generation(provider=alias, model=model, created_at=DAY, **tokens)  # type: ignore[misc]


@pytest.fixture(autouse=True)
def sites_prices(settings: Any) -> dict[str, Any]:
    settings.STREAMING_PROVIDERS = {"default": SCRIPTED, "gpt": OPENAI, "claude": ANTHROPIC}
    settings.STREAMING_PRICES = {"m": {"input": 1, "output": 10}}
    prices: dict[str, Any] = settings.STREAMING_PRICES
    return prices


@pytest.mark.parametrize(
    ("price", "counts", "cost"),
    [
        ({}, {"input": 1_000_000, "output": 100_000}, "2"),
        ({}, {"input": 7}, "0.000007"),
        ({"output": "0.3"}, {"input": None, "output": 1}, "0.0000003"),
        ({"cached_input": 0.1}, {"input": 1000, "cached_input": 900}, "0.00019"),
        ({}, {"input": 1000, "cached_input": 900}, "0.001"),
        ({"cache_write": 2, "cached_input": 0}, {"input": 1000, "cached_input": 500, "cache_write": 400}, "0.0009"),
        ({"reasoning": 100}, {"input": 0, "output": 30, "reasoning": 20}, "0.0021"),
        ({}, {"input": 0, "output": 30, "reasoning": 20}, "0.0003"),
        ({}, {"input": 10, "cached_input": 99}, "0.000099"),
    ],
)
def test_cost_is_made_from_each_kind_of_token(
    sites_prices: dict[str, Any], price: dict[str, Any], counts: dict[str, int], cost: str
) -> None:
    sites_prices["m"] |= price
    assert cost_of(used(**counts)).amount == Decimal(cost)


def test_cached_tokens_have_prices_of_their_own(sites_prices: dict[str, Any]) -> None:
    sites_prices["m"] |= {"cached_input": 0.5, "cache_write": 2}
    counts = {"input": 1000, "cached_input": 400, "cache_write": 100}
    assert cost_of(used(alias="gpt", **counts)).amount == Decimal("0.0009")
    assert cost_of(used(alias="claude", **counts | {"input": 1500})).amount == Decimal("0.0014")


@pytest.mark.parametrize(
    ("alias", "given", "counted"),
    [
        ("claude", (3, 400, 100), 503),
        ("claude", (None, 400, None), 400),
        ("claude", (3, None, 0), 3),
        ("claude", (None, None, None), None),
        ("claude", (2**31 - 1, 2**31 - 1, 1), 2**31 - 1),
        ("gpt", (1000, 400, 100), 1000),
        ("gone", (3, 400, 100), 3),
    ],
)
def test_input_counts_cached_tokens_in_every_dialect(
    sites_prices: dict[str, Any], alias: str, given: tuple[int | None, ...], counted: int | None
) -> None:
    names = ("input_tokens", "cached_input_tokens", "cache_write_tokens")
    usage = Usage(**dict(zip(names, given, strict=True)), output_tokens=7)
    assert with_cached(usage, alias) == msgspec.structs.replace(usage, input_tokens=counted)


@pytest.mark.parametrize("counts", [{}, {"reasoning": 5}])
def test_unknown_usage_has_no_cost(counts: dict[str, int]) -> None:
    assert cost_of(used(**counts)) == (None, None)


def test_unknown_model_has_no_cost() -> None:
    assert cost_of(used("another", input=5)) == (None, None)


@pytest.mark.parametrize(
    ("model", "alias", "pattern"),
    [
        ("gpt-5-mini", "gpt", "gpt-5-mini"),
        ("gpt-5-mini-2025-08-07", "gpt", "gpt-5-mini*"),
        ("gpt-5", "gpt", "gpt-5*"),
        ("gpt-5-mini", "claude", "claude/gpt-5-mini"),
        ("qwen3", "default", "default/*"),
    ],
)
def test_most_exact_price_wins(settings: Any, model: str, alias: str, pattern: str) -> None:
    names = ("gpt-5-mini", "gpt-5-mini*", "gpt-5*", "claude/gpt-5-mini", "default/*")
    settings.STREAMING_PRICES = {name: {"input": 1, "output": 1} for name in names}
    price = cost_of(used(model, alias, input=1)).price
    assert price is not None
    assert price["model"] == pattern


@pytest.mark.parametrize(("since", "cost"), [("2026-11-28", "2"), ("2026-11-29", "1")])
def test_price_holds_from_its_day_on(settings: Any, since: str, cost: str) -> None:
    settings.STREAMING_PRICES = {
        "m": [
            {"input": 1, "output": 1},
            {"from": since, "input": 2, "output": 2},
            {"from": "2030-01-01", "input": 9, "output": 9},
        ]
    }
    assert cost_of(used(input=1_000_000)).amount == Decimal(cost)


def test_price_is_told_beside_the_cost(settings: Any) -> None:
    settings.STREAMING_CURRENCY = "EUR"
    settings.STREAMING_PRICES = {"m": {"from": datetime.date(2026, 1, 1), "input": 0.25, "output": "2"}}
    assert cost_of(used(input=1)).price == {
        "source": "settings", "currency": "EUR", "model": "m", "from": "2026-01-01", "input": "0.25", "output": "2",
    }  # fmt: skip


def test_wrong_price_leaves_the_cost_unknown(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.STREAMING_PRICES = {"m": {"input": "much"}}
    assert cost_of(used(input=1)) == (None, None)
    assert "The cost of generation" in caplog.text


def test_cost_that_the_column_cannot_hold_is_unknown(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.STREAMING_PRICES = {"m": {"input": 10**15, "output": 1}}
    assert cost_of(used(input=1_000_000)) == (None, None)
    assert "The cost of generation" in caplog.text


def test_day_of_a_price_is_that_of_the_site_not_of_a_person(settings: Any) -> None:
    settings.TIME_ZONE = "UTC"
    settings.STREAMING_PRICES = {"m": [{"input": 1, "output": 1}, {"from": "2026-11-29", "input": 2, "output": 2}]}
    with timezone.override("Pacific/Kiritimati"):  # noon in UTC is the next day there
        assert cost_of(used(input=1_000_000)).amount == 1


def test_package_knows_prices_that_the_settings_do_not_have(settings: Any) -> None:
    pytest.importorskip("genai_prices")
    cost = cost_of(used("gpt-5-mini-2025-08-07", "gpt", input=1_000_000, cached_input=400_000, output=100_000))
    assert cost.amount == Decimal("0.36")
    assert cost.price is not None
    assert cost.price["source"].startswith("genai-prices ")
    assert cost.price["model"] == "gpt-5-mini"
    assert (cost.price["input"], cost.price["cached_input"], cost.price["output"]) == ("0.25", "0.025", "2")
    claude = cost_of(used("claude-sonnet-4-5", "claude", input=3_000, cached_input=1_000, cache_write=1_000))
    assert claude.amount == Decimal("0.00705")
    assert claude.price is not None
    assert claude.price["input"] == "3"
    settings.STREAMING_PROVIDERS = {
        "gpt": {"BACKEND": "streaming.providers.http.Responses"},
        "claude": {"BACKEND": "streaming.providers.http.Messages"},
    }
    assert cost_of(used("gpt-5-mini", "gpt", input=1_000_000)).amount == Decimal("0.25")
    assert cost_of(used("claude-sonnet-4-5", "claude", input=1_000)).amount == Decimal("0.003")
    settings.STREAMING_PRICES = {"gpt-5*": {"input": 1, "output": 1}}
    assert cost_of(used("gpt-5-mini", "gpt", input=1_000_000)).amount == 1


@pytest.mark.parametrize(
    ("alias", "model", "counts", "cost"),
    [
        ("gpt", "gpt-5-mini", {"input": 10, "cached_input": 1_000_000}, "0.025"),
        ("claude", "claude-sonnet-4-5", {"input": 0, "cache_write": 1_000}, "0.00375"),
    ],
)
def test_package_prices_cached_tokens_that_the_input_does_not_count(
    settings: Any, alias: str, model: str, counts: dict[str, int], cost: str
) -> None:
    pytest.importorskip("genai_prices")
    settings.STREAMING_PROVIDERS = {
        "gpt": {"BACKEND": "streaming.providers.http.ChatCompletions"},
        "claude": {"BACKEND": "streaming.providers.http.Messages"},
    }
    assert cost_of(used(model, alias, **counts)).amount == Decimal(cost)


@pytest.mark.parametrize(
    ("change", "model"),
    [
        ({"STREAMING_CURRENCY": "EUR"}, "gpt-5-mini"),
        ({"STREAMING_PROVIDERS": {"gpt": OPENAI | {"OPTIONS": {"base_url": "http://127.0.0.1:1/v1"}}}}, "gpt-5-mini"),
        ({"STREAMING_PROVIDERS": {"gpt": SCRIPTED}}, "gpt-5-mini"),
        ({"STREAMING_PROVIDERS": {}}, "gpt-5-mini"),
        ({}, "no-such-model"),
    ],
)
def test_package_is_not_believed_about_others(settings: Any, change: dict[str, Any], model: str) -> None:
    for name, value in change.items():
        setattr(settings, name, value)
    assert cost_of(used(model, "gpt", input=1_000_000)) == (None, None)


def test_package_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "find_spec", lambda name: None)
    assert cost_of(used("gpt-5-mini", "gpt", input=5)) == (None, None)


@pytest.mark.usefixtures("engine")
async def test_cost_is_stored_with_the_answer(scripted: Script, settings: Any) -> None:
    scripted(text="one two", model="m")
    generation = await submit()
    await frames_of(generation.pk)
    row = await load(generation)
    assert (row.input_tokens, row.output_tokens) != (None, None)
    assert row.cost == (Decimal(row.input_tokens or 0) + 10 * Decimal(row.output_tokens or 0)) / 1_000_000
    assert row.price == {"source": "settings", "currency": "USD", "model": "m", "input": "1", "output": "10"}
    settings.STREAMING_PRICES = {"m": {"input": 99, "output": 99}}
    assert (await load(generation)).cost == row.cost


@pytest.mark.usefixtures("engine")
async def test_answer_of_a_dead_process_costs_what_is_estimated(scripted: Script, settings: Any) -> None:
    settings.STREAMING_LEASE_SECONDS = -1
    scripted(text="one two three", hang_after=2, model="m")
    generation = await submit()
    run = current().find(generation.pk)
    assert run is not None
    await run_until(lambda: run.written > 3)
    leave_for_dead(generation)
    settings.STREAMING_LEASE_SECONDS = 10
    await in_database(reap_one, generation.pk)
    row = await load(generation)
    assert (row.status, row.is_usage_estimated) == ("interrupted", True)
    assert row.cost == (Decimal(row.input_tokens or 0) + 10 * Decimal(row.output_tokens or 0)) / 1_000_000 > 0
    run.fence()


@pytest.mark.usefixtures("engine")
async def test_stopped_answer_costs_what_its_usage_says(scripted: Script) -> None:
    scripted(
        text="one two three", hang_after=2, model="m", dialect="anthropic-messages"
    )  # tells its input at the start
    generation = await submit()
    run = current().find(generation.pk)
    assert run is not None
    await run_until(lambda: run.draft.usage is not None)
    await stop(generation.pk)
    await frames_of(generation.pk)
    row = await load(generation)
    assert row.status == "cancelled"
    assert row.cost == (Decimal(row.input_tokens or 0) + 10 * Decimal(row.output_tokens or 0)) / 1_000_000 > 0
