"""All recordings: our own, and a larger collection if one is beside the repository."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.protocol.golden import STREAMS

SHARED = Path(__file__).resolve().parents[3] / "shared"
DIALECT_OF = {"chat": "openai-chat", "responses": "openai-responses", "anthropic": "anthropic-messages"}
CASES = {"c": "openai-chat", "h": "openai-chat", "a": "anthropic-messages", "u": "anthropic-messages"}


def _found() -> list[Path]:
    places = [(STREAMS, "*/*.sse"), (SHARED / "streams", "**/*.sse"), (SHARED / "cases" / "parser", "*.sse")]
    return sorted(path for place, pattern in places for path in place.glob(pattern))


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


COLLECTED: list[Any] = [pytest.param(path, id=_name(path)) for path in _found()]


def dialect_of(path: Path) -> str:
    """Returns the dialect: our folders are named after it, the others' files begin with a word for it."""
    if path.is_relative_to(STREAMS):
        return path.parent.name
    if path.parent.name == "parser":
        return CASES.get(path.name[0], "openai-responses")
    return DIALECT_OF[path.name.partition("-")[0]]


def read_recording(path: Path) -> tuple[str, bytes]:
    return dialect_of(path), path.read_bytes()
