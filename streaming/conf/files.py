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
        "The alias in Django's `STORAGES` of the storage that keeps the files that people send. It needs no "
        "public address.",
    )
    FILE_TYPES = Setting(
        MEDIA_TYPES,
        FILE_TYPES,
        "The media types of files that people may send. Empty: no files. The type is found in the file's bytes; "
        "what the client says is not trusted.",
    )
    MAX_FILE_BYTES = Setting(
        whole(1),
        5_000_000,
        "The largest file that a person may send. 5 MB is Anthropic's limit for an image, and more than most "
        "photographs have.",
    )
    MAX_FILES_PER_MESSAGE = Setting(whole(0), 5, "The number of files that one message may have.")
    MAX_FILE_BYTES_PER_OWNER = Setting(
        optional(whole(1)),
        500_000_000,
        "The number of bytes of files that are kept for one owner, sent or not. None: no limit.",
    )
    UNSENT_FILE_SECONDS = Setting(
        SECONDS, 86_400, "The time after which a file is removed that was uploaded and not sent with a message."
    )
