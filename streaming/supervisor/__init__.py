"""What runs in this process: its generations from submission to end, one supervisor for each event loop.

The supervisor owns the tasks; no request and no consumer does, so closing a connection ends a reader and not the
answer. `ticker` writes the journal and renews the `leases`, `sweeper` settles the dead of other processes, `stop` asks
whoever runs a generation to stop, `shutdown` holds the process until its generations are settled.
"""

from __future__ import annotations

from streaming.supervisor.stop import StopAnswer, stop
from streaming.supervisor.supervisor import Supervisor, current

__all__ = ["StopAnswer", "Supervisor", "current", "stop"]
