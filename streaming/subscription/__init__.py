"""Replay, then follow, with no gap and no duplicate.

A subscription is a number: the last frame that its reader has. `subscribe` reads the live log in the process that runs
the generation, and the journal elsewhere. Old and new frames come from the same place by the same number, so there is
no seam between them. `follow` is for the client that submitted, which has an answer's earlier frames already.
"""

from __future__ import annotations

from streaming.subscription.contract import Subscription
from streaming.subscription.journal import has_end
from streaming.subscription.subscribe import follow, subscribe

__all__ = ["Subscription", "follow", "has_end", "subscribe"]
