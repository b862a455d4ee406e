"""The examples in the documentation. The first line of each block names its file.

    ```html
    <!-- templates/fetch.html -->
    …

A block for a file of `mysite/` goes to the end of the reader's own file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

DOCS = Path(__file__).resolve().parents[3] / "docs"
REACT = DOCS / "examples" / "react"
PAGES = (DOCS / "clients.md", REACT / "README.md")
FENCE = re.compile(r"^```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"(?:# |<!-- |\{# )([\w/-]+\.\w+)(?:, at the end)?(?: -->| #\})?\n")


def cut_out(target: Path) -> None:
    """Writes every block to its file below `target`, as a reader would."""
    for name, text in _blocks():
        file = target / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a") as opened:
            opened.write(text)


def _blocks() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for text in FENCE.findall(page.read_text()):
            named = NAME.match(text)
            assert named, f"{page.name} has a block that no test runs:\n{text}"
            yield named[1], text[named.end() :]
