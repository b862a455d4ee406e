"""Replay, then follow, with no gap and no duplicate.

A subscription is a cursor: the number of the last frame that its reader has. `subscribe` reads the live log in the
process that runs the generation, and the journal in all other processes. Old and new frames come from the same log and
have consecutive numbers. `follow` is for the client that submitted; it already has the answer's earlier frames.
`with_named_ids` gives frames whose ids name their answer, and `MappedSubscription` whatever a function makes of them.
`follow_run` gives the events of AG-UI, and `thread_of` a conversation as its messages.
"""

from __future__ import annotations

from streaming.subscription.agui import AgentRun
from streaming.subscription.contract import Subscription
from streaming.subscription.journal import has_end
from streaming.subscription.mapped import MappedSubscription
from streaming.subscription.named import tag_of, with_named_ids
from streaming.subscription.subscribe import follow, follow_run, subscribe
from streaming.subscription.thread import Thread, thread_of
from streaming.subscription.total import total_of

__all__ = [
    "AgentRun",
    "MappedSubscription",
    "Subscription",
    "Thread",
    "follow",
    "follow_run",
    "has_end",
    "subscribe",
    "tag_of",
    "thread_of",
    "total_of",
    "with_named_ids",
]
