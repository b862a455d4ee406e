"""The source that a provider's citation names. The stream and a reloaded page show the same."""

from __future__ import annotations

from typing import Any, NamedTuple

from streaming.protocol.ui_stream.addresses import is_allowed


class Source(NamedTuple):
    url: str
    title: str | None


def source_of(citation: dict[str, Any]) -> Source | None:
    """Returns the source; None if the citation has no URL, or one that is not allowed.

    Only the Chat dialect wraps it in `url_citation`.
    """
    wrapped = citation.get("url_citation", citation)
    url = wrapped.get("url") if isinstance(wrapped, dict) else None
    if not isinstance(url, str) or not is_allowed("source-url", url):
        return None
    title = wrapped.get("title")
    return Source(url, title if isinstance(title, str) else None)
