"""The settings for those who operate a site."""

from __future__ import annotations

from streaming.conf.rules import TEXT, optional, whole
from streaming.conf.setting import Setting


class OperatingSettings:
    """See `streaming.conf.settings.Settings`."""

    RETENTION_DAYS = Setting(
        optional(whole(1)),
        None,
        "The number of days after its last message when a conversation is deleted, with its files. None: never.",
    )
    METRICS_TOKEN = Setting(
        TEXT,
        "",
        "The secret with which `/streaming/metrics` may be read, as `Authorization: Bearer …`. Empty: nobody may, and "
        "`/streaming/health` tells only if the process is well.",
    )
