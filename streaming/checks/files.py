"""Checks the place where attachments are stored."""

from __future__ import annotations

from django.core.checks import CheckMessage, Error, Warning
from django.core.files.storage import FileSystemStorage, InvalidStorageError, storages

from streaming.conf import settings


def check_files(**kwargs: object) -> list[CheckMessage]:
    """Checks that `STREAMING_FILES_STORAGE` names a storage."""
    alias = settings.FILES_STORAGE
    if alias in storages.backends:
        return []
    return [
        Error(
            f"STREAMING_FILES_STORAGE is {alias!r}, and STORAGES has no such alias.",
            hint=f"Name one of: {', '.join(sorted(storages.backends))}; or add it to STORAGES.",
            id="streaming.E050",
        )
    ]


def check_files_exposure(**kwargs: object) -> list[CheckMessage]:
    """Checks that the storage has a directory of its own. Only for `check --deploy`: developers may need none."""
    try:
        storage = storages[settings.FILES_STORAGE]
    except InvalidStorageError:
        return []
    is_placed = not isinstance(storage, FileSystemStorage) or storage.base_location
    if is_placed or not settings.FILE_TYPES:
        return []
    return [
        Warning(
            "Files that people send are kept in the directory in which the server happens to be started.",
            hint="Set MEDIA_ROOT, or STREAMING_FILES_STORAGE to an alias of STORAGES with a place of its own; "
            "or STREAMING_FILE_TYPES = [] to accept no files.",
            id="streaming.W051",
        )
    ]
