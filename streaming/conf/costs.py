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
        "The prices of models, for a million tokens. The app uses them before those of the package "
        "`genai-prices`. See [operations.md](operations.md#cost).",
    )
    CURRENCY = Setting(
        TEXT,
        "USD",
        "The currency of `STREAMING_PRICES` and of budgets. People see this name. The prices of the package "
        "`genai-prices` are in USD, so the app uses them only if this is USD.",
    )
    BUDGETS: Setting[dict[str, Any]] = Setting(
        checked_elsewhere(unchanged, "a dict of budgets"),
        {},
        "The tokens and the money that an owner, or the whole site, may spend in a day and in a month. See "
        "[operations.md](operations.md#budgets).",
    )
    QUOTA = Setting(
        TEXT,
        "",
        "The dotted path of a function that takes the owner and the alias of the provider. It returns None, or "
        "the text with which the message is refused. The app calls it before each answer, on a database thread "
        "and within a transaction, so it should be quick. Empty: no such rule.",
    )
