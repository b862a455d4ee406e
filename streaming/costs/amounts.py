"""The numbers in the settings of prices and budgets."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any


def amount_of(value: Any) -> Decimal | None:
    """Returns a number exactly as it is written, or None if the value is no number, infinite or below 0."""
    if isinstance(value, bool):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None
