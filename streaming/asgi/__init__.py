"""The outermost ASGI application. It does what servers leave out for streams that last minutes.

    application = StreamingApplication(application)      # the last line of asgi.py

It answers the `lifespan` scope, which Django does not answer, so that a server waits for the drain. For each connection
it has a guard. The guard cuts off a stuck client, and makes `send` wait on Daphne, which would otherwise buffer without
limit for a client that does not read. In a crowd, it lets few requests start at a time.
"""

from __future__ import annotations

from streaming.asgi.application import StreamingApplication

__all__ = ["StreamingApplication"]
