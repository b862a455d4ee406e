"""The site's own rule for what an owner may ask: the function that `STREAMING_QUOTA` names."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from streaming.conf import settings
from streaming.errors import OverBudget
from streaming.models import Owner

Quota = Callable[[Owner, str], str | None]
"""Takes the owner and the alias of the provider. Returns None, or the text with which the submission is refused."""


def quota() -> Quota | None:
    """Returns the site's function, or None if there is none.

    Raises:
        ImproperlyConfigured: it cannot be imported or called.
    """
    path = settings.QUOTA
    if not path:
        return None
    try:
        found = import_string(path)
    except ImportError as error:
        raise ImproperlyConfigured(f"The function {path!r} of STREAMING_QUOTA cannot be imported: {error}.") from error
    if not callable(found):
        raise ImproperlyConfigured(f"{path!r} of STREAMING_QUOTA is no function.")
    rule: Quota = found
    return rule


def check_quota(owner: Owner, alias: str) -> None:
    """Asks the site's function.

    Raises:
        OverBudget: it refuses. The text is its own.
    """
    rule = quota()
    refusal = rule(owner, alias) if rule else None
    if refusal:
        raise OverBudget(refusal)
