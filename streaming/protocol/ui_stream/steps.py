"""The steps of a message: each begins where the model was asked again. They follow from the parts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from streaming.protocol.parts import Part, ToolApproval, ToolResult


def step_starts(parts: Sequence[Part]) -> frozenset[int]:
    """Returns the positions of the parts that begin a step, except the first step.

    A step begins where the model writes after the app added a tool result or a decision.
    """
    neighbours = enumerate(pairwise(parts), 1)
    return frozenset(at for at, (before, part) in neighbours if is_from_app(before) and not is_from_app(part))


def is_from_app(part: Part) -> bool:
    """Returns True if the app added the part. The model, or its provider, wrote all other parts."""
    return isinstance(part, ToolApproval) or (isinstance(part, ToolResult) and not part.is_provider_executed)
