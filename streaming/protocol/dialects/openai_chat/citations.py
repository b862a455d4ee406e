"""Citations on the text, and the sources that servers name which search the web."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from streaming.protocol.dialects.answer import AnswerWriter, Prose
from streaming.protocol.dialects.wire import object_of, reread
from streaming.protocol.events import Cited

JSONObject = dict[str, Any]

SOURCES = ("search_results", "web_search", "sources", "references", "search_info", "citations")
"""The fields that have sources, those first that say most: Perplexity, Z.ai, Open WebUI, Volcengine, DashScope."""

NO_SOURCES = (b"null", b"[]")
NAMED = re.compile(rb'"(?:' + b"|".join(map(str.encode, SOURCES)) + rb')"')
URL_KEYS = ("url", "link", "uri", "href", "source")
MAX_LEVELS = 4


class Citations:
    """The citations of one choice. Some servers repeat them with each chunk; each is written once."""

    def __init__(self, writer: AnswerWriter, prose: Prose, choice: int) -> None:
        self._writer = writer
        self._prose = prose
        self._choice = choice
        self._seen: set[int] = set()

    def read(self, citations: Any) -> None:
        """Reads citations, a list or one. Each is an object or only a URL."""
        for wire in citations if isinstance(citations, list) else [citations]:
            citation = citation_of(wire) if isinstance(wire, str) else wire
            if isinstance(citation, dict) and (seen := hash(msgspec.json.encode(citation))) not in self._seen:
                self._seen.add(seen)
                self._writer.emit(Cited(self._prose.place(), citation, self._choice))

    def read_sources(self, wire: Any) -> None:
        """Reads the sources in a field of a delta. What has no known form is a citation as it is."""
        self.read([citation_of(source) for source in sources_in(wire)] or wire)


class Sources:
    """Collects the sources beside the choices until the end of the answer. The last value of each field counts."""

    def __init__(self) -> None:
        self._given: dict[str, bytes] = {}

    def note(self, field: str, raw: bytes) -> None:
        """Takes the JSON of a field. It is read at the end, because some servers send it with each chunk."""
        if raw and raw not in NO_SOURCES:
            self._given[field] = raw

    def read(self, data: bytes) -> bool:
        """Takes the sources in a chunk, and returns True if it has any. Most servers send them once."""
        wire = object_of(reread(data)) if NAMED.search(data) else {}
        found = [field for field in SOURCES if sources_in(wire.get(field))]
        for field in found:
            self.note(field, msgspec.json.encode(wire[field]))
        return bool(found)

    @property
    def citations(self) -> list[JSONObject]:
        """The sources as citations, each URL once. The order is that of `citations`, to which the text may refer."""
        by_url: dict[str, JSONObject] = {}
        for citation in (each for field in SOURCES for each in self._citations_in(field)):
            by_url.setdefault(_key_of(citation), citation)
        first = map(_key_of, self._citations_in("citations"))
        return [by_url[url] for url in dict.fromkeys([*first, *by_url])]

    def _citations_in(self, field: str) -> list[JSONObject]:
        return [citation_of(source) for source in sources_in(reread(self._given.get(field, b"[]")))]


def sources_in(wire: Any) -> list[Any]:
    """Returns the sources in a list, or in a list within an object (`{"search_results": […]}`), or the only source.

    Each is a URL, or an object that should have one.
    """
    if isinstance(wire, list):
        return [each for each in wire if isinstance(each, dict | str) and each]
    if not isinstance(wire, dict):
        return [wire] if _url_of(wire) else []
    if any(_url_of(wire.get(key), levels=0) for key in URL_KEYS):
        return [wire]
    return next((found for value in wire.values() if isinstance(value, list) and (found := sources_in(value))), [])


def citation_of(source: JSONObject | str) -> JSONObject:
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
