"""A site's own policy: a function that chooses the turns that are sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from django.utils.module_loading import import_string

from streaming.context.options import BadContext
from streaming.protocol import Turn


class Asked(NamedTuple):
    """The question to a site's policy: which of the `turns` are sent?

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
        found: Policy = import_string(path)
    except ImportError as error:
        raise BadContext(f"The policy {path!r} cannot be imported: {error}.") from error
    if not callable(found):
        raise BadContext(f"The policy {path!r} is not a function.")
    return found
