"""The cost of a generation, and the price that it was made from."""

from __future__ import annotations

import datetime
import logging
from decimal import Context, Decimal
from typing import Any, NamedTuple

import msgspec

from streaming.conf import settings
from streaming.costs.package import CURRENCY, cost_by_package
from streaming.costs.price_settings import Price, price_for
from streaming.models import COUNTS, Metered, site_time
from streaming.protocol import Usage
from streaming.protocol.events import MAX_COUNT
from streaming.providers import dialect_of, options_of

logger = logging.getLogger(__name__)

MILLION = Decimal(1_000_000)
PLACES = Decimal("0.000000001")
"""The database keeps nine decimal places: one token costs less than a millionth."""

COLUMN = Context(prec=18)
"""The digits that the database keeps. An amount with more is refused here, not when the answer is stored."""

APART = "anthropic-messages"
"""The dialect that reports input tokens without cached ones and cache writes."""


class Cost(NamedTuple):
    """The cost of an answer. `amount` is None if it is not known. `price` is what it was made from, for the row."""

    amount: Decimal | None = None
    price: dict[str, Any] | None = None


def cost_of(row: Metered) -> Cost:
    """Returns the cost of a generation or a side call, as far as usage and price are known. Raises nothing.

    One that was stopped or that failed costs what its usage says.
    """
    if row.input_tokens is None and row.output_tokens is None:
        return Cost()
    try:
        return _cost(row)
    except Exception:  # a wrong price must not keep an answer from its end
        logger.exception("The cost of %s %s is not known.", row._meta.verbose_name, row.pk)
        return Cost()


def _cost(row: Metered) -> Cost:
    alias, at = row.provider, row.created_at
    model = row.model or _configured_model(alias)
    usage = _usage_of(row)
    price = price_for(alias, model, site_time(at).date())
    if price is not None:
        amount = _sum(price, usage)
        stored = {"source": "settings", "currency": settings.CURRENCY} | _stored(price)
        return Cost(amount.quantize(PLACES, context=COLUMN), stored)
    found = cost_by_package(alias, model, usage, at)
    if found is None:
        return Cost()
    return Cost(found[0].quantize(PLACES, context=COLUMN), {"currency": CURRENCY} | found[1])


def _configured_model(alias: str) -> str:
    """Returns the model of a provider's options. The row of a process that died does not name its model."""
    return str(options_of(alias).get("model", ""))


def with_cached(usage: Usage, alias: str) -> Usage:
    """Returns the usage with input tokens that count cached ones and cache writes, too, as most dialects report them.

    Otherwise a budget of tokens would not count what the prompt cache holds. `alias` is the provider that reported it.
    """
    apart = (usage.cached_input_tokens or 0) + (usage.cache_write_tokens or 0)
    if not apart or dialect_of(alias) != APART:
        return usage
    return msgspec.structs.replace(usage, input_tokens=min((usage.input_tokens or 0) + apart, MAX_COUNT))


def _usage_of(row: Metered) -> Usage:
    return Usage(**{name: getattr(row, name) or 0 for name in COUNTS})


def _sum(price: Price, usage: Usage) -> Decimal:
    read, written = usage.cached_input_tokens or 0, usage.cache_write_tokens or 0
    thought, said = usage.reasoning_tokens or 0, usage.output_tokens or 0
    counts = (
        (max((usage.input_tokens or 0) - read - written, 0), price.input),
        (read, price.input if price.cached_input is None else price.cached_input),
        (written, price.input if price.cache_write is None else price.cache_write),
        (max(said - thought, 0), price.output),
        (min(thought, said), price.output if price.reasoning is None else price.reasoning),
    )
    return sum((count * amount for count, amount in counts), Decimal(0)) / MILLION


def _stored(price: Price) -> dict[str, Any]:
    """Returns a price for the row. Amounts are text, so that they stay exact."""
    fields = {name: str(value) for name, value in msgspec.structs.asdict(price).items() if value is not None}
    since, pattern = fields.pop("since"), fields.pop("pattern")
    dated = {} if price.since == datetime.date.min else {"from": since}
    return {"model": pattern} | dated | fields
