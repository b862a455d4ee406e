"""The settings of the admin: review and redaction."""

from __future__ import annotations

from streaming.conf.rules import DAYS, LABELS, TEXT, optional
from streaming.conf.setting import Setting


class ReviewSettings:
    """See `streaming.conf.settings.Settings`."""

    REVIEW_LABELS = Setting(
        LABELS,
        ("correct", "wrong", "unhelpful", "unsafe"),
        "The labels that staff can give an answer in a review. If you remove a label from the list, it stays on "
        "the answers that have it.",
    )
    STAFF_ACCESS_DAYS = Setting(
        optional(DAYS),
        None,
        "The number of days for which a row of the log of what staff saw and exported is kept. None: for ever.",
    )
    REDACT = Setting(
        TEXT,
        "",
        "The dotted path of a function that takes one part of a message. It returns the part that staff may see, "
        "or None to leave the part out. The app calls it before the admin or a shared link shows content, and "
        "before an export. The parts are the classes of `streaming.protocol.parts`; a title comes as a "
        "`TextPart`. Empty: nothing is redacted.",
    )
