"""Streaming Markdown, rendered on the server: text in pieces becomes safe HTML in pieces.

`render` makes the HTML of a whole text. `MarkdownStream` takes a text as it arrives and returns patches: blocks that
are settled, which never change, and the live tail after them. Both run the same code, so the settled blocks and the
last tail are what `render` makes of the whole text.

Nothing here knows Django. The libraries are imported at the first use, because most processes never render.
"""

from __future__ import annotations

from streaming.markdown.options import RenderOptions
from streaming.markdown.patch import Patch
from streaming.markdown.stream import MarkdownStream, render

__all__ = ["MarkdownStream", "Patch", "RenderOptions", "render"]
