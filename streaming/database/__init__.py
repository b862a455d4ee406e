"""Database work for code on the event loop.

All database work of conversations and generations runs on a few threads of the process's own: `await in_database(f, …)`
runs `f` on one of them, `await in_order(f, …)` runs it on the one thread that writes in the order of the calls. Each
piece of work gets a checked connection and gives it back afterwards. Requests keep no connection while they stream.
`in_steps` runs an iterator, for example `deletions`, as many pieces of work.
`atomic` opens a transaction, and `alone` one that takes turns with others of the same name in all processes.
`Prepared` statements are written once by Django, and executed often; `insert` does so with new rows.
"""

from __future__ import annotations

from streaming.database.deletion import deletions
from streaming.database.health import health
from streaming.database.insert import insert
from streaming.database.kept import close_connections
from streaming.database.locks import alone
from streaming.database.prepared import Prepared, count_changed, read_number, read_row
from streaming.database.requests import release_request_thread, request_thread
from streaming.database.threads import in_database, in_order, in_steps
from streaming.database.transactions import alias, atomic, retry_on_deadlock
from streaming.database.trouble import advice, refusal_of, told, trouble_of

__all__ = [
    "Prepared",
    "advice",
    "alias",
    "alone",
    "atomic",
    "close_connections",
    "count_changed",
    "deletions",
    "health",
    "in_database",
    "in_order",
    "in_steps",
    "insert",
    "read_number",
    "read_row",
    "refusal_of",
    "release_request_thread",
    "request_thread",
    "retry_on_deadlock",
    "told",
    "trouble_of",
]
