"""Checks prices, budgets and the site's own quota."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured

from streaming.costs import BadBudget, BadPrice, budgets, has_package_prices, prices, quota

HINTS = {
    "streaming.E060": 'For example: STREAMING_PRICES = {"gpt-5-mini*": {"input": 0.25, "output": 2}}.',
    "streaming.E061": 'For example: STREAMING_BUDGETS = {"owner": {"day": {"tokens": 200_000}}}.',
    "streaming.E062": "Name a function that takes the owner and the provider's alias, or remove the setting.",
}


def check_costs(**kwargs: Any) -> list[CheckMessage]:
    """Checks that prices and budgets can be read, that the quota can be called, and that budgets have prices."""
    read: tuple[tuple[str, Callable[[], Any]], ...] = (
        ("streaming.E060", prices),
        ("streaming.E061", budgets),
        ("streaming.E062", quota),
    )
    wrong = [message for check_id, function in read for message in _wrong(check_id, function)]
    return wrong or _no_prices()


def _wrong(check_id: str, function: Callable[[], Any]) -> list[CheckMessage]:
    try:
        function()
    except (BadPrice, BadBudget, ImproperlyConfigured) as error:
        return [Error(str(error), hint=HINTS[check_id], id=check_id)]
    return []


def _no_prices() -> list[CheckMessage]:
    if has_package_prices() or prices() or not any(budget.unit == "money" for budget in budgets()):
        return []
    return [
        Warning(
            "STREAMING_BUDGETS limits money, but no prices are known, so nothing is counted.",
            hint='Set STREAMING_PRICES, or run: pip install "django-llm-streaming[prices]", whose prices are in USD.',
            id="streaming.W063",
        )
    ]
