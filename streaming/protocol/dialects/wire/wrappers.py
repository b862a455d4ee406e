"""The objects in which gateways put the provider's own payload."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from streaming.protocol.dialects.wire.decoding import reread

BASE64_KEY = "bytes"
WRAPPERS = ("data", "result", "chunk", "payload", "body", "response", "output", BASE64_KEY)
"""The keys under which gateways put the provider's own payload. Bedrock encodes it (`{"chunk": {"bytes": …}}`)."""


def unwrapped(wire: Any, is_payload: Callable[[dict[str, Any]], bool], levels: int = 2) -> dict[str, Any] | None:
    """Returns the payload within `wire`, an object or its JSON as text; None if there is none."""
    for key in WRAPPERS if isinstance(wire, dict) and levels else ():
        inner = _unpacked(key, wire.get(key))
        found = inner if isinstance(inner, dict) and is_payload(inner) else unwrapped(inner, is_payload, levels - 1)
        if found is not None:
            return found
    return None


def _unpacked(key: str, inner: Any) -> Any:
    if not isinstance(inner, str):
        return inner
    data = inner.encode("utf-8", "replace")
    if key == BASE64_KEY:
        try:
            data = base64.b64decode(data)
        except ValueError:
            return None
    return reread(data)
