"""The settings of the files that people send."""

from __future__ import annotations

from streaming.conf.rules import MEDIA_TYPES, SECONDS, TEXT, optional, whole
from streaming.conf.setting import Setting

IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
FILE_TYPES = (*IMAGES, "application/pdf", "text/plain", "text/markdown", "text/csv", "application/json")


class FileSettings:
    """See `streaming.conf.settings.Settings`."""

    FILES_STORAGE = Setting(
        TEXT,
        "default",
        "The storage for the files that people send, as an alias in Django's `STORAGES`. It needs no public address.",
    )
    FILE_TYPES = Setting(
        MEDIA_TYPES,
        FILE_TYPES,
        "The media types of files that people may send. Empty: no files. The app finds the type in the file's "
        "bytes and does not trust what the client says.",
    )
    MAX_FILE_BYTES = Setting(
        whole(1),
        5_000_000,
        "The largest file that a person may send. 5 MB is Anthropic's limit for an image, and larger than most "
        "photographs.",
    )
    MAX_FILES_PER_MESSAGE = Setting(whole(0), 5, "The number of files that one message may have.")
    MAX_FILE_BYTES_PER_OWNER = Setting(
        optional(whole(1)),
        500_000_000,
        "The number of bytes of files that the app keeps for one owner, sent or not. None: no limit.",
    )
    UNSENT_FILE_SECONDS = Setting(
        SECONDS, 86_400, "The time after which the app removes a file that was uploaded and not sent with a message."
    )
