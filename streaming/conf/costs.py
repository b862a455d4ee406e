"""The settings of prices, budgets and quotas."""

from __future__ import annotations

from typing import Any

from streaming.conf.rules import TEXT, checked_elsewhere, unchanged
from streaming.conf.setting import Setting


class CostSettings:
    """See `streaming.conf.settings.Settings`."""

    PRICES: Setting[dict[str, Any]] = Setting(
        checked_elsewhere(unchanged, "a dict of prices by model"),
        {},
        "The prices of models, for a million tokens. They win over those of the package `genai-prices`. See "
        "[operations.md](operations.md#cost).",
    )
    CURRENCY = Setting(
        TEXT,
        "USD",
        "The currency of `STREAMING_PRICES` and of budgets, as people read it. The package `genai-prices` has prices "
        "in USD, and is asked only if this is USD.",
    )
    BUDGETS: Setting[dict[str, Any]] = Setting(
        checked_elsewhere(unchanged, "a dict of budgets"),
        {},
        "How many tokens and how much money an owner, or the whole site, may spend in a day and in a month. See "
        "[operations.md](operations.md#budgets).",
    )
    QUOTA = Setting(
        TEXT,
        "",
        "The dotted path of a function that takes the owner and the alias of the provider. It returns None, or the "
        "text with which the submission is refused. It is called before each answer, on a database thread and within a "
        "transaction, so it should be quick. Empty: no such rule.",
    )
