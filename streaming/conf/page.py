"""The settings of the chat page."""

from __future__ import annotations

from streaming.conf.rules import FLAG, TEXTS
from streaming.conf.setting import Setting


class PageSettings:
    """See `streaming.conf.settings.Settings`."""

    SUGGESTIONS = Setting(
        TEXTS,
        (),
        "What the page suggests to ask in a new conversation: a list of messages, each sent with one press.",
    )
    SHOW_USAGE = Setting(
        FLAG,
        False,  # noqa: FBT003  # a default, not a switch
        "The page shows the tokens of each answer, and their cost if it is known.",
    )
