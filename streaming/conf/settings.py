"""The settings: each with its kind, its default and its meaning."""

from __future__ import annotations

from typing import Any

from streaming.conf.costs import CostSettings
from streaming.conf.files import FileSettings
from streaming.conf.journal import JournalSettings
from streaming.conf.markdown import MarkdownSettings
from streaming.conf.operating import OperatingSettings
from streaming.conf.page import PageSettings
from streaming.conf.review import ReviewSettings
from streaming.conf.rules import SECONDS, SECONDS_OR_ZERO, TEXT, checked_elsewhere, optional, unchanged, whole
from streaming.conf.setting import ProviderConfig, Setting
from streaming.conf.sharing import SharingSettings
from streaming.conf.tools import ToolSettings
from streaming.conf.visitors import VisitorSettings


class Settings(
    ToolSettings,
    JournalSettings,
    PageSettings,
    MarkdownSettings,
    VisitorSettings,
    FileSettings,
    OperatingSettings,
    CostSettings,
    ReviewSettings,
    SharingSettings,
):
    """Each attribute is the Django setting of that name with `STREAMING_` before it."""

    PROVIDERS: Setting[dict[str, ProviderConfig]] = Setting(
        checked_elsewhere(unchanged, "a dict of provider entries by alias"),
        {},
        "The providers by alias. The app uses `default` if a message names no alias, and for conversations whose alias "
        "is no longer here. The key `CONTEXT` of an "
        "entry says how the app shortens a conversation that is too long: "
        "[long-conversations.md](long-conversations.md).",
    )
    SYSTEM_PROMPT = Setting(
        TEXT,
        "",
        "The system prompt of every new conversation. It is stored with the conversation, so a later change does "
        "not alter old ones.",
    )
    MAX_PROMPT_CHARS = Setting(
        whole(1),
        32_000,
        "The longest message that a person may send. 32,000 characters are about 8,000 tokens: a long document page.",
    )
    MAX_ACTIVE_PER_OWNER = Setting(
        whole(1),
        3,
        "The number of generations that one owner may have running at once, over all processes. The default "
        "allows an answer in each of three tabs.",
    )
    MAX_PROMPTS_PER_MINUTE = Setting(
        optional(whole(1)), None, "The number of messages that one owner may send within 60 seconds. None: no limit."
    )
    MAX_TOKENS_PER_DAY = Setting(
        optional(whole(1)),
        None,
        "The number of tokens, input and output, that an owner may use within 24 hours. Then further messages are "
        "refused. None: no limit.\n\n"
        "Tokens of answers that broke off (stopped, failed, crashed) are estimated from what was sent and received. "
        "Those of deleted answers count, too. Finished answers whose provider reports no usage do not count.",
    )
    MAX_ACTIVE_PER_PROCESS = Setting(
        whole(1), 500, "The number of generations that one process runs at once. Further requests get 503."
    )
    MAX_STREAMS_PER_OWNER = Setting(
        whole(1),
        50,
        "The number of streams and sockets that one owner may have open in one process. Each costs the process "
        "memory and a task.\n\n"
        "The default is more tabs than a person keeps, each with its socket. Over HTTP/1.1 a browser opens at "
        "most six streams.",
    )
    MAX_MESSAGES_PER_CONVERSATION = Setting(
        optional(whole(2)),
        1000,
        "The largest number of messages in a conversation, with all branches. None: no limit.\n\n"
        "Each request repeats the earlier messages, so its cost grows with every turn until the model's window is "
        "full: [long-conversations.md](long-conversations.md).",
    )
    MAX_ANSWER_BYTES = Setting(
        whole(1),
        50_000_000,
        "The largest log of one answer. If a provider sends more, the app closes the connection to it. The log is "
        "kept in memory while it is written.\n\n"
        "50 MB are about 400,000 pieces of text, a hundred times as much as models write.",
    )
    ABANDON_AFTER = Setting(
        optional(SECONDS_OR_ZERO),
        None,
        "The time after which a generation without readers is cancelled. It begins when the last reader leaves. "
        "None: the generation finishes without readers.\n\n"
        "Readers in all processes count. A generation that nobody has begun to read is not cancelled.",
    )
    PROVIDER_RETRIES = Setting(
        whole(0),
        2,
        "The number of further tries if a request to a provider fails before its first word. This applies to each "
        "request of an answer. Once a word of a request has arrived, the app does not repeat that request.",
    )
    FALLBACK_SECONDS = Setting(
        SECONDS,
        30,
        "The time for a provider and its fallbacks together: [fallback.md](fallback.md). Each has an equal share "
        "of the time that is left, within which it must send its first byte. The last one may take longer.",
    )
    BREAKER_FAILURES = Setting(
        optional(whole(1)),
        5,
        "The number of answers in a row that must fail before the app stops asking a provider for a while: "
        "[fallback.md](fallback.md#breakers). None: the app always asks it.",
    )
    BREAKER_SECONDS = Setting(
        SECONDS, 30, "The time for which the app does not ask such a provider. Then one request tries it."
    )
    FIRST_DELTA_SECONDS = Setting(
        SECONDS, 300, "The longest wait for the first piece of an answer. Models that reason may be silent for minutes."
    )
    STALL_SECONDS = Setting(
        SECONDS,
        300,
        "The longest silence of a provider in the middle of an answer. A heartbeat of the provider ends a silence.",
    )
    TOTAL_SECONDS = Setting(SECONDS, 3600, "The longest time that one answer may take.")
    HEARTBEAT_SECONDS = Setting(
        SECONDS,
        15,
        "The silence after which the app sends a reader a comment. 15 s is below the idle limit of every common "
        "proxy (60 s).",
    )
    RECHECK_SECONDS = Setting(
        SECONDS,
        30,
        "The time between two checks that the reader of an open stream or socket is still signed in. A stream "
        "checks at its next heartbeat.\n\n"
        "If a session in Django's cache is not found, the app looks again ten seconds later, because a cache that "
        "is away gives the same result.",
    )
    SWEEP_SECONDS = Setting(
        SECONDS, 5, "The time between two searches of a process for generations whose process has died."
    )
    MAX_CONNECTION_SECONDS = Setting(
        SECONDS,
        600,
        "The longest life of a stream whose reader reconnects by itself, as `EventSource` does. Other streams "
        "have no such limit.",
    )
    STUCK_SECONDS = Setting(
        SECONDS,
        30,
        "The time after which a client that reads nothing of what it is sent is disconnected. This needs "
        "`StreamingApplication`.",
    )
    TICK_SECONDS = Setting(
        SECONDS,
        0.2,
        "The time between two ticks. At each tick a process writes its generations' new frames, renews their "
        "leases and reads cancel requests.",
    )
    LEASE_SECONDS = Setting(
        SECONDS,
        10,
        "The time after which a generation counts as interrupted if its process gives no sign of life.",
    )
    DRAIN_SECONDS = Setting(
        SECONDS_OR_ZERO, 25, "The time that running generations have to finish when the process is told to end."
    )


settings = Settings()
SETTINGS: dict[str, Setting[Any]] = {
    name: one for group in Settings.__mro__ for name, one in vars(group).items() if isinstance(one, Setting)
}
"""Every setting by its name without the prefix."""
