"""The output of a tool's result, as a JSON value for the model, the page and the database."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from streaming.providers.redact import mask


class RemoteError(Exception):
    """A call that failed. Its text is for the model: it may call again, or tell the person."""


def output_of(result: Any) -> Any:
    """Returns the output of `result`, a `CallToolResult`: its structured content, or else its text.

    Servers send structured content and the same as text. The text is taken if it says something else.

    Raises:
        RemoteError: the server says that the call failed.
    """
    text = "\n".join(map(_text_of, result.content))
    if result.is_error:
        raise RemoteError(mask(text) or "The tool failed.")
    structured = result.structured_content
    is_alike = structured is not None and (not result.content or _is_same(text, structured))
    return structured if is_alike else text


def _is_same(text: str, structured: Any) -> bool:
    try:
        return bool(json.loads(text) == structured)
    except (ValueError, RecursionError):
        return False


def _text_of(block: Any) -> str:
    """A block of content as text. What a text cannot show is named, with its type and size."""
    return _TEXTS.get(block.type, _unknown)(block)


def _resource(block: Any) -> str:
    held = block.resource
    text = getattr(held, "text", None)
    return f"{held.uri}:\n{text}" if text is not None else _left_out(f"file {held.uri}", held.mime_type, held.blob)


def _link(block: Any) -> str:
    return ": ".join(filter(None, [f"[resource {block.name} at {block.uri}]", block.description]))


def _left_out(kind: str, media_type: str | None, encoded: str) -> str:
    size = len(encoded) * 3 // 4  # it is base64
    return f"[{kind}, {media_type or 'of unknown type'}, {size:,} bytes: not shown here]"


def _unknown(block: Any) -> str:
    return f"[{block.type}: not shown here]"


_TEXTS: dict[str, Callable[[Any], str]] = {
    "text": lambda block: str(block.text),
    "image": lambda block: _left_out("picture", block.mime_type, block.data),
    "audio": lambda block: _left_out("sound", block.mime_type, block.data),
    "resource": _resource,
    "resource_link": _link,
}
