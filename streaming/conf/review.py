"""The settings of the admin: review and redaction."""

from __future__ import annotations

from streaming.conf.rules import LABELS, TEXT, optional, whole
from streaming.conf.setting import Setting


class ReviewSettings:
    """See `streaming.conf.settings.Settings`."""

    REVIEW_LABELS = Setting(
        LABELS,
        ("correct", "wrong", "unhelpful", "unsafe"),
        "The labels that staff can give an answer when they review it. A label that is no longer in the list stays on "
        "the answers that have it.",
    )
    STAFF_ACCESS_DAYS = Setting(
        optional(whole(1)),
        None,
        "The number of days after which a row of the log of what staff saw and exported is deleted. None: never.",
    )
    REDACT = Setting(
        TEXT,
        "",
        "The dotted path of a function that takes one part of a message and returns the part that staff may see, or "
        "None to leave it out. It is called before the admin or a shared link shows content, and before anything is "
        "exported. The parts are the classes of `streaming.protocol.parts`; a title comes as a `TextPart`. Empty: "
        "nothing is redacted.",
    )
