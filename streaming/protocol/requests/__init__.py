"""Requests to a provider: the conversation so far and how to continue it, as plain values without ids or rows.

`repair` turns any sequence of turns into one that providers accept. `streaming.protocol.encode` writes the body of a
`GenerationRequest` in a dialect.
"""

from __future__ import annotations

from streaming.protocol.requests.body import with_extra
from streaming.protocol.requests.estimate import completed, tokens_in, tokens_sent
from streaming.protocol.requests.origins import without_foreign
from streaming.protocol.requests.output import Way, named_schema, way_for, with_output
from streaming.protocol.requests.repair import repair
from streaming.protocol.requests.request import GenerationRequest, OutputSpec, ToolSpec
from streaming.protocol.requests.stable import with_stable_keys

__all__ = [
    "GenerationRequest",
    "OutputSpec",
    "ToolSpec",
    "Way",
    "completed",
    "named_schema",
    "repair",
    "tokens_in",
    "tokens_sent",
    "way_for",
    "with_extra",
    "with_output",
    "with_stable_keys",
    "without_foreign",
]
