"""The reference part of docs/settings.md, from the settings in the code."""

from __future__ import annotations

from typing import Any

from streaming.conf import PREFIX, SETTINGS, Setting

FIRST = f"## `{PREFIX}"


def section(setting: Setting[Any]) -> str:
    """The section of one setting: its name, the allowed values, its default, its meaning."""
    wanted = setting.kind.wanted
    allowed = f"{wanted[0].upper()}{wanted[1:]}. Default: `{setting.default!r}`."
    return f"## `{setting.name}`\n\n{allowed}\n\n{setting.meaning}\n"


def filled(page: str) -> str:
    """The page with a new reference part: all settings in the order of the code."""
    return page[: page.index(FIRST)] + "\n".join(map(section, SETTINGS.values()))
