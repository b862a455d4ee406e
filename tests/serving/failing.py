"""The site, with awaits that fail. A request's `X-Fail` header names one: `<await>:<number of the call>`.

The tasks that a request starts inherit its context. Generations have a fresh context, so their awaits do not fail.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from project.asgi import application as site
from streaming import consumers
from streaming.access import SessionCheck
from streaming.asgi import StreamingApplication
from streaming.subscription.live import LiveSubscription
from streaming.views import sse

_plan: ContextVar[dict[str, int]] = ContextVar("plan")


class Failpoint(Exception):
    """An exception that no code of the site handles by name."""


def _failing(name: str, function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(function)
    async def maybe(*args: Any, **kwargs: Any) -> Any:
        plan = _plan.get({})
        if name in plan:
            plan[name] -= 1
            if plan[name] == 0:
                raise Failpoint(name)
        return await function(*args, **kwargs)

    return maybe


POINTS = {
    "release": (sse, "release_request_thread"),
    "next": (LiveSubscription, "next"),
    "holds": (SessionCheck, "holds"),
    "holds_now": (SessionCheck, "holds_now"),
    "subscribe": (consumers, "subscribe"),
    "in_database": (consumers, "in_database"),
}
SessionCheck.is_due = property(lambda _: True)  # type: ignore[method-assign,assignment]  # a stream asks at each read
for name, (owner, attribute) in POINTS.items():
    setattr(owner, attribute, _failing(name, getattr(owner, attribute)))


async def _application(scope: Any, receive: Any, send: Any) -> None:
    told = dict(scope.get("headers", ())).get(b"x-fail", b"").decode()
    if told:
        what, _, which = told.partition(":")
        _plan.set({what: int(which)})
    await PATHS.get(scope["path"], site)(scope, receive, send)


async def _boom(scope: Any, receive: Any, send: Any) -> None:
    """A view outside this app that raises in the middle of its response."""
    await _answer(send, b"so far, so good", more=True)
    raise Failpoint


async def _connections(scope: Any, receive: Any, send: Any) -> None:
    """A view that returns the number of connections that Daphne knows."""
    protocol = scope["state"].args[0]
    await _answer(send, str(len(protocol.server.connections)).encode(), more=False)


async def _answer(send: Any, body: bytes, *, more: bool) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body, "more_body": more})


PATHS = {"/boom": _boom, "/connections": _connections}
guarded = StreamingApplication(_application)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Passes the server's `send` to the inner application, in `scope["state"]`."""
    await guarded(scope if scope["type"] == "lifespan" else scope | {"state": send}, receive, send)
