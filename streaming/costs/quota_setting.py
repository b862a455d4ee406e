"""The site's own rule for what an owner may ask: the function that `STREAMING_QUOTA` names."""

from __future__ import annotations

from collections.abc import Callable

from streaming.conf import function_at, settings
from streaming.errors import OverBudget
from streaming.models import Owner

Quota = Callable[[Owner, str], str | None]
"""Takes the owner and the alias of the provider. Returns None, or the text with which the submission is refused."""


def quota() -> Quota | None:
    """Returns the site's function, or None if there is none.

    Raises:
        ImproperlyConfigured: it cannot be imported or called.
    """
    return function_at(settings.QUOTA, "STREAMING_QUOTA") if settings.QUOTA else None


def check_quota(owner: Owner, alias: str) -> None:
    """Asks the site's function.

    Raises:
        OverBudget: it refuses. The text is its own.
    """
    rule = quota()
    refusal = rule(owner, alias) if rule else None
    if refusal:
        raise OverBudget(refusal)
