"""One call for a developer's own code: it asks, streams the text, and returns what was stored.

    result = await chat("Why is the sky blue?", user=request.user, on_text=print)

    answer = await start_chat("Why is the sky blue?", user=request.user)
    async for text in answer:
        print(text, end="")
    result = await answer.result()

The question and the answer are stored as usual, so the page, the admin and other readers see them. If you leave the
loop early, the answer continues; `answer.stop()` stops it. If tool calls wait for an approval or an output, `go_on`
gives it. With `output=Type`, the answer is an object of that type.
"""

from __future__ import annotations

from streaming.chat.answer import Answer
from streaming.chat.ask import chat, go_on, start_chat
from streaming.chat.asker import NOBODY
from streaming.chat.deletion import delete_conversations
from streaming.chat.result import Result

__all__ = ["NOBODY", "Answer", "Result", "chat", "delete_conversations", "go_on", "start_chat"]
