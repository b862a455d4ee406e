"""The sources of an answer that come beside its choices, as servers send them that search the web."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from streaming.protocol.dialects.wire import object_of, reread

JSONObject = dict[str, Any]

FIELDS = ("search_results", "web_search", "sources", "references", "search_info", "citations")
"""The fields that have sources, those first that say most: Perplexity, Z.ai, Open WebUI, Volcengine, DashScope."""

NO_SOURCES = (b"null", b"[]")
NAMED = re.compile(rb'"(?:' + b"|".join(map(str.encode, FIELDS)) + rb')"')
URL_KEYS = ("url", "link", "uri", "href", "source")
MAX_LEVELS = 4


class Sources:
    """Collects the sources until the end of the answer. The last value of each field counts."""

    def __init__(self) -> None:
        self._given: dict[str, bytes] = {}

    def note(self, field: str, raw: bytes) -> None:
        """Takes the JSON of a field. It is read at the end, because some servers send it with each chunk."""
        if raw and raw not in NO_SOURCES:
            self._given[field] = raw

    def read(self, data: bytes) -> bool:
        """Takes the sources in a chunk, and returns True if it has any. Most servers send them once."""
        wire = object_of(reread(data)) if NAMED.search(data) else {}
        found = [field for field in FIELDS if _sources_in(wire.get(field))]
        for field in found:
            self.note(field, msgspec.json.encode(wire[field]))
        return bool(found)

    @property
    def citations(self) -> list[JSONObject]:
        """The sources as citations, each URL once. The order is that of `citations`, to which the text may refer."""
        by_url: dict[str, JSONObject] = {}
        for citation in (each for field in FIELDS for each in self._citations_in(field)):
            by_url.setdefault(_key_of(citation), citation)
        first = map(_key_of, self._citations_in(FIELDS[-1]))
        return [by_url[url] for url in dict.fromkeys([*first, *by_url])]

    def _citations_in(self, field: str) -> list[JSONObject]:
        return [_citation_of(source) for source in _sources_in(reread(self._given.get(field, b"[]")))]


def _sources_in(wire: Any) -> list[Any]:
    """Returns the sources in a list, or in a list within an object (`{"search_results": […]}`)."""
    if isinstance(wire, dict):
        return next((found for value in wire.values() if isinstance(value, list) and (found := _sources_in(value))), [])
    return [each for each in wire if isinstance(each, dict | str) and each] if isinstance(wire, list) else []


def _citation_of(source: JSONObject | str) -> JSONObject:
    if isinstance(source, str):
        return {"type": "url_citation", "url": source}
    url = None if isinstance(source.get("url"), str) else _url_of(source)
    return source | {"url": url} if url else source


def _key_of(citation: JSONObject) -> str:
    return str(citation.get("url") or citation)


def _url_of(wire: Any, levels: int = MAX_LEVELS) -> str | None:
    """Returns the first web address in a source, at any place."""
    if isinstance(wire, str):
        return wire if wire.startswith(("https://", "http://")) else None
    if not levels or not isinstance(wire, dict | list):
        return None
    inner = [wire[key] for key in URL_KEYS if key in wire] + list(wire.values()) if isinstance(wire, dict) else wire
    return next((url for value in inner if (url := _url_of(value, levels - 1))), None)
