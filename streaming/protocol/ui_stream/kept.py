"""The fields of a part that a chunk carries so that the log can restore the part. Clients need not read them."""

from __future__ import annotations

from typing import Any

from streaming.protocol.events import ToolResulted
from streaming.protocol.parts import Part, ToolResult, dump_parts
from streaming.protocol.ui_stream import chunks

KEY = "streaming"
"""The key within `providerMetadata`."""


def metadata(origin: str | None = None, **fields: Any) -> dict[str, Any] | None:
    """Returns `providerMetadata` with the fields that are set; None if none is. `origin` alone counts for nothing."""
    told = {name: value for name, value in fields.items() if value is not None}
    if origin is not None and (told.get("raw") or told.get("signature")):
        told["origin"] = origin
    return {KEY: told} if told else None


def fields_of(chunk: Any) -> dict[str, Any]:
    """Returns the fields that `metadata` wrote into the chunk."""
    fields: dict[str, Any] = (chunk.provider_metadata or {}).get(KEY, {})
    return {name: value for name, value in fields.items() if value is not None}


def replacement_in(metadata: dict[str, Any] | None) -> str | None:
    """Returns the text, or the arguments, that replace what has streamed of a part; None if that counts.

    `metadata` is the `providerMetadata` of the chunk that ends the part.
    """
    fields: dict[str, Any] = (metadata or {}).get(KEY, {})
    return fields.get("text", fields.get("raw_arguments"))


def kept_part(position: int, part: Part) -> chunks.KeptPart:
    """Returns the chunk of a part that has nothing to show."""
    return chunks.KeptPart({"id": str(position), "part": dump_parts([part])[0]}, transient=True)


def kept_result(event: ToolResulted, origin: str | None) -> chunks.KeptPart:
    """Returns the chunk of a result whose call clients do not know."""
    names = [name for name in ToolResult.__struct_fields__ if name in ToolResulted.__struct_fields__]
    fields = {name: getattr(event, name) for name in names}
    return kept_part(event.part, ToolResult(**fields, origin=origin if event.raw else None))


def kept_citation(position: int, citation: dict[str, Any]) -> chunks.KeptPart:
    """Returns the chunk of a citation. A source has only its URL and title, and not the text that it belongs to."""
    return chunks.KeptPart({"id": str(position), "citation": citation}, transient=True)
