"""The origin of a part. Signatures, ids and encrypted pieces go back only to the host that made them.

An origin is a dialect and the host that spoke it, for example `anthropic-messages api.anthropic.com`. Other hosts
refuse what they did not make: OpenAI has no field for DeepSeek's reasoning, and Anthropic checks its signatures. A part
without an origin is older than this field, or its maker is unknown. Then the shape of its `raw` decides.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from streaming.protocol.parts import OpaquePart, Part, ReasoningPart, Turn


def without_foreign(turns: Iterable[Turn], receiver: str | None) -> tuple[Turn, ...]:
    """Removes what other hosts than `receiver` made for themselves. All text, calls and results stay."""
    if receiver is None:
        return tuple(turns)
    return tuple(
        Turn(role=turn.role, parts=tuple(own for part in turn.parts if (own := _own(part, receiver)))) for turn in turns
    )


def _own(part: Part, receiver: str) -> Part | None:
    if getattr(part, "origin", None) in (None, receiver):
        return part
    match part:
        case OpaquePart():
            return None
        case ReasoningPart():
            return ReasoningPart(text=part.text)
        case _:
            return msgspec.structs.replace(part, raw=None, origin=None)
