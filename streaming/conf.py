"""The app's settings: one typed property each, default and meaning together, read live from `django.conf.settings`.

    from streaming.conf import settings
    settings.MAX_PROMPT_CHARS        # STREAMING_MAX_PROMPT_CHARS, or the default below

`ProviderConfig` is one entry of `STREAMING_PROVIDERS`. Nothing here validates: `manage.py check` does, with hints.
"""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from django.conf import settings as django_settings

PREFIX = "STREAMING_"
FILE_TYPES = (
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "application/pdf",
    "text/plain",
    "text/markdown",
    "text/csv",
    "application/json",
)


class ProviderConfig(TypedDict):
    """`BACKEND` is a dotted path to a provider class, `OPTIONS` its keyword arguments.

    `TOOLS` are the names of the tools that it is offered; without, it is offered all of `STREAMING_TOOLS`.
    """

    BACKEND: str
    OPTIONS: NotRequired[dict[str, Any]]
    TOOLS: NotRequired[list[str]]


class Settings:
    """Each property is the Django setting of that name with `STREAMING_` before it."""

    def _read(self, name: str, default: Any) -> Any:
        return getattr(django_settings, PREFIX + name, default)

    @property
    def PROVIDERS(self) -> dict[str, ProviderConfig]:
        """Alias → provider. `default` answers where no alias is named."""
        providers: dict[str, ProviderConfig] = self._read("PROVIDERS", {})
        return providers

    @property
    def SYSTEM_PROMPT(self) -> str:
        """Put before every new conversation; kept with it, so that a later change does not alter old ones."""
        return str(self._read("SYSTEM_PROMPT", ""))

    @property
    def ALLOW_ANONYMOUS(self) -> bool:
        """Let visitors who are not signed in have conversations, owned by their session."""
        return bool(self._read("ALLOW_ANONYMOUS", default=False))

    @property
    def MAX_PROMPT_CHARS(self) -> int:
        """Longest message a person may send. 32,000 characters are about 8,000 tokens: a long document page."""
        return int(self._read("MAX_PROMPT_CHARS", 32_000))

    @property
    def MAX_ACTIVE_PER_OWNER(self) -> int:
        """Generations one owner may have at once, over all processes. Three: as many tabs as one person reads."""
        return int(self._read("MAX_ACTIVE_PER_OWNER", 3))

    @property
    def MAX_PROMPTS_PER_MINUTE(self) -> int | None:
        """Messages one owner may send within 60 seconds; None: any number."""
        value = self._read("MAX_PROMPTS_PER_MINUTE", None)
        return None if value is None else int(value)

    @property
    def MAX_TOKENS_PER_DAY(self) -> int | None:
        """Tokens, in and out, after which an owner may ask no more within 24 hours; None: any number.

        Answers whose provider reports no usage do not count.
        """
        value = self._read("MAX_TOKENS_PER_DAY", None)
        return None if value is None else int(value)

    @property
    def MAX_ACTIVE_PER_PROCESS(self) -> int:
        """Generations one process runs at once; further ones are answered 503."""
        return int(self._read("MAX_ACTIVE_PER_PROCESS", 500))

    @property
    def MAX_STREAMS_PER_OWNER(self) -> int:
        """Streams and sockets that one owner may have open in one process, which spends a thread or a task on each.

        Twenty: more tabs than a person reads, and a browser opens at most six over HTTP/1.1.
        """
        return int(self._read("MAX_STREAMS_PER_OWNER", 20))

    @property
    def MAX_MESSAGES_PER_CONVERSATION(self) -> int | None:
        """Messages and answers after which a conversation takes no more, its other versions included; None: any number.

        Each answer is asked for with all that was said before it, so that what it costs grows with every turn.
        """
        value = self._read("MAX_MESSAGES_PER_CONVERSATION", 1000)
        return None if value is None else int(value)

    @property
    def MAX_ANSWER_BYTES(self) -> int:
        """Largest log of one answer; a provider that goes on is left. It is kept in memory while it is written.

        50 MB are some 400,000 pieces of text, a hundred times what models write.
        """
        return int(self._read("MAX_ANSWER_BYTES", 50_000_000))

    @property
    def FILES_STORAGE(self) -> str:
        """The alias in Django's STORAGES under which files are kept that people send. It needs no public address."""
        return str(self._read("FILES_STORAGE", "default"))

    @property
    def FILE_TYPES(self) -> tuple[str, ...]:
        """Media types that people may send; empty: no files. What bytes are is looked for in them, not believed."""
        return tuple(self._read("FILE_TYPES", FILE_TYPES))

    @property
    def MAX_FILE_BYTES(self) -> int:
        """Largest file a person may send. 5 MB is what Anthropic takes of an image, and more than most photographs."""
        return int(self._read("MAX_FILE_BYTES", 5_000_000))

    @property
    def MAX_FILES_PER_MESSAGE(self) -> int:
        """Files that one message may have."""
        return int(self._read("MAX_FILES_PER_MESSAGE", 5))

    @property
    def MAX_FILE_BYTES_PER_OWNER(self) -> int | None:
        """Bytes of files that are kept for one owner, sent or not; None: any number."""
        value = self._read("MAX_FILE_BYTES_PER_OWNER", 500_000_000)
        return None if value is None else int(value)

    @property
    def UNSENT_FILE_SECONDS(self) -> float:
        """How long a file that was uploaded waits to be sent with a message; then it is removed."""
        return float(self._read("UNSENT_FILE_SECONDS", 86_400))

    @property
    def ABANDON_AFTER(self) -> float | None:
        """Seconds after its last reader left until a generation is cancelled; None lets it finish unwatched.

        Counted are readers in the process that runs it; one that nobody has begun to read is left alone."""
        value = self._read("ABANDON_AFTER", None)
        return None if value is None else float(value)

    @property
    def PROVIDER_RETRIES(self) -> int:
        """Further tries when a provider fails before it has said anything; afterwards nothing is ever tried again."""
        return int(self._read("PROVIDER_RETRIES", 2))

    @property
    def TOOLS(self) -> list[str]:
        """Dotted paths of the site's tools: functions made tools by `streaming.tools.tool`, or `ToolSpec` objects."""
        return list(self._read("TOOLS", ()))

    @property
    def MAX_STEPS(self) -> int:
        """How often a model is asked for one answer, with what tools gave; the last time it may not call any more."""
        return int(self._read("MAX_STEPS", 8))

    @property
    def TOOL_SECONDS(self) -> float:
        """Longest time that one call of a tool may take, its wait for a place included; a tool may have its own."""
        return float(self._read("TOOL_SECONDS", 60))

    @property
    def TOOL_CONCURRENCY(self) -> int:
        """Calls of tools that one process executes at once; further ones wait."""
        return int(self._read("TOOL_CONCURRENCY", 8))

    @property
    def MAX_TOOL_OUTPUT_CHARS(self) -> int:
        """Largest output of a tool, as JSON. It is stored, sent to clients, and to the model at each further step."""
        return int(self._read("MAX_TOOL_OUTPUT_CHARS", 100_000))

    @property
    def FIRST_DELTA_SECONDS(self) -> float:
        """Longest wait for the first piece of an answer. Reasoning models are silent for minutes."""
        return float(self._read("FIRST_DELTA_SECONDS", 300))

    @property
    def STALL_SECONDS(self) -> float:
        """Longest silence of a provider in the middle of an answer; its heartbeats count as signs of life."""
        return float(self._read("STALL_SECONDS", 300))

    @property
    def TOTAL_SECONDS(self) -> float:
        """Longest time that one answer may take."""
        return float(self._read("TOTAL_SECONDS", 3600))

    @property
    def HEARTBEAT_SECONDS(self) -> float:
        """Silence after which a reader gets a comment. 15 s stays under every common proxy's idle limit (60 s)."""
        return float(self._read("HEARTBEAT_SECONDS", 15))

    @property
    def RECHECK_SECONDS(self) -> float:
        """How often an open stream asks whether its reader is still signed in; at the next heartbeat at the latest."""
        return float(self._read("RECHECK_SECONDS", 30))

    @property
    def SWEEP_SECONDS(self) -> float:
        """How often a process looks for generations whose process has gone silent."""
        return float(self._read("SWEEP_SECONDS", 5))

    @property
    def MAX_CONNECTION_SECONDS(self) -> float:
        """Longest life of a stream whose reader comes back by itself, as EventSource does; others are not cut."""
        return float(self._read("MAX_CONNECTION_SECONDS", 600))

    @property
    def STUCK_SECONDS(self) -> float:
        """How long a client may take nothing of what it is owed; then it is cut off. Needs `StreamingApplication`."""
        return float(self._read("STUCK_SECONDS", 30))

    @property
    def TICK_SECONDS(self) -> float:
        """How often a process writes its generations' new frames, renews leases and looks for cancel requests."""
        return float(self._read("TICK_SECONDS", 0.2))

    @property
    def LEASE_SECONDS(self) -> float:
        """How long a generation is its process's without a sign of life; afterwards it counts as interrupted."""
        return float(self._read("LEASE_SECONDS", 10))

    @property
    def DRAIN_SECONDS(self) -> float:
        """Time that live generations get to finish when the process is asked to end."""
        return float(self._read("DRAIN_SECONDS", 25))

    @property
    def POLL_SECONDS(self) -> float:
        """How often a reader in another process than the generation's looks at the journal."""
        return float(self._read("POLL_SECONDS", 0.25))

    @property
    def REDIS_URL(self) -> str:
        """Where readers in other processes find frames sooner than in the database; empty: there is no Redis."""
        return str(self._read("REDIS_URL", ""))

    @property
    def REDIS_PREFIX(self) -> str:
        """What this site's keys and channels in Redis begin with; a server's databases share their channels."""
        return str(self._read("REDIS_PREFIX", "streaming:"))

    @property
    def REDIS_TICK_SECONDS(self) -> float:
        """How often a process passes its generations' new frames on to Redis, all in one round trip."""
        return float(self._read("REDIS_TICK_SECONDS", 0.05))

    @property
    def JOURNAL_RETENTION_SECONDS(self) -> float:
        """How long the frames of a settled generation stay readable; afterwards a replay is made from its row."""
        return float(self._read("JOURNAL_RETENTION_SECONDS", 3600))

    @property
    def DATABASE_THREADS(self) -> int:
        """Threads, and so database connections, one process spends on conversations and generations."""
        return int(self._read("DATABASE_THREADS", 4))


settings = Settings()
