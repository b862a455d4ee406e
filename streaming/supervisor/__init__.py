"""The generations that run in this process, from submission to end. Each event loop has one supervisor.

The supervisor owns the tasks of its generations. No request and no consumer owns them, so a closed connection ends a
reader and not the answer. `accepting` stores what is submitted, before the start. `ticker` writes the journal and
renews the `leases`. `sweeper` settles the generations of dead processes. `stop` asks the process that runs a generation
to stop. `shutdown` delays the end of the process until its generations are settled.
"""

from __future__ import annotations

from streaming.supervisor.stop import StopAnswer, stop, stop_all
from streaming.supervisor.supervisor import Supervisor, current

__all__ = ["StopAnswer", "Supervisor", "current", "stop", "stop_all"]
