"""The app's settings: kind, default and meaning of each together, read live from `django.conf.settings`.

    from streaming.conf import settings
    settings.MAX_PROMPT_CHARS        # STREAMING_MAX_PROMPT_CHARS, or the default below

`ProviderConfig` is one entry of `STREAMING_PROVIDERS`. Nothing here validates: `manage.py check` does, with hints.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, NotRequired, Self, TypedDict, TypeVar, overload

from django.conf import settings as django_settings

PREFIX = "STREAMING_"
T = TypeVar("T")
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


class Setting(Generic[T]):
    """What the site says, or `default`, as a `kind`."""

    def __init__(self, kind: Callable[[Any], T], default: Any) -> None:
        self.kind = kind
        self.default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = PREFIX + name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> Self | T:
        return self if instance is None else self.kind(getattr(django_settings, self.name, self.default))


class OrNone(Setting[T | None]):
    """The same, where None has a meaning of its own."""

    def __init__(self, kind: Callable[[Any], T], default: Any) -> None:
        super().__init__(lambda value: None if value is None else kind(value), default)


def _as_it_is(value: Any) -> Any:
    """For what a check has to look at, whatever it is."""
    return value


class Settings:
    """Each is the Django setting of that name with `STREAMING_` before it."""

    PROVIDERS: Setting[dict[str, ProviderConfig]] = Setting(_as_it_is, {})
    """Alias → provider. `default` answers where no alias is named."""

    SYSTEM_PROMPT = Setting(str, "")
    """Put before every new conversation; kept with it, so that a later change does not alter old ones."""

    ALLOW_ANONYMOUS = Setting(bool, default=False)
    """Let visitors who are not signed in have conversations, owned by their session.

    Limits for one owner do not bind somebody who sends no cookie: each of their requests is a new visitor's. Limit
    those by address, in front of the site.
    """

    MAX_PROMPT_CHARS = Setting(int, 32_000)
    """Longest message a person may send. 32,000 characters are about 8,000 tokens: a long document page."""

    MAX_ACTIVE_PER_OWNER = Setting(int, 3)
    """Generations one owner may have at once, over all processes. Three: as many tabs as one person reads."""

    MAX_PROMPTS_PER_MINUTE = OrNone(int, None)
    """Messages one owner may send within 60 seconds; None: any number."""

    MAX_TOKENS_PER_DAY = OrNone(int, None)
    """Tokens, in and out, after which an owner may ask no more within 24 hours; None: any number.

    Answers whose provider reports no usage do not count.
    """

    MAX_ACTIVE_PER_PROCESS = Setting(int, 500)
    """Generations one process runs at once; further ones are answered 503."""

    MAX_STREAMS_PER_OWNER = Setting(int, 50)
    """Streams and sockets that one owner may have open in one process, which spends memory and a task on each.

    Fifty: more tabs than a person keeps, each with its socket; of streams a browser opens at most six over HTTP/1.1.
    """

    MAX_MESSAGES_PER_CONVERSATION = OrNone(int, 1000)
    """Messages and answers after which a conversation takes no more, its other versions included; None: any number.

    Each answer is asked for with all that was said before it, so that what it costs grows with every turn.
    """

    MAX_ANSWER_BYTES = Setting(int, 50_000_000)
    """Largest log of one answer; a provider that goes on is left. It is kept in memory while it is written.

    50 MB are some 400,000 pieces of text, a hundred times what models write.
    """

    FILES_STORAGE = Setting(str, "default")
    """The alias in Django's STORAGES under which files are kept that people send. It needs no public address."""

    FILE_TYPES: Setting[tuple[str, ...]] = Setting(tuple, FILE_TYPES)
    """Media types that people may send; empty: no files. What bytes are is looked for in them, not believed."""

    MAX_FILE_BYTES = Setting(int, 5_000_000)
    """Largest file a person may send. 5 MB is what Anthropic takes of an image, and more than most photographs."""

    MAX_FILES_PER_MESSAGE = Setting(int, 5)
    """Files that one message may have."""

    MAX_FILE_BYTES_PER_OWNER = OrNone(int, 500_000_000)
    """Bytes of files that are kept for one owner, sent or not; None: any number."""

    UNSENT_FILE_SECONDS = Setting(float, 86_400)
    """How long a file that was uploaded waits to be sent with a message; then it is removed."""

    ABANDON_AFTER = OrNone(float, None)
    """Seconds after its last reader left until a generation is cancelled; None lets it finish unwatched.

    Counted are the readers in all processes; one that nobody has begun to read is left alone.
    """

    PROVIDER_RETRIES = Setting(int, 2)
    """Further tries when a provider fails before it has said anything; afterwards nothing is ever tried again."""

    TOOLS: Setting[list[str]] = Setting(list, ())
    """Dotted paths of the site's tools: functions made tools by `streaming.tools.tool`, or `ToolSpec` objects."""

    MAX_STEPS = Setting(int, 8)
    """How often a model is asked for one answer, with what tools gave; the last time it may not call any more."""

    TOOL_SECONDS = Setting(float, 60)
    """Longest time that one call of a tool may take, its wait for a place included; a tool may have its own."""

    TOOL_CONCURRENCY = Setting(int, 8)
    """Calls of tools that one process executes at once; further ones wait."""

    MAX_TOOL_OUTPUT_CHARS = Setting(int, 100_000)
    """Largest output of a tool, as JSON. It is stored, sent to clients, and to the model at each further step."""

    FIRST_DELTA_SECONDS = Setting(float, 300)
    """Longest wait for the first piece of an answer. Reasoning models are silent for minutes."""

    STALL_SECONDS = Setting(float, 300)
    """Longest silence of a provider in the middle of an answer; its heartbeats count as signs of life."""

    TOTAL_SECONDS = Setting(float, 3600)
    """Longest time that one answer may take."""

    HEARTBEAT_SECONDS = Setting(float, 15)
    """Silence after which a reader gets a comment. 15 s stays under every common proxy's idle limit (60 s)."""

    RECHECK_SECONDS = Setting(float, 30)
    """How often an open stream or socket asks whether its reader is still signed in; a stream, at its next heartbeat.

    A session that is kept in Django's cache and is not found there is looked for once more ten seconds later, because a
    cache that is away says the same.
    """

    SWEEP_SECONDS = Setting(float, 5)
    """How often a process looks for generations whose process has gone silent."""

    MAX_CONNECTION_SECONDS = Setting(float, 600)
    """Longest life of a stream whose reader comes back by itself, as EventSource does; others are not cut."""

    STUCK_SECONDS = Setting(float, 30)
    """How long a client may take nothing of what it is owed; then it is cut off. Needs `StreamingApplication`."""

    TICK_SECONDS = Setting(float, 0.2)
    """How often a process writes its generations' new frames, renews leases and looks for cancel requests."""

    LEASE_SECONDS = Setting(float, 10)
    """How long a generation is its process's without a sign of life; afterwards it counts as interrupted."""

    DRAIN_SECONDS = Setting(float, 25)
    """Time that live generations get to finish when the process is asked to end."""

    POLL_SECONDS = Setting(float, 0.25)
    """How often a reader in another process than the generation's looks at the journal."""

    REDIS_URL = Setting(str, "")
    """Where readers in other processes find frames sooner than in the database; empty: there is no Redis."""

    REDIS_PREFIX = Setting(str, "streaming:")
    """What this site's keys and channels in Redis begin with; a server's databases share their channels."""

    REDIS_TICK_SECONDS = Setting(float, 0.05)
    """How often a process passes its generations' new frames on to Redis, all in one round trip."""

    JOURNAL_RETENTION_SECONDS = Setting(float, 3600)
    """How long the frames of a settled generation stay readable; afterwards a replay is made from its row."""

    DATABASE_THREADS = Setting(int, 2)
    """Threads, and so database connections, one process spends on conversations and generations.

    More pay where the database is far away. Near by they only take turns with the streams, which then wait.
    """


settings = Settings()
