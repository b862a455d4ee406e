"""The breakpoints of Anthropic's prompt cache, which say up to where a request repeats the one before it.

    tools ▌ system ▌ … the last but one message of the user ▌ answer, the user's last message ▌

The API takes at most four. It caches what comes before each of them, in the order tools, system, messages. The third
one stands where the request before had its last one. Without it the API would look only 20 blocks back from the fourth,
and an answer with many tool calls has more. A breakpoint after too few tokens (1,024 for most models) has no effect.

Source: https://docs.claude.com/en/docs/build-with-claude/prompt-caching
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

JSONObject = dict[str, Any]

BREAKPOINT: JSONObject = {"cache_control": {"type": "ephemeral"}}
USER_MESSAGES = 2
"""The number of messages of the user that end with a breakpoint. Tools and system have the other two of the four."""


def with_breakpoints(body: JSONObject) -> JSONObject:
    """Returns the body with its breakpoints. Breakpoints are no part of what is cached, so they may move."""
    return body | {key: mark(body[key]) for key, mark in _MARKS.items() if body.get(key)}


def has_breakpoints(extra: JSONObject) -> bool:
    """Returns True if the site's own fields have breakpoints. More than four together would be refused."""
    return b'"cache_control"' in msgspec.json.encode(extra)


def _last_of(blocks: list[JSONObject]) -> list[JSONObject]:
    """Marks the last of the blocks."""
    return [*blocks[:-1], blocks[-1] | BREAKPOINT]


def _system(text: str) -> list[JSONObject]:
    return [{"type": "text", "text": text} | BREAKPOINT]


def _messages(messages: list[JSONObject]) -> list[JSONObject]:
    """Marks the last block of the user's last messages. Each kind of block that a user's message has may be marked."""
    users = [at for at, message in enumerate(messages) if message["role"] == "user"][-USER_MESSAGES:]
    return [
        message | {"content": _last_of(message["content"])} if at in users else message
        for at, message in enumerate(messages)
    ]


_MARKS: dict[str, Callable[[Any], list[JSONObject]]] = {"tools": _last_of, "system": _system, "messages": _messages}
