"""The prices of `STREAMING_PRICES`.

    STREAMING_PRICES = {
        "gpt-5-mini*": {"input": 0.25, "cached_input": 0.025, "output": 2},
        "ours/qwen3": [{"input": 0.1, "output": 0.1}, {"from": "2026-12-01", "input": 0.2, "output": 0.2}],
    }

A key is the name of a model or `alias/model`, and may have the wildcards of `fnmatch`. A price is an amount for a
million tokens.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from streaming.conf import settings
from streaming.costs.amounts import amount_of
from streaming.errors import StreamingError

AMOUNTS = ("input", "cached_input", "cache_write", "output", "reasoning")
FROM = "from"


class BadPrice(StreamingError):
    """An entry of `STREAMING_PRICES` is wrong. The text says which and why."""


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """The price of a model from a day on, for a million tokens of each kind.

    Cached input and cache writes cost as much as other input if they have no price of their own; reasoning costs as
    much as other output.
    """

    pattern: str
    input: Decimal
    output: Decimal
    cached_input: Decimal | None = None
    cache_write: Decimal | None = None
    reasoning: Decimal | None = None
    since: datetime.date = datetime.date.min


def price_for(alias: str, model: str, day: datetime.date) -> Price | None:
    """Returns the price of `model` at provider `alias` on a day; None if the settings have none.

    An exact name wins over a pattern, and a longer pattern over a shorter one.

    Raises:
        BadPrice: the setting is wrong.
    """
    named = (f"{alias}/{model}", model)
    found = [
        price for price in prices() if price.since <= day and any(fnmatchcase(one, price.pattern) for one in named)
    ]
    return max(found, key=lambda price: (price.pattern in named, len(price.pattern), price.since), default=None)


def prices() -> list[Price]:
    """Returns all prices of the setting.

    Raises:
        BadPrice: an entry is wrong.
    """
    entries = settings.PRICES
    if not isinstance(entries, dict):
        raise BadPrice("STREAMING_PRICES must be a dict of prices by model.")
    return [price for pattern, entry in entries.items() for price in _prices_of(pattern, entry)]


def _prices_of(pattern: Any, entry: Any) -> Iterator[Price]:
    if not isinstance(pattern, str) or not pattern.strip():
        raise BadPrice(f"STREAMING_PRICES has a price without a model: {entry!r}.")
    for dated in entry if isinstance(entry, (list, tuple)) else [entry]:
        if not isinstance(dated, dict):
            raise BadPrice(f"The price of {pattern!r} must be a dict such as {{'input': 0.25, 'output': 2}}.")
        yield _price(pattern, dated)


def _price(pattern: str, dated: dict[str, Any]) -> Price:
    unknown = [name for name in dated if name not in (*AMOUNTS, FROM)]
    if unknown:
        known = ", ".join((*AMOUNTS, FROM))
        raise BadPrice(f"The price of {pattern!r} has an unknown entry {unknown[0]!r}, must be one of: {known}.")
    missing = [name for name in ("input", "output") if name not in dated]
    if missing:
        raise BadPrice(f"The price of {pattern!r} has no {missing[0]!r}.")
    amounts = {name: _amount(pattern, name, dated[name]) for name in AMOUNTS if name in dated}
    since = _day(pattern, dated[FROM]) if FROM in dated else datetime.date.min
    return Price(pattern=pattern, since=since, **amounts)


def _amount(pattern: str, name: str, value: Any) -> Decimal:
    amount = amount_of(value)
    if amount is None:
        raise BadPrice(f"{name!r} in the price of {pattern!r} must be an amount for a million tokens, not {value!r}.")
    return amount


def _day(pattern: str, value: Any) -> datetime.date:
    try:
        return value if type(value) is datetime.date else datetime.date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        text = f"'from' in the price of {pattern!r} must be a day such as '2026-12-01', not {value!r}."
        raise BadPrice(text) from error
