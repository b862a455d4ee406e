"""The settings for those who operate a site."""

from __future__ import annotations

from streaming.conf.rules import DAYS, FLAG, SECRET, Kind, optional
from streaming.conf.setting import Setting

NAMES: Kind[str] = Kind(
    wanted='"released" or "latest"', convert=str, allows=lambda value: value in ("released", "latest")
)


class OperatingSettings:
    """See `streaming.conf.settings.Settings`."""

    RETENTION_DAYS = Setting(
        optional(DAYS),
        None,
        "The number of days after its last message when a conversation is deleted, with its files. None: never.\n\n"
        "Conversations in which staff have flagged an answer are kept.",
    )
    METRICS_TOKEN = Setting(
        SECRET,
        "",
        "The secret with which `/streaming/metrics` may be read, as `Authorization: Bearer …`. Empty: nobody may "
        "read it. `/streaming/health` then says only if the process is well.",
    )
    TELEMETRY = Setting(
        FLAG,
        False,  # noqa: FBT003  # a default, not a switch
        "The app sends spans and metrics to OpenTelemetry. This needs the extra `otel`: "
        "[operations.md](operations.md#opentelemetry).",
    )
    TELEMETRY_CONTENT = Setting(
        FLAG,
        False,  # noqa: FBT003
        "Spans contain the text of prompts, answers and tool calls, too. Everybody who can read the spans can "
        "then read conversations.",
    )
    TELEMETRY_NAMES = Setting(
        NAMES,
        "released",
        "The version of OpenTelemetry's conventions for generative AI that names the metrics: that of the "
        "packages on PyPI (`released`), or that of the newer repository (`latest`).",
    )
