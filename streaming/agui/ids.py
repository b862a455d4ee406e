"""The ids of an answer's messages and calls: the answer's id, and the provider's id or our name of a part."""

from __future__ import annotations

import re

_PART = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):(.+)", re.DOTALL)


def part_id(answer_id: str, part: str) -> str:
    """Returns the id of a part in AG-UI, where ids are unique within a thread."""
    return f"{answer_id}:{part}"


def own_id(call_id: str) -> tuple[str | None, str]:
    """Returns the answer's id and the provider's id of a call, from the call's id in AG-UI."""
    found = _PART.fullmatch(call_id)
    return (found[1], found[2]) if found else (None, call_id)
