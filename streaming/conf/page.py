"""The settings of the chat page."""

from __future__ import annotations

from streaming.conf.rules import FLAG, TEXT, TEXTS, optional
from streaming.conf.setting import Setting


class PageSettings:
    """See `streaming.conf.settings.Settings`."""

    SUGGESTIONS = Setting(
        TEXTS,
        (),
        "The messages that the page suggests in a new conversation. A press on one sends it.",
    )
    TITLES: Setting[str | None] = Setting(
        optional(TEXT),
        None,
        "The alias of the provider that finds a title for each conversation, after its first answer. A small model is "
        "enough. None: the first words of the first message stay the title. See [pages.md](pages.md#titles).",
    )
    SHOW_USAGE = Setting(
        FLAG,
        False,  # noqa: FBT003  # a default, not a switch
        "The page shows the tokens of each answer, and their cost if it is known.",
    )
