"""Bodies for the peer: wire bytes of each dialect, one event a piece."""

from __future__ import annotations

import json
import re
from typing import Any

from streaming.providers.scripted import Script, wire
from tests.live.providers import DIALECTS

Call = tuple[str, str, tuple[str, ...]]
"""`(id, name, pieces of the arguments)`."""


def answer_wire(dialect: str, text: str, *calls: Call) -> list[bytes]:
    """A whole answer. Each word of `text` is a delta."""
    words = tuple(re.findall(r"\S+\s*|\s+", text))
    return list(wire(DIALECTS[dialect][0], Script(model="peer-model", text=words, calls=calls, input_tokens=7)))


def until_delta(dialect: str, text: str, word: str) -> list[bytes]:
    """An answer that is cut off after the delta that contains `word`."""
    pieces = answer_wire(dialect, text)
    last = next(number for number, piece in enumerate(pieces) if json.dumps(word)[1:-1].encode() in piece)
    return pieces[: last + 1]


def event(payload: dict[str, Any], name: str = "") -> bytes:
    """One server-sent event."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(payload)}\n\n".encode()
