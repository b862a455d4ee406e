"""The configuration of the documentation. `make docs` builds it into `build/docs`.

The pages are plain Markdown that also reads well as files: links between them are links between files.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parent.parent

project = "django-llm-streaming"
release = version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

extensions = ["myst_parser"]
exclude_patterns = ["examples/**/node_modules", "examples/**/dist"]
myst_heading_anchors = 4
suppress_warnings = ["misc.highlighting_failure"]  # examples are shortened with "…"

html_theme = "furo"
html_title = f"django-llm-streaming {release}"
html_copy_source = False
html_show_copyright = False

OUTSIDE = {
    "README.md": "/index.md",
    "CONTRIBUTING.md": "/contributing.md",
    "CHANGELOG.md": "/changelog.md",
    "SECURITY.md": "/security.md",
}
"""The pages that show files from above this folder."""

ABOVE = rf"\]\((?:\.\./)+({'|'.join(map(re.escape, OUTSIDE))})"


def _link_to_pages(_app: Sphinx, _name: str, source: list[str]) -> None:
    """Turns links to files above this folder into links to the pages that include them."""
    source[0] = re.sub(ABOVE, lambda link: f"]({OUTSIDE[link[1]]}", source[0])


def setup(app: Sphinx) -> None:
    app.connect("source-read", _link_to_pages)
