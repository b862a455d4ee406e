"""The source that a provider's citation names, for the stream and for a reload alike."""

from __future__ import annotations

from typing import Any, NamedTuple


class Source(NamedTuple):
    url: str
    title: str | None


def source_of(citation: dict[str, Any]) -> Source | None:
    """None when the citation has no address. The Chat dialect wraps it in `url_citation`, the others do not."""
    wrapped = citation.get("url_citation", citation)
    url = wrapped.get("url") if isinstance(wrapped, dict) else None
    if not isinstance(url, str):
        return None
    title = wrapped.get("title")
    return Source(url, title if isinstance(title, str) else None)
