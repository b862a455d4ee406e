"""The images of one choice."""

from __future__ import annotations

from typing import Any

import msgspec

from streaming.protocol.dialects.answer import AnswerWriter, Prose
from streaming.protocol.dialects.wire import read_image
from streaming.protocol.events import FileReceived


class Images:
    """Writes each image once. Some servers repeat them with each chunk."""

    def __init__(self, writer: AnswerWriter, prose: Prose, choice: int) -> None:
        self._writer = writer
        self._prose = prose
        self._choice = choice
        self._seen: set[int] = set()

    def read(self, images: Any) -> None:
        """Reads images, a list or one. Each is an object or only a whole URL."""
        for image in images if isinstance(images, list) else [images]:
            found = read_image({"image": image} if isinstance(image, str) else image)
            if found is None:
                self._writer.unknown(msgspec.json.encode(image))
            elif (url := hash(found[1])) not in self._seen:
                self._seen.add(url)
                self._prose.end()
                self._writer.emit(FileReceived(self._writer.new_part(self._choice), *found, self._choice))
