"""Frames whose ids name their answer: `17-3f2a91c0` in place of `17`.

The numbers of each answer begin at 1, so a number alone means nothing in another answer of the same conversation.
"""

from __future__ import annotations

import uuid

from streaming.subscription.contract import Subscription
from streaming.subscription.mapped import MappedSubscription

TAG_CHARS = 8


def tag_of(generation_id: uuid.UUID) -> str:
    """Returns the part of a cursor that names the generation: the beginning of its id."""
    return generation_id.hex[:TAG_CHARS]


def with_named_ids(inner: Subscription, generation_id: uuid.UUID) -> Subscription:
    """Returns a subscription whose frames have ids that name the generation."""
    line_end = f"-{tag_of(generation_id)}\n".encode()
    return MappedSubscription(inner, lambda frames: [_with_tag(one, line_end) for one in frames])


def _with_tag(frame: bytes, line_end: bytes) -> bytes:
    """Returns the frame with its longer id. One without an id, such as that of HTML, stays."""
    return frame.replace(b"\n", line_end, 1) if frame.startswith(b"id: ") else frame
