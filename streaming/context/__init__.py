"""The context policy decides which part of a long conversation a model is sent.

`context_of` reads a provider's `CONTEXT`. `cuts` finds the places at which a conversation may be cut, and `Load` and
`next_cut` decide where it is. `Sent` records what was sent. `digest_request` builds the request for a summary. This
package only computes with turns; `streaming.runner` asks the models.
"""

from __future__ import annotations

from streaming.context.cutting import Load, cuts, next_cut, tokens_allowed
from streaming.context.hook import Asked, Policy, policy_function
from streaming.context.options import POLICIES, BadContext, ContextOptions, context_of
from streaming.context.refusals import share_of
from streaming.context.sent import Sent, Trail, metadata_of, sent_of
from streaming.context.summaries import MAX_SUMMARY_CHARS, MAX_SUMMARY_TOKENS, digest_request, summary_turn
from streaming.context.vendor import VENDOR_BODIES, vendor_body

__all__ = [
    "MAX_SUMMARY_CHARS",
    "MAX_SUMMARY_TOKENS",
    "POLICIES",
    "VENDOR_BODIES",
    "Asked",
    "BadContext",
    "ContextOptions",
    "Load",
    "Policy",
    "Sent",
    "Trail",
    "context_of",
    "cuts",
    "digest_request",
    "metadata_of",
    "next_cut",
    "policy_function",
    "sent_of",
    "share_of",
    "summary_turn",
    "tokens_allowed",
    "vendor_body",
]
