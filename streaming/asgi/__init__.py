"""The outermost ASGI application: what servers leave out for streams that last minutes.

    application = StreamingApplication(application)      # the last line of asgi.py

It answers the `lifespan` scope, which Django does not answer, so that a server waits for the drain. Its guard makes
`send` wait on Daphne, which would buffer without bound for a client that does not read, and cuts off stuck clients.
"""

from __future__ import annotations

from streaming.asgi.application import StreamingApplication

__all__ = ["StreamingApplication"]
