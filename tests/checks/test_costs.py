"""The checks of prices, budgets and the site's own quota."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import Error

from streaming.costs import package
from tests.checks import messages

RIGHT = {"input": 1, "output": 2}


@pytest.mark.parametrize(
    ("prices", "complaint"),
    [
        ([], "STREAMING_PRICES must be a dict of prices by model."),
        ({"": RIGHT}, "STREAMING_PRICES has a price without a model: {'input': 1, 'output': 2}."),
        ({None: RIGHT}, "STREAMING_PRICES has a price without a model: {'input': 1, 'output': 2}."),
        ({"m": 5}, "The price of 'm' must be a dict such as {'input': 0.25, 'output': 2}."),
        ({"m": [RIGHT, 5]}, "The price of 'm' must be a dict such as {'input': 0.25, 'output': 2}."),
        ({"m": {"input": 1}}, "The price of 'm' has no 'output'."),
        ({"m": RIGHT | {"input": -1}}, "'input' in the price of 'm' must be an amount for a million tokens, not -1."),
        ({"m": RIGHT | {"input": "x"}}, "'input' in the price of 'm' must be an amount for a million tokens, not 'x'."),
        (
            {"m": RIGHT | {"input": True}},
            "'input' in the price of 'm' must be an amount for a million tokens, not True.",
        ),
        ({"m": RIGHT | {"from": "soon"}}, "'from' in the price of 'm' must be a day such as '2026-12-01', not 'soon'."),
        (
            {"m": RIGHT | {"outptu": 2}},
            "The price of 'm' has an unknown entry 'outptu', must be one of: "
            "input, cached_input, cache_write, output, reasoning, from.",
        ),
    ],
)
def test_price_must_be_complete_and_have_a_model(prices: Any, complaint: str) -> None:
    hint = 'For example: STREAMING_PRICES = {"gpt-5-mini*": {"input": 0.25, "output": 2}}.'
    assert messages(STREAMING_PRICES=prices) == [Error(complaint, hint=hint, id="streaming.E060")]


@pytest.mark.parametrize(
    ("budgets", "complaint"),
    [
        (5, "STREAMING_BUDGETS must be a dict with some of these keys: owner, site."),
        ({"user": {}}, "STREAMING_BUDGETS has an unknown key 'user', must be one of: owner, site."),
        ({"owner": {"week": {}}}, "STREAMING_BUDGETS['owner'] has an unknown key 'week', must be one of: day, month."),
        (
            {"owner": {"day": {"dollars": 1}}},
            "STREAMING_BUDGETS['owner']['day'] has an unknown key 'dollars', must be one of: tokens, money.",
        ),
        (
            {"site": {"day": 5}},
            "STREAMING_BUDGETS['site']['day'] must be a dict with some of these keys: tokens, money.",
        ),
        (
            {"owner": {"day": {"tokens": -1}}},
            "STREAMING_BUDGETS['owner']['day']['tokens'] must be a number, 0 or more, not -1.",
        ),
        (
            {"owner": {"day": {"money": "much"}}},
            "STREAMING_BUDGETS['owner']['day']['money'] must be a number, 0 or more, not 'much'.",
        ),
    ],
)
def test_budget_must_be_a_number_for_a_known_period(budgets: Any, complaint: str) -> None:
    hint = 'For example: STREAMING_BUDGETS = {"owner": {"day": {"tokens": 200_000}}}.'
    assert messages(STREAMING_BUDGETS=budgets, STREAMING_PRICES={"m": RIGHT}) == [
        Error(complaint, hint=hint, id="streaming.E061")
    ]


@pytest.mark.parametrize("path", ["tests.nowhere.grant", "tests.sample_tools.CALLS", ".grant"])
def test_quota_must_be_a_function(path: str) -> None:
    (message,) = messages(STREAMING_QUOTA=path)
    assert message.id == "streaming.E062"
    assert path in message.msg


def test_budget_of_money_needs_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "find_spec", lambda name: None)
    budgets = {"site": {"day": {"money": 5}}}
    (message,) = messages(STREAMING_BUDGETS=budgets)
    assert message.id == "streaming.W063"
    assert messages(STREAMING_BUDGETS=budgets, STREAMING_PRICES={"m": RIGHT}) == []
    assert messages(STREAMING_BUDGETS={"site": {"day": {"tokens": 5}}}) == []


def test_prices_in_dollars_are_none_for_a_budget_in_another_currency(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "find_spec", lambda name: name)
    budgets = {"site": {"day": {"money": 5}}}
    assert messages(STREAMING_BUDGETS=budgets) == []
    (message,) = messages(STREAMING_BUDGETS=budgets, STREAMING_CURRENCY="EUR")
    assert message.id == "streaming.W063"
    assert messages(STREAMING_BUDGETS=budgets, STREAMING_CURRENCY="EUR", STREAMING_PRICES={"m": RIGHT}) == []
