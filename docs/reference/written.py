"""All files that are made from the code, with their content."""

from __future__ import annotations

import json
from pathlib import Path

from docs.reference import asyncapi, checks, openapi, pages, routes, settings, states

DOCS = Path(__file__).resolve().parent.parent


def problems() -> list[str]:
    """What the tables of the reference lack."""
    return [*routes.problems(), *checks.problems()]


def written() -> dict[Path, str]:
    """The content of each file, by its path."""
    kept = {name: (DOCS / name).read_text() for name in ("settings.md", "checks.md")}
    return {
        DOCS / "settings.md": settings.filled(kept["settings.md"]),
        DOCS / "checks.md": checks.filled(kept["checks.md"]),
        DOCS / "http.md": pages.http(),
        DOCS / "websocket.md": pages.socket(),
        DOCS / "openapi.json": _json(openapi.document()),
        DOCS / "asyncapi.json": _json(asyncapi.document()),
        DOCS / "generation.svg": states.diagram(),
    }


def _json(document: openapi.Document) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
