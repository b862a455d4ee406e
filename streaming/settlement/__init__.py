"""Settlement: a generation's row gets its final status exactly once.

`settle` writes the last frames, the message's parts and the final status in one conditional transaction. The reaper
settles generations whose process has died. `reap` settles all of them, `reap_one` a single one, and `check_idle` the
one that keeps a conversation busy. `end_lost_calls` ends the side calls of dead processes.
"""

from __future__ import annotations

from streaming.settlement.lost_calls import end_lost_calls
from streaming.settlement.reaper import BUSY, alive, check_idle, reap, reap_one
from streaming.settlement.settle import Settlement, settle

__all__ = ["BUSY", "Settlement", "alive", "check_idle", "end_lost_calls", "reap", "reap_one", "settle"]
