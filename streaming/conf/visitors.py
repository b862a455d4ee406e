"""The settings for visitors who are not signed in."""

from __future__ import annotations

from streaming.conf.rules import DAYS, FLAG, optional, whole
from streaming.conf.setting import Setting


class VisitorSettings:
    """See `streaming.conf.settings.Settings`."""

    ALLOW_ANONYMOUS = Setting(
        FLAG,
        False,  # noqa: FBT003  # a default, not a switch
        "Visitors who are not signed in may have conversations. These belong to their session.\n\n"
        "Limits per owner have no effect on a client that sends no cookie, because each of its requests is a new "
        "visitor's. Limit such clients by their address, in front of the site.",
    )
    ADOPT_AT_SIGN_IN = Setting(
        FLAG,
        True,  # noqa: FBT003  # a default, not a switch
        "When a visitor signs in, the visitor's conversations and files become the user's. They count in the "
        "user's limits.",
    )
    MAX_CONVERSATIONS_PER_VISITOR = Setting(
        optional(whole(1)),
        100,
        "The number of conversations that a visitor who is not signed in may have. None: no limit.",
    )
    VISITOR_RETENTION_DAYS = Setting(
        optional(DAYS),
        None,
        "The number of days after its last message when a conversation of a visitor who is not signed in is "
        "deleted, with its files. None: `STREAMING_RETENTION_DAYS` applies.\n\n"
        "A visitor cannot reach the conversation after the session has ended, by default two weeks after the "
        "visitor came (Django's `SESSION_COOKIE_AGE`).",
    )
