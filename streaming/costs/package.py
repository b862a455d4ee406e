"""Prices from the package `genai-prices`, which has them inside: nothing is downloaded."""

from __future__ import annotations

import datetime
import functools
import logging
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from streaming.conf import settings
from streaming.protocol import Usage
from streaming.providers import options_of

logger = logging.getLogger(__name__)

CURRENCY = "USD"
"""The currency of all prices in the package."""

VENDORS = {
    "streaming.providers.openai.": "openai",
    "streaming.providers.anthropic.": "anthropic",
    "streaming.providers.http.Messages": "anthropic",
    "streaming.providers.http.": "openai",
}
"""The beginning of a `BACKEND` -> the package's id of the vendor whose models it asks without a `base_url`.

The first one that fits counts.
"""

AMOUNTS = {
    "input": "input_mtok",
    "cached_input": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "output": "output_mtok",
}
"""Our name of an amount -> the package's name of it."""


def has_package_prices() -> bool:
    """Returns True if the package can be imported, and if its prices are in the site's currency."""
    return settings.CURRENCY == CURRENCY and find_spec("genai_prices") is not None


def cost_by_package(
    alias: str, model: str, usage: Usage, at: datetime.datetime
) -> tuple[Decimal, dict[str, Any]] | None:
    """Returns the cost and the price it was made from, or None if the package does not know the model.

    `usage.input_tokens` counts cached tokens, too.
    """
    asked = _asked(alias)
    if not asked or not has_package_prices():
        return None
    package = _package()
    read, written = usage.cached_input_tokens or 0, usage.cache_write_tokens or 0
    counts = package.Usage(
        input_tokens=max(usage.input_tokens or 0, read + written),  # some servers do not count them
        cache_read_tokens=read,
        cache_write_tokens=written,
        output_tokens=usage.output_tokens or 0,
    )
    try:
        found = package.calc_price(counts, model_ref=model, genai_request_timestamp=at, **asked)
    except LookupError:
        return None
    amounts = {name: _amount(getattr(found.model_price, theirs, None)) for name, theirs in AMOUNTS.items()}
    price = {"source": f"genai-prices {package.__version__}", "model": found.model.id}
    return found.total_price, price | {name: amount for name, amount in amounts.items() if amount}


def _asked(alias: str) -> dict[str, str]:
    """Returns how the package finds the vendor of a provider: by the address, or by the class.

    It is empty for a provider whose prices the package does not have.
    """
    entry = settings.PROVIDERS.get(alias)
    backend = str(entry.get("BACKEND", "")) if entry else ""
    address = str(options_of(alias).get("base_url") or "")
    vendor = next((id for begins, id in VENDORS.items() if backend.startswith(begins)), "")
    if address and vendor:
        return {"provider_api_url": address}
    return {"provider_id": vendor} if vendor else {}


def _amount(price: Any) -> str:
    """Returns an amount for a million tokens as text: the first step of one that depends on the input's length."""
    return "" if price is None else str(getattr(price, "base", price))


@functools.cache
def _package() -> Any:
    return import_module("genai_prices")  # takes 0.2 s, so only where a price is asked for
