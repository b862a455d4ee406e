"""JSON schemas of the bodies, with the limits of `streaming.intake.bounds` at their defaults."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterable
from typing import Any

import msgspec

from docs.reference.bodies import ONE_OF, AgentTool, ChatRequest, SendCommand, SentFile
from streaming.intake import Opinion
from streaming.intake.bounds import BOUNDS, MAX_REQUEST_ID_CHARS
from streaming.intake.submission import Submission
from streaming.protocol import FilePart, ToolSpec

Schema = dict[str, Any]
REFERENCES = "#/components/schemas/{name}"

FIELDS: dict[tuple[type, str], tuple[tuple[type, str], ...]] = {
    (Submission, "key"): ((ChatRequest, "id"), (SendCommand, "id")),
    (Submission, "client_id"): ((ChatRequest, "clientId"), (SendCommand, "clientId")),
    (Submission, "message_id"): ((ChatRequest, "messageId"), (SendCommand, "messageId")),
    (Submission, "provider"): ((ChatRequest, "provider"), (SendCommand, "provider")),
    (Submission, "prompt"): ((ChatRequest, "prompt"), (SendCommand, "prompt")),
    (FilePart, "url"): ((SentFile, "url"),),
    (Opinion, "comment"): ((Opinion, "comment"),),
    (ToolSpec, "name"): ((AgentTool, "name"),),
    (ToolSpec, "description"): ((AgentTool, "description"),),
}
"""The fields of bodies that a bound of `BOUNDS` limits."""

ELSEWHERE = {
    "FilePart.filename": "a longer name is cut",
    "ToolResult.output": "an output is any JSON, measured in its encoded form",
    "ToolApproval.reason": "it is inside a part of a message",
    "ToolSpec.parameters": "a schema is any JSON, measured in its encoded form",
}
"""The bounds that no schema can state, and why."""


def components(kinds: Iterable[type[msgspec.Struct]]) -> dict[str, Schema]:
    """The schemas of these structs, and of all that they refer to, by name."""
    wanted = [*kinds]
    shapes = [shape for one, several in ONE_OF.items() for shape in several if one in wanted or one in _inside(wanted)]
    _, found = msgspec.json.schema_components([*wanted, *shapes], ref_template=REFERENCES)
    found |= {one.__name__: _one_of(one, several) for one, several in ONE_OF.items() if one.__name__ in found}
    _limit(found)
    for schema in found.values():
        if "description" in schema:
            schema["description"] = inspect.cleandoc(schema["description"])  # msgspec does so since 0.23
    return dict(sorted(found.items()))


def _inside(kinds: list[type[msgspec.Struct]]) -> set[type[msgspec.Struct]]:
    """The structs of `ONE_OF` to which these refer."""
    _, found = msgspec.json.schema_components(kinds, ref_template=REFERENCES)
    return {one for one in ONE_OF if one.__name__ in found}


def _one_of(kind: type[msgspec.Struct], shapes: tuple[type[msgspec.Struct], ...]) -> Schema:
    return {"description": kind.__doc__, "anyOf": [{"$ref": REFERENCES.format(name=one.__name__)} for one in shapes]}


def _limit(found: dict[str, Schema]) -> None:
    for (kind, field), places in FIELDS.items():
        for place, name in places:
            if place.__name__ in found:
                _set_most(found[place.__name__]["properties"][name], BOUNDS[kind][field]())
    for schema in found.values():
        request_id = schema.get("properties", {}).get("requestId")
        if request_id is not None:
            request_id["maxLength"] = MAX_REQUEST_ID_CHARS


def _set_most(schema: Schema, most: int) -> None:
    """Adds a limit to a text, also to one that may be null."""
    shapes = schema.get("anyOf", [schema])
    next(one for one in shapes if one.get("type") == "string")["maxLength"] = most


def unlisted_bounds() -> list[str]:
    """The bounds of the code that the reference does not have."""
    names = {(kind, field) for kind, fields in BOUNDS.items() for field in fields}
    left = {f"{kind.__name__}.{field}" for kind, field in names - FIELDS.keys()}
    return sorted(left ^ ELSEWHERE.keys())


def resolved(schema: Schema, found: dict[str, Schema]) -> Schema:
    """A schema that stands alone: it has the schemas to which it refers."""
    return copy.deepcopy(schema) | {"components": {"schemas": found}}
