"""The work of one generation: which of a model's calls are executed here, and their results into the draft."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from streaming.draft import Draft
from streaming.models import Generation, Owner
from streaming.protocol.events import ToolApproved, ToolResulted
from streaming.protocol.parts import ToolCall, ToolResult
from streaming.tools import Bench, Toolbox, ToolContext
from streaming.tools.bench import BROKEN_OFF, failure

UNKNOWN = "There is no tool of that name."


class Work:
    """Executes calls for `generation`, whose conversation must be loaded, on a process's `bench`."""

    def __init__(self, generation: Generation, toolbox: Toolbox, bench: Bench) -> None:
        self._generation = generation
        self._toolbox = toolbox
        self._bench = bench

    async def answer(self, calls: Iterable[ToolCall], draft: Draft) -> bool:
        """Execute what may be executed at once; tell whether every call has its result, and there was one."""
        mine = [call for call in calls if not call.is_provider_executed]
        with draft.working():
            asked = [call for call in mine if await self._asks_first(call)]
        draft.apply([ToolApproved(at, call.id) for at, call in enumerate(asked, draft.next_part)])
        waiting = [call for call in mine if call in asked or self._is_the_clients(call)]
        ready = [call for call in mine if call not in waiting]
        await self.execute(ready, draft)
        return bool(ready) and not waiting

    async def execute(self, calls: Iterable[ToolCall], draft: Draft) -> None:
        """Execute `calls`, side by side. One that is broken off has that for a result: it may have had its effect."""
        with draft.working():
            async with asyncio.TaskGroup() as group:
                for call in calls:
                    group.create_task(self._execute(call, draft))

    async def _execute(self, call: ToolCall, draft: Draft) -> None:
        result = failure(call, BROKEN_OFF)
        try:
            result = await self._result(call)
        finally:
            draft.apply(
                [ToolResulted(draft.next_part, call.id, result.output, result.is_error, is_provider_executed=False)]
            )

    async def _result(self, call: ToolCall) -> ToolResult:
        tool = self._toolbox.executable(call.name)
        if tool is None:
            return failure(call, UNKNOWN)
        return await self._bench.execute(tool, call, self._context(call))

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
        return tool is not None and await self._bench.asks_first(tool, call)

    def _is_the_clients(self, call: ToolCall) -> bool:
        """Whether a client has to execute it; a model that was offered nothing has its tools from elsewhere."""
        is_offered = call.name in self._toolbox.tools or not self._toolbox.tools
        return is_offered and self._toolbox.executable(call.name) is None
