"""A site's own policy: a function that chooses the turns that are sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from django.core.exceptions import ImproperlyConfigured

from streaming.conf import function_at
from streaming.context.options import BadContext
from streaming.protocol import Turn


class Asked(NamedTuple):
    """The input of a site's policy, which chooses from `turns` those that are sent.

    `allowed` is the number of tokens that the whole request may have, or None. `estimate` returns the estimated tokens
    of turns.
    """

    turns: tuple[Turn, ...]
    provider: str
    conversation_key: str
    allowed: int | None
    estimate: Callable[[Sequence[Turn]], int]


Policy = Callable[[Asked], Sequence[Turn] | Awaitable[Sequence[Turn]]]


def policy_function(path: str) -> Policy:
    """Returns the function at a dotted path.

    Raises:
        BadContext: it cannot be imported, or is not callable.
    """
    try:
        return function_at(path, "The policy of a CONTEXT")
    except ImproperlyConfigured as error:
        raise BadContext(str(error)) from error
