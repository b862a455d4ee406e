"""A site's own context policy, which chooses the turns of one generation."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Sequence
from typing import Any

from streaming.context import Asked, cuts, policy_function
from streaming.database import in_database
from streaming.models import Generation
from streaming.protocol import Turn
from streaming.protocol.requests import tokens_in

logger = logging.getLogger(__name__)

INSTEAD = {
    True: "The oldest messages are dropped instead, if they are too many.",
    False: "All messages are sent instead. The oldest are dropped only if the provider refuses them as too long.",
}
"""The window of the model is known -> what happens if the policy fails, for the log."""


async def chosen_turns(
    path: str, turns: Sequence[Turn], generation: Generation, allowed: int | None
) -> list[Turn] | None:
    """Lets the policy at `path` choose from the turns. The newest question is always among them.

    `allowed` is the number of tokens that the request may have, or None. Returns None if the policy fails, which is
    logged.
    """
    asked = Asked(
        turns=tuple(turns),
        provider=generation.provider,
        conversation_key=generation.conversation.key,
        allowed=allowed,
        estimate=_estimate,
    )
    try:
        chosen = await _ask(path, asked)
    except Exception:
        logger.exception("The context policy %s failed. %s", path, INSTEAD[allowed is not None])
        return None
    newest = list(turns[(cuts(turns) or [0])[-1] :])
    if chosen[-len(newest) :] != newest:
        chosen = [turn for turn in chosen if not any(turn is one for one in newest)] + newest
    return chosen


async def _ask(path: str, asked: Asked) -> list[Turn]:
    """Returns the turns that the policy chooses.

    Raises:
        TypeError: it returned something else. It may raise any other exception.
    """
    policy = policy_function(path)
    given: Any = await (policy(asked) if inspect.iscoroutinefunction(policy) else in_database(policy, asked))
    chosen = list(given)
    if not all(isinstance(turn, Turn) for turn in chosen):
        raise TypeError(f"{path} must return turns")
    return chosen


def _estimate(turns: Sequence[Turn]) -> int:
    return tokens_in(part for turn in turns for part in turn.parts)
