"""Writes the reference part of docs/settings.md from the settings in the code.

make reference
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from streaming.conf import PREFIX, SETTINGS, Setting

PAGE = Path(__file__).with_name("settings.md")
FIRST = f"## `{PREFIX}"


def section(setting: Setting[Any]) -> str:
    """The section of one setting: its name, the allowed values, its default, its meaning."""
    wanted = setting.kind.wanted
    allowed = f"{wanted[0].upper()}{wanted[1:]}. Default: `{setting.default!r}`."
    return f"## `{setting.name}`\n\n{allowed}\n\n{setting.meaning}\n"


def reference() -> str:
    """All settings in the order of the code."""
    return "\n".join(map(section, SETTINGS.values()))


def filled(page: str) -> str:
    """The page with a new reference part."""
    return page[: page.index(FIRST)] + reference()


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text()))
