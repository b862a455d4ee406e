"""The settings: each with its kind, its default and its meaning."""

from __future__ import annotations

from typing import Any

from streaming.conf.costs import CostSettings
from streaming.conf.files import FileSettings
from streaming.conf.markdown import MarkdownSettings
from streaming.conf.operating import OperatingSettings
from streaming.conf.page import PageSettings
from streaming.conf.review import ReviewSettings
from streaming.conf.rules import SECONDS, SECONDS_OR_ZERO, SECRET, TEXT, checked_elsewhere, optional, unchanged, whole
from streaming.conf.setting import ProviderConfig, Setting
from streaming.conf.sharing import SharingSettings
from streaming.conf.visitors import VisitorSettings


class Settings(
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
        "The providers by alias. `default` answers where no alias is named. `CONTEXT` in an entry says what is sent of "
        "a conversation that is too long: [long-conversations.md](long-conversations.md).",
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
        "The number of generations that one owner may have running at once, over all processes. The default is "
        "the number of tabs that one person reads.",
    )
    MAX_PROMPTS_PER_MINUTE = Setting(
        optional(whole(1)), None, "The number of messages that one owner may send within 60 seconds. None: no limit."
    )
    MAX_TOKENS_PER_DAY = Setting(
        optional(whole(1)),
        None,
        "The number of tokens, input and output, after which an owner may ask no more within 24 hours. None: no "
        "limit.\n\n"
        "Tokens of answers that broke off (stopped, failed, crashed) are estimated from what was sent and received. "
        "Finished answers whose provider reports no usage do not count.",
    )
    MAX_ACTIVE_PER_PROCESS = Setting(
        whole(1), 500, "The number of generations that one process runs at once. Further requests are answered 503."
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
        "The number of messages and answers after which a conversation takes no more; branches that are not shown "
        "count, too. None: no limit.\n\n"
        "Each request sends what was said before, so its cost grows with every turn until the model's window is full: "
        "[long-conversations.md](long-conversations.md).",
    )
    MAX_ANSWER_BYTES = Setting(
        whole(1),
        50_000_000,
        "The largest log of one answer. The connection to a provider that sends more is closed. The log is kept "
        "in memory while it is written.\n\n"
        "50 MB are some 400,000 pieces of text, a hundred times what models write.",
    )
    ABANDON_AFTER = Setting(
        optional(SECONDS_OR_ZERO),
        None,
        "The time after its last reader left when a generation is cancelled. None: it finishes without readers.\n\n"
        "Readers in all processes count. A generation that nobody has begun to read is not cancelled.",
    )
    PROVIDER_RETRIES = Setting(
        whole(0),
        2,
        "The number of further tries when a provider fails before the first word. Once a word has arrived, "
        "nothing is tried again.",
    )
    FALLBACK_SECONDS = Setting(
        SECONDS,
        30,
        "The time within which providers are asked in turn, where one has others that stand in for it: "
        "[fallback.md](fallback.md). Each gets an equal share of what is left for its first byte; the last one may "
        "take longer.",
    )
    BREAKER_FAILURES = Setting(
        optional(whole(1)),
        5,
        "The number of answers in a row that fail before a provider is left alone: [fallback.md](fallback.md#breakers)."
        " None: never.",
    )
    BREAKER_SECONDS = Setting(
        SECONDS, 30, "The time for which such a provider is left alone. Then one request tries it."
    )
    TOOLS: Setting[list[str]] = Setting(
        checked_elsewhere(list, "a list of dotted paths"),
        (),
        "The dotted paths of the site's tools: functions with the decorator `streaming.tools.tool`, or `ToolSpec` "
        "objects.",
    )
    MCP_SERVERS: Setting[dict[str, dict[str, Any]]] = Setting(
        checked_elsewhere(unchanged, "a dict of server entries by name"),
        {},
        "The MCP servers whose tools models may call, by name: see [mcp.md](mcp.md).",
    )
    MAX_STEPS = Setting(
        whole(2),
        8,
        "The number of times that a model is asked within one answer, each time with the results of its tools. "
        "The last time it may not call tools.",
    )
    TOOL_SECONDS = Setting(
        SECONDS,
        60,
        "The longest time for one tool call, including its wait for a free place. A tool may set its own limit.",
    )
    TOOL_CONCURRENCY = Setting(
        whole(1), 8, "The number of tool calls that one process executes at once. Further calls wait."
    )
    MAX_TOOL_OUTPUT_CHARS = Setting(
        whole(1),
        100_000,
        "The largest output of a tool, as JSON. It is stored, sent to clients, and sent to the model at each "
        "further step.",
    )
    MAX_CLIENT_TOOLS = Setting(
        whole(0),
        20,
        "The number of tools that an AG-UI client may bring with a request. Their names, descriptions and schemas are "
        "sent to the model. 0: the tools of clients are ignored.",
    )
    FIRST_DELTA_SECONDS = Setting(
        SECONDS, 300, "The longest wait for the first piece of an answer. Reasoning models are silent for minutes."
    )
    STALL_SECONDS = Setting(
        SECONDS,
        300,
        "The longest silence of a provider in the middle of an answer. The provider's heartbeats count as signs "
        "of life.",
    )
    TOTAL_SECONDS = Setting(SECONDS, 3600, "The longest time that one answer may take.")
    HEARTBEAT_SECONDS = Setting(
        SECONDS,
        15,
        "The silence after which a reader is sent a comment. 15 s stays under the idle limit of every common "
        "proxy (60 s).",
    )
    RECHECK_SECONDS = Setting(
        SECONDS,
        30,
        "The time between two checks that the reader of an open stream or socket is still signed in. A stream "
        "checks at its next heartbeat.\n\n"
        "A session that is kept in Django's cache and is not found is looked for once more ten seconds later, "
        "because a cache that is away gives the same result.",
    )
    SWEEP_SECONDS = Setting(
        SECONDS, 5, "The time between two searches of a process for generations whose process has died."
    )
    MAX_CONNECTION_SECONDS = Setting(
        SECONDS,
        600,
        "The longest life of a stream whose reader reconnects by itself, as EventSource does. Other streams are "
        "not cut.",
    )
    STUCK_SECONDS = Setting(
        SECONDS,
        30,
        "The time for which a client may read nothing of what it is sent; then it is cut off. Needs "
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
        "The time for which a generation belongs to its process without a sign of life. Afterwards it counts as "
        "interrupted.",
    )
    DRAIN_SECONDS = Setting(
        SECONDS_OR_ZERO, 25, "The time that running generations get to finish when the process is asked to end."
    )
    POLL_SECONDS = Setting(
        SECONDS,
        0.25,
        "The time between two looks at the journal of a reader in another process than the generation's.",
    )
    REDIS_URL = Setting(
        SECRET,
        "",
        "The address of the Redis through which readers in other processes get frames sooner than from the "
        "database. Empty: no Redis.",
    )
    REDIS_PREFIX = Setting(
        TEXT,
        "streaming:",
        "The prefix of this site's keys and channels in Redis. All databases of one Redis server share their channels.",
    )
    REDIS_TICK_SECONDS = Setting(
        SECONDS,
        0.05,
        "The time between two writes of a process to Redis. One round trip carries the new frames of all its "
        "generations.",
    )
    JOURNAL_RETENTION_SECONDS = Setting(
        SECONDS_OR_ZERO,
        3600,
        "The time for which the frames of a settled generation are kept. Afterwards a replay is made from its row.",
    )
    DATABASE_THREADS = Setting(
        whole(1),
        2,
        "The number of threads, and so of database connections, that one process uses for conversations and "
        "generations.\n\n"
        "More threads help where the database is far away. Where it is near, they only compete with the streams.",
    )


settings = Settings()
SETTINGS: dict[str, Setting[Any]] = {
    name: one for group in Settings.__mro__ for name, one in vars(group).items() if isinstance(one, Setting)
}
"""Every setting by its name without the prefix."""
