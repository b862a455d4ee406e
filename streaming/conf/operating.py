"""The settings for those who operate a site."""

from __future__ import annotations

from streaming.conf.rules import FLAG, SECRET, Kind, optional, whole
from streaming.conf.setting import Setting

NAMES: Kind[str] = Kind(
    wanted='"released" or "latest"', convert=str, allows=lambda value: value in ("released", "latest")
)


class OperatingSettings:
    """See `streaming.conf.settings.Settings`."""

    RETENTION_DAYS = Setting(
        optional(whole(1)),
        None,
        "The number of days after its last message when a conversation is deleted, with its files. None: never.\n\n"
        "Conversations in which staff have flagged an answer are kept.",
    )
    METRICS_TOKEN = Setting(
        SECRET,
        "",
        "The secret with which `/streaming/metrics` may be read, as `Authorization: Bearer …`. Empty: nobody may, and "
        "`/streaming/health` tells only if the process is well.",
    )
    TELEMETRY = Setting(
        FLAG,
        False,  # noqa: FBT003  # a default, not a switch
        "Spans and metrics go to OpenTelemetry, with the extra `otel`: [operations.md](operations.md#opentelemetry).",
    )
    TELEMETRY_CONTENT = Setting(
        FLAG,
        False,  # noqa: FBT003
        "Spans have the content of prompts, answers and tool calls, too. Who reads the spans then reads conversations.",
    )
    TELEMETRY_NAMES = Setting(
        NAMES,
        "released",
        "Which of OpenTelemetry's conventions for generative AI name the metrics: those of the packages on PyPI, or "
        "those to which their authors have moved since.",
    )
