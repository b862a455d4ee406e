"""What comes beside the words of one choice: citations and images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from streaming.protocol.dialects.answer import AnswerWriter, Prose
from streaming.protocol.dialects.openai_chat.extras.sources import FIELDS as SOURCES
from streaming.protocol.dialects.wire import object_of, read_image
from streaming.protocol.events import Cited, FileReceived


class Extras:
    """Writes citations and images. Some servers repeat them with each chunk; each is written once."""

    def __init__(self, writer: AnswerWriter, prose: Prose, choice: int) -> None:
        self._writer = writer
        self._prose = prose
        self._choice = choice
        self._seen: set[int] = set()

    def cite(self, sources: Any) -> None:
        """Reads citations, a list or one. Each is an object or only a URL."""
        for source in sources if isinstance(sources, list) else [sources]:
            citation = {"type": "url_citation", "url": source} if isinstance(source, str) else source
            if isinstance(citation, dict) and self._is_new(msgspec.json.encode(citation)):
                self._writer.emit(Cited(self._prose.place(), citation, self._choice))

    def cite_within(self, context: Any) -> None:
        """Reads citations that are in an object (Azure)."""
        self.cite(object_of(context).get("citations"))

    def show(self, images: Any) -> None:
        """Reads images, a list or one. Each is an object or only a whole URL."""
        for image in images if isinstance(images, list) else [images]:
            found = read_image({"image": image} if isinstance(image, str) else image)
            if found is None:
                self._writer.unknown(msgspec.json.encode(image))
            elif self._is_new(found[1]):
                self._prose.end()
                self._writer.emit(FileReceived(self._writer.new_part(self._choice), *found, self._choice))

    def _is_new(self, value: str | bytes) -> bool:
        """Returns False for an image or a citation that came before."""
        seen = hash(value)
        is_new = seen not in self._seen
        self._seen.add(seen)
        return is_new


EXTRA_FIELDS: dict[str, Callable[[Extras, Any], None]] = {
    "images": Extras.show,
    **dict.fromkeys(("annotations", "citation", *SOURCES), Extras.cite),
    "context": Extras.cite_within,
}
"""The reader of each field of a delta."""

EXTRA_ITEMS: dict[str, Callable[[Extras, Any], None]] = {
    **dict.fromkeys(("image_url", "image", "output_image"), Extras.show),
    **dict.fromkeys(("tool_reference", "url_citation"), Extras.cite),  # Mistral
}
"""The reader of each type of content item."""
