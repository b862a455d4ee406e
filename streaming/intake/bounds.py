"""The bounds of the texts that a client can make the app keep or send: `BOUNDS` lists all of them.

Whole requests have bounds, too: Django's DATA_UPLOAD_MAX_MEMORY_SIZE, and `MAX_COMMAND_CHARS` for a socket's frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from django.utils.translation import gettext as _

from streaming.conf import MAX_ALIAS_CHARS, settings
from streaming.errors import BadRequest, TooLarge
from streaming.intake.opinion import Opinion
from streaming.intake.submission import Submission, ToolAnswer
from streaming.models import MAX_FILE_NAME_CHARS, MAX_ID_CHARS
from streaming.protocol import FilePart, ToolApproval, ToolResult, ToolSpec
from streaming.protocol.nesting import is_too_deep

MAX_REASON_CHARS = 2_000
"""The longest reason for a decision about a tool call. It is sent to the model in every further turn."""
MAX_COMMENT_CHARS = 2_000
"""The longest comment on an answer."""
MAX_TOOL_NAME_CHARS = 64
"""The longest name of a tool. Providers take no longer one."""
MAX_TOOL_DESCRIPTION_CHARS = 4_000
"""The longest description of a tool that a client brings. It is sent to the model in every turn."""
MAX_TOOL_SCHEMA_CHARS = 20_000
"""The longest schema of a tool that a client brings, as JSON. It is sent to the model in every turn."""
MAX_CONTEXT_ITEMS = 100
"""The most items of a client's context. Together they may be as long as a prompt."""
MAX_COMMAND_CHARS = 1_000_000
"""The longest frame of a socket. It has the client's whole history, which is not used, and twice the longest prompt."""
MAX_REQUEST_ID_CHARS = 128
"""The longest id of a frame's request. Each reply repeats it."""

Bound = Callable[[], int]

BOUNDS: dict[type[msgspec.Struct], dict[str, Bound]] = {
    Submission: {
        **dict.fromkeys(("key", "client_id", "message_id"), lambda: MAX_ID_CHARS),
        "provider": lambda: MAX_ALIAS_CHARS,
        "prompt": lambda: settings.MAX_PROMPT_CHARS,
    },
    # The URL and the type are not kept: a data URL becomes an attachment of a type in STREAMING_FILE_TYPES.
    FilePart: {
        "url": lambda: settings.MAX_FILE_BYTES * 4 // 3,
        "filename": lambda: MAX_FILE_NAME_CHARS,
    },
    # A `call_id` is one of the answer's own.
    ToolResult: {"output": lambda: settings.MAX_TOOL_OUTPUT_CHARS},
    ToolApproval: {"reason": lambda: MAX_REASON_CHARS},
    Opinion: {"comment": lambda: MAX_COMMENT_CHARS},
    ToolSpec: {
        "name": lambda: MAX_TOOL_NAME_CHARS,
        "description": lambda: MAX_TOOL_DESCRIPTION_CHARS,
        "parameters": lambda: MAX_TOOL_SCHEMA_CHARS,
    },
}
"""The most characters of each field. Longer texts are refused, except for a file's name, which is cut."""


def check_tools(tools: Iterable[ToolSpec]) -> None:
    """Checks the size of the tools that a client brings.

    Raises:
        BadRequest: a schema is nested too deep.
        TooLarge: a description or a schema is longer than its bound.
    """
    for tool in tools:
        if is_too_deep(tool.parameters):
            raise BadRequest("The schema of a tool is nested too deep.")
        if len(tool.description) > MAX_TOOL_DESCRIPTION_CHARS:
            raise TooLarge(f"The description of a tool may have at most {MAX_TOOL_DESCRIPTION_CHARS} characters.")
        if _length(tool.parameters) > MAX_TOOL_SCHEMA_CHARS:
            raise TooLarge(f"The schema of a tool may have at most {MAX_TOOL_SCHEMA_CHARS} characters.")


def _length(value: Any) -> int:
    """Returns the number of characters of a value as JSON. It has up to four times as many bytes."""
    return len(msgspec.json.encode(value).decode())


def check_context(text: str) -> None:
    """Checks the size of what a client tells the model beside the question.

    Raises:
        TooLarge: it is longer than a prompt may be.
    """
    if len(text) > settings.MAX_PROMPT_CHARS:
        raise TooLarge(f"The context may have at most {settings.MAX_PROMPT_CHARS} characters.")


def check_answers(answers: Iterable[ToolAnswer]) -> None:
    """Checks the size of outputs and reasons that will be kept.

    Raises:
        BadRequest: an output is nested too deep.
        TooLarge: an output or a reason is larger than its bound.
    """
    for answer in answers:
        _CHECKS[type(answer)](answer)


def _check_output(answer: ToolResult) -> None:
    if is_too_deep(answer.output):
        raise BadRequest("The output of a tool is nested too deep.")
    if _length(answer.output) > BOUNDS[ToolResult]["output"]():
        raise TooLarge(_("The output of a tool is larger than this site accepts."))


def _check_reason(answer: ToolApproval) -> None:
    if len(answer.reason) > MAX_REASON_CHARS:
        told = {"count": len(answer.reason), "limit": MAX_REASON_CHARS}
        raise TooLarge(_("The reason has %(count)d characters; at most %(limit)d are accepted.") % told)


_CHECKS: dict[type[ToolAnswer], Callable[..., None]] = {ToolResult: _check_output, ToolApproval: _check_reason}
