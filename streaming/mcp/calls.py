"""A call of a tool, which is handed from the task that wants it to the task that has the session."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from typing import Any

from streaming.mcp.results import RemoteError

# Error texts for the model. It may call the tool again, or tell the person.
LOST = "The connection to the tool's server broke off during the call; the call may have had its effect."
AWAY = "The tool's server cannot be reached at the moment; the tool was not called."
INVALID = "The tool's server gave a result that does not follow its own rules; the call may have had its effect."

# One session that ends may give a call back twice: when the server does not know the session, and when its task takes
# the call once more before it ends. Another session may give it back, too.
MOST_RETURNS = 3


class Call:
    """One call. It is made, and its result is awaited, on the event loop of its server's session."""

    def __init__(self, tool: str, arguments: dict[str, Any]) -> None:
        self.tool = tool
        self.arguments = arguments
        self.context = contextvars.copy_context()
        self._returns = 0
        self._result: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._cancel: Callable[[], None] | None = None

    async def result(self) -> Any:
        """Returns the output. If the caller is cancelled, the server is told that nobody waits for the call.

        Raises:
            RemoteError: the call failed.
        """
        try:
            return await self._result
        finally:
            if self._cancel is not None:
                self._cancel()

    def on_abandon(self, cancel: Callable[[], None]) -> None:
        """Sets what ends the call when nobody waits for it any more. Calls it at once if that is so already."""
        self._cancel = cancel
        if self._result.done():
            cancel()

    def may_go_back(self) -> bool:
        """Returns True the first `MOST_RETURNS` times. The server has not heard the call, so it may be repeated."""
        self._returns += 1
        return self._returns <= MOST_RETURNS

    def give(self, output: Any) -> None:
        if not self._result.done():
            self._result.set_result(output)

    def fail(self, error: RemoteError) -> None:
        if not self._result.done():
            self._result.set_exception(error)
