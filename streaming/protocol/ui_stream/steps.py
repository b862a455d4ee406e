"""Steps: where in a message the model was asked again. They are not stored, because the parts show them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from streaming.protocol.parts import Part, ToolApproval, ToolResult


def step_starts(parts: Sequence[Part]) -> frozenset[int]:
    """Positions of parts that the model wrote after it was told what its tools gave; the first step is not named."""
    return frozenset(at for at, (before, part) in enumerate(pairwise(parts), 1) if is_told(before) > is_told(part))


def is_told(part: Part) -> bool:
    """Whether this side added the part, not the model."""
    return isinstance(part, ToolApproval) or (isinstance(part, ToolResult) and not part.is_provider_executed)
