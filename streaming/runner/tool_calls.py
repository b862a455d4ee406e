"""The tool calls of one generation: it decides which of them are executed here, and appends their results."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from streaming.models import Generation, Owner
from streaming.protocol import ToolApproved, ToolCall, ToolResult, ToolResulted
from streaming.runner.draft import Draft, milliseconds_since
from streaming.runner.observed import tell_result, tool_span
from streaming.signals import announce, tool_called
from streaming.tools import BROKEN_OFF, Toolbox, ToolContext, ToolExecutor, failure

UNKNOWN = "There is no tool of that name."


class ToolCalls:
    """Executes calls on the process's `executor`. The generation's conversation must be loaded."""

    def __init__(self, generation: Generation, toolbox: Toolbox, executor: ToolExecutor) -> None:
        self._generation = generation
        self._toolbox = toolbox
        self._executor = executor

    async def answer(self, calls: Iterable[ToolCall], draft: Draft) -> bool:
        """Executes the calls that need no approval and no client.

        Returns True if each call has its result, and False if some wait or if there were none.
        """
        mine = [call for call in calls if not call.is_provider_executed]
        with draft.working():
            asked = [call for call in mine if await self._asks_first(call)]
        draft.apply([ToolApproved(at, call.id) for at, call in enumerate(asked, draft.next_part)])
        waiting = [call for call in mine if call in asked or self._is_the_clients(call)]
        ready = [call for call in mine if call not in waiting]
        await self.execute(ready, draft)
        return bool(ready) and not waiting

    async def execute(self, calls: Iterable[ToolCall], draft: Draft) -> None:
        """Executes `calls` concurrently.

        A cancelled call gets the result `BROKEN_OFF`, because it may have had its effect.
        """
        with draft.working():
            async with asyncio.TaskGroup() as group:
                for call in calls:
                    group.create_task(self._execute(call, draft))

    async def _execute(self, call: ToolCall, draft: Draft) -> None:
        result, began = failure(call, BROKEN_OFF), time.monotonic()
        draft.timeline.mark(draft.duration_ms, "run", call.id)
        try:
            with tool_span(call) as observed:
                result = await self._result(call)
                tell_result(observed, result)
                if result.is_error:
                    observed.fail("tool_error")
        finally:
            told = call.id, result.output, result.is_error
            taken = milliseconds_since(began)
            draft.apply([ToolResulted(draft.next_part, *told, is_provider_executed=False, duration_ms=taken)])
            announce(tool_called, self._generation.pk, call=call, result=result)

    async def _result(self, call: ToolCall) -> ToolResult:
        tool = self._toolbox.executable(call.name)
        if tool is None:
            return failure(call, UNKNOWN)
        return await self._executor.execute(tool, call, self._context(call))

    def _context(self, call: ToolCall) -> ToolContext:
        conversation = self._generation.conversation
        return ToolContext(
            owner=Owner(conversation.owner_key, conversation.user_id),
            conversation_key=conversation.key,
            conversation_id=conversation.pk,
            generation_id=self._generation.pk,
            call_id=call.id,
        )

    async def _asks_first(self, call: ToolCall) -> bool:
        tool = self._toolbox.executable(call.name)
        return tool is not None and await self._executor.asks_first(tool, call)

    def _is_the_clients(self, call: ToolCall) -> bool:
        """True if a client must execute the call.

        A model that was offered no tools here knows them from elsewhere, so a client executes all of its calls. The
        parser takes other calls of tools that were not offered for the server's.
        """
        return self._toolbox.executable(call.name) is None
