"""Replay, then follow, with no gap and no duplicate.

A subscription is a cursor: the number of the last frame that its reader has. `subscribe` reads the live log in the
process that runs the generation, and the journal in all other processes. Old and new frames come from the same log and
have consecutive numbers. `follow` is for the client that submitted; it already has the answer's earlier frames.
"""

from __future__ import annotations

from streaming.subscription.contract import Subscription
from streaming.subscription.journal import has_end
from streaming.subscription.subscribe import follow, subscribe
from streaming.subscription.total import total_of

__all__ = ["Subscription", "follow", "has_end", "subscribe", "total_of"]
