"""The settings of the journal, of Redis, and of the threads that use the database."""

from __future__ import annotations

from streaming.conf.rules import SECONDS, SECONDS_OR_ZERO, SECRET, TEXT, whole
from streaming.conf.setting import Setting


class JournalSettings:
    """See `streaming.conf.settings.Settings`."""

    POLL_SECONDS = Setting(
        SECONDS,
        0.25,
        "The time between two reads of the journal by a reader whose answer is written in another process.",
    )
    REDIS_URL = Setting(
        SECRET,
        "",
        "The address of the Redis server through which readers in other processes get frames sooner than from the "
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
        "The time for which the frames of a settled generation are kept. After it, a replay is made from the "
        "generation's row.",
    )
    DATABASE_THREADS = Setting(
        whole(1),
        2,
        "The number of threads, and so of database connections, that one process uses for conversations and "
        "generations.\n\n"
        "More threads help if the database is far away. If it is near, they only compete with the streams for the "
        "CPU.",
    )
