"""The settings of shared links."""

from __future__ import annotations

from streaming.conf.rules import DAYS, FLAG, optional
from streaming.conf.setting import Setting


class SharingSettings:
    """See `streaming.conf.settings.Settings`."""

    SHARES = Setting(
        FLAG,
        False,  # noqa: FBT003  # a default, not a switch
        "People may share a conversation: everybody who has the link can read a snapshot of it. If you turn this "
        "off again, no link works any more. See [sharing.md](sharing.md).",
    )
    SHARE_DAYS = Setting(
        optional(DAYS),
        None,
        "The number of days after which a shared link ends, unless its owner chooses an earlier end. None: it ends "
        "when its owner revokes it, or with its conversation.",
    )
